//! Any bytes: read them, plan with what the plugins say, and show what comes of it.

#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use windlass_pipeline::{
    CapabilityUse, Description, Descriptions, Facts, OutputKind, OutputSpec, PluginSource, decode, parse_tolerant, plan,
};

static PLUGINS: LazyLock<Descriptions> = LazyLock::new(|| {
    let capabilities = ["docker", "http", "files"];
    let outputs = [("text", OutputKind::String), ("size", OutputKind::Number), ("all", OutputKind::List)];
    let description = Description {
        name: "any".into(),
        version: "1.0.0".into(),
        documentation: String::new(),
        with_schema: serde_json::json!({
            "type": "object",
            "properties": { "a": { "type": "string" }, "b": { "type": "array", "items": { "type": "integer" } } },
            "additionalProperties": { "enum": ["x", 1, true] },
            "if": { "required": ["a"] },
            "then": { "minProperties": 2 },
        }),
        capabilities: capabilities
            .map(|name| CapabilityUse { capability: name.into(), required: false, reason: String::new() })
            .into(),
        outputs: outputs
            .map(|(name, kind)| OutputSpec { name: name.into(), kind, documentation: String::new() })
            .into(),
    };
    BTreeMap::from([
        (PluginSource::Builtin("command".into()), Arc::new(description.clone())),
        (PluginSource::Builtin("image".into()), Arc::new(description)),
    ])
});

static FACTS: LazyLock<Facts> = LazyLock::new(|| Facts {
    run_id: "r1".into(),
    env: BTreeMap::from([("HOME".into(), "/home/ada".into())]),
    git: BTreeMap::from([("short".into(), "0123456".into())]),
    workspace: "/work".into(),
    environment: None,
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = decode("pipeline.toml", bytes) else { return };
    let pipeline = parse_tolerant(&source);
    match plan(&pipeline, &source, &FACTS, &PLUGINS) {
        Ok(plan) => {
            assert!(pipeline.is_sound());
            assert!(serde_json::to_string(&plan).is_ok());
            for step in &plan.steps {
                let _ = step.with.fill(&mut |_| None);
                step.permissions().for_each(drop);
            }
        }
        Err(problems) => {
            assert!(problems.has_errors());
            assert!(!problems.to_string().contains('\u{1b}'));
            let _ = problems.render(false);
        }
    }
});
