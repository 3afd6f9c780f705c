//! How often to ask whether something is healthy, and which statuses are.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Unexpected, Visitor};
use windlass_plugin::health::Policy;
use windlass_plugin::with::Duration;

/// A policy with the defaults for what `with` leaves out.
pub fn policy(
    interval: Option<Duration>,
    timeout: Option<Duration>,
    retries: Option<u32>,
    start_period: Option<Duration>,
    success_threshold: Option<u32>,
    default: Policy,
) -> Policy {
    Policy {
        interval_ms: interval.map_or(default.interval_ms, Duration::millis),
        timeout_ms: timeout.map_or(default.timeout_ms, Duration::millis),
        retries: retries.unwrap_or(default.retries),
        start_period_ms: start_period.map_or(default.start_period_ms, Duration::millis),
        success_threshold: success_threshold.unwrap_or(default.success_threshold),
    }
}

/// A status, or a range of them: `200`, `"200-399"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// The lowest.
    pub min: u16,
    /// The highest.
    pub max: u16,
}

impl Default for Statuses {
    fn default() -> Self {
        Self { min: 200, max: 299 }
    }
}

impl Statuses {
    /// Whether this is one of them.
    pub fn contains(self, status: u16) -> bool {
        (self.min..=self.max).contains(&status)
    }

    fn parse(text: &str) -> Option<Self> {
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        let (min, max) = (min.trim().parse().ok()?, max.trim().parse().ok()?);
        (100 <= min && min <= max && max <= 599).then_some(Self { min, max })
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.min == self.max {
            true => write!(f, "{}", self.min),
            false => write!(f, "{}-{}", self.min, self.max),
        }
    }
}

impl<'de> de::Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Statuses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status like 200, or a range like \"200-399\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Statuses, E> {
                Statuses::parse(&number.to_string())
                    .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Statuses, E> {
                Statuses::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Statuses {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string"],
            "minimum": 100,
            "maximum": 599,
            "pattern": "^[1-5][0-9]{2}( *- *[1-5][0-9]{2})?$",
            "examples": [200, "200-399"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_ranges() {
        let read = |text| serde_json::from_str::<Statuses>(text).ok();
        assert_eq!(read("204"), Some(Statuses { min: 204, max: 204 }));
        assert_eq!(read("\"200-399\""), Some(Statuses { min: 200, max: 399 }));
        for bad in ["99", "600", "\"300-200\"", "\"2xx\"", "null"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(
            (Statuses::default().to_string(), Statuses { min: 204, max: 204 }.to_string()),
            ("200-299".into(), "204".into())
        );
    }
}
