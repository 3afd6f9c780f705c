//! Values with holes, and what fills them.

use serde_json::{Value, json};
use windlass_pipeline::{FillError, PlanStep, Template, WithSchema};

use crate::support::{descriptions, planned, report, stages};

const OUT: &str = "stages.build.steps.image.outputs";

/// A step whose `with` is this, behind a step `image` of stage `build`.
fn with(text: &str) -> PlanStep {
    let text = text.replace("OUT", OUT);
    let plan = planned(&stages(&format!(
        "[vars]\nport = 8080\nratio = 0.5\non = true\ntext = \"a-${{vars.port}}\"\n\
         [[stages.build.steps]]\nuses = \"image\"\nwith.tag = \"t\"\ngrants = {{ docker = {{ tag = [\"t\"] }} }}\n\
         [stages.b]\nneeds = [\"build\"]\n[[stages.b.steps]]\nuses = \"x\"\n{text}\n"
    )));
    plan.unwrap_or_else(|problems| panic!("{problems}")).steps[1].clone()
}

fn fill(template: &Template, size: Value) -> Result<Value, FillError> {
    template.fill(&mut |output| match &*output.output {
        "size" => Some(size.clone()),
        "ref" => Some(json!("r@1")),
        "tags" => Some(json!(["a", "b"])),
        "cached" => Some(json!(true)),
        _ => None,
    })
}

#[test]
fn whole_references_keep_their_type_and_embedded_ones_become_text() {
    let step = with(
        "with = { a = \"${vars.port}\", b = \"${vars.ratio}\", c = \"${vars.on}\", d = \"${vars.text}\", e = \"${vars.port}/${vars.ratio}/${vars.on}\", f = \"${run.id} ${git.branch} ${env.NOPE:-none}${env.NOPE:-}${env.EMPTY}${env.EMPTY:-!}\" }",
    );
    assert!(step.with.is_static());
    let value = fill(&step.with, Value::Null).unwrap();
    assert_eq!(
        value,
        json!({ "a": 8080, "b": 0.5, "c": true, "d": "a-8080", "e": "8080/0.5/true", "f": "r-7 main none!" })
    );
}

#[test]
fn holes_are_filled_with_what_the_steps_gave() {
    let step = with(
        "with = { a = \"${OUT.size}\", b = [\"${OUT.tags}\"], c = { d = \"x ${OUT.ref} ${OUT.size} ${OUT.cached} $${y}\" } }",
    );
    let value = fill(&step.with, json!(7)).unwrap();
    assert_eq!(value, json!({ "a": 7, "b": [["a", "b"]], "c": { "d": "x r@1 7 true ${y}" } }));
    assert_eq!(
        serde_json::to_value(&step.with).unwrap(),
        json!({
            "a": "${stages.build.steps.image.outputs.size}",
            "b": ["${stages.build.steps.image.outputs.tags}"],
            "c": { "d": "x ${stages.build.steps.image.outputs.ref} ${stages.build.steps.image.outputs.size} ${stages.build.steps.image.outputs.cached} $${y}" },
        })
    );
}

#[test]
fn what_is_missing_or_of_another_type_is_an_error() {
    let step = with("with.a = \"${OUT.digest}\"");
    let error = fill(&step.with, Value::Null).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`${stages.build.steps.image.outputs.digest}`: the step `image` of stage `build` did not give the output `digest`"
    );
    let step = with("with.a = \"${OUT.size}\"");
    let error = fill(&step.with, json!("big")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`${stages.build.steps.image.outputs.size}` is a string, but its plugin declares it as number"
    );
}

#[test]
fn defaults_stand_in_and_have_the_declared_type() {
    let step = with("with = { a = \"${OUT.digest:-none}\", b = \"${OUT.size:-5}\", c = \"[${OUT.size:-5}]\" }");
    let value = step.with.fill(&mut |_| None).unwrap();
    assert_eq!(value, json!({ "a": "none", "b": 5, "c": "[5]" }));
}

#[test]
fn an_environment_is_text() {
    let step = with("env = { A = \"${vars.port}\", B = \"${OUT.size}\" }");
    let values: Vec<(String, Value)> =
        step.env.iter().map(|(name, value)| (name.clone(), fill(value, json!(7)).unwrap())).collect();
    assert_eq!(values, [("A".to_owned(), json!("8080")), ("B".to_owned(), json!("7"))]);
}

#[test]
fn a_step_without_with_gives_an_empty_object() {
    assert_eq!(with("").with.fill(&mut |_| None).unwrap(), json!({}));
}

#[test]
fn a_template_can_be_made_of_a_value() {
    let value = json!({ "a": [1, 2.5, null, true, "${x}"], "b": {} });
    let template = Template::from(value.clone());
    assert!(template.is_static());
    assert_eq!(template.fill(&mut |_| None).unwrap(), value);
}

#[test]
fn a_filled_value_is_checked_again() {
    let known = descriptions();
    let image = known.iter().find(|(source, _)| source.to_string() == "builtin:image").unwrap().1;
    let schema = WithSchema::compile(image).unwrap();
    assert_eq!(schema.check(&json!({ "tag": "a" })), Vec::<String>::new());
    assert_eq!(schema.check(&json!({ "tag": 1, "labels": { "a": 2 } })).len(), 2);
}

#[test]
fn a_schema_that_is_none_is_an_error() {
    let mut description = (**descriptions().values().next().unwrap()).clone();
    description.with_schema = json!({ "type": 5 });
    assert!(WithSchema::compile(&description).is_err());
    description.with_schema = json!({ "$ref": "https://example.com/schema.json" });
    assert!(WithSchema::compile(&description).is_err());
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let mut description = (**descriptions().values().next().unwrap()).clone();
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
        json!({ "not": { "$ref": "#" } }),
    ] {
        description.with_schema = schema;
        let Ok(schema) = WithSchema::compile(&description) else { continue };
        // It only has to come to an end.
        schema.check(&json!({ "a": 1 }));
    }
}

/// What a step takes as a whole depends on a key that is written out: that an image is not known yet hides nothing.
#[test]
fn a_rule_over_the_whole_holds_beside_a_hole() {
    let report = |with: &str| {
        report(&stages(&format!(
            "[[stages.build.steps]]\nuses = \"image\"\nwith.tag = \"t\"\ngrants = {{ docker = {{ tag = [\"t\"] }} }}\n\
             [stages.b]\nneeds = [\"build\"]\n[[stages.b.steps]]\nuses = \"deploy\"\n\
             with = {{ service = \"s\", image = \"${{{OUT}.ref}}\", {with} }}\n\
             grants = {{ docker = {{ run = [\"t\"] }}, health = [\"s\"] }}\n"
        )))
    };
    let missing = report("strategy = \"canary\"");
    assert!(missing.contains("weights"), "{missing}");
    assert_eq!(report("strategy = \"canary\", weights = [1]"), "");
    assert_eq!(report("strategy = \"rolling\""), "");
    // Whether it is one is not known yet.
    assert_eq!(report(&format!("strategy = \"${{{OUT}.digest}}\"")), "");
}
