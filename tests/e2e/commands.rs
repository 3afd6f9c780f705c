//! Programs that know nothing of Windlass are steps: `wasi:cli/run` components, and core modules for wasip1.

use windlass_tests::{Workspace, root};

/// A pipeline of steps with `uses = "./program.wasm"`: each is what stands after that.
fn steps(steps: &[&str]) -> Workspace {
    let mut pipeline = "[pipeline]\nname = \"programs\"\n".to_owned();
    for (number, step) in steps.iter().enumerate() {
        pipeline += &format!("[[stages.s.steps]]\nname = \"t{number}\"\nuses = \"./program.wasm\"\n{step}\n");
    }
    Workspace::new(&pipeline).guest("program").env("DOCKER_HOST", "unix:///nowhere/docker.sock")
}

/// The same with one of the programs in text form.
fn wat(name: &str, step: &str) -> Workspace {
    let workspace = steps(&[step]);
    let text = root().join(format!("tests/guests/wat/{name}.wat"));
    std::fs::write(workspace.path().join("program.wasm"), wat::parse_file(text).unwrap()).unwrap();
    workspace
}

fn outputs(workspace: &Workspace, step: usize) -> serde_json::Value {
    workspace.show_json()["stages"][0]["steps"][step]["outputs"].clone()
}

#[test]
fn a_program_gets_arguments_variables_and_standard_input() {
    let workspace = steps(&[
        "with.args = [\"args\"]",
        "with.args = [\"echo\", \"a b\", 3, true]",
        "with.args = [\"env\"]\nenv = { GREETING = \"hello\" }",
        "with = { args = [\"stdin\"], stdin = \"from the pipeline\\n\" }",
        "with = { args = [\"stdin\"], stdin = { file = \"src/in.txt\" } }\ngrants = { files = { read = [\"src\"] } }",
        "with.args = [\"stdin\"]",
        "",
    ]);
    let workspace = workspace.file("src/in.txt", "from a file\n");
    let finished = workspace.run(&["run"]).exits(0).says(r#"["program", "args"]"#);
    let finished = finished.says("a b 3 true");
    let _ = finished
        .says("GREETING=hello")
        .says("PWD=/")
        .says("from the pipeline")
        .says("from a file")
        .says("nothing to do");
    assert_eq!(outputs(&workspace, 0), serde_json::json!({ "exit-code": 0 }));
}

#[test]
fn what_it_writes_as_json_are_outputs_of_the_step() {
    let workspace = steps(&[
        r#"with = { args = ["write", "dist/out.json", '{ "size": 3, "tags": ["a", "b"], "name": "shop" }'], outputs = "dist/out.json" }
grants = { files = { write = ["dist"] } }"#,
        r#"with.args = ["echo", "${stages.s.steps.t0.outputs.size}", "<${stages.s.steps.t0.outputs.name}>", "${stages.s.steps.t0.outputs.version:-1.20}"]"#,
    ]);
    let _ = workspace.run(&["check"]).exits(0);
    let _ = workspace.run(&["run"]).exits(0).says("3 <shop> 1.20");
    let expected = serde_json::json!({ "exit-code": 0, "size": 3, "tags": ["a", "b"], "name": "shop" });
    assert_eq!(outputs(&workspace, 0), expected);
    assert!(workspace.path().join("dist/out.json").exists(), "the folder is published as any other");
}

#[test]
fn outputs_that_are_not_there_or_no_json_fail_the_step() {
    let write = |text: &str| {
        let step = format!(
            "with = {{ args = [\"write\", \"dist/{text}\", \"[1]\"], outputs = \"dist/out.json\" }}\ngrants = {{ files = {{ write = [\"dist\"] }} }}"
        );
        steps(&[&step])
    };
    let _ = write("out.json").run(&["run"]).exits(1).says("no JSON object").says("program.wasm");
    let _ = write("other.json").run(&["run"]).exits(1).says("`dist/out.json`, which cannot be read");
    let missing = "with.args = [\"echo\", \"${stages.s.steps.t0.outputs.nothing}\"]";
    let _ = steps(&["", missing]).run(&["run"]).exits(1).says("did not give the output `nothing`");
    let large = "with = { args = [\"write\", \"dist/out.json\", '{ \"a\": \"0123456789\" }'], outputs = \"dist/out.json\" }\nlimits = { outputs = \"10B\" }\ngrants = { files = { write = [\"dist\"] } }";
    let _ = steps(&[large]).run(&["run"]).exits(1).says("the limit is 10").says("sha256:");
}

#[test]
fn its_exit_code_is_the_outcome() {
    // Rust's programs for wasip2 have no other way than to say that they failed.
    let failed = steps(&["with.args = [\"cat\", \"nowhere.txt\"]"]).run(&["run"]).exits(1);
    let failed = failed.says("plugin `program.wasm` (sha256:").says("exited with code 1");
    let _ = failed.says("the last of its standard error:").says("program: ");
    let _ = wat("command", "").run(&["run"]).exits(0);
    let _ = wat("command-fails", "").run(&["run"]).exits(1).says("exited with code 1");
    let panicked = steps(&["with.args = [\"panic\"]"]).run(&["run"]).exits(1);
    let _ = panicked.says("told to panic").says("it panicked or aborted").says("program.wasm");
}

#[test]
fn a_core_module_for_wasip1_runs_and_tells_its_code() {
    let failed = wat("wasip1", "").run(&["run"]).exits(1).says("hello from wasip1").says("exited with code 3");
    let _ = failed.says("the last of its standard output:");
    let workspace = wat("wasip1", "with.allow-exit = [0, 3]");
    let _ = workspace.run(&["run"]).exits(0);
    assert_eq!(outputs(&workspace, 0), serde_json::json!({ "exit-code": 3 }));
    // The second time it comes from the cache, and is the same.
    let _ = workspace.run(&["run"]).exits(0).says("hello from wasip1");
    let _ = wat("core-module", "").run(&["run"]).exits(2).says("core module");
}

#[test]
fn it_sees_granted_folders_only() {
    let read = "grants = { files = { read = [\"src\"] } }";
    let denied = |with: &str| {
        let workspace = steps(&[&format!("with = {{ {with} }}\n{read}")]);
        let workspace = workspace.file("src/in.txt", "in").file("secret.txt", "not for programs");
        std::os::unix::fs::symlink("../secret.txt", workspace.path().join("src/link")).unwrap();
        let finished = workspace.run(&["run"]);
        assert!(!finished.all().contains("not for programs"), "{with}: {}", finished.all());
        finished
    };
    for file in ["secret.txt", "/etc/passwd", "src/../secret.txt", "src/link"] {
        let _ = denied(&format!("args = [\"cat\", \"{file}\"]")).exits(1);
        let refused = denied(&format!("args = [\"stdin\"], stdin = {{ file = \"{file}\" }}")).exits(3);
        let _ = refused.says("`with.stdin` names");
    }
    let refused = denied("args = [], outputs = \"src/out.json\"").exits(3);
    let _ = refused.says("add `write = [\"src\"]` to `grants.files`");
}

#[test]
fn mistakes_in_its_with_are_found_before_anything_starts() {
    let workspace = steps(&["with = { arg = [\"echo\"], stdin = 3, allow-exit = [\"one\"] }"]);
    let finished = workspace.run(&["run"]).exits(2).says("did you mean `args`?");
    let _ = finished.says("with.stdin").says("with.allow-exit");
    assert!(!workspace.path().join(".windlass").exists());
    let _ = steps(&["with = { stdin = { path = \"src/in.txt\" } }"]).run(&["check"]).exits(2).says("file");
}

#[test]
fn it_is_replayed_from_its_record() {
    let workspace = steps(&[
        r#"with = { args = ["observe", "dist/out.json"], stdin = { file = "src/in.txt" }, outputs = "dist/out.json" }
grants = { files = { read = ["src"], write = ["dist"] } }"#,
        r#"with.args = ["cat", "nowhere.txt"]"#,
    ]);
    let workspace = workspace.file("src/in.txt", "as it was");
    let _ = workspace.run(&["run"]).exits(1);
    assert_eq!(outputs(&workspace, 0)["stdin"], "as it was");
    let workspace = workspace.file("src/in.txt", "changed");
    let _ = workspace.run(&["replay"]).exits(0).says("all as recorded");
    let workspace = workspace.file("src/in.txt", "as it was");
    let _ = workspace.run(&["run", "--offline"]).exits(1).says("exited with code 1");
    assert_eq!(outputs(&workspace, 0)["stdin"], "as it was");
}

#[test]
fn it_says_what_it_is() {
    let workspace = steps(&[]);
    let finished = workspace.run(&["plugin", "inspect", "program.wasm"]).exits(0);
    let _ = finished.says("command-line program").says("exit-code (number)").says("allow-exit");
}

#[test]
fn the_example_of_the_documentation_runs() {
    let text = std::fs::read_to_string(root().join("docs/wasi-commands.md")).unwrap();
    let (_, rest) = text.split_once("```toml\n").unwrap();
    let (pipeline, _) = rest.split_once("```").unwrap();
    let workspace = Workspace::new(pipeline).guest("program").file("src/in.txt", "in").file("tools/here", "");
    std::fs::rename(workspace.path().join("program.wasm"), workspace.path().join("tools/program.wasm")).unwrap();
    let _ = workspace.env("DOCKER_HOST", "unix:///nowhere/docker.sock").run(&["run"]).exits(0).says("measured at 1");
}

#[test]
fn what_a_failed_step_wrote_can_be_looked_at() {
    let step = "with = { args = [\"write\", \"dist/out.json\", \"no JSON\"], outputs = \"dist/out.json\" }\ngrants = { files = { write = [\"dist\"] } }";
    let workspace = steps(&[step]);
    let _ = workspace.run(&["run", "--break-on-failure"]).exits(1).says("files that s/t0 wrote to `dist`");
    let kept = workspace.path().join(format!(".windlass/staging/{}/0-0/out.json", workspace.run_id()));
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "no JSON");
    assert!(!workspace.path().join("dist/out.json").exists(), "nothing of it is published");
    let workspace = steps(&[step]);
    let _ = workspace.run(&["run"]).exits(1);
    assert!(!workspace.path().join(".windlass/staging").join(workspace.run_id()).exists());
}
