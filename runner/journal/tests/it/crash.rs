//! What was acknowledged survives the death of the process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use windlass_journal::*;

use crate::tools::*;

const FOLDER: &str = "WINDLASS_TEST_JOURNAL";
const RUN: &str = "c7ashtestx";

/// Not a test: the process that is killed. It tells each record once that is durable.
#[test]
#[ignore = "runs as the child of the tests below"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let writer = start(folder.as_ref(), RUN);
    wait(async {
        for n in 0.. {
            for _ in 0..3 {
                writer.append(note(n));
            }
            writer.log(StepIndex(0), 1, Stream::Stdout, format!("line {n}\n").as_bytes(), u64::MAX);
            writer.append_durable(note(n)).await.unwrap();
            println!("durable {n}");
        }
    });
}

#[test]
fn what_was_acknowledged_is_there_after_kill_9() {
    for lines in [1, 7, 60] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        // The first line begins with the name of the test.
        let number = |line: String| Some(line.split_once("durable ")?.1.parse::<u64>().unwrap());
        let mut acknowledged = || out.find_map(|line| number(line.unwrap()));
        (0..lines).for_each(|n| assert_eq!(acknowledged(), Some(n)));
        assert_eq!(state(folder.path(), RUN), RunState::Running);
        let other = Journal::open_or_create(folder.path()).unwrap().resume_run(WriterOptions::default(), RUN);
        assert!(matches!(other, Err(JournalError::InUse { pid, .. }) if pid == Some(child.id())), "{other:?}");
        child.kill().unwrap();
        let last = std::iter::from_fn(acknowledged).last().unwrap_or(lines - 1);
        child.wait().unwrap();

        assert_eq!(state(folder.path(), RUN), RunState::Interrupted);
        let entries = read(folder.path(), RUN);
        let durable = entries.iter().filter(|entry| entry.record == note(last)).count();
        assert_eq!(durable, 4, "record {last} was acknowledged");
        assert!(entries.iter().map(|entry| entry.seq).eq(1..=entries.len() as u64));
        let reader = Journal::open(folder.path()).unwrap();
        let run = reader.resolve(None).unwrap();
        let mut log = Vec::new();
        for entry in &entries {
            if let Record::Log { offset, len, .. } = entry.record {
                let got = reader.log_bytes(&run, offset, len).unwrap();
                assert_eq!(got.missing, 0);
                log.extend(got.bytes);
            }
        }
        let lines = String::from_utf8(log).unwrap();
        assert!(lines.lines().enumerate().all(|(n, line)| line == format!("line {n}")), "{lines}");
        assert!(lines.lines().count() as u64 > last);
    }
}
