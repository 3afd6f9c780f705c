//! What of `with` goes together, for the check of the pipeline. [`check`](super::check) says it again in code.

use serde_json::{Value as Json, json};

/// The rules as parts of the schema.
pub(super) fn rules() -> Json {
    let of = |key: &str, value: Json| json!({ "properties": { key: value }, "required": [key] });
    let strategy = |names: &[&str]| json!({ "properties": { "strategy": { "enum": names } } });
    json!([
        {
            "if": of("action", json!({ "enum": ["rollback", "commit"] })),
            "else": { "required": ["image", "strategy", "port"] }
        },
        { "if": of("strategy", json!({ "const": "canary" })), "then": { "required": ["canary"] } },
        { "if": of("strategy", json!({ "const": "ring" })), "then": { "required": ["rings"] } },
        { "if": { "required": ["rolling"] }, "then": strategy(&["rolling"]) },
        { "if": { "required": ["canary"] }, "then": strategy(&["canary"]) },
        { "if": { "required": ["rings"] }, "then": strategy(&["ring"]) },
        { "if": { "required": ["preview"] }, "then": strategy(&["blue-green", "canary"]) },
        { "if": { "required": ["bake"] }, "then": strategy(&["recreate", "rolling", "blue-green", "canary"]) },
        {
            "if": {
                "properties": { "strategy": { "enum": ["recreate", "rolling", "blue-green"] } },
                "required": ["strategy", "analysis"]
            },
            "then": { "required": ["bake"] }
        },
        {
            "if": { "required": ["to"] },
            "then": { "properties": { "action": { "const": "rollback" } }, "required": ["action"] }
        }
    ])
}
