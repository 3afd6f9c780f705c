//! Removing runs.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use windlass_journal::*;

use crate::tools::*;

/// Runs that have ended, the oldest first, each with a log.
fn runs(dir: &Path, count: usize) -> Vec<String> {
    (0..count)
        .map(|n| {
            let run = new_run_id();
            let mut started = started(&run);
            started.source = format!("# {}\n", n / 2).into();
            let writer = Journal::open_or_create(dir).unwrap().start_run(WriterOptions::default(), started).unwrap();
            (0..200).for_each(|n| writer.append(note(n)));
            writer.log(StepIndex(0), 1, Stream::Stdout, b"hello", 100);
            wait(writer.close(well())).unwrap();
            run
        })
        .collect()
}

/// A run whose process is gone.
fn interrupted(dir: &Path) -> String {
    let run = new_run_id();
    let writer = start(dir, &run);
    wait(writer.flush()).unwrap();
    drop(writer);
    run
}

fn left(dir: &Path) -> Vec<String> {
    let reader = Journal::open(dir).unwrap();
    let runs = reader.runs(usize::MAX).unwrap();
    // All that is left is whole.
    assert!(reader.check().unwrap().is_whole());
    runs.into_iter().rev().map(|run| run.id).collect()
}

fn logs(dir: &Path) -> usize {
    fs::read_dir(dir.join("runs")).unwrap().count()
}

fn keep(keep: usize) -> PruneOptions {
    PruneOptions { keep: Some(keep), ..PruneOptions::default() }
}

#[test]
fn the_newest_stay_and_the_rest_goes_with_all_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let all = runs(dir, 6);
    let said = prune(dir, &PruneOptions { dry_run: true, ..keep(3) }).unwrap();
    assert_eq!((said.runs.len(), said.sources, left(dir).len(), logs(dir)), (3, 1, 6, 6));
    assert!(said.freed > 1000, "{}", said.freed);
    let done = prune(dir, &keep(3)).unwrap();
    assert_eq!(left(dir), all[3..]);
    assert_eq!((done.runs.len(), done.sources, logs(dir)), (3, 1, 3));
    assert_eq!(done.records, said.records);
    assert!(done.freed > 1000 && done.not_compacted.is_none(), "{done:?}");
    // What is left can be read, and the next run finds its place.
    assert_eq!(read(dir, &all[5]).len(), 203);
    let next = &runs(dir, 1)[0];
    assert_eq!(read(dir, next).len(), 203);
    let conn = Connection::open(dir.join("journal.db")).unwrap();
    let free: i64 = conn.pragma_query_value(None, "freelist_count", |row| row.get(0)).unwrap();
    let sources: i64 = conn.query_row("SELECT count(*) FROM source", [], |row| row.get(0)).unwrap();
    assert_eq!((free, sources), (0, 3));
    assert_eq!(prune(dir, &keep(4)).unwrap().runs.len(), 0);
}

#[test]
fn with_both_bounds_a_run_has_to_be_beyond_both() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    runs(dir, 4);
    let hour = Some(Duration::from_secs(3600));
    assert_eq!(prune(dir, &PruneOptions { older_than: hour, ..keep(0) }).unwrap().runs.len(), 0);
    let now = Some(Duration::ZERO);
    assert_eq!(prune(dir, &PruneOptions { older_than: now, ..keep(3) }).unwrap().runs.len(), 1);
    assert_eq!(prune(dir, &PruneOptions { older_than: now, ..Default::default() }).unwrap().runs.len(), 3);
    assert_eq!(left(dir), [""; 0]);
}

#[test]
fn what_is_running_is_never_removed_and_what_broke_off_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let broken = interrupted(dir);
    let alive = new_run_id();
    let writer = start(dir, &alive);
    wait(writer.flush()).unwrap();
    let done = prune(dir, &keep(0)).unwrap();
    assert_eq!((done.runs.len(), done.interrupted.len()), (0, 1));
    assert_eq!(left(dir), [broken.clone(), alive.clone()]);
    let another = PruneOptions { interrupted: [new_run_id()].into(), ..keep(0) };
    assert_eq!(prune(dir, &another).unwrap().runs.len(), 0);
    let asked = PruneOptions { interrupted: [broken.clone(), alive.clone()].into(), ..keep(0) };
    assert_eq!(prune(dir, &asked).unwrap().runs[0].id, broken);
    assert_eq!(left(dir), std::slice::from_ref(&alive));
    // The run did not notice.
    wait(writer.close(well())).unwrap();
    assert_eq!(read(dir, &alive).len(), 2);
    assert!(matches!(prune(Path::new("/nowhere"), &asked), Err(JournalError::Absent { .. })));
}

#[test]
fn files_without_rows_are_removed_unless_a_run_may_just_start() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    runs(dir, 1);
    let orphan = |name: &str, age: u64| {
        let path = dir.join("runs").join(name);
        let file = fs::File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        path
    };
    let old = orphan("abcdefghjk.log", 3600);
    let young = orphan("bcdefghjkm.log", 0);
    let foreign = orphan("notes.txt", 3600);
    let held = orphan("cdefghjkmn.log", 3600);
    let file = fs::File::open(&held).unwrap();
    file.lock().unwrap();
    let done = prune(dir, &keep(9)).unwrap();
    assert_eq!(done.orphans, [old]);
    assert!(young.exists() && foreign.exists() && held.exists());
}

/// A kill leaves what was there before a step, or what is there after it; so does each step here.
#[test]
fn it_may_be_killed_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let all = runs(dir, 4);
    // As if killed between the rows and the files.
    let kept: Vec<_> = all.iter().map(|run| dir.join("runs").join(format!("{run}.log"))).collect();
    let texts: Vec<_> = kept.iter().map(|path| fs::read(path).unwrap()).collect();
    prune(dir, &keep(1)).unwrap();
    for (path, text) in kept.iter().zip(texts) {
        fs::write(path, text).unwrap();
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }
    assert_eq!(Journal::open(dir).unwrap().check().unwrap().orphans.len(), 3);
    assert_eq!(left(dir), all[3..]);
    assert_eq!(prune(dir, &keep(1)).unwrap().orphans.len(), 3);
    assert_eq!(logs(dir), 1);
}

#[test]
fn a_check_tells_what_is_damaged_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let all = runs(dir, 2);
    let check = || Journal::open(dir).unwrap().check().unwrap();
    let found = check();
    assert_eq!((found.runs, found.records, found.is_whole()), (2, 406, true));
    assert!(found.size > 4096 && found.short_logs.is_empty());
    fs::write(dir.join("runs").join(format!("{}.log", all[0])), b"he").unwrap();
    assert_eq!(check().short_logs, [(all[0].clone(), 3)].into());
    let conn = Connection::open(dir.join("journal.db")).unwrap();
    conn.execute_batch("UPDATE entry SET body = replace(body, '7', '8') WHERE place >> 40 = 2 AND place & 255 = 9")
        .unwrap();
    drop(conn);
    let found = check();
    assert_eq!(found.damage.len(), 1);
    assert!(found.damage[0].contains(&all[1]) && found.damage[0].contains("record 9"), "{found:?}");
}
