//! An interrupted run goes on after its last record.

use windlass_journal::*;

use crate::tools::*;

fn resume(dir: &std::path::Path, run: &str) -> Result<Writer, JournalError> {
    Journal::open_or_create(dir)?.resume_run(WriterOptions::default(), run)
}

#[test]
fn a_run_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    writer.log(StepIndex(0), 1, Stream::Stdout, b"0123456", 10);
    writer.log(StepIndex(1), 1, Stream::Stdout, b"0123456789abc", 10);
    drop(writer);

    let writer = resume(folder.path(), &run).unwrap();
    assert_eq!(writer.run(), run);
    wait(writer.append_durable(note(1))).unwrap();
    assert_eq!(state(folder.path(), &run), RunState::Running);
    writer.log(StepIndex(0), 1, Stream::Stdout, b"789abc", 10);
    writer.log(StepIndex(1), 1, Stream::Stdout, b"more", 10);
    wait(writer.close(well())).unwrap();

    let entries = read(folder.path(), &run);
    assert!(entries.iter().map(|entry| entry.seq).eq(1..=entries.len() as u64));
    let cuts: Vec<_> = entries
        .iter()
        .filter_map(|entry| if let Record::LogCut { step, .. } = entry.record { Some(step.0) } else { None })
        .collect();
    assert_eq!(cuts, [1, 0], "each step is cut once, in both processes together");
    assert_eq!(std::fs::read(folder.path().join(format!("runs/{run}.log"))).unwrap(), b"01234560123456789789");
    assert_eq!(state(folder.path(), &run), RunState::Ended(Status::Succeeded));
}

#[test]
fn only_an_interrupted_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    assert!(matches!(resume(folder.path(), &run), Err(JournalError::UnknownRun { .. })));
    let writer = start(folder.path(), &run);
    wait(writer.flush()).unwrap();
    assert!(matches!(resume(folder.path(), "0000000000"), Err(JournalError::UnknownRun { .. })));
    let busy = resume(folder.path(), &run).unwrap_err();
    assert!(matches!(busy, JournalError::InUse { pid: Some(pid), .. } if pid == std::process::id()), "{busy}");
    wait(writer.close(well())).unwrap();
    assert!(matches!(resume(folder.path(), &run), Err(JournalError::Ended { .. })));
}

#[test]
fn the_step_that_failed_for_good_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    let began = |step, attempt, name: &str| Record::StepStarted {
        step: StepIndex(step),
        attempt,
        stage: StageIndex(0),
        name: name.into(),
    };
    let ended = |step, attempt, status| Record::StepEnded {
        step: StepIndex(step),
        attempt,
        status,
        failure: None,
        outputs: Default::default(),
    };
    for record in
        [began(0, 1, "flaky"), ended(0, 1, Status::Failed), began(1, 1, "broken"), ended(1, 1, Status::Failed)]
    {
        writer.append(record);
    }
    drop(writer);
    let writer = resume(folder.path(), &run).unwrap();
    for record in
        [began(0, 2, "flaky"), ended(0, 2, Status::Succeeded), began(2, 1, "late"), ended(2, 1, Status::Failed)]
    {
        writer.append(record);
    }
    wait(writer.close(Record::RunEnded { status: Status::Failed, exit_code: 1 })).unwrap();
    let summary = Journal::open(folder.path()).unwrap().resolve(None).unwrap();
    assert_eq!(summary.failed_step.as_deref(), Some("broken"));
    assert_eq!((summary.state, summary.exit_code), (RunState::Ended(Status::Failed), Some(1)));
    assert!(summary.ended.unwrap() >= summary.started);
    assert_eq!(summary.pid, None);
}

#[test]
fn a_run_id_names_a_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join(".windlass");
    for bad in ["", "../../../xx", "ABCDEFGHJK", "0123456789a"] {
        let journal = Journal::open_or_create(&dir).unwrap();
        let error = journal.start_run(WriterOptions::default(), started(bad)).unwrap_err();
        assert!(matches!(error, JournalError::BadRunId { .. }), "{error}");
    }
    let writer = start(&dir, "abcdefghjk");
    let twice = Journal::open_or_create(&dir).unwrap().start_run(WriterOptions::default(), started("abcdefghjk"));
    assert!(matches!(twice, Err(JournalError::RunExists { .. })));
    wait(writer.close(well())).unwrap();
}
