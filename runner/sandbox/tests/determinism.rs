//! What a plugin sees is the same when it runs again: what could differ is recorded, or always alike.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test that cannot go on fails, and looks at files itself"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use windlass_capability_testing::{RUN, World};
use windlass_gate::{Authority, Mode, Playback, Recording, Session, SessionOptions, Tape};
use windlass_journal::{Failure, Journal, Record, StageIndex, StepIndex};
use windlass_sandbox::{Component, Folder, Job, Limits, Plugin, Sandbox, SandboxError, SandboxOptions};

/// The outputs by name; the failure's message if there are none.
type Seen = Result<BTreeMap<String, Json>, Failure>;

struct Guest {
    plugin: Plugin,
    _sandbox: Sandbox,
    _cache: tempfile::TempDir,
}

/// A session of a step that is recorded as one.
fn live(world: &World) -> Session {
    let name = "notify".into();
    let started = Record::StepStarted { step: StepIndex(0), attempt: 1, stage: StageIndex(0), name };
    world.gate().journal().append(started);
    session(world, None)
}

fn session(world: &World, playback: Option<Playback>) -> Session {
    let options = SessionOptions {
        step: StepIndex(0),
        attempt: 1,
        authority: Authority::Host,
        max_calls: 100_000,
        max_log: 1 << 20,
        playback,
        repeat_in_doubt: false,
    };
    Session::new(Arc::clone(world.gate()), options)
}

/// The calls of the step that ran live.
async fn tape(world: &World) -> Tape {
    world.gate().journal().flush().await.expect("it is written");
    let reader = Journal::open(&world.workspace().join(".windlass")).expect("a journal");
    let run = reader.resolve(Some(RUN)).expect("a run");
    let recording = Recording::read(&reader, &run).expect("a recording");
    recording.steps[&StepIndex(0)].tape.clone()
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
        let folders = folder.map(|host| granted(host, "src", false)).into_iter().collect();
        self.run_with(limits, session, with, folders).await
    }

    async fn run_with(&self, limits: Limits, session: Session, with: &str, folders: Vec<Folder>) -> Seen {
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

fn granted(host: &Path, guest: &str, writable: bool) -> Folder {
    Folder { host: host.to_owned(), guest: guest.to_owned(), writable }
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
        let program =
            format!("(component (core module {code}) (instance $i) (export \"wasi:cli/run@0.2.0\" (instance $i)))");
        let bytes = wat::parse_str(program).expect("it is a component");
        let refused = sandbox.load(Component::from_bytes("odd", bytes)).await.err();
        assert!(matches!(refused, Some(SandboxError::Compile { .. })), "{code}: {refused:?}");
    }
}

#[tokio::test]
async fn what_ran_once_sees_the_same_against_its_record() {
    let (guest, world, source) = (guest("observer").await, World::new(|gate| gate), folder());
    let with = r#"{ "folder": "src", "sleep": "1500ms" }"#;
    let seen = guest.run(live(&world), with, Some(source.path())).await.expect("it succeeds");
    let tape = tape(&world).await;
    assert!(tape.calls.len() > 10, "{tape:?}");
    let elsewhere = World::new(|gate| gate);
    for folder in [source, folder()] {
        let began = Instant::now();
        let playing = session(&elsewhere, Some(Playback::new(tape.clone(), Mode::Replay)));
        let again = guest.run(playing, with, Some(folder.path())).await.expect("it succeeds again");
        assert_eq!(again, seen);
        assert!(began.elapsed() < Duration::from_secs(1), "what had been waited for was waited for again");
    }
    assert!(elsewhere.calls().await.is_empty(), "what is played was recorded again");
}

/// A program knows nothing of Windlass, and is kept to the same way.
#[tokio::test]
async fn a_program_sees_the_same_against_its_record() {
    let (program, world, source) = (guest("program").await, World::new(|gate| gate), folder());
    let with =
        r#"{ "args": ["observe", "dist/seen.json"], "stdin": { "file": "src/a.txt" }, "outputs": "dist/seen.json" }"#;
    let folders =
        |dist: &tempfile::TempDir| vec![granted(source.path(), "src", false), granted(dist.path(), "dist", true)];
    let dist = tempfile::tempdir().expect("a folder");
    let seen = program.run_with(Limits::default(), live(&world), with, folders(&dist)).await.expect("it succeeds");
    assert_eq!((&seen["stdin"], &seen["exit-code"]), (&"a.txt".into(), &0.into()));
    let tape = tape(&world).await;
    let elsewhere = World::new(|gate| gate);
    let dist = tempfile::tempdir().expect("a folder");
    let playing = session(&elsewhere, Some(Playback::new(tape, Mode::Replay)));
    let again = program.run_with(Limits::default(), playing, with, folders(&dist)).await.expect("it succeeds again");
    assert_eq!(again, seen);
    let live = program.run_with(Limits::default(), live(&elsewhere), with, folders(&dist)).await.expect("it succeeds");
    assert!(live["now"] != seen["now"] && live["random"] != seen["random"], "it does not look at what differs");
}

/// Whatever the call at which the runner was killed: the clock never goes back, and no wait is too short.
#[tokio::test]
async fn what_goes_on_where_its_record_ends_comes_to_a_good_end() {
    let (guest, world) = (guest("observer").await, World::new(|gate| gate));
    let with = r#"{ "sleep": "5ms" }"#;
    guest.run(live(&world), with, None).await.expect("it succeeds");
    let whole = tape(&world).await;
    // As many of the polls in a busy loop as make no difference are passed over.
    for kept in (0..whole.calls.len()).step_by(whole.calls.len().div_ceil(60)) {
        let mut begun = whole.clone();
        begun.calls.truncate(kept);
        let playing = session(&world, Some(Playback::new(begun, Mode::Resume)));
        let seen = guest.run(playing, with, None).await.expect("it succeeds");
        assert!(seen["slept"].as_u64().is_some_and(|slept| slept >= 5), "{kept}: {}", seen["slept"]);
        let mut raced: Vec<u64> = seen["race"].as_array().into_iter().flatten().flat_map(numbers).collect();
        raced.sort_unstable();
        assert_eq!(raced, [0, 1, 2], "{kept}");
    }
}

fn numbers(list: &Json) -> Vec<u64> {
    list.as_array().into_iter().flatten().filter_map(Json::as_u64).collect()
}

#[tokio::test]
async fn a_wait_that_had_begun_goes_on_with_the_time_that_is_left() {
    let (guest, world) = (guest("observer").await, World::new(|gate| gate));
    let with = r#"{ "sleep": "2s" }"#;
    let began = Instant::now();
    let stopped = tokio::time::timeout(Duration::from_millis(700), guest.run(live(&world), with, None)).await;
    assert!(stopped.is_err(), "it was over too early");
    let tape = tape(&world).await;
    assert_eq!(tape.calls.last().map(|call| &*call.function), Some("wasi.wait-begun"), "{tape:?}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    let playing = session(&world, Some(Playback::new(tape.clone(), Mode::Resume)));
    let resumed = Instant::now();
    let seen = guest.run(playing, with, None).await.expect("it succeeds");
    assert!(began.elapsed() >= Duration::from_secs(2), "it woke too early");
    assert!(resumed.elapsed() < Duration::from_millis(1_500), "it waited anew: {:?}", resumed.elapsed());
    assert!(seen["slept"].as_u64().is_some_and(|slept| (1_999..5_000).contains(&slept)), "{}", seen["slept"]);
    // By now all of the time has passed, and the timer is ready at once.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let playing = session(&world, Some(Playback::new(tape, Mode::Resume)));
    let resumed = Instant::now();
    guest.run(playing, with, None).await.expect("it succeeds");
    assert!(resumed.elapsed() < Duration::from_millis(500), "it waited anew: {:?}", resumed.elapsed());
}

#[tokio::test]
async fn a_record_that_fits_no_poll_ends_the_step() {
    let (guest, world) = (guest("observer").await, World::new(|gate| gate));
    guest.run(live(&world), "{}", None).await.expect("it succeeds");
    let whole = tape(&world).await;
    let first = whole.calls.iter().position(|call| &*call.function == "wasi.poll").expect("a poll");
    for answer in [r#"{"ok":{"now":1,"ready":[7]}}"#, r#"{"ok":{"now":1,"ready":[]}}"#, r#"{"ok":[]}"#, "{}", ""] {
        let mut damaged = whole.clone();
        damaged.calls[first].answer = Some(answer.to_owned());
        let playing = session(&world, Some(Playback::new(damaged, Mode::Replay)));
        assert!(guest.run(playing, "{}", None).await.is_err(), "{answer}");
    }
}
