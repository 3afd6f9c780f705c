//! The table of rows: medians, ratio, goal, verdict.

use std::fmt;
use std::time::Duration;

/// What the numbers of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Mebibytes.
    Mebibytes,
    /// Requests a second.
    Rate,
}

/// The most that Windlass may take, as a part of what the peer takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// At most one n-th.
    Part(u32),
    /// At most this many times.
    Times(f64),
    /// At least this many times: more is better.
    AtLeast(f64),
    /// Told for the sake of completeness.
    None,
}

/// One row: the same number of rounds of both.
#[derive(Debug)]
pub(super) struct Row {
    /// What is compared.
    pub(super) name: String,
    /// What it is compared with.
    pub(super) peer: &'static str,
    /// The unit of both.
    pub(super) unit: Unit,
    /// What is aimed at.
    pub(super) goal: Goal,
    /// Windlass's rounds, in the unit.
    pub(super) ours: Vec<f64>,
    /// The peer's, in the same order.
    pub(super) theirs: Vec<f64>,
}

impl Row {
    /// A row without rounds.
    pub(super) fn new(name: impl Into<String>, peer: &'static str, unit: Unit, goal: Goal) -> Self {
        Self { name: name.into(), peer, unit, goal, ours: Vec::new(), theirs: Vec::new() }
    }

    /// Adds a round of both.
    pub(super) fn push(&mut self, ours: f64, theirs: f64) {
        self.ours.push(ours);
        self.theirs.push(theirs);
    }

    fn ratio(&self) -> f64 {
        median(&self.ours) / median(&self.theirs)
    }

    fn cells(&self) -> [String; 8] {
        let value = |of: &[f64]| self.unit.show(median(of));
        let ratio = self.ratio();
        let (ratio_text, goal, met) = match self.goal {
            Goal::Part(n) => (format!("1/{:.1}", 1.0 / ratio), format!("<= 1/{n}"), Some(ratio <= 1.0 / f64::from(n))),
            Goal::Times(most) => (format!("{ratio:.2} x"), format!("<= {most:.1} x"), Some(ratio <= most)),
            Goal::AtLeast(least) => (format!("{ratio:.2} x"), format!(">= {least:.1} x"), Some(ratio >= least)),
            Goal::None => (format!("{ratio:.2} x"), "-".to_owned(), None),
        };
        let verdict = match met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        [
            self.name.clone(),
            value(&self.ours),
            value(&self.theirs),
            self.peer.to_owned(),
            ratio_text,
            goal,
            verdict.to_owned(),
            self.ours.len().to_string(),
        ]
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Micros => format!("{value:.1} us"),
            Self::Millis if value < 10.0 => format!("{value:.2} ms"),
            Self::Millis => format!("{value:.0} ms"),
            Self::Mebibytes => format!("{value:.1} MiB"),
            Self::Rate => format!("{value:.0} req/s"),
        }
    }
}

/// All rows, and what was measured beside them.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Table {
    /// Adds a row that is complete.
    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Whether nothing was measured that goes into it.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a line beneath the rows.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["row", "windlass", "peer", "peer is", "ratio", "goal", "verdict", "rounds"].map(str::to_owned);
        let lines: Vec<[String; 8]> = std::iter::once(head).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 8] = std::array::from_fn(width);
        for line in &lines {
            let cells: Vec<String> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

/// The middle of the values.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (length, middle) if length % 2 == 1 => sorted[middle],
        (_, middle) => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// A duration in milliseconds.
pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_table_says_what_was_met() {
        let mut table = Table::default();
        let mut quick = Row::new("a step", "ninja", Unit::Micros, Goal::Part(20));
        quick.push(10.0, 330.0);
        let mut slow = Row::new("cold start", "ninja", Unit::Millis, Goal::Times(1.5));
        slow.push(4.0, 2.0);
        table.push(quick);
        table.push(slow);
        table.note("a note".into());
        let expected = "\
row         windlass  peer      peer is  ratio   goal      verdict  rounds
a step      10.0 us   330.0 us  ninja    1/33.0  <= 1/20   met      1
cold start  4.00 ms   2.00 ms   ninja    2.00 x  <= 1.5 x  MISSED   1
a note
";
        assert_eq!(table.to_string(), expected);
    }
}
