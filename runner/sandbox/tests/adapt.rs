//! What compilers for wasip1 make becomes plugins and programs that load.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and looks at files itself"
)]

use std::path::Path;

use windlass_sandbox::adapt::{self, AdaptError};
use windlass_sandbox::{Component, Kind, Plugin, Sandbox, SandboxOptions, examine};

/// A plugin in a library for wasip1: as bindings for C make it, but without any code.
const LIBRARY: &str = r#"(module
    (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
    (import "windlass:log/log@0.1.0" "log" (func (param i32 i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "wat" "0.1.0" "A plugin in text form." "{}")
    (data (i32.const 128)
        "\10\00\00\00\03\00\00\00" "\13\00\00\00\05\00\00\00"
        "\18\00\00\00\16\00\00\00" "\2e\00\00\00\02\00\00\00")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
    (func (export "windlass:step/step@0.1.0#describe") (result i32) i32.const 128)
    (func (export "windlass:step/step@0.1.0#run")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) i32.const 256))"#;

/// The contract, as a project of a plugin has it.
fn contract() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut files = vec![("plugin.wit".to_owned(), std::fs::read_to_string(root.join("plugin.wit")).unwrap())];
    for package in std::fs::read_dir(root.join("deps")).unwrap() {
        for file in std::fs::read_dir(package.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    files
}

async fn load(name: &str, bytes: Vec<u8>) -> Plugin {
    let cache = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::new(&SandboxOptions { slots: 1, cache: cache.path().to_owned() }).expect("a sandbox");
    sandbox.load(Component::from_bytes(name, bytes)).await.unwrap_or_else(|error| panic!("{error}"))
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("it is a module")
}

#[tokio::test]
async fn a_library_becomes_a_plugin() {
    let component = adapt::plugin(&wat(LIBRARY), &contract()).unwrap();
    let examined = examine(Component::from_bytes("lib.wasm", component.clone())).unwrap();
    assert_eq!((examined.kind, examined.adapted), (Kind::Step, false));
    assert_eq!(examined.exports, ["windlass:step/step@0.1.0"]);
    let imports: Vec<_> = examined.imports.iter().map(|import| (&*import.name, &import.problem)).collect();
    assert!(imports.contains(&("windlass:log/log", &None)) && imports.contains(&("wasi:random/random", &None)));
    // What it does not use it does not ask for.
    assert!(
        imports.iter().all(|(name, problem)| *name != "windlass:docker/docker" && problem.is_none()),
        "{imports:?}"
    );
    let plugin = load("lib.wasm", component).await;
    assert_eq!((&*plugin.description().name, &*plugin.description().version), ("wat", "0.1.0"));
    assert!(plugin.identity().to_string().starts_with("plugin `lib.wasm` 0.1.0 (sha256:"));
    assert!(plugin.starts_in().await.unwrap() < std::time::Duration::from_secs(1));
}

#[tokio::test]
async fn a_program_for_wasip1_is_loaded_as_it_is() {
    let text = include_str!("../../../tests/guests/wat/wasip1.wat");
    let examined = examine(Component::from_bytes("tools/hello.wasm", wat(text))).unwrap();
    assert_eq!((examined.kind, examined.adapted), (Kind::Command, true));
    assert!(examined.imports.iter().all(|import| import.problem.is_none()), "{:?}", examined.imports);
    let plugin = load("tools/hello.wasm", wat(text)).await;
    assert_eq!(plugin.description().name, "hello");
    assert_eq!(plugin.digest(), Component::from_bytes("x", wat(text)).digest, "the digest is that of the file");
}

#[test]
fn what_does_not_fit_is_told() {
    let reason = |result: Result<Vec<u8>, AdaptError>| result.unwrap_err().to_string();
    let unknown = wat(
        r#"(module (import "env" "puts" (func (param i32))) (memory (export "memory") 1) (func (export "_start")))"#,
    );
    assert!(reason(adapt::command(&unknown)).contains("env"), "{}", reason(adapt::command(&unknown)));
    let nothing = reason(adapt::plugin(&wat("(module)"), &contract()));
    assert!(nothing.contains("windlass:step/step@0.1.0"), "{nothing}");
    let bad = [("plugin.wit", "package windlass:plugin@0.1.0;\nworld plugin { import nowhere; }")];
    let bad = adapt::plugin(&wat(LIBRARY), &bad);
    assert!(matches!(bad, Err(AdaptError::Wit { .. })), "{bad:?}");
    let damaged = reason(adapt::command(b"\0asm\x01\0\0\0\xff"));
    assert!(damaged.contains("does not become a component"), "{damaged}");
}

#[test]
fn a_component_is_told_from_a_module_and_unknown_interfaces_are_named() {
    let kind = |text: &str| examine(Component::from_bytes("x.wasm", wat(text))).unwrap();
    assert_eq!(kind("(module)").kind, Kind::Module);
    assert_eq!(kind("(component)").kind, Kind::OtherWorld);
    assert_eq!(kind(include_str!("../../../tests/guests/wat/command.wat")).kind, Kind::Command);
    let unknown = kind(include_str!("../../../tests/guests/wat/unknown-interface.wat"));
    assert_eq!((unknown.kind, &*unknown.exports), (Kind::Step, &["windlass:step/step@0.1.0".to_owned()][..]));
    let import = &unknown.imports[0];
    assert_eq!((&*import.name, &*import.version), ("windlass:teleport/teleport", "0.1.0"));
    assert!(import.problem.as_deref().is_some_and(|problem| problem.contains("no such interface")));
}

#[test]
fn what_stands_at_the_outside_is_told_by_name_whatever_the_linker_did() {
    let order = |imports: [&str; 2], exports: [&str; 2]| {
        let imports = imports.map(|name| format!("(import \"{name}\" (instance))")).concat();
        let exports = exports.map(|name| format!("(export \"{name}\" (instance 0))")).concat();
        examine(Component::from_bytes("x.wasm", wat(&format!("(component {imports} {exports})")))).unwrap()
    };
    let [a, b] = ["shop:a/a@0.1.0", "shop:b/b@0.1.0"];
    let [one, other] = [order([a, b], ["a:e/e", "b:e/e"]), order([b, a], ["b:e/e", "a:e/e"])];
    assert_eq!(one, other);
    assert_eq!(one.exports, ["a:e/e", "b:e/e"]);
}
