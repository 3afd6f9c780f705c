//! Plugins in a real registry: over the wire and back, with a login and without.

use windlass_tests::{Engine, Workspace, digest_of, guest};

fn unique() -> String {
    let folder = tempfile::Builder::new().prefix("wl").rand_bytes(8).tempdir().unwrap();
    folder.path().file_name().unwrap().to_string_lossy().to_lowercase()
}

fn workspace() -> Workspace {
    let workspace = Workspace::new(
        "[pipeline]\nname = \"audited\"\n[stages.check]\n[[stages.check.steps]]\nname = \"it\"\nuses = \"audit\"\n\
         with = { calls = [], summary = \"the audit has run\" }\n",
    )
    .guest("asks");
    let cache = workspace.path().join("cache").display().to_string();
    let docker = workspace.path().join("docker").display().to_string();
    workspace.env("WINDLASS_CACHE_DIR", &cache).env("DOCKER_CONFIG", &docker)
}

#[test]
fn pushed_to_a_registry_the_cache_deleted_and_pulled_by_digest() {
    let engine = Engine::get();
    let (name, registry) = (unique(), &engine.registry);
    let reference = format!("{registry}/{name}/audit:1.2");
    let workspace = workspace();
    let _ = workspace.run(&["plugin", "push", "asks.wasm", &reference]).exits(0);
    let manifest = engine.digest_of(&format!("{name}/audit"), "1.2").expect("the registry has it");
    let _ = workspace.run(&["plugin", "add", &reference]).exits(0);
    let lock = std::fs::read_to_string(workspace.path().join("pipeline.lock")).unwrap();
    assert!(lock.contains(&manifest), "{lock}");
    assert!(lock.contains(&digest_of(&std::fs::read(guest("asks")).unwrap())), "{lock}");
    std::fs::remove_dir_all(workspace.path().join("cache")).unwrap();
    let _ = workspace.run(&["run", "--locked"]).exits(0).says("the audit has run");
}

#[test]
fn a_registry_with_a_password_takes_the_login_of_docker() {
    let registry = Engine::get().registry_with_password();
    let reference = format!("{registry}/{}/audit:1", unique());
    let workspace = workspace();
    let _ = workspace.run(&["plugin", "push", "asks.wasm", &reference]).exits(4).says("docker login");
    // `windlass:windlass-test`, as `docker login` writes it.
    let config = format!(r#"{{"auths":{{"{registry}":{{"auth":"d2luZGxhc3M6d2luZGxhc3MtdGVzdA=="}}}}}}"#);
    let workspace = workspace.file("docker/config.json", &config);
    let _ = workspace.run(&["plugin", "push", "asks.wasm", &reference]).exits(0);
    let _ = workspace.run(&["plugin", "add", &reference]).exits(0);
    std::fs::remove_dir_all(workspace.path().join("cache")).unwrap();
    let _ = workspace.run(&["run", "--locked"]).exits(0).says("the audit has run");
}
