//! JSON Schemas of what is written as text.

use crate::condition::Condition;
use crate::units::{Share, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

macro_rules! text {
    ($type:ident, $pattern:literal, $examples:expr) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "examples": $examples })
            }
        }
    };
}

text!(Span, r"^([0-9]+(\.[0-9]+)?(ms|s|m|min|h|d) *)+$", ["500ms", "90s", "5m"]);
text!(Share, r"^[0-9]+(\.[0-9]+)? *%$", ["5%", "0.1%"]);
// Only its shape: what is wrong with a condition is said better by its own errors.
text!(
    Condition,
    r"^ *(error-rate|availability|p[0-9]+(\.[0-9]+)?|value) *(>|>=|<|<=) *[^ ].*$",
    ["error-rate > 5%", "p99 > 5s", "availability < 95%", "value < 0.9 * baseline"]
);

#[cfg(test)]
mod tests {
    use crate::Metric;

    #[test]
    fn every_setting_is_documented() {
        let schema = schemars::schema_for!(Metric);
        let properties = schema.as_value()["properties"].as_object().unwrap();
        assert_eq!(properties.len(), 17);
        for (name, property) in properties {
            assert!(property["description"].as_str().is_some_and(|text| text.len() > 20), "{name}");
        }
    }
}
