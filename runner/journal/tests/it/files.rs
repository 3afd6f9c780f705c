//! Files that are missing, foreign, newer or broken are told apart, and never changed.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use windlass_journal::*;

use crate::tools::*;

/// What a reader and a writer say to the folder.
fn both(dir: &Path) -> [JournalError; 2] {
    let before = fs::read(dir.join("journal.db")).unwrap();
    let reader = Journal::open(dir).map(drop).unwrap_err();
    let writer = Journal::open_or_create(dir).map(drop).unwrap_err();
    assert_eq!(fs::read(dir.join("journal.db")).unwrap(), before, "the file was changed");
    [reader, writer]
}

#[test]
fn a_new_folder_is_made_and_kept_out_of_version_control() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("deep/.windlass");
    wait(start(&dir, "abcdefghjk").close(well())).unwrap();
    assert_eq!(fs::read_to_string(dir.join(".gitignore")).unwrap(), "*\n");
    assert_eq!(read(&dir, "abc").len(), 2);
}

#[test]
fn a_missing_journal_is_absent_and_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    for dir in [folder.path().to_owned(), folder.path().join(".windlass")] {
        let error = Journal::open(&dir).map(drop).unwrap_err();
        assert!(matches!(error, JournalError::Absent { .. }), "{error}");
        assert!(error.to_string().contains("windlass run"), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_in_the_place_of_the_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join(".windlass");
    fs::write(&dir, "mine").unwrap();
    for error in [Journal::open(&dir).map(drop).unwrap_err(), Journal::open_or_create(&dir).map(drop).unwrap_err()] {
        assert!(matches!(error, JournalError::NotAFolder { .. }), "{error}");
        assert!(error.to_string().contains("is a file"), "{error}");
    }
    assert_eq!(fs::read_to_string(&dir).unwrap(), "mine");
}

#[test]
fn foreign_files_are_not_journals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    fs::write(&path, "Dear diary, ".repeat(100)).unwrap();
    for error in both(folder.path()) {
        assert!(matches!(error, JournalError::NotAJournal { .. }), "{error}");
    }
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipe (name TEXT)").unwrap();
    for error in both(folder.path()) {
        assert!(matches!(error, JournalError::NotAJournal { .. }), "{error}");
        assert!(error.to_string().contains("another program"), "{error}");
    }
}

#[test]
fn a_newer_format_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    wait(start(folder.path(), "abcdefghjk").close(well())).unwrap();
    let conn = Connection::open(folder.path().join("journal.db")).unwrap();
    conn.execute_batch("PRAGMA user_version = 7").unwrap();
    drop(conn);
    for error in both(folder.path()) {
        assert!(matches!(error, JournalError::Newer { found: 7, known: FormatVersion::V1, .. }), "{error}");
    }
}

#[test]
fn a_folder_in_the_place_of_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    fs::create_dir(dir.join("journal.db")).unwrap();
    for error in [Journal::open(dir).map(drop).unwrap_err(), Journal::open_or_create(dir).map(drop).unwrap_err()] {
        assert!(matches!(error, JournalError::NotAJournal { .. }), "{error}");
        assert!(error.to_string().contains("it is a folder"), "{error}");
    }
}

#[test]
fn a_blank_or_missing_journal_beside_logs_of_runs_is_told() {
    let remove = |dir: &Path, name: &str| fs::remove_file(dir.join(name)).unwrap();
    let damages: [&dyn Fn(&Path); 5] = [
        &|dir| ["journal.db", "journal.db-wal", "journal.db-shm"].iter().for_each(|name| remove(dir, name)),
        &|dir| remove(dir, "journal.db"),
        &|dir| remove(dir, "journal.db-wal"),
        &|dir| {
            fs::write(dir.join("journal.db"), "").unwrap();
            remove(dir, "journal.db-wal");
        },
        &|dir| {
            fs::write(dir.join("journal.db"), "S").unwrap();
            remove(dir, "journal.db-wal");
        },
    ];
    for (n, damage) in damages.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        for _ in 0..2 {
            let writer = start(dir, &new_run_id());
            writer.log(StepIndex(0), 1, Stream::Stdout, b"hello", 100);
            wait(writer.close(well())).unwrap();
        }
        damage(dir);
        let before = fs::read(dir.join("journal.db")).ok();
        let all = PruneOptions { keep: Some(0), ..PruneOptions::default() };
        for error in [
            Journal::open(dir).map(drop).unwrap_err(),
            Journal::open_or_create(dir).map(drop).unwrap_err(),
            prune(dir, &all).map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, JournalError::Lost { logs: 2, .. }), "damage {n}: {error}");
            assert!(error.to_string().contains("logs of 2 runs"), "{error}");
        }
        assert_eq!(fs::read(dir.join("journal.db")).ok(), before, "damage {n}: the file was changed");
        assert_eq!(fs::read_dir(dir.join("runs")).unwrap().count(), 2);
    }
}

#[test]
fn a_run_that_never_was_recorded_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let journal = Journal::open_or_create(dir).unwrap();
    // As of a run that was killed before its first commit.
    fs::create_dir(dir.join("runs")).unwrap();
    fs::write(dir.join("runs/abcdefghjk.log"), "").unwrap();
    assert!(Journal::open(dir).unwrap().runs(1).unwrap().is_empty());
    drop(journal);
    wait(start(dir, &new_run_id()).close(well())).unwrap();
    assert_eq!(Journal::open(dir).unwrap().runs(9).unwrap().len(), 1);
}

#[test]
fn a_log_stays_empty_until_its_run_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let run = new_run_id();
    let log = || fs::metadata(dir.join("runs").join(format!("{run}.log"))).map(|log| log.len());
    let journal = Journal::open_or_create(dir).unwrap();
    let mut other = Connection::open(dir.join("journal.db")).unwrap();
    let lock = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let writer = journal.start_run(WriterOptions::default(), started(&run)).unwrap();
    writer.log(StepIndex(0), 1, Stream::Stdout, b"hello", 100);
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(log().unwrap(), 0);
    drop(lock);
    wait(writer.close(well())).unwrap();
    assert_eq!(log().unwrap(), 5);
    assert_eq!(read(dir, &run).len(), 3);
}

/// A journal with everything in `journal.db` and nothing in its WAL.
fn settled(dir: &Path) {
    let writer = start(dir, "abcdefghjk");
    (0..20_000).for_each(|n| writer.append(note(n)));
    wait(writer.close(well())).unwrap();
    let conn = Connection::open(dir.join("journal.db")).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

#[test]
fn damage_is_told_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    settled(folder.path());
    let path = folder.path().join("journal.db");
    let whole = fs::read(&path).unwrap();
    let all = |dir: &Path| -> Result<usize, JournalError> {
        let reader = Journal::open(dir)?;
        let run = reader.resolve(None)?;
        let mut count = 0;
        for entry in reader.entries(&run, 0)? {
            entry?;
            count += 1;
        }
        Ok(count)
    };
    assert_eq!(all(folder.path()).unwrap(), 20_002);
    let mut damages: Vec<Vec<u8>> =
        vec![whole[..whole.len() / 2].to_vec(), whole[..4096 * 3].to_vec(), whole[..50].to_vec()];
    for page in 1..12 {
        let mut damage = whole.clone();
        damage[page * 4096..page * 4096 + 200].fill(0xA5);
        damages.push(damage);
    }
    let mut told = 0;
    for (n, damage) in damages.into_iter().enumerate() {
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join("journal.db"), damage).unwrap();
        match all(copy.path()) {
            Err(JournalError::Damaged { .. } | JournalError::NotAJournal { .. }) => told += 1,
            Err(error) => panic!("damage {n}: {error:?}"),
            // A page that this reader does not need: the index of run ids.
            Ok(count) => assert_eq!(count, 20_002, "damage {n} went unnoticed"),
        }
    }
    assert!(told >= 13, "only {told} damages were told");
}

#[test]
fn a_row_that_makes_no_sense_is_told_after_the_rows_before_it() {
    let folder = tempfile::tempdir().unwrap();
    for (change, words) in [
        ("UPDATE entry SET kind = 99 WHERE place & 255 = 5", "record 5: there is no kind 99"),
        ("UPDATE entry SET body = '{' WHERE place & 255 = 5", "record 5: EOF"),
        ("DELETE FROM entry WHERE place & 255 = 5", "record 5: it is missing"),
    ] {
        let run = new_run_id();
        let writer = start(folder.path(), &run);
        (0..10).for_each(|n| writer.append(note(n)));
        wait(writer.close(well())).unwrap();
        Connection::open(folder.path().join("journal.db")).unwrap().execute_batch(change).unwrap();
        let reader = Journal::open(folder.path()).unwrap();
        let mut entries = reader.entries(&reader.resolve(None).unwrap(), 0).unwrap();
        assert!(entries.by_ref().take(4).all(|entry| entry.is_ok()));
        let error = entries.next().unwrap().unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(entries.next().is_none());
    }
}

#[test]
fn a_copy_of_the_folder_is_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    settled(folder.path());
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("journal.db"), copy.path().join("journal.db")).unwrap();
    assert_eq!(read(copy.path(), "abc").len(), 20_002);
}

#[test]
fn readers_leave_the_folder_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    wait(start(folder.path(), "abcdefghjk").close(well())).unwrap();
    let listing = || {
        let mut files: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap())
            // The index of the WAL is shared memory, remade from the WAL by whoever comes first.
            .filter(|file| file.file_name() != "journal.db-shm")
            .map(|file| (file.file_name(), fs::read(file.path()).ok()))
            .collect();
        files.sort();
        files
    };
    let before = listing();
    assert_eq!(read(folder.path(), "abc").len(), 2);
    assert_eq!(state(folder.path(), "abc"), RunState::Ended(Status::Succeeded));
    assert_eq!(listing(), before);
}

#[test]
fn the_wal_stays_small() {
    let folder = tempfile::tempdir().unwrap();
    let wal = || fs::metadata(folder.path().join("journal.db-wal")).map_or(0, |wal| wal.len());
    for _ in 0..3 {
        let writer = start(folder.path(), &new_run_id());
        let text = "x".repeat(1000);
        for n in 0..40_000_u64 {
            writer.append(Record::Notice { step: None, message: format!("{n} {text}") });
        }
        wait(writer.close(well())).unwrap();
        assert!(wal() <= 1 << 20, "{} bytes", wal());
    }
    for _ in 0..300 {
        wait(start(folder.path(), &new_run_id()).close(well())).unwrap();
        assert!(wal() <= 1 << 20, "{} bytes", wal());
    }
}
