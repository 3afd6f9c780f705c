//! How times, durations and statuses read.

use std::fmt::{self, Display};
use std::time::{Duration, UNIX_EPOCH};

use anstyle::{AnsiColor, Style as Ansi};
use windlass_journal::Status;

/// The last second that has a date of four digits for the year.
const LAST_SECOND: u64 = 253_402_300_799;

pub(crate) const GREEN: Ansi = AnsiColor::Green.on_default();
pub(crate) const RED: Ansi = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Ansi = AnsiColor::Yellow.on_default();
pub(crate) const BOLD: Ansi = Ansi::new().bold();
pub(crate) const DIM: Ansi = Ansi::new().dimmed();

/// Prefixes of log lines, one colour for each step.
const PREFIXES: [Ansi; 5] = [
    AnsiColor::Cyan.on_default(),
    AnsiColor::Magenta.on_default(),
    AnsiColor::Blue.on_default(),
    AnsiColor::BrightCyan.on_default(),
    AnsiColor::BrightMagenta.on_default(),
];

/// Something in a colour, where colours are taken.
pub(crate) struct Painted<T> {
    what: T,
    style: Ansi,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.style)?;
        self.what.fmt(f)?;
        write!(f, "{:#}", self.style)
    }
}

/// Paints `what` if the output takes colours.
pub(crate) fn paint<T: Display>(color: bool, style: Ansi, what: T) -> Painted<T> {
    Painted { what, style: if color { style } else { Ansi::new() } }
}

/// The colour of a step's prefix: always the same for the same step.
pub(crate) fn prefix_style(step: u32) -> Ansi {
    PREFIXES[step as usize % PREFIXES.len()]
}

/// A status in a word, and its colour; `None` is one that still goes on.
pub(crate) fn status(status: Option<Status>) -> (&'static str, Ansi) {
    match status {
        None => ("running", BOLD),
        Some(Status::Succeeded) => ("succeeded", GREEN),
        Some(Status::Failed) => ("failed", RED),
        Some(Status::Skipped) => ("skipped", DIM),
        Some(Status::Cancelled) => ("cancelled", YELLOW),
    }
}

/// A status as one sign.
pub(crate) fn sign(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "✓",
        Status::Failed => "✗",
        Status::Skipped => "-",
        Status::Cancelled => "■",
    }
}

/// The time between two moments in microseconds: `340ms`, `1.2s`, `2m 5s`, `1h 2m`, `3d 4h`.
pub(crate) fn duration(from: u64, to: u64) -> String {
    let micros = to.saturating_sub(from);
    let seconds = micros / 1_000_000;
    match seconds {
        0 => format!("{}ms", micros / 1000),
        1..60 => format!("{seconds}.{}s", micros / 100_000 % 10),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// How long ago: `4s ago`, `5m ago`, `3h ago`, `2d ago`; the day itself when that is long ago.
pub(crate) fn ago(then: u64, now: u64) -> String {
    let seconds = now.saturating_sub(then) / 1_000_000;
    match seconds {
        0 => "now".to_owned(),
        1..60 => format!("{seconds}s ago"),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        86_400..1_209_600 => format!("{}d ago", seconds / 86_400),
        _ => moment(then).chars().take(10).collect(),
    }
}

/// A moment in UTC: `2026-11-21 04:25:39 UTC`.
pub(crate) fn moment(micros: u64) -> String {
    let at = UNIX_EPOCH + Duration::from_secs((micros / 1_000_000).min(LAST_SECOND));
    let text = humantime::format_rfc3339_seconds(at).to_string();
    text.replace('T', " ").replace('Z', " UTC")
}

/// A size: `512 B`, `1.5 KiB`, `10 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    let mut tenths = u128::from(bytes) * 10 / 1024;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    match tenths % 10 {
        0 => format!("{} {}", tenths / 10, UNITS[unit]),
        rest => format!("{}.{rest} {}", tenths / 10, UNITS[unit]),
    }
}

/// A measurement: as it is where that can be read, else with an exponent (`1e308`, `4.2e-9`).
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value.is_finite() && size != 0.0 && !(1e-6..1e15).contains(&size) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// `1 step`, `2 steps`.
pub(crate) fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The first `most` characters, and an ellipsis for the rest.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(end, _)| end);
            format!("{}…", &text[..end])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let second = 1_000_000;
        for (micros, text) in [
            (0, "0ms"),
            (340_000, "340ms"),
            (999_999, "999ms"),
            (1_250_000, "1.2s"),
            (59_990_000, "59.9s"),
            (125 * second, "2m 5s"),
            (3725 * second, "1h 2m"),
            (100 * 3600 * second, "4d 4h"),
        ] {
            assert_eq!(duration(5, 5 + micros), text);
        }
        assert_eq!(duration(10, 5), "0ms", "a clock that was set back");
    }

    #[test]
    fn numbers_stay_short() {
        for (value, text) in [
            (0.0, "0"),
            (-2.5, "-2.5"),
            (1234567.0, "1234567"),
            (1e308, "1e308"),
            (-1e308, "-1e308"),
            (4.2e-9, "4.2e-9"),
            (f64::MIN_POSITIVE / 2.0, "1.1125369292536007e-308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn moments_and_sizes() {
        assert_eq!(moment(1_763_699_139_000_000), "2025-11-21 04:25:39 UTC");
        assert_eq!(moment(u64::MAX), "9999-12-31 23:59:59 UTC");
        assert_eq!(ago(0, 30 * 86_400_000_000), "1970-01-01");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(10 << 20), "10 MiB");
        assert_eq!(size(u64::MAX), "16777215.9 TiB");
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        assert_eq!(shorten("äöü", 3), "äöü");
        assert_eq!(shorten("äöüß", 3), "äö…");
    }
}
