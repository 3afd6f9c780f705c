//! Plugins, facts and short ways for the tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use windlass_pipeline::{
    CapabilityUse, Description, Descriptions, Diagnostics, Facts, OutputKind, OutputSpec, Plan, PluginSource, Source,
    parse_tolerant, plan,
};

pub(crate) fn source(text: &str) -> Source {
    Source { name: "pipeline.toml".into(), text: text.into() }
}

fn description(
    name: &str,
    with_schema: Value,
    capabilities: &[(&str, bool)],
    outputs: &[(&str, OutputKind)],
) -> Description {
    let capabilities = capabilities.iter().map(|(capability, required)| CapabilityUse {
        capability: (*capability).into(),
        required: *required,
        reason: format!("to do its work with {capability}"),
    });
    let outputs = outputs.iter().map(|(name, kind)| OutputSpec {
        name: (*name).into(),
        kind: *kind,
        documentation: String::new(),
    });
    Description {
        name: name.into(),
        version: "1.0.0".into(),
        documentation: String::new(),
        with_schema,
        capabilities: capabilities.collect(),
        outputs: outputs.collect(),
    }
}

pub(crate) fn descriptions() -> Descriptions {
    let image = description(
        "image",
        json!({
            "type": "object",
            "properties": {
                "context": { "type": "string", "minLength": 1 },
                "tag": { "type": "string", "description": "The name of the image.", "pattern": "^[a-z]" },
                "push": { "type": "boolean" },
                "jobs": { "type": "integer", "minimum": 1 },
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
            },
            "required": ["tag"],
            "additionalProperties": false,
            "dependentSchemas": { "jobs": { "properties": { "context": false } } },
        }),
        &[("docker", true)],
        &[
            ("ref", OutputKind::String),
            ("digest", OutputKind::String),
            ("size", OutputKind::Number),
            ("tags", OutputKind::List),
            ("cached", OutputKind::Bool),
        ],
    );
    let deploy = description(
        "deploy",
        json!({
            "type": "object",
            "properties": {
                "service": { "type": "string" },
                "image": { "type": "string", "minLength": 3 },
                "strategy": { "enum": ["blue-green", "canary", "rolling", "recreate"] },
                "replicas": { "type": "integer" },
                "weights": { "type": "array", "items": { "type": "integer" } },
            },
            "required": ["service", "image"],
            "additionalProperties": false,
            "if": { "properties": { "image": { "const": "" } } },
            "then": { "required": ["weights"] },
            "allOf": [{
                "if": { "properties": { "strategy": { "const": "canary" } }, "required": ["strategy"] },
                "then": { "required": ["weights"] },
            }],
        }),
        &[("docker", true), ("health", true), ("http", false)],
        &[],
    );
    let command = description(
        "command",
        json!({ "type": "object" }),
        &[
            ("process", false),
            ("files", false),
            ("secrets", false),
            ("env", false),
            ("artifacts", false),
            ("docker", false),
            ("health", false),
            ("http", false),
        ],
        &[("text", OutputKind::String), ("data", OutputKind::Object), ("count", OutputKind::Number)],
    );
    BTreeMap::from([
        (PluginSource::Builtin("image".into()), Arc::new(image)),
        (PluginSource::Builtin("deploy".into()), Arc::new(deploy)),
        (PluginSource::Builtin("command".into()), Arc::new(command)),
    ])
}

pub(crate) fn facts() -> Facts {
    let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    Facts {
        run_id: "r-7".into(),
        env: map(&[("HOME", "/home/ada"), ("REGISTRY", "localhost:5000"), ("EMPTY", "")]),
        git: map(&[("sha", "0123456789abcdef"), ("short", "0123456"), ("branch", "main"), ("dirty", "false")]),
        workspace: "/work/storefront".into(),
        environment: None,
    }
}

/// The plan, or everything that is wrong.
pub(crate) fn planned(text: &str) -> Result<Plan, Diagnostics> {
    let source = source(text);
    plan(&parse_tolerant(&source), &source, &facts(), &descriptions())
}

/// The same, in an environment that was asked for.
pub(crate) fn planned_in(environment: &str, text: &str) -> Result<Plan, Diagnostics> {
    let source = source(text);
    let facts = Facts { environment: Some(environment.to_owned()), ..facts() };
    plan(&parse_tolerant(&source), &source, &facts, &descriptions())
}

/// The report on a whole file.
pub(crate) fn report(text: &str) -> String {
    match planned(text) {
        Ok(plan) => plan.warnings.render(false),
        Err(problems) => problems.render(false),
    }
}

/// A pipeline with these stages, which can use `x` (the same as `builtin:command`), `image` and `deploy`.
pub(crate) fn stages(text: &str) -> String {
    format!(
        "{text}\n[pipeline]\nname = \"p\"\n\n[plugins]\n\
         x = \"builtin:command\"\nimage = \"builtin:image\"\ndeploy = \"builtin:deploy\"\n"
    )
}

/// A pipeline with one step, which has these keys.
pub(crate) fn step(text: &str) -> String {
    stages(&format!("[[stages.build.steps]]\n{text}\n"))
}
