//! Times and shares as people write them: `1m30s`, `5%`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A span of time in milliseconds, written as `500ms`, `30s`, `1m30s`, `2h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub u64);

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Reads the written form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim();
        let mut sum = 0.0;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let (number, after) = number(rest)?;
            let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            sum += number * milliseconds(unit)?;
            rest = after.trim_start();
        }
        // Years are enough, and stay exact.
        (sum <= 1e12).then(|| Self(sum.round() as u64))
    }
}

/// What a unit is in milliseconds.
fn milliseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" => 1.0,
        "s" => 1000.0,
        "m" | "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    })
}

/// A plain number, not negative, at the start, and what follows it.
pub(crate) fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    number.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
    Some((number.parse().ok()?, rest))
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a time: write `30s`, `1m30s` or `500ms`"))
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        if self.0 == 0 { f.write_str("0s") } else { Ok(()) }
    }
}

/// A share, written as `5%`. Held as a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Share(pub f64);

impl Share {
    /// Reads the written form.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, rest) = number(text.trim())?;
        (rest.trim() == "%" && number <= 1e6).then_some(Self(number / 100.0))
    }
}

impl TryFrom<String> for Share {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a share: write `5%` or `0.1%`"))
    }
}

impl From<Share> for String {
    fn from(share: Share) -> Self {
        share.to_string()
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", digits(self.0 * 100.0))
    }
}

/// A number with ten digits after the point at most, and none that say nothing.
pub(crate) fn digits(number: f64) -> String {
    let text = format!("{number:.10}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, millis) in [("30s", 30_000), ("1m30s", 90_000), ("500ms", 500), ("2h", 7_200_000), ("0.5s", 500)] {
            assert_eq!(Span::parse(text), Some(Span(millis)), "{text}");
            assert_eq!(Span::parse(&Span(millis).to_string()), Some(Span(millis)));
        }
        for text in ["", "30", "s", "-3s", "3 weeks", "1e9s", "999999999999h", "..s", ".5s", "∞s"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
        assert_eq!(Span(0).to_string(), "0s");
        assert_eq!(Span::seconds(90).to_string(), "1m30s");
    }

    #[test]
    fn shares_are_read_and_written() {
        assert_eq!(Share::parse("5%"), Some(Share(0.05)));
        assert_eq!(Share::parse("0.1 %"), Some(Share(0.001)));
        assert_eq!(Share(0.001).to_string(), "0.1%");
        assert_eq!(Share(0.1).to_string(), "10%");
        for text in ["5", "%", "-1%", "five%", "NaN%"] {
            assert_eq!(Share::parse(text), None, "{text}");
        }
    }
}
