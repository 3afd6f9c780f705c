//! Folders as they come, and stores as they get damaged.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;

struct World {
    folder: tempfile::TempDir,
    store: InputStore,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        let store = InputStore::new(&folder.path().join(".windlass"));
        Self { folder, store }
    }

    fn src(&self) -> PathBuf {
        self.folder.path().join("src")
    }

    fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.src().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn look(&self) -> Fingerprint {
        self.store.fingerprint(&self.src(), KEEP_UP_TO).unwrap()
    }

    fn again(&self, digest: &str) -> Result<PathBuf, InputsError> {
        let into = self.folder.path().join("again");
        self.store.materialise(digest, &into).map(|()| into)
    }

    fn changes(&self, digest: &str) -> Vec<(String, ChangeKind)> {
        let changes = self.store.difference(digest, &self.src()).unwrap();
        changes.into_iter().map(|change| (change.path, change.kind)).collect()
    }

    /// Sets a file's time of change back, so that it counts as settled. The time of its status cannot
    /// be set, so tests that need it wait.
    fn age(&self, path: &str) {
        let file = File::options().write(true).open(self.src().join(path)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }

    fn known(&self) -> usize {
        let text = fs::read_dir(self.store.folder.join("known")).into_iter().flatten().next();
        let text = text.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap_or_default();
        text.matches("\"digest\"").count()
    }
}

#[test]
fn a_folder_of_all_kinds_is_written_again_as_it_was() {
    let world = World::new();
    world.write("a.txt", "some text");
    world.write("empty", "");
    world.write("deep/er/b.txt", "more text");
    world.write("run.sh", "#!/bin/sh");
    fs::set_permissions(world.src().join("run.sh"), Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(world.src().join("empty-folder")).unwrap();
    symlink("a.txt", world.src().join("link")).unwrap();
    symlink("..", world.src().join("deep/loop")).unwrap();
    symlink("self", world.src().join("self")).unwrap();
    symlink("/nowhere/at all", world.src().join("dangling")).unwrap();
    nix::unistd::mkfifo(&world.src().join("pipe"), nix::sys::stat::Mode::S_IRUSR).unwrap();
    let _ = std::os::unix::net::UnixListener::bind(world.src().join("socket")).unwrap();
    world.write(OsStr::from_bytes(b"odd \xff\n%41"), "odd");
    world.write("déjà/vu", "text");
    let print = world.look();
    assert!(print.kept);
    assert_eq!((print.files, print.bytes), (6, 9 + 9 + 9 + 3 + 4));
    let again = world.again(&print.digest).unwrap();
    assert_eq!(digest(&again).unwrap(), print.digest);
    assert_eq!(fs::read(again.join(OsStr::from_bytes(b"odd \xff\n%41"))).unwrap(), b"odd");
    assert_eq!(fs::read_link(again.join("dangling")).unwrap(), Path::new("/nowhere/at all"));
    let mode = |name: &str| fs::symlink_metadata(again.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("run.sh"), mode("a.txt"), mode("deep")), (0o755, 0o644, 0o755));
}

#[test]
fn times_and_other_folders_change_nothing() {
    let world = World::new();
    world.write("a.txt", "text");
    let before = world.look();
    world.write(".windlass/journal", "state of another pipeline");
    world.age("a.txt");
    assert_eq!(world.look(), before);
    assert_eq!(digest(&world.src()).unwrap(), before.digest);
    world.write(".windlass-not", "no state");
    assert_ne!(world.look().digest, before.digest);
}

#[test]
fn what_has_changed_is_named() {
    let world = World::new();
    for name in ["changed", "removed", "same", "program", "kind"] {
        world.write(name, "text");
    }
    let before = world.look().digest;
    assert_eq!(world.changes(&before), []);
    world.write("changed", "TEXT");
    world.write("added/here", "text");
    fs::remove_file(world.src().join("removed")).unwrap();
    fs::set_permissions(world.src().join("program"), Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(world.src().join("kind")).unwrap();
    symlink("same", world.src().join("kind")).unwrap();
    let changes = world.changes(&before);
    let named: Vec<_> = changes.iter().map(|(path, kind)| (path.as_str(), *kind)).collect();
    use ChangeKind::{Added, Changed, Removed};
    assert_eq!(
        named,
        [
            ("added", Added),
            ("added/here", Added),
            ("changed", Changed),
            ("kind", Changed),
            ("program", Changed),
            ("removed", Removed)
        ]
    );
}

#[test]
fn what_is_too_large_is_fingerprinted_and_not_kept() {
    let world = World::new();
    world.write("a.txt", "0123456789");
    world.write("b.txt", "0123456789");
    let kept = world.look();
    let store = InputStore::new(&world.folder.path().join("other"));
    let print = store.fingerprint(&world.src(), 19).unwrap();
    assert_eq!(print, Fingerprint { kept: false, ..kept.clone() });
    assert_eq!(store.difference(&print.digest, &world.src()).unwrap(), []);
    let refused = store.materialise(&print.digest, &world.folder.path().join("again")).unwrap_err();
    assert!(matches!(&refused, InputsError::NotKept { path } if path == "a.txt"), "{refused}");
    // The two files have the same content, which is kept once.
    assert_eq!(fs::read_dir(world.store.folder.join("content")).unwrap().count(), 1);
    // What was only fingerprinted before is kept once it may be.
    assert!(store.fingerprint(&world.src(), 20).unwrap().kept);
    store.materialise(&kept.digest, &world.folder.path().join("more")).unwrap();
}

#[test]
fn what_may_not_be_read_is_told_as_such() {
    let world = World::new();
    world.write("closed.txt", "secret");
    world.write("closed/inside", "secret");
    let close = |name: &str, mode| fs::set_permissions(world.src().join(name), Permissions::from_mode(mode)).unwrap();
    close("closed.txt", 0);
    close("closed", 0);
    let print = world.look();
    if File::open(world.src().join("closed.txt")).is_ok() {
        // Nothing is closed to root.
        assert_eq!(print.files, 2);
    } else {
        assert_eq!((print.files, print.bytes), (0, 0));
        let again = world.again(&print.digest).unwrap();
        assert_eq!(digest(&again).unwrap(), print.digest);
        assert!(fs::read_dir(again.join("closed")).is_err());
        remove(&again).unwrap();
        assert!(!again.exists());
    }
    close("closed", 0o755);
}

#[test]
fn a_file_that_changes_within_a_tick_is_read_again() {
    let world = World::new();
    world.write("a.txt", "one");
    let first = world.look();
    assert_eq!(world.known(), 0, "a file that was changed just now is remembered");
    let times = fs::metadata(world.src().join("a.txt")).unwrap().modified().unwrap();
    world.write("a.txt", "two");
    File::options().write(true).open(world.src().join("a.txt")).unwrap().set_modified(times).unwrap();
    assert_ne!(world.look().digest, first.digest);
}

#[test]
fn a_settled_file_is_not_read_again_and_a_changed_one_is() {
    let world = World::new();
    world.write("a.txt", "one");
    world.write("b.txt", "one");
    std::thread::sleep(Duration::from_millis(2_100));
    let first = world.look();
    assert_eq!(world.known(), 2);
    // Had it been read, it would have failed or differed: its memory is made to tell of other content.
    let path = fs::read_dir(world.store.folder.join("known")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&path).unwrap();
    let other = tree::digest_of(b"two");
    fs::write(&path, text.replace(&tree::digest_of(b"one"), &other)).unwrap();
    assert_ne!(world.store.difference(&first.digest, &world.src()).unwrap(), [], "both were read again");
    world.write("a.txt", "six");
    world.write("b.txt", "one");
    assert_eq!(world.changes(&first.digest), [("a.txt".to_owned(), ChangeKind::Changed)]);
}

#[test]
fn a_damaged_memory_is_forgotten() {
    let world = World::new();
    world.write("a.txt", "one");
    std::thread::sleep(Duration::from_millis(2_100));
    let first = world.look();
    let path = fs::read_dir(world.store.folder.join("known")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read(&path).unwrap();
    for damaged in [&b""[..], &text[..text.len() / 2], &[0; 100], b"{\"a.txt\": 3}"] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(world.look(), first);
    }
}

#[test]
fn a_damaged_store_is_told() {
    let world = World::new();
    world.write("a.txt", "one");
    let digest = world.look().digest;
    let tree = world.store.tree(&digest).unwrap();
    let content = world.store.folder.join("content").join(tree::hex_of(&tree::digest_of(b"one")).unwrap());
    let text = fs::read_to_string(&tree).unwrap();
    fs::write(&content, "two").unwrap();
    let told = world.again(&digest).unwrap_err();
    assert!(matches!(told, InputsError::Damaged { .. }), "{told}");
    for damaged in ["", "{}", "\u{0}", &text.replace("a.txt", "b.txt")] {
        fs::write(&tree, damaged).unwrap();
        let told = world.again(&digest).unwrap_err();
        assert!(matches!(told, InputsError::Damaged { .. }), "{told}");
    }
    fs::write(&tree, [0xff, 0xfe]).unwrap();
    assert!(matches!(world.again(&digest).unwrap_err(), InputsError::Damaged { .. }));
    // The next look brings the list back.
    assert_eq!(world.look().digest, digest);
    for unknown in ["", "sha256:", "sha256:../../../etc/passwd", &tree::digest_of(b"else")] {
        assert!(matches!(world.store.difference(unknown, &world.src()), Err(InputsError::Unknown { .. })), "{unknown}");
    }
}

#[test]
fn a_list_leads_out_of_no_folder() {
    let file = format!(r#"{{"kind":"file","executable":false,"size":3,"digest":"{}"}}"#, tree::digest_of(b"one"));
    for list in [
        format!(r#"{{"../x":{file}}}"#),
        format!(r#"{{"/x":{file}}}"#),
        format!(r#"{{"%2e%2e/x":{file}}}"#),
        format!(r#"{{"":{file}}}"#),
        format!(r#"{{"a//x":{file}}}"#),
        format!(r#"{{"link":{{"kind":"link","to":"/tmp"}},"link/x":{file}}}"#),
        format!(r#"{{"a/x":{file}}}"#),
    ] {
        let refused = Tree::parse(&list, &tree::digest_of(list.as_bytes()));
        assert!(refused.is_err(), "{list}");
    }
}

#[test]
fn a_folder_that_is_not_there_and_a_full_target_are_errors() {
    let world = World::new();
    world.write("a.txt", "one");
    let digest = world.look().digest;
    let missing = world.store.fingerprint(&world.src().join("nowhere"), KEEP_UP_TO);
    assert!(matches!(missing, Err(InputsError::Folder { .. })));
    world.again(&digest).unwrap();
    assert!(matches!(world.again(&digest), Err(InputsError::Folder { .. })), "it wrote over what was there");
}

#[test]
fn many_files_are_kept_at_once() {
    let world = World::new();
    for number in 0..200 {
        world.write(format!("{number}"), format!("content {number}"));
    }
    let print = world.look();
    let again = world.again(&print.digest).unwrap();
    assert_eq!(digest(&again).unwrap(), print.digest);
    let left = fs::read_dir(world.store.folder.join("content")).unwrap();
    assert!(left.flatten().all(|entry| entry.file_name().len() == 64), "something temporary is left");
}

#[test]
fn what_nobody_needs_any_more_is_removed() {
    let world = World::new();
    world.write("both.txt", "both");
    world.write("old.txt", "old");
    let old = world.look().digest;
    fs::remove_file(world.src().join("old.txt")).unwrap();
    let new = world.look().digest;
    let in_use = BTreeSet::from([new.clone()]);
    assert_eq!(world.store.retain(&in_use, Duration::from_secs(60)).unwrap(), 0, "it may be of use in a moment");
    assert!(world.store.retain(&in_use, Duration::ZERO).unwrap() > 3);
    world.again(&new).unwrap();
    assert!(matches!(world.store.difference(&old, &world.src()), Err(InputsError::Unknown { .. })));
    assert_eq!(fs::read_dir(world.store.folder.join("content")).unwrap().count(), 1);
    let nowhere = InputStore::new(&world.folder.path().join("nowhere"));
    assert_eq!(nowhere.retain(&in_use, Duration::ZERO).unwrap(), 0);
}

fn names() -> impl Strategy<Value = OsString> {
    let byte = any::<u8>().prop_filter("of a name", |byte| !matches!(byte, 0 | b'/'));
    prop::collection::vec(byte, 1..20)
        .prop_map(OsString::from_vec)
        .prop_filter("no name of a file", |name| name != "." && name != ".." && name != ".windlass")
}

proptest! {
    #[test]
    fn any_name_is_itself_again(name in names()) {
        let text = name::escape(&name);
        prop_assert!(!text.chars().any(char::is_control));
        prop_assert_eq!(name::unescape(&text), Some(name.clone()));
        prop_assert_eq!(name::to_path(&text), Some(PathBuf::from(name)));
    }

    #[test]
    fn any_text_is_a_path_inside_or_none(text in ".{0,20}") {
        if let Some(path) = name::to_path(&text) {
            prop_assert!(path.is_relative());
            prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_folder_is_itself_again(
        files in prop::collection::btree_map(names(), prop::collection::vec(any::<u8>(), 0..64), 0..8),
    ) {
        let world = World::new();
        for (name, content) in &files {
            world.write(name, content);
        }
        let print = world.look();
        prop_assert_eq!(print.files, files.len() as u64);
        let again = world.again(&print.digest).unwrap();
        prop_assert_eq!(digest(&again).unwrap(), print.digest);
        for (name, content) in &files {
            prop_assert_eq!(&fs::read(again.join(name)).unwrap(), content);
        }
    }
}
