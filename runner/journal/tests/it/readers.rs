//! Readers find runs, follow them, and judge them.

use std::collections::BTreeMap;

use windlass_journal::*;

use crate::tools::*;

#[test]
fn two_readers_read_while_a_run_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    wait(writer.flush()).unwrap();
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let reader = Journal::open(folder.path()).unwrap();
                    let summary = reader.resolve(None).unwrap();
                    assert_eq!(summary.state, RunState::Running);
                    let mut follow = reader.follow(&summary, 0).unwrap();
                    let mut count = 0;
                    for entry in &mut follow {
                        count += 1;
                        assert_eq!(entry.unwrap().seq, count);
                    }
                    assert_eq!(follow.state(), RunState::Ended(Status::Succeeded));
                    count
                })
            })
            .collect();
        for n in 0..3000 {
            writer.append(note(n));
            if n % 100 == 0 {
                wait(writer.flush()).unwrap();
            }
        }
        wait(writer.close(well())).unwrap();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    assert_eq!(counts, [3002, 3002]);
}

#[test]
fn two_runs_may_be_written_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let ids = ["aaa0000000", "bbb0000000"];
    std::thread::scope(|scope| {
        for id in ids {
            scope.spawn(|| {
                let writer = start(folder.path(), id);
                for n in 0..100 {
                    wait(writer.append_durable(note(n))).unwrap();
                }
                wait(writer.close(well())).unwrap();
            });
        }
    });
    for id in ids {
        let records: Vec<_> = read(folder.path(), id).into_iter().map(|entry| entry.record).collect();
        assert_eq!(records[1..101], (0..100).map(note).collect::<Vec<_>>());
    }
}

#[test]
fn a_silent_run_is_seen_alive() {
    let folder = tempfile::tempdir().unwrap();
    let writer = start(folder.path(), &new_run_id());
    wait(writer.flush()).unwrap();
    let reader = Journal::open(folder.path()).unwrap();
    let first = reader.resolve(None).unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while reader.refresh(&first).unwrap().seen == first.seen {
        assert!(std::time::Instant::now() < until, "no sign of life in 20 s");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    wait(writer.close(well())).unwrap();
}

#[test]
fn following_ends_when_the_process_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    wait(writer.append_durable(note(1))).unwrap();
    let reader = Journal::open(folder.path()).unwrap();
    let mut follow = reader.follow(&reader.resolve(None).unwrap(), 1).unwrap();
    assert_eq!(follow.next().unwrap().unwrap().record, note(1));
    assert!(follow.try_next().unwrap().is_none());
    writer.append(note(2));
    drop(writer);
    assert_eq!(follow.next().unwrap().unwrap().record, note(2));
    assert!(follow.next().is_none());
    assert_eq!(follow.state(), RunState::Interrupted);
}

#[test]
fn a_reader_may_come_before_the_first_commit() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open_or_create(folder.path()).unwrap();
    let reader = Journal::open(folder.path()).unwrap();
    assert_eq!(reader.runs(10).unwrap(), []);
    let none = reader.resolve(None).unwrap_err();
    assert!(matches!(none, JournalError::NoRuns { .. }), "{none}");
    let run = new_run_id();
    let writer = journal.start_run(WriterOptions::default(), started(&run)).unwrap();
    wait(writer.close(well())).unwrap();
    assert_eq!(reader.resolve(None).unwrap().id, run);
}

#[test]
fn runs_are_listed_newest_first_with_their_state() {
    let folder = tempfile::tempdir().unwrap();
    let ids = ["aaa0000000", "aaa1111111", "bbb0000000"];
    wait(start(folder.path(), ids[0]).close(Record::RunEnded { status: Status::Cancelled, exit_code: 130 })).unwrap();
    drop(start(folder.path(), ids[1]));
    let writer = start(folder.path(), ids[2]);
    wait(writer.flush()).unwrap();
    let reader = Journal::open(folder.path()).unwrap();
    let runs = reader.runs(10).unwrap();
    let listed: Vec<_> = runs.iter().map(|run| (run.id.as_str(), run.state, run.exit_code)).collect();
    let expected = [
        (ids[2], RunState::Running, None),
        (ids[1], RunState::Interrupted, None),
        (ids[0], RunState::Ended(Status::Cancelled), Some(130)),
    ];
    assert_eq!(listed, expected);
    assert_eq!(runs[0].pid, Some(std::process::id()));
    assert_eq!((runs[0].pipeline.as_str(), runs[0].file.as_str()), ("storefront", "pipeline.toml"));
    assert_eq!(reader.runs(1).unwrap().len(), 1);
    wait(writer.close(well())).unwrap();
    assert_eq!(reader.refresh(&runs[0]).unwrap().state, RunState::Ended(Status::Succeeded));
}

#[test]
fn runs_are_found_by_what_people_type() {
    let folder = tempfile::tempdir().unwrap();
    for id in ["aaa0000000", "aaa1111111", "bbb0000000"] {
        wait(start(folder.path(), id).close(well())).unwrap();
    }
    let reader = Journal::open(folder.path()).unwrap();
    let found = |id: Option<&str>| reader.resolve(id).map(|run| run.id);
    for (typed, id) in [
        (None, "bbb0000000"),
        (Some("latest"), "bbb0000000"),
        (Some("bbb"), "bbb0000000"),
        (Some("AAAi"), "aaa1111111"),
        (Some("aaaO0"), "aaa0000000"),
        (Some("aaa0000000"), "aaa0000000"),
    ] {
        assert_eq!(found(typed).unwrap(), id);
    }
    let error = found(Some("aaa")).unwrap_err().to_string();
    assert_eq!(
        error,
        "`aaa` is the beginning of more than one run (these: aaa1111111, aaa0000000); give more characters"
    );
    let error = found(Some("zzz")).unwrap_err().to_string();
    assert!(error.starts_with("no run is called `zzz` (the newest are: bbb0000000, aaa1111111"), "{error}");
    assert!(matches!(found(Some("%_%")), Err(JournalError::UnknownRun { .. })));
    assert!(matches!(found(Some("aaa00000000")), Err(JournalError::UnknownRun { .. })));
    assert!(matches!(found(Some("bb")), Err(JournalError::ShortId { .. })));
}

#[test]
fn entries_begin_after_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let (run, other) = (new_run_id(), new_run_id());
    let writer = start(folder.path(), &run);
    (0..2000).for_each(|n| writer.append(note(n)));
    wait(writer.close(well())).unwrap();
    wait(start(folder.path(), &other).close(well())).unwrap();
    let reader = Journal::open(folder.path()).unwrap();
    let summary = reader.resolve(Some(&run)).unwrap();
    for after in [0, 1, 511, 512, 1999, 2002, u64::MAX] {
        let seqs = reader.entries(&summary, after).unwrap().map(|entry| entry.unwrap().seq);
        assert!(seqs.eq(after.saturating_add(1)..=2002), "after {after}");
    }
}

#[test]
fn a_run_says_whether_it_can_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let here: BTreeMap<_, _> = [("gate".to_owned(), "0.1.0".to_owned())].into();
    let writer = start(folder.path(), &run);
    for ordinal in 0..2 {
        writer.append(Record::CallStarted {
            call: call(0, ordinal),
            function: "docker.push".into(),
            args: "{}".into(),
            grant: None,
        });
    }
    writer.append(Record::CallEnded { call: call(0, 1), answer: "{}".into() });
    wait(writer.flush()).unwrap();
    let reader = Journal::open(folder.path()).unwrap();
    let summary = reader.resolve(None).unwrap();
    assert_eq!(reader.replayability(&summary, &here).unwrap(), Replayability::Incomplete);
    wait(writer.close(well())).unwrap();
    let Replayability::NotReplayable(reasons) = reader.replayability(&summary, &BTreeMap::new()).unwrap() else {
        panic!()
    };
    let words: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "the run was made with gate 0.1.0, and this Windlass does not have it",
            "call 0.1.0 (`docker.push`) has no answer: the run ended while it was under way"
        ]
    );
    let cancelled = new_run_id();
    let writer = start(folder.path(), &cancelled);
    writer.append(Record::CallStarted { call: call(0, 0), function: "x".into(), args: "{}".into(), grant: None });
    let (failure, outputs) = (None, BTreeMap::new());
    let status = Status::Cancelled;
    writer.append(Record::StepEnded { step: StepIndex(0), attempt: 1, status, failure, outputs });
    wait(writer.close(well())).unwrap();
    assert_eq!(reader.replayability(&reader.resolve(None).unwrap(), &here).unwrap(), Replayability::Replayable);
    let large = new_run_id();
    let writer = start(folder.path(), &large);
    let input = FolderInput { folder: "src".into(), digest: "sha256:1".into(), files: 1, bytes: 1 << 40, kept: false };
    writer.append(Record::StepInputs { step: StepIndex(0), attempt: 1, env: BTreeMap::new(), folders: vec![input] });
    wait(writer.close(well())).unwrap();
    let large = reader.replayability(&reader.resolve(None).unwrap(), &here).unwrap();
    let reason = Reason::InputsNotKept { step: StepIndex(0), folder: "src".into() };
    assert_eq!(large, Replayability::NotReplayable(vec![reason]));
}
