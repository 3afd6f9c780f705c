//! Stages and steps that wait for people.

use windlass_pipeline::{Demand, parse_tolerant};

use crate::support::{planned, source, stages, step};

#[test]
fn a_stage_says_whether_it_waits_and_what_is_to_be_decided() {
    let text = stages(
        r#"
[vars]
who = "the shop"
[stages.a]
approval = true
steps = [{ uses = "x" }]
[stages.b]
approval = { message = "send it to ${vars.who}?" }
steps = [{ uses = "x" }]
[stages.c]
approval = false
steps = [{ uses = "x" }]
"#,
    );
    let plan = planned(&text).unwrap_or_else(|errors| panic!("{errors}"));
    let asks: Vec<_> = plan.stages.iter().map(|stage| stage.approval.as_deref()).collect();
    assert_eq!(asks, [Some(""), Some("send it to the shop?"), None]);
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(
        (&json["stages"][1]["approval"], json["stages"][2].get("approval")),
        (&"send it to the shop?".into(), None)
    );
    let pipeline = parse_tolerant(&source(&text));
    assert_eq!(pipeline.stages().collect::<Vec<_>>(), [("a", true), ("b", true), ("c", false)]);
}

#[test]
fn what_makes_no_sense_is_told() {
    let found = planned(&stages(
        r#"
[stages.a]
approval = "yes"
steps = [{ uses = "x" }]
[stages.b]
approval = { mesage = "?" }
steps = [{ uses = "x" }]
[stages.c]
needs = ["a"]
approval = { message = "is ${stages.a.steps.x.outputs.text} good?" }
steps = [{ uses = "x", approval = true }]
"#,
    ));
    insta::assert_snapshot!(found.unwrap_err().render(false));
}

#[test]
fn waiting_is_granted_or_not() {
    let granted = |grants: &str| {
        let plan = planned(&step(&format!("uses = \"x\"\ngrants = {{ approval = {grants} }}")));
        plan.map(|plan| plan.steps[0].grants.allows(&Demand::new("approval", "wait", "true")).is_some())
    };
    assert!(granted("true").unwrap());
    assert!(!granted("false").unwrap());
    insta::assert_snapshot!("neither_true_nor_false", granted("[\"true\"]").unwrap_err().render(false));
}
