//! Durations as people write them.

use std::borrow::Cow;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A length of time, written as `"500ms"`, `"90s"`, `"5m"`, `"2h"`, `"1d"`, or several of them: `"1m30s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub std::time::Duration);

impl Duration {
    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(std::time::Duration::from_millis(millis))
    }

    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }

    /// It in milliseconds, as the contract counts.
    pub fn millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Reads the written form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut seconds = 0.0;
        while !rest.is_empty() {
            let (number, after) = super::number(rest)?;
            let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            let unit = match unit {
                "ms" => 0.001,
                "s" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                _ => return None,
            };
            seconds += number * unit;
            rest = after.trim_start();
        }
        if text.is_empty() {
            return None;
        }
        // A float is exact enough for milliseconds; rounding hides that 0.1 is not.
        std::time::Duration::try_from_secs_f64((seconds * 1000.0).round() / 1000.0).ok().map(Self)
    }
}

impl Deref for Duration {
    type Target = std::time::Duration;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

super::from_text!(Duration, "a duration like \"90s\" or \"1m30s\"");

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|min|h|d) *)+$",
            "examples": ["500ms", "90s", "5m"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms() {
        for (text, millis) in [
            ("500ms", 500),
            ("90s", 90_000),
            ("1.5s", 1_500),
            ("0.1s", 100),
            ("5m", 300_000),
            ("1h 30m", 5_400_000),
            ("0s", 0),
        ] {
            assert_eq!(Duration::parse(text).map(Duration::millis), Some(millis), "{text}");
        }
        for bad in ["", "5", "s", "-1s", "1y", "1s!", ".5s", "1e9s", "1..2s"] {
            assert_eq!(Duration::parse(bad), None, "{bad}");
        }
        let error = serde_json::from_str::<Duration>("\"5\"").unwrap_err().to_string();
        assert!(error.contains("expected a duration like \"90s\""), "{error}");
    }
}
