//! `windlass plugin build`. The real tools of each language are for `cargo xtask test`; here their places are taken.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Folder;

const PROJECT: &str = "name = \"sizes\"\nlanguage = \"rust\"\n";
/// The smallest component that can be a step.
const PROGRAM: &str = include_str!("../../../../tests/guests/wat/command.wat");

/// A project whose cargo does this.
fn project(cargo: &str) -> Folder {
    let folder = Folder::new().file("windlass-plugin.toml", PROJECT).file("Cargo.toml", "");
    let rustc = format!("#!/bin/sh\necho {}\n", folder.path().display());
    let folder = folder.file("bin/rustc", rustc).file("bin/cargo", format!("#!/bin/sh\n{cargo}\n"));
    for name in ["bin/rustc", "bin/cargo"] {
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", folder.path().join("bin").display());
    folder.file("made.wasm", wat::parse_str(PROGRAM).unwrap()).env("PATH", path)
}

/// What cargo says of a component that it made.
const MADE: &str = r#"echo '{"reason":"compiler-artifact","manifest_path":"/other/Cargo.toml","filenames":["/other.wasm"]}'
echo "{\"reason\":\"compiler-artifact\",\"manifest_path\":\"$PWD/Cargo.toml\",\"filenames\":[\"$PWD/made.rlib\",\"$PWD/made.wasm\"]}""#;

#[test]
fn the_component_is_written_beside_the_project() {
    let folder = project(MADE);
    folder.windlass(&["plugin", "build"]).exits(0).says("built sizes.wasm");
    assert_eq!(std::fs::read(folder.path().join("sizes.wasm")).unwrap(), wat::parse_str(PROGRAM).unwrap());
    let told = folder.windlass(&["plugin", "build", "-o", "other.wasm", "--format", "json"]).exits(0).json().remove(0);
    assert_eq!((&told["file"], &told["language"]), (&"other.wasm".into(), &"rust".into()));
    assert!(told["digest"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn what_is_not_there_is_told_with_how_to_get_it() {
    let folder = project(MADE).env("PATH", "/nowhere");
    folder.windlass(&["plugin", "build"]).exits(4).says("cargo").says("https://rustup.rs").says("rustup target add");
    for (language, wanted) in [
        ("js", "nodejs.org"),
        ("ts", "npm install"),
        ("python", "pip install componentize-py"),
        ("c", "WASI_SDK_PATH"),
        ("go", "go.dev/dl"),
    ] {
        let folder = Folder::new().file("windlass-plugin.toml", format!("name = \"a\"\nlanguage = \"{language}\"\n"));
        folder.env("PATH", "/nowhere").windlass(&["plugin", "build"]).exits(4).says("cannot be built").says(wanted);
    }
}

#[test]
fn a_build_that_fails_leaves_what_was_there() {
    let folder = project("echo 'error: it does not compile' >&2; exit 101").file("sizes.wasm", "old");
    folder
        .windlass(&["plugin", "build"])
        .exits(1)
        .says("it does not compile")
        .says("`cargo` failed (exit status: 101)");
    assert_eq!(std::fs::read(folder.path().join("sizes.wasm")).unwrap(), b"old");
    project("true").windlass(&["plugin", "build"]).exits(2).says("cargo made no component").says("cdylib");
}

#[test]
fn what_this_windlass_cannot_run_is_not_written() {
    let folder = project(MADE).file("made.wasm", wat::parse_str("(module)").unwrap());
    folder.windlass(&["plugin", "build"]).exits(2).says("core module");
    assert!(!folder.path().join("sizes.wasm").exists());
}

#[test]
fn a_folder_that_is_no_project() {
    Folder::new().windlass(&["plugin", "build"]).exits(2).says("windlass plugin new");
    let folder = Folder::new().file("windlass-plugin.toml", "name = \"a\"\nlanguage = \"perl\"\nsuorce = \"x\"\n");
    folder.windlass(&["plugin", "build"]).exits(2).says("`perl`").says("did you mean `source`?");
}
