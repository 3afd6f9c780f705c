//! Says which version comes next, by semantic versioning: that follows from what has changed.

use std::fmt;
use std::str::FromStr;

use windlass_plugin::prelude::*;

/// What a step gives to the plugin.
#[with]
struct With {
    /// The version that was released last, as `1.4.2`.
    last: String,
    /// What has changed since.
    changes: Vec<Change>,
}

/// A change.
#[with]
struct Change {
    /// The issue that it belongs to.
    issue: u64,
    /// What kind of change it is.
    kind: Kind,
    /// What it is.
    text: String,
}

/// Kinds of changes, from the least to the greatest.
#[with]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Docs,
    Fix,
    Feature,
    Breaking,
}

/// What a step gives to later ones.
#[outputs]
struct Outputs {
    /// The next version.
    version: String,
}

/// Says which version comes next, by semantic versioning.
#[plugin]
fn next_version(with: With, context: &Context) -> Result<Outputs> {
    let last: Version = with.last.parse()?;
    let greatest = with.changes.iter().max_by_key(|change| change.kind).or_fail("nothing has changed")?;
    let next = last.after(greatest.kind).or_fail("there is no number left")?;
    info!("{last} becomes {next} because of #{}: {}", greatest.issue, greatest.text);
    context.summarize(format!("{last} -> {next}"));
    Ok(Outputs { version: next.to_string() })
}

/// A version of three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version([u64; 3]);

impl Version {
    /// The one that comes after this one; none if a number is at its end.
    fn after(self, change: Kind) -> Option<Self> {
        let [major, minor, patch] = self.0;
        Some(Self(match change {
            // Before 1.0.0 everything may break, and the second number says so.
            Kind::Breaking if major > 0 => [major.checked_add(1)?, 0, 0],
            Kind::Breaking | Kind::Feature => [major, minor.checked_add(1)?, 0],
            Kind::Fix | Kind::Docs => [major, minor, patch.checked_add(1)?],
        }))
    }
}

impl FromStr for Version {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        let numbers: Option<Vec<u64>> = text.split('.').map(|number| number.parse().ok()).collect();
        let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
        numbers.map(Self).ok_or_else(|| Failure::new(format!("`{text}` is no version")).hint("write one as `1.4.2`"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(last: &str, change: Kind) -> String {
        last.parse::<Version>().expect("a version").after(change).expect("a number is left").to_string()
    }

    #[test]
    fn the_greatest_change_says_which_number_grows() {
        assert_eq!(after("1.4.2", Kind::Docs), "1.4.3");
        assert_eq!(after("1.4.2", Kind::Fix), "1.4.3");
        assert_eq!(after("1.4.2", Kind::Feature), "1.5.0");
        assert_eq!(after("1.4.2", Kind::Breaking), "2.0.0");
        assert_eq!(after("0.4.2", Kind::Breaking), "0.5.0");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "1", "1.2", "1.2.3.4", "1.2.x", "-1.2.3", "v1.2.3"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn everything_is_documented() {
        assert_eq!(windlass_plugin::undocumented::<NextVersion>(), [""; 0]);
    }
}
