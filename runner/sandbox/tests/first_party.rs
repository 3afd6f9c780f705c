//! The first-party plugins load, say what they are, and load again from the cache.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test that cannot go on fails, and looks at files itself"
)]

use std::path::PathBuf;

use windlass_sandbox::{Component, Sandbox, SandboxOptions};

fn plugins() -> PathBuf {
    std::env::var_os("WINDLASS_PLUGINS_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins"), PathBuf::from)
}

#[tokio::test]
async fn they_load_and_say_what_they_are() {
    let cache = tempfile::tempdir().expect("a folder");
    let options = SandboxOptions { slots: 2, cache: cache.path().to_owned() };
    for name in ["image", "service", "command", "http-check", "stack", "deploy"] {
        let path = plugins().join(format!("{name}.wasm"));
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guests`", path.display()));
        let sandbox = Sandbox::new(&options).expect("a sandbox");
        let plugin =
            sandbox.load(Component::from_bytes(format!("builtin:{name}"), bytes.clone())).await.expect("it loads");
        let description = plugin.description();
        assert_eq!(description.name, name);
        assert!(!description.documentation.is_empty() && description.with_schema["properties"].is_object());
        // The second time neither the bytes nor the plugin's own words are needed.
        let mut again = Component::from_bytes(format!("builtin:{name}"), bytes);
        again.read = Box::new(|| Err("the bytes were asked for".to_owned()));
        let cached = sandbox.load(again).await.expect("it loads from the cache");
        assert_eq!(cached.description(), description);
    }
}
