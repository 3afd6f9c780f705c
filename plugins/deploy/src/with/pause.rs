//! `pause = "10m"` or `"until-approved"`, `hold = true` or `"10s"`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Unexpected, Visitor};
use windlass_plugin::with::Duration;

/// How long to wait before the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// So long.
    For(Duration),
    /// Until a person has decided.
    UntilApproved,
}

const UNTIL_APPROVED: &str = "until-approved";

impl<'de> de::Deserialize<'de> for Pause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Pause;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration like \"10m\", or \"until-approved\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Pause, E> {
                match text {
                    UNTIL_APPROVED => Ok(Pause::UntilApproved),
                    text => Duration::parse(text)
                        .map(Pause::For)
                        .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_str(Either)
    }
}

impl JsonSchema for Pause {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Pause".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(until-approved|([0-9]+(\\.[0-9]+)?(ms|s|m|min|h|d) *)+)$",
            "examples": ["10m", "until-approved"]
        })
    }
}

/// For how long new requests wait at most while the traffic is switched; 0: not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hold(pub(crate) u64);

/// What `hold = true` means, in milliseconds.
const HOLD_MS: u64 = 30_000;
/// The router holds no longer.
pub(super) const LONGEST_HOLD_MS: u64 = 60_000;

impl<'de> de::Deserialize<'de> for Hold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Hold;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false`, or a duration like \"10s\"")
            }

            fn visit_bool<E: de::Error>(self, on: bool) -> Result<Hold, E> {
                Ok(Hold(if on { HOLD_MS } else { 0 }))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hold, E> {
                let limit = Duration::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))?;
                Ok(Hold(limit.millis()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Hold {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Hold".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["boolean", "string"],
            "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|min) *)+$",
            "examples": [true, "10s"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_and_holds_as_people_write_them() {
        let pause = |text| serde_json::from_str::<Pause>(text).ok();
        assert_eq!(pause("\"10m\""), Some(Pause::For(Duration::from_secs(600))));
        assert_eq!(pause("\"until-approved\""), Some(Pause::UntilApproved));
        assert_eq!(pause("\"until approved\""), None);
        let hold = |text| serde_json::from_str::<Hold>(text).ok();
        assert_eq!(hold("true"), Some(Hold(30_000)));
        assert_eq!(hold("false"), Some(Hold(0)));
        assert_eq!(hold("\"1.5s\""), Some(Hold(1_500)));
        assert_eq!(hold("5"), None);
    }
}
