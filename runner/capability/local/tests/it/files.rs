//! `files.publish`: what is staged is there as a whole, or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use windlass_capability_local::Files;
use windlass_capability_testing::{RUN, World, denied, error};
use windlass_gate::api::files::Publish;
use windlass_gate::{CallError, Session};

fn world() -> (World, Session) {
    let world = World::new(|gate| gate.with(Files));
    let session = world.step(&["files"], r#"{ files = { write = ["dist", "link", "out/deep"] } }"#);
    (world, session)
}

fn stage(world: &World, path: &str, content: &str) {
    let path = world.workspace().join(".windlass/staging").join(RUN).join("0-0").join(path);
    fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
    fs::write(path, content).expect("a file");
}

fn publish(staging: &str, folder: &str) -> Publish {
    Publish { staging: staging.to_owned(), folder: folder.to_owned(), digest: "sha256:0".to_owned() }
}

/// Every file in a folder with its content.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        if entry.file_type().expect("a type").is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(path, text)| (format!("{name}/{path}"), text)));
        } else {
            found.insert(name, fs::read_to_string(entry.path()).expect("text"));
        }
    }
    found
}

fn expected(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[tokio::test]
async fn twice_is_the_same_as_once() {
    let (world, mut session) = world();
    stage(&world, "a.txt", "new");
    stage(&world, "deep/er/b.txt", "text");
    let program = world.workspace().join(".windlass/staging").join(RUN).join("0-0/a.txt");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("permitted");
    let dist = world.workspace().join("dist");
    fs::create_dir(&dist).expect("a folder");
    fs::write(dist.join("a.txt"), "old").expect("a file");
    fs::write(dist.join("other.txt"), "stays").expect("a file");
    let wanted = expected(&[("a.txt", "new"), ("deep/er/b.txt", "text"), ("other.txt", "stays")]);
    for _ in 0..2 {
        session.call(&publish("0-0", "dist")).await.expect("published");
        assert_eq!(files(&dist), wanted);
    }
    let mode = fs::metadata(dist.join("a.txt")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    session.call(&publish("0-0", "out/deep")).await.expect("published where nothing was");
    assert_eq!(files(&world.workspace().join("out/deep")), expected(&[("a.txt", "new"), ("deep/er/b.txt", "text")]));
}

#[tokio::test]
async fn many_files_are_published_alike() {
    let (world, mut session) = world();
    let names: Vec<_> = (0..100).map(|number| format!("{number}.txt")).collect();
    for name in &names {
        stage(&world, name, name);
    }
    session.call(&publish("0-0", "dist")).await.expect("published");
    let wanted: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    assert_eq!(files(&world.workspace().join("dist")), expected(&wanted));
}

#[tokio::test]
async fn one_bad_file_and_none_is_published() {
    let (world, mut session) = world();
    let dist = world.workspace().join("dist");
    fs::create_dir_all(dist.join("z")).expect("a folder");
    fs::write(dist.join("a.txt"), "old").expect("a file");
    stage(&world, "a.txt", "new");
    stage(&world, "z", "a file where a folder is");
    let CallError::Invalid(message) = error(session.call(&publish("0-0", "dist")).await) else { panic!("published") };
    assert!(message.contains("dist/z"), "{message}");
    assert_eq!(files(&dist), expected(&[("a.txt", "old")]), "a part was published, or a copy is left");
    fs::remove_dir(dist.join("z")).expect("removed");
    symlink("/tmp", dist.join("z")).expect("a link");
    let CallError::Invalid(message) = error(session.call(&publish("0-0", "dist")).await) else { panic!("published") };
    assert!(message.contains("links are not published"), "{message}");
}

#[tokio::test]
async fn what_a_broken_off_call_left_is_taken_up() {
    let (world, mut session) = world();
    stage(&world, "a.txt", "new");
    let dist = world.workspace().join("dist");
    fs::create_dir(&dist).expect("a folder");
    // The name of a copy derives from the call's identity, which a repeated call has again.
    fs::write(dist.join(format!(".windlass-{RUN}-0-1-0-0")), "ne").expect("a file");
    session.call(&publish("0-0", "dist")).await.expect("published");
    assert_eq!(files(&dist), expected(&[("a.txt", "new")]));
}

#[tokio::test]
async fn names_and_folders_lead_nowhere_else() {
    let (world, mut session) = world();
    stage(&world, "a.txt", "new");
    for name in ["", ".", "..", "/", "a/b", "../0-0", "0-0/", "/etc"] {
        let CallError::Invalid(message) = error(session.call(&publish(name, "dist")).await) else { panic!("{name}") };
        assert!(message.contains("no name of a staging folder"), "{message}");
    }
    symlink(world.outside(), world.workspace().join("link")).expect("a link");
    denied(session.call(&publish("0-0", "link")).await, &["leads out of the pipeline's folder"]);
    denied(session.call(&publish("0-0", "elsewhere")).await, &["not granted", "elsewhere"]);
    assert!(error(world.host().call(&publish("0-9", "dist")).await).to_string().contains("0-9"));
}
