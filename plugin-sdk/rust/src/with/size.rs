//! Amounts of bytes as people write them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// An amount of bytes, written as `"256MiB"`, `"1.5GiB"`, `"500MB"` or `"4096B"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// It in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Reads the written form.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = super::number(text)?;
        let unit: u64 = match unit.trim_start() {
            "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => return None,
        };
        let bytes = number * unit as f64;
        // Beyond this a float no longer holds every integer, and no machine has as much.
        (bytes < (1_u64 << 53) as f64).then_some(Self(bytes.round() as u64))
    }
}

super::from_text!(Size, "a size like \"256MiB\"");

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+(\\.[0-9]+)? *(B|[kK]B|[MGT]B|[KMGT]iB)$",
            "examples": ["256MiB", "2GiB"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms() {
        for (text, bytes) in
            [("256MiB", 268_435_456), ("1.5GiB", 1_610_612_736), ("500MB", 500_000_000), ("0B", 0), ("1 KiB", 1024)]
        {
            assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
        }
        for bad in ["", "5", "5m", "MiB", "-1B", "1 XB", "99999999TiB"] {
            assert_eq!(Size::parse(bad), None, "{bad}");
        }
    }
}
