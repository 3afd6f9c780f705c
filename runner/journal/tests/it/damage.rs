//! Whatever happens to the bytes of a journal: reading it gives what was written, or an error.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use windlass_journal::*;

use crate::tools::*;

/// All that a journal says: each run, its pipeline's text and its records.
type Whole = Vec<(String, String, Vec<Entry>)>;

/// Reads all there is, or finds damage.
fn whole(dir: &Path) -> Result<Whole, JournalError> {
    let reader = Journal::open(dir)?;
    let mut whole = Vec::new();
    for mut run in reader.runs(usize::MAX)? {
        let found = reader.resolve(Some(&run.id))?;
        assert_eq!(found.id, run.id);
        let entries = reader.entries(&run, 0)?.collect::<Result<_, _>>()?;
        let source = reader.source(&run)?;
        // Who might be asked about a run is advice, and changes all the time: it has no checksum.
        (run.pid, run.seen) = (None, 0);
        whole.push((format!("{run:?}"), source, entries));
    }
    // None of it is of a journal that has no run at all.
    reader.resolve(None)?;
    Ok(whole)
}

/// A journal of some runs, the last one interrupted, with everything in `journal.db`.
fn settled(dir: &Path) -> Vec<u8> {
    for run in 0..6_u64 {
        let writer = start(dir, &new_run_id());
        for n in 0..60 {
            let text = "x".repeat((n % 7) as usize * 40);
            writer.append(Record::CallRecorded {
                call: call(0, n),
                function: "docker.inspect".into(),
                args: format!(r#"{{"container":"{text}"}}"#),
                grant: None,
                answer: r#"{"ok":null}"#.to_owned(),
                took: run,
            });
        }
        writer.append(Record::Notice { step: None, message: "a long one ".repeat(1000) });
        if run < 5 {
            wait(writer.close(well())).unwrap();
        } else {
            wait(writer.flush()).unwrap();
        }
    }
    let conn = Connection::open(dir.join("journal.db")).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(conn);
    fs::read(dir.join("journal.db")).unwrap()
}

/// Puts the bytes into a folder of their own, and holds what is read there against what was written.
/// Whether the damage was told.
fn told(damaged: &[u8], written: &Whole, how: &str) -> bool {
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("journal.db");
    fs::write(&path, damaged).unwrap();
    let read = whole(copy.path());
    assert!(fs::read(&path).unwrap() == damaged, "{how}: reading has changed it");
    match read {
        Ok(read) => {
            assert!(&read == written, "{how}: a wrong answer");
            false
        }
        Err(
            JournalError::Damaged { .. }
            | JournalError::NotAJournal { .. }
            | JournalError::Newer { .. }
            | JournalError::NoRuns { .. },
        ) => true,
        Err(error) => panic!("{how}: {error:?}"),
    }
}

#[test]
fn a_journal_that_was_cut_short_is_never_read_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = settled(folder.path());
    let written = whole(folder.path()).unwrap();
    assert_eq!(written.len(), 6);
    for end in (0..bytes.len()).step_by(512) {
        assert!(told(&bytes[..end], &written, &format!("cut at {end}")), "cut at {end} went unnoticed");
    }
    assert!(!told(&bytes, &written, "whole"));
}

#[test]
fn a_journal_with_changed_bytes_is_never_read_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = settled(folder.path());
    let written = whole(folder.path()).unwrap();
    let seed = std::env::var("WINDLASS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    let mut random = fastrand::Rng::with_seed(seed);
    // The headers of pages, where the structure is, and any byte at all.
    let heads = (0..bytes.len() / 4096).flat_map(|page| (0..24).map(move |byte| page * 4096 + byte));
    let places: Vec<usize> = heads.chain((0..600).map(|_| random.usize(..bytes.len()))).collect();
    let tries = places.len();
    let mut noticed = 0;
    for at in places {
        let mut damaged = bytes.clone();
        let by = random.u8(1..);
        damaged[at] ^= by;
        noticed += usize::from(told(&damaged, &written, &format!("byte {at} changed by {by:#04x}, seed {seed}")));
    }
    // What was not is of no consequence: free space, or the index of ids.
    assert!(noticed > tries / 2, "{noticed} of {tries}");
}

#[test]
fn a_page_of_rubbish_is_never_read_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = settled(folder.path());
    let written = whole(folder.path()).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let pages = bytes.len() / 4096;
    for page in 0..pages {
        let mut damaged = bytes.clone();
        let (at, other) = (page * 4096, random.usize(..pages) * 4096);
        random.fill(&mut damaged[at..at + 4096]);
        told(&damaged, &written, &format!("page {page} is rubbish"));
        damaged[at..at + 4096].fill(0);
        told(&damaged, &written, &format!("page {page} is empty"));
        damaged[at..at + 4096].copy_from_slice(&bytes[other..other + 4096]);
        told(&damaged, &written, &format!("page {page} is that at {other}"));
    }
}

#[test]
fn a_damaged_journal_is_not_pruned_into_one_that_looks_whole() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = settled(folder.path());
    let written = whole(folder.path()).unwrap();
    let mut random = fastrand::Rng::with_seed(5);
    let heads = (0..bytes.len() / 4096).flat_map(|page| (0..12).map(move |byte| page * 4096 + byte));
    let places: Vec<usize> = heads.chain((0..100).map(|_| random.usize(..bytes.len()))).collect();
    let mut refused = 0;
    for at in places {
        let mut damaged = bytes.clone();
        damaged[at] ^= random.u8(1..);
        let copy = tempfile::tempdir().unwrap();
        let path = copy.path().join("journal.db");
        fs::write(&path, &damaged).unwrap();
        match prune(copy.path(), &PruneOptions { keep: Some(3), ..PruneOptions::default() }) {
            Ok(_) => {
                if let Ok(left) = whole(copy.path()) {
                    assert!(left == written[..3], "byte {at}: a wrong answer");
                }
            }
            Err(_) => {
                refused += 1;
                assert!(fs::read(&path).unwrap() == damaged, "byte {at}: it was changed");
            }
        }
    }
    assert!(refused > 20, "{refused}");
}

/// What SQLite's write-ahead log lost looks like what a power cut has taken: the end is missing, and
/// nothing else. So it is with a last record that was written by half.
#[test]
fn a_damaged_write_ahead_log_loses_the_end_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    settled(dir);
    let settled = whole(dir).unwrap();
    let run = new_run_id();
    let writer = start(dir, &run);
    for n in 0..40 {
        wait(writer.append_durable(note(n))).unwrap();
    }
    let all = read(dir, &run);
    // Copied while the run goes on, as a crash would leave it.
    let database = fs::read(dir.join("journal.db")).unwrap();
    let log = fs::read(dir.join("journal.db-wal")).unwrap();
    assert!(log.len() > 100_000, "{}", log.len());
    let mut random = fastrand::Rng::with_seed(11);
    for n in 0..150 {
        let mut damaged = log.clone();
        let at = random.usize(..log.len());
        if n % 2 == 0 {
            damaged.truncate(at)
        } else {
            damaged[at] ^= random.u8(1..)
        }
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join("journal.db"), &database).unwrap();
        fs::write(copy.path().join("journal.db-wal"), &damaged).unwrap();
        let mut found = match whole(copy.path()) {
            Ok(found) => found,
            Err(JournalError::Damaged { .. }) => continue,
            Err(error) => panic!("{at}: {error:?}"),
        };
        if found.len() > settled.len() {
            let (_, _, records) = found.remove(0);
            assert!(all.starts_with(&records), "{at}: a wrong answer");
        }
        assert!(found == settled, "{at}: a wrong answer");
    }
    drop(writer);
}
