//! What other processes ask of a run reaches the one that writes it, once.

use std::path::Path;
use std::time::Duration;

use windlass_journal::*;

use crate::tools::*;

fn run_of(dir: &Path, run: &str) -> RunSummary {
    Journal::open(dir).unwrap().resolve(Some(run)).unwrap()
}

fn ask(stage: &str, approved: bool) -> Ask {
    Ask::Decide { stage: stage.to_owned(), approved }
}

fn decide(dir: &Path, run: &str, stage: &str, early: bool) -> Result<(), JournalError> {
    send(dir, &run_of(dir, run), ask(stage, true), "ada@shop", Some("looks good"), early)
}

fn asked(stage: &str) -> Record {
    Record::ApprovalAsked { stage: stage.into(), call: None, message: String::new() }
}

fn decided(stage: &str, request: &Request) -> Record {
    let Ask::Decide { approved, .. } = request.ask else { panic!("{request:?}") };
    let (by, why) = (request.by.clone(), request.why.clone());
    let decision = Decision { approved, by, why, decided_at: request.at };
    Record::Decided { stage: stage.into(), call: None, decision }
}

fn next(writer: &Writer) -> Request {
    let next = async { tokio::time::timeout(Duration::from_secs(10), writer.request()).await };
    wait(next).expect("a request comes").expect("the record is open")
}

fn open(dir: &Path, run: &str) -> Vec<Request> {
    Journal::open(dir).unwrap().requests(&run_of(dir, run)).unwrap()
}

#[test]
fn a_request_reaches_the_process_that_writes_the_run_and_is_taken_with_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    wait(writer.append_durable(asked("deploy"))).unwrap();
    decide(folder.path(), &run, "deploy", false).unwrap();
    let request = next(&writer);
    assert_eq!((&request.ask, request.by.as_str()), (&ask("deploy", true), "ada@shop"));
    assert_eq!(request.why.as_deref(), Some("looks good"));
    assert_eq!(open(folder.path(), &run), std::slice::from_ref(&request), "it is not taken before its record is there");
    wait(writer.append_durable(decided("deploy", &request))).unwrap();
    assert_eq!(open(folder.path(), &run), []);
    wait(writer.close(well())).unwrap();
}

#[test]
fn requests_to_a_run_that_nobody_writes_are_there_when_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    writer.append(asked("deploy"));
    wait(writer.close(Record::RunWaiting { stages: vec!["deploy".into()] })).unwrap();
    assert_eq!(state(folder.path(), &run), RunState::Waiting);
    decide(folder.path(), &run, "deploy", false).unwrap();
    send(folder.path(), &run_of(folder.path(), &run), Ask::Cancel, "bob@shop", None, false).unwrap();

    let resume = || Journal::open_or_create(folder.path()).unwrap().resume_run(WriterOptions::default(), &run).unwrap();
    let writer = resume();
    let requests = writer.requests();
    assert_eq!(requests.iter().map(|request| &request.ask).collect::<Vec<_>>(), [&ask("deploy", true), &Ask::Cancel]);
    wait(writer.append_durable(decided("deploy", &requests[0]))).unwrap();
    // This one dies before it has journaled the other request: the next process gets it, and only it.
    drop(writer);
    let writer = resume();
    assert_eq!(writer.requests(), &requests[1..]);
    writer.append(Record::RunResumed(Box::new(RunResumed {
        versions: Default::default(),
        plugins: Vec::new(),
        restarted: Vec::new(),
    })));
    wait(writer.append_durable(Record::CancelRequested { by: "bob@shop".to_owned() })).unwrap();
    assert_eq!(open(folder.path(), &run), []);
    drop(writer);
    assert_eq!(state(folder.path(), &run), RunState::Interrupted, "it does not wait any more");
}

#[test]
fn of_two_that_decide_one_is_told_that_the_other_was_first() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    wait(writer.append_durable(asked("deploy"))).unwrap();
    let results: Vec<_> = std::thread::scope(|scope| {
        let dir = folder.path();
        let deciders: Vec<_> = (0..4).map(|_| scope.spawn(|| decide(dir, &run, "deploy", false))).collect();
        deciders.into_iter().map(|decider| decider.join().unwrap()).collect()
    });
    let late: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(late.len(), 3);
    for error in &late {
        assert!(matches!(error, JournalError::Decided { by, approved: true, .. } if by == "ada@shop"), "{error}");
    }
    let request = next(&writer);
    wait(writer.append_durable(decided("deploy", &request))).unwrap();
    let error = decide(folder.path(), &run, "deploy", true).unwrap_err();
    assert_eq!(error.to_string(), format!("ada@shop has approved stage `deploy` of run `{run}` already: looks good"));
    // What it asks after that is another question.
    wait(writer.append_durable(asked("deploy"))).unwrap();
    decide(folder.path(), &run, "deploy", false).unwrap();
    wait(writer.close(well())).unwrap();
}

#[test]
fn what_does_not_wait_takes_no_decision() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    wait(writer.flush()).unwrap();
    assert!(matches!(decide(folder.path(), &run, "deploy", false), Err(JournalError::NotWaiting { .. })));
    decide(folder.path(), &run, "deploy", true).unwrap();
    let skipped = Record::StageEnded { stage: StageIndex(1), name: "test".into(), status: Status::Skipped };
    wait(writer.append_durable(skipped)).unwrap();
    assert!(matches!(decide(folder.path(), &run, "test", true), Err(JournalError::NotWaiting { .. })));
    wait(writer.close(well())).unwrap();
    assert!(matches!(decide(folder.path(), &run, "deploy", true), Err(JournalError::Ended { .. })));
}

#[test]
fn a_request_that_was_changed_on_disk_is_damage_and_no_decision() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    wait(writer.append_durable(asked("deploy"))).unwrap();
    drop(writer);
    decide(folder.path(), &run, "deploy", false).unwrap();
    let store = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
    assert_eq!(store.execute("UPDATE inbox SET kind = 3", []).unwrap(), 1);
    drop(store);
    let reader = Journal::open(folder.path()).unwrap();
    let found = reader.requests(&run_of(folder.path(), &run));
    assert!(matches!(found, Err(JournalError::Damaged { .. })), "{found:?}");
    assert!(!reader.check().unwrap().is_whole());
}

#[test]
fn what_was_asked_of_a_run_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    let writer = start(folder.path(), &run);
    writer.append(asked("deploy"));
    wait(writer.close(Record::RunWaiting { stages: Vec::new() })).unwrap();
    decide(folder.path(), &run, "deploy", false).unwrap();
    let pruned = prune(folder.path(), &PruneOptions::default()).unwrap();
    assert_eq!((pruned.runs.len(), pruned.interrupted.len()), (0, 1), "it could be resumed");
    let _ =
        prune(folder.path(), &PruneOptions { interrupted: [run.clone()].into(), ..PruneOptions::default() }).unwrap();
    let store = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
    let left: i64 = store.query_row("SELECT count(*) FROM inbox", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}
