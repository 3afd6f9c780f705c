//! Environments: what is otherwise for the stages that belong to one.

use serde_json::{Value, json};
use windlass_pipeline::Plan;

use crate::support::{planned, planned_in, stages};

const SHOP: &str = r#"
[vars]
host = "${vars.prefix}.example"
prefix = "dev"
replicas = 1
zone = "zone-${environment}"

[environments.staging]
vars = { prefix = "staging" }

[environments.production]
vars = { prefix = "www", replicas = 5 }

[stages.build]
[[stages.build.steps]]
uses = "x"
with = { host = "${vars.host}", in = "${environment:-nowhere}" }

[stages.live]
environment = "production"
[[stages.live.steps]]
uses = "x"
with = { host = "${vars.host}", in = "${environment}", zone = "${vars.zone}", replicas = "${vars.replicas}" }
grants = { artifacts = ["of-${environment}"] }

[stages.try]
environment = "staging"
[[stages.try.steps]]
uses = "x"
with = { host = "${vars.host}", replicas = "${vars.replicas}" }
grants = { artifacts = ["of-${environment}"] }
"#;

fn with(plan: &Plan, stage: &str) -> Value {
    let stage = plan.stages.iter().find(|known| &*known.name == stage).unwrap();
    serde_json::to_value(&plan.steps_of(stage)[0].with).unwrap()
}

fn errors(text: &str) -> String {
    planned(&stages(text)).unwrap_err().render(false)
}

#[test]
fn a_stage_sees_the_variables_of_its_environment() {
    let plan = planned(&stages(SHOP)).unwrap_or_else(|errors| panic!("{errors}"));
    let environment = |index: usize| plan.stages[index].environment.as_deref();
    assert_eq!([environment(0), environment(1), environment(2)], [None, Some("production"), Some("staging")]);
    assert_eq!(with(&plan, "build"), json!({ "host": "dev.example", "in": "nowhere" }));
    let live = json!({ "host": "www.example", "in": "production", "zone": "zone-production", "replicas": 5 });
    assert_eq!(with(&plan, "live"), live);
    assert_eq!(with(&plan, "try"), json!({ "host": "staging.example", "replicas": 1 }));
}

#[test]
fn grants_that_read_the_same_are_not_those_of_another_environment() {
    let plan = planned(&stages(SHOP)).unwrap_or_else(|errors| panic!("{errors}"));
    let granted = |index: usize| plan.steps[index].grants.rules()[0].text.to_string();
    assert_eq!([granted(1), granted(2)], ["of-production", "of-staging"]);
}

#[test]
fn an_environment_that_is_asked_for_is_that_of_stages_that_name_none() {
    let plan = planned_in("staging", &stages(SHOP)).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(with(&plan, "build"), json!({ "host": "staging.example", "in": "staging" }));
    assert_eq!(with(&plan, "live")["in"], "production");
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["stages"][0]["environment"], "staging");
}

#[test]
fn names_of_environments_are_checked() {
    insta::assert_snapshot!(errors(
        r#"
[vars]
image = "shop"

[environments.staging]
vars = { imagee = "x" }
var = {}

[environments.Production]

[stages.a]
environment = "stagin"
[[stages.a.steps]]
uses = "x"
"#
    ));
    let asked = planned_in("prodution", &stages(SHOP)).unwrap_err().render(false);
    insta::assert_snapshot!("asked_for_one_that_is_not_there", asked);
    let none = planned_in("staging", &stages("[[stages.a.steps]]\nuses = \"x\"\n")).unwrap_err().render(false);
    assert!(none.contains("the pipeline has no environments; leave `--env` out"), "{none}");
}

#[test]
fn what_needs_an_environment_says_so_where_it_is_used() {
    insta::assert_snapshot!(errors(
        r#"
[vars]
zone = "zone-${environment}"
far = "far ${vars.zone}"

[environments.staging]

[stages.a]
[[stages.a.steps]]
uses = "x"
with = { in = "${environment}", zone = "${vars.far}" }
"#
    ));
}

#[test]
fn a_mistake_in_a_variable_is_told_once_however_many_environments_there_are() {
    let found = errors(
        r#"
[vars]
bad = "${env.NOT_THERE}"

[environments.one]
[environments.two]

[stages.a]
environment = "one"
[[stages.a.steps]]
uses = "x"

[stages.b]
environment = "two"
[[stages.b.steps]]
uses = "x"
"#,
    );
    assert_eq!(
        found.matches("NOT_THERE\" is not set").count() + found.matches("`NOT_THERE` is not set").count(),
        1,
        "{found}"
    );
}

#[test]
fn variables_may_refer_to_each_other_in_a_circle_in_one_environment_only() {
    let found = errors(
        r#"
[vars]
a = "${vars.b}"
b = "x"

[environments.loop]
vars = { b = "${vars.a}" }

[[stages.s.steps]]
uses = "x"
"#,
    );
    assert!(found.contains("variables refer to each other in a circle: a -> b -> a"), "{found}");
}
