//! Journals that a released version wrote are replayed for ever: `tests/golden/VERSION/NAME` holds a pipeline with its
//! plugins, and the state folder of a run of it.

use std::fs;
use std::path::{Path, PathBuf};

use windlass_tests::{Workspace, root};

const PIPELINE: &str = r#"# Everything here is answered from the record when it is replayed.
[pipeline]
name = "golden"

[plugins]
image = { path = "image.wasm" }
service = { path = "service.wasm" }
ask = { path = "http-check.wasm" }
command = { path = "command.wasm" }
observer = { path = "observer.wasm" }
files = { path = "files.wasm" }

[stages.image]
[[stages.image.steps]]
name = "build"
uses = "image"
with = { context = "box", tag = "golden-box:1" }
grants = { docker = { build = ["box"], tag = ["golden-box"] } }

[stages.trial]
needs = ["image"]
[[stages.trial.steps]]
name = "start"
uses = "service"
with.name = "golden-web"
with.image = "${stages.image.steps.build.outputs.ref}"
with.command = ["/bin/sh", "-c", "mkdir /www; echo ok > /www/health; exec httpd -f -p 8080 -h /www"]
with.ports = [8080]
with.health = { http = "/health", port = 8080, interval = "100ms" }
grants = { docker = { run = ["golden-box"] }, health = ["golden-web"] }

[[stages.trial.steps]]
name = "ask"
uses = "ask"
with = { container = "golden-web", port = 8080, path = "/health", contains = "ok" }
grants = { health = ["golden-web"] }

[[stages.trial.steps]]
name = "run"
uses = "command"
with = { image = "golden-box:1", run = ["/bin/sh", "-c", "echo from a container; exit 3"] }
grants = { docker = { run = ["golden-box"] } }
required = false

[stages.local]
[[stages.local.steps]]
name = "program"
uses = "command"
with = { run = ["sh", "-c", "echo from the host"] }
grants = { process = ["sh"], env = ["PATH"] }

[[stages.local.steps]]
name = "observe"
uses = "observer"
with = { folder = "seen" }
grants = { files = { read = ["seen"] } }

[[stages.local.steps]]
name = "read"
uses = "files"
with.attempts = [{ act = "read", path = "seen/b.txt" }, { act = "list", path = "seen" }]
grants = { files = { read = ["seen"] } }

[[stages.local.steps]]
name = "not-granted"
uses = "image"
with = { context = "box", tag = "golden-box:2" }
grants = { docker = { build = ["elsewhere"] } }
required = false
"#;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            let _ = fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn golden() -> PathBuf {
    root().join("tests/golden")
}

#[test]
fn every_golden_journal_is_replayed() {
    let mut replayed = 0;
    for version in fs::read_dir(golden()).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        for run in fs::read_dir(version.path()).unwrap().map(Result::unwrap) {
            let workspace = Workspace::new("").env("DOCKER_HOST", "unix:///there/is/no/docker");
            copy(&run.path(), workspace.path());
            fs::rename(workspace.path().join("state"), workspace.path().join(".windlass")).unwrap();
            let finished = workspace.run(&["replay"]).exits(0).says("all as recorded");
            assert!(!finished.all().contains("differs"), "{finished:?}");
            let calls = workspace.show(&["--calls"]);
            for function in ["docker.build", "docker.create", "docker.wait", "http.probe", "process.run", "wasi.poll"] {
                assert!(calls.contains(function), "{function} is not in\n{calls}");
            }
            let _ = workspace.run(&["logs"]).exits(0).says("from a container").says("from the host");
            replayed += 1;
        }
    }
    assert!(replayed > 0, "there is no golden journal");
}

/// Makes the golden journal of this version: `cargo test -p windlass-tests --test e2e make_golden -- --ignored`, with
/// the engine that `cargo xtask up` starts. A released version's journal is never made again.
#[test]
#[ignore = "makes a file of the repository; run by hand when a version is released"]
fn engine_make_golden() {
    let workspace = Workspace::new(PIPELINE)
        .busybox()
        .guest("observer")
        .guest("files")
        .file("seen/b.txt", "second")
        .file("seen/a/deep.txt", "first");
    for plugin in ["image", "service", "http-check", "command"] {
        let file = format!("{plugin}.wasm");
        fs::copy(root().join("target/plugins").join(&file), workspace.path().join(&file)).unwrap();
    }
    let _ = workspace.run(&["run"]).exits(0);
    let _ = workspace.run(&["replay"]).exits(0);
    let target = golden().join("v1/storefront");
    let _ = fs::remove_dir_all(&target);
    copy(workspace.path(), &target);
    let _ = fs::remove_dir_all(target.join("box"));
    let _ = fs::remove_dir_all(target.join("seen"));
    fs::rename(target.join(".windlass"), target.join("state")).unwrap();
    let _ = fs::remove_file(target.join("state/.gitignore"));
    let _ = fs::remove_file(target.join("state/journal.db-shm"));
}
