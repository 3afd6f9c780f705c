//! `windlass check`.

use crate::support::{Folder, HELLO, snapshot};

/// A pipeline of one step with this plugin.
fn using(plugin: &str) -> String {
    format!("[pipeline]\nname = \"p\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"{plugin}\"\n")
}

/// A plugin from the text form of WebAssembly.
fn plugin(wat: &str) -> Folder {
    Folder::with(&using("./x.wasm")).file("x.wasm", wat::parse_str(wat).unwrap())
}

#[test]
fn a_good_pipeline() {
    snapshot!(Folder::with(HELLO).windlass(&["check"]));
}

#[test]
fn a_good_pipeline_as_json() {
    snapshot!(Folder::with(HELLO).windlass(&["check", "--format", "json"]));
}

#[test]
fn warnings_are_shown_and_refuse_nothing() {
    let pipeline =
        HELLO.replace("process = [\"echo\"]", "process = [\"echo\"], http = [\"GET https://api.example/**\"]");
    snapshot!(Folder::with(&pipeline).windlass(&["check"]));
}

#[test]
fn a_missing_file() {
    snapshot!(Folder::new().windlass(&["check"]));
    let elsewhere = Folder::new().file("deep/x", "").file("pipeline.toml", HELLO);
    elsewhere.windlass(&["check", "deep/pipeline.toml"]).exits(2).says("did you mean").says("/pipeline.toml?");
}

#[test]
fn a_folder() {
    let folder = Folder::new().file("shop/pipeline.toml", HELLO).file("empty/x", "");
    folder.windlass(&["check", "shop"]).exits(2).says("it is a folder").says("name the file in it: shop/pipeline.toml");
    folder.windlass(&["check", "empty"]).exits(2).says("it is a folder").says("has no pipeline.toml");
}

#[test]
fn a_file_that_may_not_be_read_or_is_no_file() {
    Folder::new().windlass(&["check", "/dev/null"]).exits(2).says("it is a pipe, a device or a socket");
    Folder::with(HELLO).windlass(&["check", "pipeline.toml/x"]).exits(2).says("cannot read pipeline.toml/x");
}

#[test]
fn an_empty_file() {
    snapshot!(Folder::with("\n \n").windlass(&["check"]));
}

#[test]
fn a_file_that_is_not_utf_8() {
    let folder = Folder::new().file("pipeline.toml", b"[pipeline]\nname = \"caf\xe9\"\n");
    snapshot!(folder.windlass(&["check"]));
}

#[test]
fn a_file_of_50_megabytes() {
    let folder = Folder::with(&"#".repeat(50_000_001));
    folder.windlass(&["check"]).exits(2).says("the file has 50000001 bytes; the limit is 50000000");
    // One byte less is read, and says nothing of a pipeline.
    let folder = Folder::with(&"#\n".repeat(25_000_000));
    folder.windlass(&["check"]).exits(2).says("`[pipeline]` is missing");
}

const FIVE: &str = r#"[pipeline]
name = "shop"
colour = "red"

[stages.build]
needs = ["biuld"]
[[stages.build.steps]]
name = "compile"
uses = "builtin:comand"

[stages.test]
[[stages.test.steps]]
name = "unit"
uses = "builtin:command"
with = { run = "echo ${vars.nothing}" }
grants = { proces = ["echo"] }
timeout = 5
"#;

#[test]
fn five_mistakes_are_five_errors_with_their_places() {
    let folder = Folder::with(FIVE);
    let done = folder.windlass(&["check"]).exits(2);
    for place in ["3:1", "6:10", "9:8", "15:", "16:12", "17:11"] {
        assert!(done.err.contains(&format!("pipeline.toml:{place}")), "{place} is not in\n{}", done.err);
    }
    snapshot!(done);
}

#[test]
fn mistakes_as_json_have_lines_and_columns() {
    let done = Folder::with(FIVE).windlass(&["check", "--format", "json"]).exits(2);
    assert_eq!(done.err, "");
    let answer = &done.json()[0];
    assert_eq!((&answer["file"], &answer["valid"]), (&"pipeline.toml".into(), &false.into()));
    assert_eq!((&answer["error"]["code"], &answer["error"]["exit-code"]), (&"bad-pipeline".into(), &2.into()));
    let first = &answer["error"]["diagnostics"][0];
    assert_eq!((&first["code"], &first["line"], &first["column"]), (&"unknown-key".into(), &3.into(), &1.into()));
}

#[test]
fn a_file_that_is_not_there_as_json() {
    snapshot!(Folder::new().windlass(&["check", "--format", "json"]));
}

#[test]
fn a_service_without_a_grant_for_docker() {
    let pipeline = format!("{}with = {{ name = \"web\", image = \"web:1\" }}\n", using("builtin:service"));
    snapshot!(Folder::with(&pipeline).windlass(&["check"]));
}

#[test]
fn unknown_plugins_are_told_with_the_nearest() {
    Folder::with(&using("builtin:comand")).windlass(&["check"]).exits(2).says("did you mean `builtin:command`?");
    Folder::with(&using("builtin:teleport")).windlass(&["check"]).exits(2).says("there are `builtin:command`");
    Folder::with(&using("./gone.wasm"))
        .windlass(&["check"])
        .exits(2)
        .says("there is no file")
        .says("pipeline.toml:5:8");
}

#[test]
fn a_plugin_from_a_registry_that_is_not_there() {
    let done = Folder::with(&using("oci:localhost:1/audit:1.2")).windlass(&["check"]).exits(4);
    done.says("registry localhost:1 cannot be reached").says("check that localhost:1 is the right address");
}

#[test]
fn a_plugin_that_is_not_webassembly() {
    snapshot!(Folder::with(&using("./x.wasm")).file("x.wasm", "#!/bin/sh\necho hi\n").windlass(&["check"]));
}

#[test]
fn a_plugin_that_is_a_core_module() {
    snapshot!(plugin("(module)").windlass(&["check"]));
}

#[test]
fn a_plugin_of_another_world() {
    let wat = r#"(component (instance $i) (export "wasi:http/incoming-handler@0.2.0" (instance $i)))"#;
    snapshot!(plugin(wat).windlass(&["check"]));
}

#[test]
fn a_plugin_for_a_newer_step() {
    let wat = r#"(component (instance $i) (export "windlass:step/step@0.9.0" (instance $i)))"#;
    snapshot!(plugin(wat).windlass(&["check"]));
}

#[test]
fn a_plugin_that_needs_newer_interfaces() {
    let wat = r#"(component
        (import "windlass:docker/docker@0.2.0" (instance))
        (import "windlass:teleport/teleport@0.1.0" (instance))
        (instance $i)
        (export "windlass:step/step@0.1.0" (instance $i)))"#;
    snapshot!(plugin(wat).windlass(&["check"]));
}

#[test]
fn what_is_not_known_of_git_is_said() {
    let pipeline = HELLO.replace("hello from", "${git.short} from");
    let folder = Folder::with(&pipeline).env("GIT_CEILING_DIRECTORIES", "/");
    folder.windlass(&["check"]).exits(2).says("nothing is known of git").says("not a git repository").says("git.short");
}

#[test]
fn an_environment_variable_that_is_secret_is_no_ordinary_one() {
    let pipeline = HELLO.replace("hello from", "${env.TOKEN} from") + "[secrets]\ntoken = { env = \"TOKEN\" }\n";
    let folder = Folder::with(&pipeline).env("TOKEN", "geheim-geheim");
    let done = folder.windlass(&["check"]).exits(2).says("holds secret `token`");
    assert!(!done.shown().contains("geheim"), "{}", done.shown());
}

#[test]
fn nothing_is_written() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["check"]).exits(0);
    assert!(!folder.was_run());
}
