//! Commits are shared, come in time, and a failed one is the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use windlass_journal::*;

use crate::tools::*;

#[test]
fn many_waiters_share_few_commits() {
    let folder = tempfile::tempdir().unwrap();
    let (run, seen) = (new_run_id(), Seen::default());
    let writer = start_with(folder.path(), &run, seen.options());
    wait(async {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..500 {
            let writer = writer.clone();
            tasks.spawn(async move { writer.append_durable(note(n)).await });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
    });
    let commits = seen.commits();
    wait(writer.close(well())).unwrap();
    assert!(commits < 100, "{commits} commits for 500 waiters");
    assert_eq!(read(folder.path(), &run).len(), 502);
}

#[test]
fn what_is_durable_is_seen_by_a_reader_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer =
        start_with(folder.path(), &run, WriterOptions { flush_after: Duration::from_secs(60), ..Default::default() });
    writer.append(note(1));
    wait(writer.append_durable(note(2))).unwrap();
    assert_eq!(read(folder.path(), &run).len(), 3);
    writer.append(note(3));
    wait(writer.flush()).unwrap();
    assert_eq!(read(folder.path(), &run).len(), 4);
    wait(writer.flush()).unwrap();
    wait(writer.close(well())).unwrap();
}

#[test]
fn what_nobody_waits_for_is_committed_soon() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    wait(writer.flush()).unwrap();
    writer.append(note(1));
    let until = Instant::now() + Duration::from_secs(10);
    while read(folder.path(), &run).len() < 2 {
        assert!(Instant::now() < until, "not committed in 10 s");
        std::thread::sleep(Duration::from_millis(2));
    }
    wait(writer.close(well())).unwrap();
}

#[test]
fn a_lot_pending_does_not_wait_for_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (run, seen) = (new_run_id(), Seen::default());
    let options = WriterOptions { flush_after: Duration::from_secs(60), ..seen.options() };
    let writer = start_with(folder.path(), &run, options);
    (0..2000).for_each(|n| writer.append(note(n)));
    let until = Instant::now() + Duration::from_secs(10);
    while seen.commits() == 0 {
        assert!(Instant::now() < until, "not committed in 10 s");
        std::thread::sleep(Duration::from_millis(2));
    }
    wait(writer.close(well())).unwrap();
}

#[test]
fn threads_may_write_at_once_and_each_keeps_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    std::thread::scope(|scope| {
        for step in 0..4 {
            let writer = &writer;
            scope.spawn(move || {
                for ordinal in 0..2000 {
                    writer.append(Record::CallEnded { call: call(step, ordinal), answer: "{}".to_owned() });
                }
            });
        }
    });
    wait(writer.close(well())).unwrap();
    let mut next = [0; 4];
    for entry in read(folder.path(), &run) {
        if let Record::CallEnded { call, .. } = entry.record {
            let next = &mut next[call.step.0 as usize];
            assert_eq!(call.ordinal, *next);
            *next += 1;
        }
    }
    assert_eq!(next, [2000; 4]);
}

#[test]
fn after_close_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    let other = writer.clone();
    wait(writer.close(well())).unwrap();
    other.append(note(1));
    other.log(StepIndex(0), 1, Stream::Log, b"x", 10);
    assert!(matches!(wait(other.append_durable(note(2))), Err(JournalError::Closed { .. })));
    assert!(matches!(wait(other.close(well())), Err(JournalError::Closed { .. })));
    drop((writer, other));
    assert_eq!(read(folder.path(), &run).len(), 2);
    assert_eq!(state(folder.path(), &run), RunState::Ended(Status::Succeeded));
}

#[test]
fn a_writer_that_is_dropped_leaves_its_records_and_an_interrupted_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer =
        start_with(folder.path(), &run, WriterOptions { flush_after: Duration::from_secs(60), ..Default::default() });
    writer.append(note(1));
    writer.log(StepIndex(0), 1, Stream::Log, b"x", 10);
    drop(writer);
    assert_eq!(read(folder.path(), &run).len(), 3);
    assert_eq!(state(folder.path(), &run), RunState::Interrupted);
}

/// Appends a record from the journal's own thread.
struct Echo(Arc<std::sync::OnceLock<Writer>>, bool);

impl Observer for Echo {
    fn committed(&mut self, entries: &[Entry], _: &LogView<'_>) {
        let full = entries.iter().any(|entry| matches!(entry.record, Record::Notice { .. }));
        if full && !std::mem::replace(&mut self.1, true) {
            let writer = self.0.get().unwrap();
            (0..100).for_each(|n| writer.append(note(1000 + n)));
        }
    }
}

#[test]
fn an_observer_that_appends_does_not_wait_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let cell = Arc::new(std::sync::OnceLock::new());
    let observer: Option<Box<dyn Observer>> = Some(Box::new(Echo(Arc::clone(&cell), false)));
    let writer = start_with(folder.path(), &run, WriterOptions { observer, pending_limit: 500, ..Default::default() });
    cell.set(writer.clone()).unwrap();
    wait(writer.append_durable(note(1))).unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while read(folder.path(), &run).len() < 102 {
        assert!(Instant::now() < until, "the observer's records are missing");
        std::thread::sleep(Duration::from_millis(2));
    }
    wait(writer.close(well())).unwrap();
}

#[test]
fn a_full_disk_fails_the_run_in_words_and_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    drop(start(folder.path(), &run));
    // From now on the log file is on a device that has no room.
    let log = folder.path().join(format!("runs/{run}.log"));
    std::fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    let writer = Journal::open_or_create(folder.path()).unwrap().resume_run(WriterOptions::default(), &run).unwrap();
    wait(writer.append_durable(note(1))).unwrap();
    assert!(writer.failed().is_none());
    writer.log(StepIndex(0), 1, Stream::Stdout, b"no room for this", 1000);
    let error = wait(writer.append_durable(note(2))).unwrap_err();
    assert!(matches!(&error, JournalError::Full { path } if *path == log), "{error}");
    assert!(error.to_string().contains("make room"), "{error}");
    assert!(matches!(writer.failed().as_deref(), Some(JournalError::Full { .. })));
    writer.append(note(3));
    assert!(matches!(wait(writer.flush()), Err(JournalError::Full { .. })));
    assert!(matches!(wait(writer.close(well())), Err(JournalError::Full { .. })));
    drop(writer);
    let messages: Vec<_> = read(folder.path(), &run).into_iter().skip(1).map(|entry| entry.record).collect();
    assert_eq!(messages, [note(1)]);
    assert_eq!(state(folder.path(), &run), RunState::Interrupted);
}
