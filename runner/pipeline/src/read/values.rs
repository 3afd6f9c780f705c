//! Durations, sizes and limits.

use std::time::Duration;

use super::Reader;
use crate::limits::Limits;
use crate::suggest::quoted;
use crate::tree::{Kind, NodeId};

impl Reader<'_> {
    /// A duration as people write it: `"90s"`, `"5m"`, `"1h 30m"`.
    pub(super) fn duration(&mut self, at: NodeId, key: &str) -> Option<Duration> {
        const HELP: &str = "write a number with its unit, as in \"90s\", \"5m\" or \"1h 30m\"";
        let Some(text) = self.doc.string(at) else {
            let help = match self.doc.kind(at) {
                Kind::Integer | Kind::Float => {
                    self.doc.whole_text(at).map(|number| format!("write it with its unit: `{key} = \"{number}s\"`"))
                }
                _ => None,
            };
            self.wrong_type(at, key, "a duration in quotes", help.or_else(|| Some(HELP.to_owned())));
            return None;
        };
        match humantime::parse_duration(&text) {
            Ok(duration) if duration.is_zero() => {
                self.bad_value(at, format!("{} cannot be zero", quoted(key)), "leave it out for no limit");
                None
            }
            // Beyond this, adding it to a clock may fail; nothing waits for 100 years.
            Ok(duration) if duration.as_secs() > 100 * 365 * 24 * 3600 => {
                self.bad_value(at, format!("{} is longer than 100 years", quoted(key)), "leave it out for no limit");
                None
            }
            Ok(duration) => Some(duration),
            Err(_) => {
                self.bad_value(at, format!("{} is not a duration", quoted(&text)), HELP);
                None
            }
        }
    }

    /// A number of bytes: `"256MiB"`, or a plain integer.
    fn size(&mut self, at: NodeId, key: &str) -> Option<u64> {
        const HELP: &str = "write bytes as a number, or a number with B, KiB, MiB, GiB, kB, MB or GB in quotes";
        let Some(text) = self.doc.string(at) else {
            if self.doc.kind(at) == Kind::Integer {
                return self.count(at, key, i64::MAX as u64);
            }
            self.wrong_type(at, key, "a size", Some(HELP.to_owned()));
            return None;
        };
        match size_of(&text) {
            Some(0) => {
                self.bad_value(at, format!("{} cannot be zero", quoted(key)), "leave it out for the default");
                None
            }
            Some(bytes) => Some(bytes),
            None => {
                let digits = text.trim().trim_end_matches(|c: char| !c.is_ascii_digit());
                let unit = text.trim()[digits.len()..].trim().to_ascii_uppercase();
                let meant = match unit.as_str() {
                    "K" | "KB" | "KIB" => Some("KiB"),
                    "M" | "MB" | "MIB" => Some("MiB"),
                    "G" | "GB" | "GIB" => Some("GiB"),
                    _ => None,
                };
                let whole = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
                let help = match meant.filter(|_| whole) {
                    Some(unit) => format!("write `{key} = \"{digits}{unit}\"`"),
                    None => HELP.to_owned(),
                };
                self.bad_value(at, format!("{} is not a size", quoted(&text)), help);
                None
            }
        }
    }

    /// The table `limits`.
    pub(super) fn limits(&mut self, at: NodeId) -> Limits {
        const KNOWN: &[&str] = &["calls", "fuel", "log", "memory", "outputs", "table"];
        const MOST: u64 = i64::MAX as u64;
        let mut limits = Limits::default();
        if !self.table(at, "limits", "write it like `limits = { memory = \"256MiB\", calls = 1000 }`") {
            return limits;
        }
        let doc = self.doc;
        for child in doc.children(at) {
            match &*doc.key(child) {
                key @ "memory" => limits.memory = self.size(child, key),
                key @ "log" => limits.log = self.size(child, key),
                key @ "outputs" => limits.output = self.size(child, key),
                key @ "fuel" => limits.fuel = self.count(child, key, MOST),
                key @ "calls" => limits.calls = self.count(child, key, MOST),
                key @ "table" => limits.table_elements = self.count(child, key, MOST),
                other => self.unknown_key(child, other, "`limits`", KNOWN),
            }
        }
        limits
    }
}

fn size_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(|c| c.is_ascii_digit() || *c == b'_').count();
    let number: u64 = text[..digits].replace('_', "").parse().ok()?;
    let unit = match text[digits..].trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::size_of;

    #[test]
    fn sizes() {
        assert_eq!(size_of("256MiB"), Some(256 << 20));
        assert_eq!(size_of("1 kB"), Some(1000));
        assert_eq!(size_of("0B"), Some(0));
        for bad in ["", "256", "MiB", "1.5MiB", "-1B", "256M", "99999999999GiB"] {
            assert_eq!(size_of(bad), None, "{bad}");
        }
    }
}
