//! A run can be read without most of its calls.

use windlass_journal::*;

use crate::tools::*;

fn begun(call: CallId, function: &str) -> Record {
    Record::CallStarted { call, function: function.into(), args: "{}".to_owned(), grant: None }
}

fn ended(call: CallId) -> Record {
    Record::CallEnded { call, answer: r#"{"ok":null}"#.to_owned() }
}

/// The records of a deploy: those that are wanted, and the others among them.
fn deploy() -> Vec<(bool, Record)> {
    let (pull, shift, again) = (call(0, 0), call(1, 0), call(1, 1));
    let recorded = |call, function: &str| Record::CallRecorded {
        call,
        function: function.into(),
        args: "{}".to_owned(),
        grant: None,
        answer: r#"{"ok":null}"#.to_owned(),
        took: 1,
    };
    let log = Record::LogCut { step: StepIndex(0), attempt: 1, limit: 1 };
    let told = |call| Record::InDoubtAnswered { call, answer: InDoubtAnswer::Repeat, by: "ada".to_owned() };
    vec![
        (true, Record::StageStarted { stage: StageIndex(0), name: "s".into(), environment: Some("live".into()) }),
        (false, begun(pull, "docker.pull")),
        (true, begun(shift, "traffic.shift")),
        (false, ended(pull)),
        (false, log),
        (true, ended(shift)),
        (false, recorded(call(0, 1), "docker.inspect")),
        (true, recorded(call(1, 1), "traffic.judge")),
        (false, begun(call(0, 2), "http.send")),
        (false, told(call(0, 2))),
        (true, begun(again, "traffic.commit")),
        (true, told(again)),
        (true, begun(again, "traffic.commit")),
        (true, ended(again)),
        (true, note(1)),
    ]
}

fn write(dir: &std::path::Path, run: &str, records: impl IntoIterator<Item = Record>) {
    let writer = start(dir, run);
    records.into_iter().for_each(|record| writer.append(record));
    wait(writer.close(well())).unwrap();
}

fn outline(dir: &std::path::Path, run: &str) -> Result<Vec<Record>, JournalError> {
    let reader = Journal::open(dir).unwrap();
    let run = reader.resolve(Some(run)).unwrap();
    Ok(reader.outline(&run, |name| name.starts_with("traffic."))?.into_iter().map(|entry| entry.record).collect())
}

#[test]
fn only_the_wanted_calls_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    write(folder.path(), &run, deploy().into_iter().map(|(_, record)| record));
    let found = outline(folder.path(), &run).unwrap();
    let wanted: Vec<_> = deploy().into_iter().filter(|(wanted, _)| *wanted).map(|(_, record)| record).collect();
    assert_eq!(found[0], Record::RunStarted(Box::new(started(&run))));
    assert_eq!(found[1..found.len() - 1], wanted);
    assert_eq!(found.last(), Some(&well()));
    let numbers: Vec<_> = {
        let reader = Journal::open(folder.path()).unwrap();
        let run = reader.resolve(None).unwrap();
        let entries = reader.outline(&run, |name| name == "docker.pull").unwrap();
        entries.into_iter().map(|entry| entry.seq).collect()
    };
    assert_eq!(numbers, [1, 2, 3, 5, 16, 17], "their numbers are those of the run");
}

#[test]
fn a_run_without_such_calls_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    write(folder.path(), &run, [begun(call(0, 0), "docker.pull"), ended(call(0, 0)), note(1)]);
    assert_eq!(outline(folder.path(), &run).unwrap(), []);
}

#[test]
fn what_is_missing_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for (run, lost) in [("aaa0000000", "place & 255 = 4"), ("bbb0000000", "place & 255 = 17"), ("ccc0000000", "1")] {
        write(folder.path(), run, deploy().into_iter().map(|(_, record)| record));
        let conn = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
        let of = "place >> 40 = (SELECT key FROM run WHERE id = ?1)";
        conn.execute(&format!("DELETE FROM entry WHERE {of} AND {lost}"), [run]).unwrap();
        drop(conn);
        let error = outline(folder.path(), run).unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    }
}

#[test]
fn damage_in_a_wanted_record_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run_id();
    write(folder.path(), &run, deploy().into_iter().map(|(_, record)| record));
    let conn = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
    conn.execute("UPDATE entry SET answer = '{\"ok\":1}' WHERE name = 'traffic.judge'", []).unwrap();
    drop(conn);
    let error = outline(folder.path(), &run).unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
}
