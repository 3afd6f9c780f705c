//! What `pipeline.lock` holds, and what is told when a pipeline is no longer as it has it.

use proptest::prelude::*;
use windlass_pipeline::lock::{Difference, Lock, Pinned};
use windlass_pipeline::{Facts, Plan, PluginSource, Source, parse_tolerant, plan};

use crate::support::{descriptions, facts, planned, planned_in, source};

fn pinned(plan: &Plan) -> Vec<Pinned> {
    let digest = |at: usize| format!("sha256:{at:064x}");
    let of = |(at, source): (usize, &PluginSource)| Pinned {
        source: source.clone(),
        digest: digest(at),
        manifest: None,
        key: None,
    };
    plan.plugins.iter().enumerate().map(of).collect()
}

fn locked(text: &str) -> Lock {
    let plan = planned(text).unwrap();
    Lock::of(&[&plan], pinned(&plan))
}

fn parse(text: &str) -> Result<Lock, String> {
    let source = Source { name: "pipeline.lock".to_owned(), text: text.to_owned() };
    Lock::parse(source).map_err(|problems| problems.render(false))
}

/// What is told of a pipeline against the lock of another.
fn told(lock: &str, now: &str) -> Vec<String> {
    let plan = planned(now).unwrap();
    locked(lock).against(&plan, &pinned(&plan)).iter().map(ToString::to_string).collect()
}

fn pipeline(grants: &str) -> String {
    format!(
        "[pipeline]\nname = \"shop\"\n[secrets]\ntoken = {{ env = \"TOKEN\" }}\n\
         [[stages.build.steps]]\nname = \"it\"\nuses = \"builtin:command\"\ngrants = {{ {grants} }}\n"
    )
}

/// What is told when a step with some grants gets others.
fn changed(before: &str, after: &str) -> Vec<String> {
    told(&pipeline(before), &pipeline(after))
}

#[test]
fn the_file() {
    let text = r#"
[pipeline]
name = "storefront"
[vars]
image = "localhost:5000/storefront"
tag = "v-${git.short}"
[secrets]
token = { env = "DEPLOY_TOKEN" }
unused = { env = "UNUSED" }
[stages.build]
[[stages.build.steps]]
uses = "builtin:image"
with = { tag = "a" }
grants = { docker = { build = ["."], push = ["${vars.image}", "${vars.image}:${vars.tag}"] } }
[stages.test]
needs = ["build"]
[[stages.test.steps]]
name = "unit"
uses = "builtin:command"
[[stages.test.steps]]
name = "call"
uses = "builtin:command"
grants = { http = ["GET,POST https://${env.HOST:-shop.example}/**"], secrets = ["token"], files = { write = ["dist"] } }
"#;
    insta::assert_snapshot!(locked(text).render());
}

#[test]
fn what_is_written_is_read_again() {
    let lock =
        locked(&pipeline(r#"docker = { run = ["nginx:1"] }, env = ["A_*"], http = ["GET https://a.example/x-y/**"]"#));
    assert_eq!(parse(&lock.render()), Ok(lock));
}

#[test]
fn the_same_pipeline_has_no_difference_whatever_the_facts_are() {
    let text = pipeline(r#"docker = { push = ["localhost:5000/a:${git.short}"] }, env = ["${env.NAME:-X}"]"#);
    let source = source(&text);
    let later = Facts { git: [("short".to_owned(), "fffffff".to_owned())].into(), ..facts() };
    let later = plan(&parse_tolerant(&source), &source, &later, &descriptions()).unwrap();
    assert_eq!(locked(&text).against(&later, &pinned(&later)), []);
    assert_ne!(later.steps[0].grants, planned(&text).unwrap().steps[0].grants);
}

#[test]
fn a_wider_grant_is_told_with_its_place() {
    let before = pipeline("docker = { push = [\"a/b\"] }");
    let plan = pipeline("docker = { push = [\"a/b\"], run = [\"a/b\"] }, http = [\"POST https://a.example/x\"]");
    let plan = planned(&plan).unwrap();
    let found = locked(&before).against(&plan, &pinned(&plan));
    assert!(found.iter().all(Difference::widens));
    assert_eq!(found[0].location().map(|at| at.line), Some(8));
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["+ step build/it may docker.run a/b", "+ step build/it may http.POST https://a.example/x"]);
}

#[test]
fn a_narrower_grant_is_told_and_is_no_widening() {
    let plan = planned(&pipeline("files = { read = [\"src\"] }")).unwrap();
    let lock = locked(&pipeline("files = { read = [\"src\", \"docs\"] }"));
    let found = lock.against(&plan, &pinned(&plan));
    assert_eq!(
        found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["- step build/it may no longer files.read docs"]
    );
    assert!(!found[0].widens());
}

#[test]
fn what_a_locked_grant_covers_is_no_widening() {
    let widens = |before: &str, after: &str| {
        let plan = planned(&pipeline(after)).unwrap();
        locked(&pipeline(before)).against(&plan, &pinned(&plan)).iter().any(Difference::widens)
    };
    assert!(!widens(r#"files = { read = ["src"] }"#, r#"files = { read = ["src/main"] }"#));
    assert!(!widens(r#"docker = { push = ["a.example/**"] }"#, r#"docker = { push = ["a.example/team/app:1"] }"#));
    assert!(!widens(r#"docker = { push = ["a.example/app"] }"#, r#"docker = { tag = ["a.example/app"] }"#));
    assert!(!widens(r#"env = ["CARGO_*"]"#, r#"env = ["CARGO_HOME"]"#));
    // The other way round.
    assert!(widens(r#"files = { read = ["src/main"] }"#, r#"files = { read = ["src"] }"#));
    assert!(widens(r#"docker = { push = ["a.example/team/app"] }"#, r#"docker = { push = ["a.example/**"] }"#));
    assert!(widens(r#"env = ["CARGO_HOME"]"#, r#"env = ["CARGO_*"]"#));
    // A tag is less than its repository, and a star less than two.
    assert!(widens(r#"docker = { push = ["a.example/app:latest"] }"#, r#"docker = { push = ["a.example/app"] }"#));
    assert!(widens(r#"http = ["GET https://a.example/*"]"#, r#"http = ["GET https://a.example/**"]"#));
    assert!(widens(r#"http = ["GET https://a.example/**"]"#, r#"http = ["DELETE https://a.example/**"]"#));
}

#[test]
fn a_plain_text_is_not_a_fact() {
    let fact = r#"docker = { containers = ["x"] }, http = ["GET https://a.example/${env.HOME}"]"#;
    let plain = r#"docker = { containers = ["x"] }, http = ["GET https://a.example/$${env.HOME}"]"#;
    // Where such a text is a grant at all, it is not the same as a reference.
    if let (Ok(_), Ok(_)) = (planned(&pipeline(fact)), planned(&pipeline(plain))) {
        assert!(changed(plain, fact).iter().any(|line| line.starts_with('+')));
    }
}

#[test]
fn another_source_of_a_secret_is_a_widening() {
    let before = pipeline("secrets = [\"token\"]");
    let after = before.replace("env = \"TOKEN\"", "file = \"/etc/shadow\"");
    assert_eq!(
        told(&before, &after),
        [
            "+ step build/it may secrets.use token = file:/etc/shadow",
            "- step build/it may no longer secrets.use token = env:TOKEN"
        ]
    );
}

#[test]
fn plugins_that_are_new_other_and_gone() {
    let text = "[pipeline]\nname = \"shop\"\n[[stages.a.steps]]\nuses = \"builtin:command\"\n";
    let plan = planned(text).unwrap();
    let lock = Lock::of(&[&plan], pinned(&plan));
    let now = |source: &str, digest: char| Pinned {
        source: source.parse().unwrap(),
        digest: format!("sha256:{}", digest.to_string().repeat(64)),
        manifest: None,
        key: None,
    };
    let found = lock.against(&plan, &[now("builtin:command", 'b'), now("oci:a.example/x:1", 'c')]);
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "~ plugin builtin:command was sha256:000000000000, and is sha256:bbbbbbbbbbbb",
            "+ plugin oci:a.example/x:1 is not in the lock: sha256:cccccccccccc",
        ]
    );
    let gone = lock.against(&plan, &[]);
    assert_eq!(
        gone.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["- plugin builtin:command is no longer used"]
    );
    assert!(!gone[0].widens());
}

#[test]
fn a_plugin_that_has_to_be_signed_is_locked_with_the_key() {
    let plan = planned(&pipeline("files = { read = [\"src\"] }")).unwrap();
    let signed = |key: char| {
        let pinned = pinned(&plan).into_iter();
        pinned
            .map(|one| Pinned { key: Some(format!("sha256:{}", key.to_string().repeat(64))), ..one })
            .collect::<Vec<_>>()
    };
    let lock = Lock::of(&[&plan], signed('a'));
    assert_eq!(parse(&lock.render()), Ok(lock.clone()));
    assert_eq!(lock.against(&plan, &signed('a')), []);
    // The lock pins the very bytes, so a key that is no longer wanted is no danger, but whoever updates should know.
    let unsigned = lock.against(&plan, &pinned(&plan));
    let said: Vec<String> = unsigned.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["- plugin builtin:command no longer has to be signed"]);
    assert!(!unsigned[0].widens());
    for unverified in
        [lock.against(&plan, &signed('b')), Lock::of(&[&plan], pinned(&plan)).against(&plan, &signed('a'))]
    {
        assert!(matches!(unverified.as_slice(), [Difference::Unverified { .. }]), "{unverified:?}");
        assert!(unverified[0].widens());
    }
}

#[test]
fn a_plugin_of_a_registry_is_locked_with_its_manifest() {
    // Without it, nobody could say whose signature was verified.
    let plan = planned(&pipeline("files = { read = [\"src\"] }")).unwrap();
    let of = |manifest: Option<char>| {
        let digest = |c: char| format!("sha256:{}", c.to_string().repeat(64));
        let source = "oci:a.example/x:1".parse().unwrap();
        let pinned = Pinned { source, digest: digest('a'), manifest: manifest.map(digest), key: None };
        Lock::of(&[&plan], vec![pinned])
    };
    assert_eq!(parse(&of(Some('b')).render()), Ok(of(Some('b'))));
    let refused = parse(&of(None).render()).unwrap_err();
    assert!(refused.contains("`manifest`"), "{refused}");
}

#[test]
fn grants_belong_to_a_step_and_its_plugin() {
    let before = pipeline("docker = { push = [\"a/b\"] }");
    let renamed = before.replace("name = \"it\"", "name = \"that\"");
    assert_eq!(
        told(&before, &renamed),
        ["+ step build/that may docker.push a/b", "- step build/it may no longer docker.push a/b"]
    );
    let other = before.replace("builtin:command", "builtin:image").replace("grants", "with = { tag = \"a\" }\ngrants");
    let lines = told(&before, &other);
    assert!(
        lines.contains(&"~ step build/it was granted to builtin:command, and is to builtin:image".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn the_lock_of_another_pipeline_says_so() {
    let before = pipeline("files = { read = [\"src\"] }");
    let lines = told(&before, &before.replace("name = \"shop\"", "name = \"bank\""));
    assert_eq!(lines, ["~ the lock is that of pipeline `shop`, and this one is `bank`"]);
}

#[test]
fn environments_have_entries_of_their_own_where_they_differ() {
    let text = "[pipeline]\nname = \"shop\"\n[vars]\nhost = \"test.example\"\n[environments.production]\nhost = \"shop.example\"\n\
                [[stages.a.steps]]\nname = \"same\"\nuses = \"builtin:command\"\ngrants = { files = { read = [\"src\"] } }\n\
                [[stages.a.steps]]\nname = \"other\"\nuses = \"builtin:command\"\ngrants = { http = [\"GET https://${vars.host}/\"] }\n";
    let text = &text.replace("[environments.production]\nhost", "[environments.production]\nvars.host");
    let (plain, production) = (planned(text).unwrap(), planned_in("production", text).unwrap());
    let lock = Lock::of(&[&production, &plain], pinned(&plain));
    let rendered = lock.render();
    assert_eq!(rendered.matches("a/same").count(), 1, "{rendered}");
    assert_eq!(rendered.matches("a/other").count(), 2, "{rendered}");
    assert_eq!(lock.against(&plain, &pinned(&plain)), []);
    assert_eq!(lock.against(&production, &pinned(&plain)), []);
    let without = Lock::of(&[&plain], pinned(&plain));
    assert!(without.against(&production, &pinned(&plain)).iter().any(Difference::widens));
}

#[test]
fn one_plugin_is_taken_over_and_the_rest_stays() {
    let text = |folder: &str, tag: &str| {
        format!(
            "[pipeline]\nname = \"shop\"\n[[stages.a.steps]]\nname = \"one\"\nuses = \"builtin:command\"\ngrants = {{ files = {{ read = [\"{folder}\"] }} }}\n\
             [[stages.a.steps]]\nname = \"two\"\nuses = \"builtin:image\"\nwith = {{ tag = \"a\" }}\ngrants = {{ docker = {{ push = [\"{tag}\"] }} }}\n"
        )
    };
    let mut lock = locked(&text("src", "a/b"));
    let after = text("docs", "c/d");
    lock.take(&["builtin:command".parse().unwrap()], &locked(&after));
    let plan = planned(&after).unwrap();
    let told: Vec<String> = lock.against(&plan, &pinned(&plan)).iter().map(ToString::to_string).collect();
    assert_eq!(told, ["+ step a/two may docker.push c/d", "- step a/two may no longer docker.push a/b"]);
}

#[test]
fn what_is_no_lock_is_refused() {
    insta::assert_snapshot!("bad_lock", parse("version = 1\npipeline = \"shop\"\nextra = 1\n[[plugin]]\nsource = \"builtin:image\"\ndigest = \"sha256:12\"\n[[plugin]]\ndigest = 1\n[[step]]\nname = \"a/b\"\nplugin = \"builtin:image\"\ngrants = [\"docker\", 1]\n[[step]]\nname = \"a/c\"\nplugin = \"x\"\n").unwrap_err());
    let newer = parse("version = 2\nanything = true\n").unwrap_err();
    assert!(newer.contains("version 1 of the lock") && newer.matches("error").count() <= 2, "{newer}");
    assert!(parse("[plugin]\n").unwrap_err().contains("version"));
    let digest = format!("sha256:{}", "a".repeat(64));
    let entry = format!("[[plugin]]\nsource = \"builtin:image\"\ndigest = \"{digest}\"\n");
    let twice = format!("version = 1\npipeline = \"x\"\n{entry}{entry}");
    assert!(parse(&twice).unwrap_err().contains("twice"));
}

proptest! {
    /// No lock panics, and one that can be read is written as it was read.
    #[test]
    fn any_text_is_a_lock_or_is_refused(text in "(version = 1\n)?(pipeline = \"[a-z]{0,3}\"\n)?(\\[\\[step\\]\\]\n|grants = \\[\"[a-z. ]{0,8}\"\\]\n|name = \".{0,4}\"\n|plugin = \"x\"\n|.{0,12}\n){0,8}") {
        if let Ok(lock) = parse(&text) {
            prop_assert_eq!(parse(&lock.render()), Ok(lock));
        }
    }

    /// Whatever a pipeline grants, its own lock has nothing against it, and an empty one has all of it against it.
    #[test]
    fn a_lock_covers_exactly_its_own_pipeline(
        folders in proptest::collection::vec("[a-c]{1,2}(/[a-c])?", 0..4),
        pushes in proptest::collection::vec("[a-c]\\.example/([a-c]|\\*|\\*\\*|[a-c]:[0-9])", 0..4),
        gone in 0_usize..8,
    ) {
        let listed = |all: &[String]| all.iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", ");
        let text = |folders: &[String], pushes: &[String]| pipeline(&format!("files = {{ read = [{}] }}, docker = {{ push = [{}] }}", listed(folders), listed(pushes)));
        let plan = planned(&text(&folders, &pushes)).unwrap();
        let lock = Lock::of(&[&plan], pinned(&plan));
        prop_assert_eq!(lock.against(&plan, &pinned(&plan)), []);
        prop_assert_eq!(parse(&lock.render()), Ok(lock.clone()));
        // With one grant less, what is left is covered, and the whole is not, unless another rule allows as much.
        let mut fewer = folders.clone();
        if gone < fewer.len() {
            let taken = fewer.remove(gone);
            let smaller = planned(&text(&fewer, &pushes)).unwrap();
            prop_assert!(!lock.against(&smaller, &pinned(&smaller)).iter().any(Difference::widens));
            let back = Lock::of(&[&smaller], pinned(&smaller)).against(&plan, &pinned(&plan));
            let above = |folder: &String| taken == *folder || taken.starts_with(&format!("{folder}/"));
            prop_assert_eq!(back.iter().any(Difference::widens), !fewer.iter().any(above));
        }
    }
}
