//! Plugins that were compiled against a released contract run for ever, whatever has become of it since.

use std::path::{Path, PathBuf};

use serde_json::json;
use windlass_tests::{Workspace, root};

/// A component in TypeScript is one in JavaScript.
const LANGUAGES: [&str; 5] = ["rust", "js", "python", "c", "go"];

/// The folders of the released versions.
fn released() -> Vec<PathBuf> {
    let listed = std::fs::read_dir(root().join("tests/compat")).unwrap().map(Result::unwrap);
    let mut versions: Vec<PathBuf> = listed.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    versions.sort();
    assert!(!versions.is_empty(), "nothing is released");
    versions
}

/// A workspace with the plugin as `conformance.wasm`.
fn workspace(version: &Path, language: &str, pipeline: &str) -> Workspace {
    let workspace = Workspace::new(pipeline).env("DOCKER_HOST", "unix:///there/is/no/docker");
    let packed = std::fs::read(version.join(format!("{language}.wasm.zst"))).unwrap();
    let plugin = zstd::decode_all(packed.as_slice()).unwrap();
    std::fs::write(workspace.path().join("conformance.wasm"), plugin).unwrap();
    workspace
}

/// All that can be done where nothing is: a log line, a program, an artifact there and back, a wait, a metric, a denial.
const LIVE: &str = r#"
[pipeline]
name = "old"
[stages.old]
[[stages.old.steps]]
name = "plugin"
uses = "./conformance.wasm"
grants = { process = ["echo"], env = ["PATH"], artifacts = ["**"] }

[stages.old.steps.with]
say = "grüße ✓"
summary = "still here"
echo = { some = ["thing", 1, true] }
calls = [
    { function = "log.log", args = { level = "info", message = "logged" } },
    { function = "process.run", args = { command = { program = "echo", args = ["from a program"] } } },
    { function = "artifacts.put", args = { name = "kept", content = "bytes" } },
    { function = "artifacts.get", args = { name = "kept" } },
    { function = "timer.sleep", args = { milliseconds = 1 } },
    { function = "metrics.emit", args = { metric = { name = "seen", value = 1.5, unit = "1", labels = [] } } },
    { function = "docker.inspect", args = { container = "web" } },
]
"#;

fn every_version_runs(language: &str) {
    for version in released() {
        let workspace = workspace(&version, language, LIVE);
        let mut args = vec!["plugin".to_owned(), "test".to_owned(), "--plugin=conformance.wasm".to_owned()];
        let cases = [version.join("cases"), version.join(language).join("cases")];
        args.extend(cases.iter().filter(|cases| cases.is_dir()).map(|cases| cases.display().to_string()));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let _ = workspace.run(&args).exits(0).says(" 0 failed");

        let _ = workspace.run(&["run"]).exits(0).says("still here");
        let _ = workspace.run(&["logs"]).exits(0).says("grüße ✓").says("logged").says("from a program");
        let outputs = workspace.show_json()["stages"][0]["steps"][0]["outputs"].clone();
        let answers = outputs["answers"].as_array().unwrap_or_else(|| panic!("{outputs}"));
        assert_eq!(answers[3], json!({ "ok": "bytes" }), "{outputs}");
        assert!(answers[6]["err"]["denied"].is_string(), "{outputs}");
        assert_eq!((&outputs["errors"], outputs["echo"].as_str()), (&json!(1), Some(r#"{"some":["thing",1,true]}"#)));
        let _ = workspace.run(&["replay"]).exits(0).says("all as recorded");
    }
}

#[test]
fn plugins_in_rust_run_for_ever() {
    every_version_runs("rust");
}

#[test]
fn plugins_in_javascript_run_for_ever() {
    every_version_runs("js");
}

#[test]
fn plugins_in_python_run_for_ever() {
    every_version_runs("python");
}

#[test]
fn plugins_in_c_run_for_ever() {
    every_version_runs("c");
}

#[test]
fn plugins_in_go_run_for_ever() {
    every_version_runs("go");
}

/// The export `windlass:step/check`, which a plugin may have.
#[test]
fn plugins_that_check_steps_are_asked_for_ever() {
    for version in released() {
        let workspace = workspace(&version, "rust", &LIVE.replace("metrics.emit\",", "metrics.emit\", times = 0,"));
        let _ = workspace.run(&["plan"]).exits(2).says("`metrics.emit` is called no times");
    }
}

#[test]
fn every_released_contract_has_its_plugins() {
    let contracts = std::fs::read_dir(root().join("wit/released")).unwrap().map(Result::unwrap);
    let contracts: Vec<String> = contracts.map(|entry| entry.file_name().into_string().unwrap()).collect();
    for version in &contracts {
        let folder = root().join("tests/compat").join(version);
        let absent: Vec<&str> =
            LANGUAGES.into_iter().filter(|language| !folder.join(format!("{language}.wasm.zst")).exists()).collect();
        assert!(absent.is_empty(), "tests/compat/{version} has no plugin in {}", absent.join(", "));
    }
    assert_eq!(contracts.len(), released().len(), "each version has a folder in wit/released and in tests/compat");
}
