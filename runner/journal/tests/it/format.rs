//! The format on disk: a journal that version 1 wrote, as SQL text, is read for ever.
//!
//! `tests/golden/v1.sql` changes only together with [`FormatVersion`]. To write it again, run this
//! test with `WINDLASS_BLESS=1`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use windlass_journal::*;

use crate::tools::*;

const RUN: &str = "g01denrvn0";

/// Every kind of record, with and without what is optional.
fn every_kind() -> Vec<Record> {
    let (stage, step) = (StageIndex(0), StepIndex(1));
    let call = call(1, 0);
    let failure = Failure {
        kind: FailureKind::Denied,
        message: "not granted".to_owned(),
        hint: Some("add it to `grants`".to_owned()),
    };
    vec![
        Record::RunStarted(Box::new(started(RUN))),
        Record::StageStarted { stage, name: "build".into() },
        Record::StepStarted { step, attempt: 1, stage, name: "image".into() },
        Record::CallStarted {
            call,
            function: "docker.push".into(),
            args: r#"{"tag": "localhost:5000/a:1"}"#.to_owned(),
            grant: Some("grants.docker.push[0]".to_owned()),
        },
        Record::CallEnded { call, answer: r#"{"ok":{"digest":"sha256:00"}}"#.to_owned() },
        Record::CallRecorded {
            call: CallId { ordinal: 1, ..call },
            function: "clock.now".into(),
            args: "{}".to_owned(),
            grant: None,
            answer: r#"{"ok":17}"#.to_owned(),
            took: 3,
        },
        Record::RunResumed(Box::new(RunResumed {
            versions: [("gate".to_owned(), "1".to_owned())].into(),
            plugins: vec![PluginPin { source: "builtin:image".to_owned(), digest: "sha256:00".to_owned() }],
            restarted: vec![step],
        })),
        Record::StepInputs {
            step,
            attempt: 1,
            env: [("LANG".to_owned(), "C".to_owned())].into(),
            folders: vec![FolderInput {
                folder: "src".to_owned(),
                digest: "sha256:01".to_owned(),
                files: 2,
                bytes: 300,
                kept: true,
            }],
        },
        Record::InDoubtAnswered { call, answer: InDoubtAnswer::Repeat, by: "somebody".to_owned() },
        Record::SecretRead { name: "registry".to_owned(), check: "5e1f".to_owned() },
        Record::Log { step, attempt: 1, stream: Stream::Stdout, offset: 0, len: 5 },
        Record::LogCut { step, attempt: 1, limit: 5 },
        Record::Metric {
            call: CallId { ordinal: 2, ..call },
            name: "p99".to_owned(),
            value: 12.5,
            unit: "ms".to_owned(),
            labels: [("route".to_owned(), "/".to_owned())].into(),
        },
        Record::Notice { step: Some(step), message: "left behind: 'a'".to_owned() },
        Record::CancelRequested { by: "SIGINT".to_owned() },
        Record::StepEnded {
            step,
            attempt: 1,
            status: Status::Failed,
            failure: Some(failure),
            outputs: [("ref".to_owned(), serde_json::json!(["a", 1.5, null]))].into(),
        },
        Record::StepEnded {
            step: StepIndex::HOST,
            attempt: 1,
            status: Status::Succeeded,
            failure: None,
            outputs: Default::default(),
        },
        Record::StageEnded { stage, name: "build".into(), status: Status::Failed },
        Record::StageEnded { stage: StageIndex(1), name: "late".into(), status: Status::Skipped },
        Record::RunEnded { status: Status::Cancelled, exit_code: 130 },
    ]
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1.sql")
}

/// A database as SQL text.
fn dump(conn: &Connection) -> String {
    let mut sql = String::new();
    for pragma in ["application_id", "user_version"] {
        let value: i64 = conn.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
        writeln!(sql, "PRAGMA {pragma} = {value};").unwrap();
    }
    let mut tables = conn.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").unwrap();
    let tables = tables.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    for (name, create) in tables.map(Result::unwrap) {
        writeln!(sql, "{create};").unwrap();
        let mut columns =
            conn.prepare(&format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{name}')")).unwrap();
        let columns: Vec<String> = columns.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut rows = conn.prepare(&format!("SELECT {} FROM {name}", columns.join(" || ', ' || "))).unwrap();
        for row in rows.query_map([], |row| row.get::<_, String>(0)).unwrap() {
            writeln!(sql, "INSERT INTO {name} VALUES ({});", row.unwrap()).unwrap();
        }
    }
    sql
}

/// Gives the rows of a table their checksums, as the format says: of the columns before `sum`, each
/// as 0 for NULL, 1 and the number, or 2, the length and the text.
fn seal(conn: &Connection, table: &str, key: &str, columns: usize) {
    let mut rows = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let mut rows = rows.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let mut bytes = Vec::new();
        for column in 0..columns {
            match row.get_ref(column).unwrap() {
                ValueRef::Null => bytes.push(0),
                ValueRef::Integer(number) => {
                    bytes.push(1);
                    bytes.extend(number.to_le_bytes());
                }
                ValueRef::Text(text) => {
                    bytes.push(2);
                    bytes.extend((text.len() as u64).to_le_bytes());
                    bytes.extend(text);
                }
                other => panic!("{other:?}"),
            }
        }
        let row: i64 = row.get(key).unwrap();
        let sum = i64::from(crc32fast::hash(&bytes));
        conn.execute(&format!("UPDATE {table} SET sum = ?2 WHERE {key} = ?1"), [row, sum]).unwrap();
    }
}

#[test]
fn version_1_is_written_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    let writer = start(folder.path(), RUN);
    let mut records = every_kind();
    let last = records.pop().unwrap();
    for record in records.into_iter().skip(1) {
        match record {
            Record::Log { step, attempt, stream, .. } => writer.log(step, attempt, stream, b"hello world", 5),
            // It came with the log.
            Record::LogCut { .. } => {}
            record => writer.append(record),
        }
    }
    wait(writer.close(last)).unwrap();
    let conn = Connection::open(folder.path().join("journal.db")).unwrap();
    conn.execute_batch(
        "UPDATE entry SET at = 1700000000000000 + (place & 255);
         UPDATE run SET started_at = 1700000000000001, ended_at = 1700000000000019, seen_at = 1700000000000019;",
    )
    .unwrap();
    seal(&conn, "entry", "place", 13);
    seal(&conn, "run", "key", 10);
    let dump = dump(&conn);
    if std::env::var_os("WINDLASS_BLESS").is_some() {
        fs::write(golden(), &dump).unwrap();
    }
    assert_eq!(dump, fs::read_to_string(golden()).unwrap(), "a changed format needs a new FormatVersion");
}

#[test]
fn version_1_is_read_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let conn = Connection::open(folder.path().join("journal.db")).unwrap();
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    conn.execute_batch(&fs::read_to_string(golden()).unwrap()).unwrap();
    let entries = read(folder.path(), RUN);
    let expected = every_kind().into_iter().zip(1_u64..).map(|(record, seq)| Entry {
        seq,
        at: 1_700_000_000_000_000 + seq,
        record,
    });
    assert_eq!(entries, expected.collect::<Vec<_>>());
    let reader = Journal::open(folder.path()).unwrap();
    let run = reader.resolve(None).unwrap();
    assert_eq!(run.state, RunState::Ended(Status::Cancelled));
    assert_eq!((run.exit_code, run.failed_step.as_deref()), (Some(130), Some("image")));
    assert_eq!((run.started, run.ended), (1_700_000_000_000_001, Some(1_700_000_000_000_019)));
    assert_eq!(reader.source(&run).unwrap(), "[pipeline]\nname = \"storefront\"\n");
}
