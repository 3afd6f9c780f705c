//! All mistakes are shown at once.

use crate::support::planned;

const FIVE: &str = r#"[pipeline]
name = "storefront"
timeout = 90

[vars]
image = "localhost:5000/storefront"

[plugins]
image = "builtin:image"
deploy = "builtin:deploy"

[stages.build]
need = ["test"]
[[stages.build.steps]]
uses = "image"
with = { context = ".", tag = "${vars.imge}:${git.short}" }
grants = { docker = { psh = ["${vars.image}"] } }

[stages.staging]
needs = ["biuld"]
[[stages.staging.steps]]
uses = "deploy"
with = { service = "storefront", image = "x:1" }
grants = { docker = { run = ["${vars.image}"] }, health = ["storefront"] }
"#;

#[test]
fn five_different_mistakes_are_five_errors_with_their_places() {
    let problems = planned(FIVE).unwrap_err();
    insta::assert_snapshot!("five_plain", problems.to_string());
    insta::assert_snapshot!("five_rendered", problems.render(false));
    let places: Vec<(u32, u32, &str)> = problems.iter().map(|one| (one.line, one.column, one.code)).collect();
    assert_eq!(
        places,
        [
            (3, 11, "wrong-type"),
            (13, 1, "unknown-key"),
            (16, 32, "unknown-reference"),
            (17, 23, "bad-grant"),
            (20, 10, "unknown-stage"),
        ]
    );
}

#[test]
fn programs_read_them_as_json() {
    let problems = planned(FIVE).unwrap_err();
    insta::assert_snapshot!("five_json", serde_json::to_string_pretty(&problems).unwrap());
}

#[test]
fn only_so_many_are_shown() {
    let stage = |index: u32| format!("[[stages.s{index}.steps]]\nuses = \"x\"\nwhat = 1\n");
    let problems = planned(&crate::support::stages(&(0..1_000).map(stage).collect::<String>())).unwrap_err();
    assert_eq!(problems.diagnostics.len(), 100);
    assert_eq!(problems.len(), 1_000);
    assert!(problems.to_string().ends_with("pipeline.toml: and 900 more"));
    assert!(problems.render(false).ends_with("pipeline.toml: and 900 more\n"));
}

#[test]
fn colours_are_only_there_when_asked_for() {
    let problems = planned(FIVE).unwrap_err();
    assert!(problems.render(true).contains("\u{1b}["));
    assert!(!problems.render(false).contains('\u{1b}'));
}
