//! What a plugin sees is the same when it runs again: what could differ is recorded, or always alike.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test that cannot go on fails, and looks at files itself"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use windlass_capability_testing::{RUN, World};
use windlass_gate::Session;
use windlass_journal::Failure;
use windlass_sandbox::{Component, Folder, Job, Limits, Plugin, Sandbox, SandboxError, SandboxOptions};

/// The outputs by name; the failure's message if there are none.
type Seen = Result<BTreeMap<String, Json>, Failure>;

struct Guest {
    plugin: Plugin,
    _sandbox: Sandbox,
    _cache: tempfile::TempDir,
}

async fn guest(name: &str) -> Guest {
    let folder = std::env::var_os("WINDLASS_TEST_GUESTS_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/test-guests"), PathBuf::from);
    let path = folder.join(format!("{name}.wasm"));
    let bytes =
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guests`", path.display()));
    let cache = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::new(&SandboxOptions { slots: 2, cache: cache.path().to_owned() }).expect("a sandbox");
    let plugin = sandbox.load(Component::from_bytes(name, bytes)).await.expect("it loads");
    Guest { plugin, _sandbox: sandbox, _cache: cache }
}

impl Guest {
    async fn run(&self, session: Session, with: &str, folder: Option<&Path>) -> Seen {
        self.run_within(Limits::default(), session, with, folder).await
    }

    async fn run_within(&self, limits: Limits, session: Session, with: &str, folder: Option<&Path>) -> Seen {
        let folders = folder
            .map(|host| Folder { host: host.to_owned(), guest: "src".to_owned(), writable: false })
            .into_iter()
            .collect();
        let job = Job {
            with: with.to_owned(),
            pipeline: "shop".into(),
            stage: "release".into(),
            step: "notify".into(),
            run: RUN.into(),
            attempt: 1,
            env: vec![("ZEBRA".to_owned(), "1".to_owned()), ("APPLE".to_owned(), "2".to_owned())],
            folders,
            limits,
        };
        let ran = self.plugin.run(session, job).await;
        ran.result.map(|outcome| outcome.outputs.into_iter().collect())
    }
}

/// A folder whose names are neither sorted as they are made nor as a file system would hash them.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["m.txt", "b.txt", "z.txt", "a.txt", "B.txt", "_.txt", "k.txt", "0.txt", "y.txt", "c.txt"] {
        std::fs::write(folder.path().join(name), name).expect("a file");
    }
    std::fs::create_dir(folder.path().join("folder")).expect("a folder");
    std::os::unix::fs::symlink("a.txt", folder.path().join("link")).expect("a link");
    folder
}

fn texts(value: &Json) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

#[tokio::test]
async fn folders_list_by_name_and_stat_tells_no_times() {
    let (guest, world, folder) = (guest("observer").await, World::new(|gate| gate), folder());
    let with = r#"{ "folder": "src" }"#;
    let seen = guest.run(world.step(&["files"], "{}"), with, Some(folder.path())).await.expect("it succeeds");
    let files = texts(&seen["files"]);
    let names: Vec<_> = files.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(
        names,
        ["0.txt", "B.txt", "_.txt", "a.txt", "b.txt", "c.txt", "folder", "k.txt", "link", "m.txt", "y.txt", "z.txt"]
    );
    // The day that build tools give to a file without a time.
    let rest = "modified Some(315532800), seen Some(315532800), changed Some(315532800), 1 links, number";
    for (name, line) in names.iter().zip(&files) {
        let size = if *name == "folder" { 0 } else { 5 };
        assert!(line.starts_with(&format!("{name}: {size} bytes, {rest} ")), "{line}");
    }
    assert_eq!(texts(&seen["env"]), ["ZEBRA=1", "APPLE=2"], "the variables come in another order");
    assert_eq!(texts(&seen["args"]).len(), 0);
}

#[tokio::test]
async fn two_copies_of_a_folder_look_alike() {
    let (guest, world) = (guest("observer").await, World::new(|gate| gate));
    let with = r#"{ "folder": "src" }"#;
    let mut looks = Vec::new();
    for folder in [folder(), folder()] {
        let seen = guest.run(world.step(&["files"], "{}"), with, Some(folder.path())).await.expect("it succeeds");
        looks.push((seen["files"].clone(), seen["nans"].clone()));
    }
    assert_eq!(looks[0], looks[1]);
    // Whatever NaN goes in, the same comes out on every processor.
    assert_eq!(texts(&looks[0].1), ["7fc00000", "7fc00000", "7ff8000000000000", "7ff8000000000000"]);
}

#[tokio::test]
async fn only_polls_with_timers_are_recorded() {
    let (guest, world) = (guest("observer").await, World::new(|gate| gate));
    guest.run(world.step(&[], "{}"), "{}", None).await.expect("it succeeds");
    let calls = world.calls().await;
    let polls = calls.iter().filter(|call| *call == "wasi.poll").count();
    assert!(polls >= 3, "{calls:?}");
    assert!(!calls.contains(&"wasi.wait-begun".to_owned()), "a short wait was recorded at its begin: {calls:?}");
    let (chatter, world) = (self::guest("clock").await, World::new(|gate| gate));
    chatter.run(world.step(&[], "{}"), r#"{ "stdout": "x", "stderr": "y" }"#, None).await.expect("it succeeds");
    let calls = world.calls().await;
    assert!(!calls.contains(&"wasi.poll".to_owned()), "output is polled, and that was recorded: {calls:?}");
}

#[tokio::test]
async fn a_long_wait_is_recorded_when_it_begins_and_takes_its_time() {
    let (guest, world) = (guest("observer").await, World::new(|gate| gate));
    let seen = guest.run(world.step(&[], "{}"), r#"{ "sleep": "1100ms" }"#, None).await.expect("it succeeds");
    assert!(seen["slept"].as_u64().is_some_and(|slept| (1100..10_000).contains(&slept)), "{}", seen["slept"]);
    let calls = world.calls().await;
    let begun = calls.iter().position(|call| call == "wasi.wait-begun").expect("the wait begins");
    assert_eq!(calls[begun + 1], "wasi.poll", "{calls:?}");
}

#[tokio::test]
async fn fuel_ends_at_the_same_instruction() {
    let guest = guest("flood").await;
    let limits = Limits { fuel: 60_000, ..Limits::default() };
    let mut counts = Vec::new();
    for _ in 0..2 {
        let world = World::new(|gate| gate);
        let failure =
            guest.run_within(limits, world.step(&[], "{}"), r#"{ "call": "clock" }"#, None).await.expect_err("no end");
        assert!(failure.message.contains("units of fuel are used up"), "{}", failure.message);
        counts.push(world.calls().await.len());
    }
    assert!((10..1000).contains(&counts[0]), "{counts:?}");
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn what_differs_from_processor_to_processor_is_refused() {
    let cache = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::new(&SandboxOptions { slots: 1, cache: cache.path().to_owned() }).expect("a sandbox");
    for code in [
        "(func (param v128 v128) (result v128) local.get 0 local.get 1 i8x16.relaxed_swizzle)",
        "(memory 1 1 shared)",
        "(memory 1) (func (result i32) i32.const 0 i32.const 1 i32.atomic.rmw.add)",
    ] {
        let bytes = wat::parse_str(format!("(component (core module {code}))")).expect("it is a component");
        let refused = sandbox.load(Component::from_bytes("odd", bytes)).await.err();
        assert!(matches!(refused, Some(SandboxError::Compile { .. })), "{code}: {refused:?}");
    }
}
