//! The quick look against the full validator.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn it_knows_what_plugins_write() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "With",
        "type": "object",
        "properties": {
            "run": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            "port": { "type": ["integer", "null"], "format": "uint16", "minimum": 0, "maximum": 65535 },
            "path": { "type": "string", "pattern": "^/", "default": "/" },
            "limit": { "anyOf": [{ "$ref": "#/$defs/Limit" }, { "type": "null" }] },
        },
        "additionalProperties": false,
        "if": { "required": ["port"] },
        "then": { "required": ["path"] },
        "else": { "required": ["run"] },
        "$defs": { "Limit": { "type": "string", "enum": ["low", "high"] } },
    });
    assert!(understands(&schema));
    assert!(fits(&schema, &json!({ "run": ["a"] })));
    assert!(fits(&schema, &json!({ "port": 80, "path": "/x", "limit": "low" })));
    for bad in [
        json!({}),
        json!({ "run": [] }),
        json!({ "run": [1] }),
        json!({ "run": ["a"], "limit": "middle" }),
        json!({ "port": 80 }),
        json!({ "port": 65536, "path": "/" }),
        json!({ "port": 80, "path": "x" }),
        json!({ "run": ["a"], "runs": 1 }),
    ] {
        assert!(!fits(&schema, &bad), "{bad}");
    }
}

#[test]
fn what_it_does_not_know_is_for_the_validator() {
    for schema in [
        json!({ "patternProperties": {} }),
        json!({ "type": 5 }),
        json!({ "type": "text" }),
        json!({ "$ref": "https://example.com/x" }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#" }),
        json!({ "properties": { "a": { "uniqueItems": true } } }),
        json!({ "minLength": -1 }),
        json!(5),
    ] {
        assert!(!understands(&schema), "{schema}");
    }
    assert!(!fits(&json!({ "$ref": "#" }), &json!(1)));
    assert!(!fits(&json!({ "pattern": "^a+$" }), &json!("aa")));
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!(false)),
        Just(json!({})),
        prop::sample::select(TYPES).prop_map(|name| json!({ "type": name })),
        prop::sample::subsequence(TYPES, 1..3).prop_map(|names| json!({ "type": names })),
        (0..3_u64, 0..4_u64).prop_map(|(min, max)| json!({ "minLength": min, "maxLength": max })),
        (0..3_u64, 0..4_u64).prop_map(|(min, max)| json!({ "minItems": min, "maxProperties": max })),
        (-2..3_i64, -2..3_i64).prop_map(|(min, max)| json!({ "minimum": min, "exclusiveMaximum": max })),
        Just(json!({ "enum": ["a", 1, 1.0, null, true, []] })),
        Just(json!({ "const": "a" })),
        Just(json!({ "pattern": "^a" })),
        Just(json!({ "required": ["a"], "dependentRequired": { "b": ["a"] } })),
        Just(json!({ "$ref": "#/$defs/x", "format": "email" })),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let many = prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            inner.clone().prop_map(|one| json!({ "not": one })),
            inner.clone().prop_map(|one| json!({ "items": one })),
            many.clone().prop_map(|all| json!({ "allOf": all })),
            many.clone().prop_map(|all| json!({ "anyOf": all })),
            many.prop_map(|all| json!({ "oneOf": all })),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| json!({ "if": a, "then": b, "else": c })),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| json!({ "properties": { "a": a }, "additionalProperties": b })),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3..4_i64).prop_map(Value::from),
        Just(json!(1.0)),
        Just(json!(0.5)),
        Just(json!(u64::MAX)),
        prop::sample::select(vec!["", "a", "ab", "é", "xyz"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("[abc]", inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_fits_here_is_valid(schema in schema(), extra in schema(), value in value()) {
        let mut schema = schema;
        if let Some(keys) = schema.as_object_mut() {
            keys.insert("$defs".into(), json!({ "x": { "type": "string" }, "y": extra }));
        }
        prop_assert!(understands(&schema), "{}", schema);
        if let Ok(validator) = jsonschema::validator_for(&schema) && fits(&schema, &value) {
            prop_assert!(validator.is_valid(&value), "{} {}", schema, value);
        }
    }
}
