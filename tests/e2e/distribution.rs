//! Plugins from registries, and the lock that pins them: pushed, pulled by digest, refused when they or the grants are
//! not what somebody has looked at. The registry is one of the test's own, which can be made to lie.

use std::path::PathBuf;

use serde_json::Value as Json;
use windlass_tests::{FakeRegistry, Finished, Lie, SigningKey, Workspace, digest_of, guest};

const PIPELINE: &str = r#"[pipeline]
name = "shop"

[stages.check]
[[stages.check.steps]]
name = "it"
uses = "audit"
with = { calls = [], summary = "the audit has run" }
grants = { http = ["GET https://shop.example/**"] }
"#;

/// A workspace with a pipeline that uses `audit`, which is yet to be added, and with a cache of its own.
struct Shop {
    workspace: Workspace,
    registry: FakeRegistry,
}

impl Shop {
    /// The plugin is in the registry.
    fn new() -> Self {
        let registry = FakeRegistry::start();
        let workspace = Workspace::new(PIPELINE).guest("asks");
        let cache = workspace.path().join("cache").display().to_string();
        let docker = workspace.path().join("docker").display().to_string();
        let workspace = workspace
            .env("WINDLASS_CACHE_DIR", &cache)
            .env("DOCKER_CONFIG", &docker)
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        let shop = Self { workspace, registry };
        let _ = shop.push("asks.wasm").exits(0);
        shop
    }

    /// It is among the pipeline's plugins, and all is locked.
    fn locked() -> Self {
        let shop = Self::new();
        let _ = shop.run(&["plugin", "add", &shop.reference()]).exits(0);
        shop
    }

    fn reference(&self) -> String {
        format!("{}/team/audit:1", self.registry.address())
    }

    fn run(&self, args: &[&str]) -> Finished {
        self.workspace.run(args)
    }

    fn push(&self, file: &str) -> Finished {
        self.run(&["plugin", "push", file, &self.reference()])
    }

    /// Lets the tag point to another build of the plugin.
    fn move_tag(&self) {
        let mut bytes = std::fs::read(guest("asks")).unwrap();
        // A custom section changes nothing but the digest.
        bytes.extend_from_slice(&[0, 6, 5, b'o', b't', b'h', b'e', b'r']);
        std::fs::write(self.workspace.path().join("other.wasm"), bytes).unwrap();
        let _ = self.push("other.wasm").exits(0);
    }

    fn forget_cache(&self) {
        std::fs::remove_dir_all(self.workspace.path().join("cache")).unwrap();
        self.registry.requests();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.workspace.path().join(name)
    }

    fn edit(&self, from: &str, to: &str) {
        let file = self.file("pipeline.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    }

    /// What a test shows, without what differs from run to run.
    fn settled(&self, finished: &Finished) -> String {
        let text = finished.all().replace(self.registry.address(), "[registry]");
        let digest = digest_of(&std::fs::read(guest("asks")).unwrap());
        text.replace(&digest["sha256:".len()..][..12], "[digest]")
    }

    #[track_caller]
    fn nothing_was_run(&self) {
        assert!(!self.file(".windlass").exists());
    }
}

#[test]
fn what_is_pushed_is_added_and_pulled_by_its_digest_when_the_cache_is_gone() {
    let shop = Shop::locked();
    let pipeline = std::fs::read_to_string(shop.file("pipeline.toml")).unwrap();
    assert_eq!(pipeline, format!("{PIPELINE}\n[plugins]\naudit = {{ oci = \"{}\" }}\n", shop.reference()));
    let manifest: Json = serde_json::from_slice(&shop.registry.manifest("team/audit", "1").unwrap()).unwrap();
    let config = shop.registry.blob(manifest["config"]["digest"].as_str().unwrap()).unwrap();
    let config: Json = serde_json::from_slice(&config).unwrap();
    let exports = serde_json::json!(["windlass:step/check@0.1.0", "windlass:step/step@0.1.0"]);
    assert_eq!(config["component"]["exports"], exports);
    let imports = config["component"]["imports"].as_array().unwrap();
    assert!(imports.contains(&"windlass:docker/docker@0.1.0".into()), "{imports:?}");
    let lock = std::fs::read_to_string(shop.file("pipeline.lock")).unwrap();
    let digest = digest_of(&std::fs::read(guest("asks")).unwrap());
    assert!(lock.contains(&digest), "{lock}");
    assert!(lock.contains(&digest_of(&shop.registry.manifest("team/audit", "1").unwrap())), "{lock}");
    assert!(lock.contains("http.GET https://shop.example/**"), "{lock}");

    shop.forget_cache();
    let _ = shop.run(&["run", "--locked"]).exits(0).says("the audit has run");
    let asked: Vec<String> = shop.registry.requests().into_iter().filter(|one| one != "GET /v2/").collect();
    assert_eq!(asked, [format!("GET /v2/team/audit/blobs/{digest}")]);
    let _ = shop.run(&["run", "--locked"]).exits(0);
    assert_eq!(shop.registry.requests(), Vec::<String>::new());
}

#[test]
fn a_tampered_component_is_refused_and_nothing_runs() {
    let shop = Shop::locked();
    shop.forget_cache();
    let mut other = std::fs::read(guest("asks")).unwrap();
    other.extend_from_slice(&[0, 2, 1, b'x']);
    shop.registry.lies_about("/blobs/", Lie::Bytes(other.clone()));
    let digest = digest_of(&std::fs::read(guest("asks")).unwrap());
    let refused = shop.run(&["run", "--locked"]).exits(3).says(&digest).says(&digest_of(&other));
    let _ = refused.says(&shop.reference());
    // Nor without the lock's help.
    let _ = shop.run(&["run", "--no-locked"]).exits(3);
    shop.nothing_was_run();
    assert!(!shop.file("cache/components").exists() || shop.file("cache/components").read_dir().unwrap().count() == 0);
    shop.registry.is_honest();
    let _ = shop.run(&["run", "--locked"]).exits(0);
}

#[test]
fn a_component_that_was_damaged_in_the_cache_is_pulled_again() {
    let shop = Shop::locked();
    // Without its compiled code, so that its bytes are needed.
    shop.forget_cache();
    let _ = shop.run(&["plugin", "pull", &shop.reference()]).exits(0);
    let digest = digest_of(&std::fs::read(guest("asks")).unwrap());
    let cached = shop.file("cache/components").join(format!("{}.wasm", &digest["sha256:".len()..]));
    std::fs::write(&cached, "damaged").unwrap();
    let _ = shop.run(&["run", "--locked"]).exits(0).says("the audit has run");
    assert_eq!(std::fs::read(&cached).unwrap(), std::fs::read(guest("asks")).unwrap());
}

#[test]
fn a_tag_that_moves_changes_nothing_until_somebody_updates() {
    let shop = Shop::locked();
    let before = std::fs::read_to_string(shop.file("pipeline.lock")).unwrap();
    shop.move_tag();
    shop.forget_cache();
    let _ = shop.run(&["run", "--locked"]).exits(0);
    let _ = shop.run(&["run"]).exits(0);
    let ids = shop.run(&["runs", "--format", "json"]);
    let _ = shop.run(&["plugin", "update"]).exits(0).says("~ plugin oci:");
    let after = std::fs::read_to_string(shop.file("pipeline.lock")).unwrap();
    assert_ne!(before, after);
    // What was run is what was locked then: a replay fetches that, and not what the tag points to.
    assert!(!ids.stdout.is_empty());
    shop.forget_cache();
    let _ = shop.run(&["replay"]).exits(0);
    // The old lock refuses the new plugin where it is asked for by its tag.
    std::fs::write(shop.file("pipeline.lock"), before.replace("audit:1", "audit:0")).unwrap();
    shop.registry.requests();
    let _ = shop.run(&["run", "--locked"]).exits(3).says("is not in the lock");
    assert_eq!(shop.registry.requests(), Vec::<String>::new(), "it must not even be asked for");
}

#[test]
fn a_wider_grant_is_refused_and_shown() {
    let shop = Shop::locked();
    shop.edit(
        "\"GET https://shop.example/**\"]",
        "\"GET https://shop.example/**\", \"POST https://shop.example/orders\"], docker = { run = [\"tool\"] }",
    );
    let refused = shop.run(&["run", "--locked"]).exits(3);
    insta::assert_snapshot!("wider", shop.settled(&refused));
    let json = shop.run(&["run", "--locked", "--format", "json"]).exits(3);
    let json: Json = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["error"]["differences"][0]["type"], "wider");
    shop.nothing_was_run();
    insta::assert_snapshot!("wider_plan", shop.settled(&shop.run(&["plan"]).exits(0)));
    let _ = shop.run(&["check"]).exits(0).says("does not have all of this pipeline");
    let _ = shop.run(&["run", "--no-locked"]).exits(0).says("does not have all of this pipeline");
    let _ = shop.run(&["plugin", "update"]).exits(0).says("+ step check/it may docker.run tool");
    let _ = shop.run(&["run", "--locked"]).exits(0);
    let _ = shop.run(&["plan"]).exits(0).says("as locked");
}

#[test]
fn what_allows_less_runs() {
    let shop = Shop::locked();
    shop.edit("grants = { http = [\"GET https://shop.example/**\"] }\n", "");
    let _ = shop.run(&["run", "--locked"]).exits(0);
    let _ = shop.run(&["plan"]).exits(0).says("- step check/it may no longer http.GET https://shop.example/**");
}

#[test]
fn a_machine_that_nobody_watches_runs_only_what_is_locked() {
    let shop = Shop::locked();
    let ci = |value: &str, args: &[&str]| {
        let output = shop.workspace.command(args).env("CI", value).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(ci("true", &["run"]).0, Some(0));
    std::fs::remove_file(shop.file("pipeline.lock")).unwrap();
    let (code, said) = ci("true", &["run"]);
    assert!(code == Some(3) && said.contains("there is no pipeline.lock") && said.contains("CI is set"), "{said}");
    assert_eq!(ci("true", &["run", "--no-locked"]).0, Some(0));
    assert_eq!(ci("false", &["run"]).0, Some(0));
    assert_eq!(ci("", &["run"]).0, Some(0));
}

#[test]
fn a_lock_that_is_none_is_told_with_its_place() {
    let shop = Shop::locked();
    std::fs::write(shop.file("pipeline.lock"), "version = 1\npipeline = \"shop\"\nplugin = 7\n").unwrap();
    let _ = shop.run(&["run", "--locked"]).exits(2).says("pipeline.lock:3:10");
    let _ = shop.run(&["plan"]).exits(2).says("pipeline.lock:3:10");
    let _ = shop.run(&["plugin", "update"]).exits(0);
    let _ = shop.run(&["run", "--locked"]).exits(0);
}

#[test]
fn the_lock_of_another_pipeline_says_what_is_different() {
    let shop = Shop::locked();
    shop.edit("name = \"shop\"", "name = \"bank\"");
    shop.edit("name = \"it\"", "name = \"that\"");
    let refused = shop.run(&["run", "--locked"]).exits(3);
    let refused = refused.says("the lock is that of pipeline `shop`, and this one is `bank`");
    let _ = refused.says("+ step check/that may http.GET").says("- step check/it may no longer http.GET");
    shop.nothing_was_run();
}

#[test]
fn a_registry_that_is_gone_exits_4_and_one_without_the_plugin_2() {
    let shop = Shop::locked();
    shop.forget_cache();
    shop.registry.lies_about("/blobs/", Lie::Status(503));
    let _ = shop.run(&["run", "--locked"]).exits(4).says("cannot be reached");
    shop.registry.is_honest();
    shop.registry.lies_about("/blobs/", Lie::Status(404));
    let _ = shop.run(&["run", "--locked"]).exits(2).says("pipeline.toml:").says("is not there");
    shop.nothing_was_run();
    let nobody = shop.run(&["plugin", "pull", "localhost:1/audit:1"]).exits(4);
    let _ = nobody.says("registry localhost:1 cannot be reached");
    let _ = shop.run(&["plugin", "pull", "audit:1"]).exits(2).says("does not begin with a registry");
}

#[test]
fn a_login_is_that_of_docker_and_is_never_shown() {
    let shop = Shop::new();
    shop.registry.wants("YWRhOmh1bnRlcjoy");
    let _ = shop.run(&["plugin", "pull", &shop.reference()]).exits(4).says("docker login");
    std::fs::create_dir(shop.file("docker")).unwrap();
    let config = format!(r#"{{"auths":{{"{}":{{"auth":"YWRhOmh1bnRlcjoy"}}}}}}"#, shop.registry.address());
    std::fs::write(shop.file("docker/config.json"), config).unwrap();
    let pulled = shop.run(&["plugin", "pull", &shop.reference(), "pulled.wasm"]).exits(0);
    assert!(!pulled.all().contains("hunter"));
    assert_eq!(std::fs::read(shop.file("pulled.wasm")).unwrap(), std::fs::read(guest("asks")).unwrap());
}

#[test]
fn a_plugin_with_a_key_has_to_be_signed_with_it() {
    let shop = Shop::new();
    let (ours, theirs) = (SigningKey::default(), SigningKey::default());
    std::fs::write(shop.file("cosign.pub"), ours.public()).unwrap();
    let add = || shop.run(&["plugin", "add", &shop.reference(), "--key", "cosign.pub"]);
    let _ = add().exits(3).says("carries no signature");
    theirs.sign(&shop.registry, "team/audit", "1");
    let _ = add().exits(3).says("another key");
    assert_eq!(std::fs::read_to_string(shop.file("pipeline.toml")).unwrap(), PIPELINE);
    ours.sign(&shop.registry, "team/audit", "1");
    let _ = add().exits(0);
    // What was locked as signed needs nobody to be asked again.
    shop.registry.requests();
    let _ = shop.run(&["run", "--locked"]).exits(0);
    assert_eq!(shop.registry.requests(), Vec::<String>::new());
    // Another key was never verified with.
    std::fs::write(shop.file("cosign.pub"), theirs.public()).unwrap();
    let _ = shop.run(&["run", "--locked"]).exits(3).says("another key");
    theirs.sign(&shop.registry, "team/audit", "1");
    let _ = shop.run(&["run", "--locked"]).exits(3).says("was not locked as signed with its key");
    let _ = shop.run(&["plugin", "update"]).exits(0);
    let _ = shop.run(&["run", "--locked"]).exits(0);
}

#[test]
fn it_can_be_looked_at_before_it_is_added() {
    let shop = Shop::new();
    let named = format!("oci:{}", shop.reference());
    let _ = shop.run(&["plugin", "inspect", &named]).exits(0).says("Makes the calls that it is told to make");
    let _ = shop.run(&["plugin", "check", &named]).exits(0).says("windlass:docker/docker");
    let _ = shop.run(&["plugin", "inspect", "oci:localhost:1/audit:1"]).exits(4);
}

#[test]
fn what_is_no_plugin_is_not_pushed() {
    let shop = Shop::new();
    std::fs::write(shop.file("text.wasm"), "not one").unwrap();
    shop.registry.requests();
    let _ = shop.push("text.wasm").exits(2).says("text.wasm");
    let _ = shop.push("missing.wasm").exits(2).says("there is no file");
    assert_eq!(shop.registry.requests(), Vec::<String>::new());
}

#[test]
fn adding_needs_a_free_name_and_leaves_the_rest_alone() {
    let shop = Shop::locked();
    let other = format!("{}/team/audit:2", shop.registry.address());
    let _ = shop.run(&["plugin", "push", "asks.wasm", &other]).exits(0);
    let _ = shop.run(&["plugin", "add", &other]).exits(2).says("stands for oci:");
    let _ = shop.run(&["plugin", "add", &other, "--name", "second"]).exits(0);
    let text = std::fs::read_to_string(shop.file("pipeline.toml")).unwrap();
    assert!(
        text.ends_with(&format!("audit = {{ oci = \"{}\" }}\nsecond = {{ oci = \"{other}\" }}\n", shop.reference()))
    );
    let _ = shop.run(&["run", "--locked"]).exits(0);
    let _ = shop.run(&["plan"]).exits(0).says("as locked");
    let _ = shop.run(&["plugin", "add", "localhost:1/nothing:1"]).exits(4);
    assert_eq!(std::fs::read_to_string(shop.file("pipeline.toml")).unwrap(), text);
}

#[test]
fn one_plugin_is_updated_and_the_others_stay() {
    let shop = Shop::locked();
    let other = format!("{}/team/audit:2", shop.registry.address());
    let _ = shop.run(&["plugin", "push", "asks.wasm", &other]).exits(0);
    let _ = shop.run(&["plugin", "add", &other, "--name", "second"]).exits(0);
    shop.move_tag();
    let before = std::fs::read_to_string(shop.file("pipeline.lock")).unwrap();
    let _ = shop.run(&["plugin", "update", "second"]).exits(0);
    assert_eq!(std::fs::read_to_string(shop.file("pipeline.lock")).unwrap(), before);
    let _ = shop.run(&["plugin", "update", "audit"]).exits(0).says("~ plugin oci:");
    let after = std::fs::read_to_string(shop.file("pipeline.lock")).unwrap();
    let digest = digest_of(&std::fs::read(guest("asks")).unwrap());
    assert_eq!((before.matches(&digest).count(), after.matches(&digest).count()), (2, 1), "{after}");
    let _ = shop.run(&["plugin", "update", "third"]).exits(2).says("no plugin `third`");
}

#[test]
fn a_run_that_waits_goes_on_with_the_plugin_that_it_began_with() {
    let shop = Shop::locked();
    shop.edit("[stages.check]\n", "[stages.check]\napproval = true\n");
    let _ = shop.run(&["plugin", "update"]).exits(0);
    let _ = shop.run(&["run", "--locked", "--no-wait"]).exits(5);
    shop.move_tag();
    let _ = shop.run(&["plugin", "update"]).exits(0);
    shop.forget_cache();
    let run = shop.workspace.run_id();
    let _ = shop.run(&["approve", &run, "check"]).exits(0);
    let _ = shop.run(&["resume", &run]).exits(0).says("the audit has run");
}

#[test]
fn what_the_lock_does_not_know_is_not_even_looked_at() {
    let pipeline = PIPELINE.replace("\"audit\"", "\"./asks.wasm\"");
    let workspace = Workspace::new(&pipeline).guest("asks");
    let _ = workspace.run(&["plugin", "update"]).exits(0);
    let _ = workspace.run(&["run", "--locked"]).exits(0);
    let other = |bytes: &[u8]| {
        std::fs::write(workspace.path().join("asks.wasm"), bytes).unwrap();
        let refused = workspace.run(&["run", "--locked"]).exits(3);
        assert!(refused.all().contains("plugin asks.wasm was sha256:"), "{}", refused.all());
    };
    other(b"no WebAssembly at all");
    other(&std::fs::read(guest("observer")).unwrap());
    // It would have been asked what it is until its fuel is used up.
    other(&std::fs::read(guest("describe-endless")).unwrap());
}
