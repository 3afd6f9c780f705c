//! The table of languages, in Markdown, as docs/benchmarks.md has it.

use super::super::table::median;
use std::fmt;

/// What is measured, in the order of the columns. All but the size are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Size,
    Build,
    Cold,
    Warm,
    Instance,
    Run,
    Log,
    Emit,
}

const COLUMNS: [(Column, &str); 8] = [
    (Column::Size, "size"),
    (Column::Build, "its build"),
    (Column::Cold, "cold start"),
    (Column::Warm, "warm start"),
    (Column::Instance, "an instance"),
    (Column::Run, "a whole run"),
    (Column::Log, "a line of the log"),
    (Column::Emit, "a recorded call"),
];

/// One language.
#[derive(Debug)]
pub(super) struct Row {
    title: &'static str,
    values: [Vec<f64>; COLUMNS.len()],
}

impl Row {
    pub(super) fn new(title: &'static str) -> Self {
        Self { title, values: Default::default() }
    }

    /// Adds a round.
    pub(super) fn push(&mut self, column: Column, value: f64) {
        self.values[column as usize].push(value);
    }

    fn median(&self, column: Column) -> f64 {
        median(&self.values[column as usize])
    }
}

/// All languages; ratios are against the first.
#[derive(Debug)]
pub(crate) struct Languages {
    pub(super) rows: Vec<Row>,
    pub(super) notes: Vec<String>,
}

impl fmt::Display for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = COLUMNS.map(|(_, head)| head).join(" | ");
        writeln!(f, "| language | {heads} |\n|{}", " --- |".repeat(COLUMNS.len() + 1))?;
        let Some(base) = self.rows.first() else { return Ok(()) };
        for row in &self.rows {
            let cells = COLUMNS.map(|(column, _)| cell(column, row.median(column), base.median(column)));
            writeln!(f, "| {} | {} |", row.title, cells.join(" | "))?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "\n{note}"))
    }
}

/// A value, and how many times the base's it is.
fn cell(column: Column, value: f64, base: f64) -> String {
    // What a language has no way of doing is not measured.
    if value.is_nan() {
        return String::new();
    }
    let shown = match column {
        Column::Size => size(value),
        _ => time(value),
    };
    let ratio = value / base;
    match ratio {
        // Noise can make a difference of two medians as good as nothing.
        _ if !ratio.is_finite() || ratio <= 0.0 => shown,
        10.0.. => format!("{shown}, {ratio:.0} ×"),
        _ => format!("{shown}, {ratio:.1} ×"),
    }
}

fn size(bytes: f64) -> String {
    match bytes / 1024.0 {
        kib @ ..1000.0 => format!("{kib:.0} KiB"),
        kib => format!("{:.1} MiB", kib / 1024.0),
    }
}

fn time(micros: f64) -> String {
    let (value, unit) = match micros {
        ..1e3 => (micros, "us"),
        1e3..1e6 => (micros / 1e3, "ms"),
        _ => (micros / 1e6, "s"),
    };
    if value < 10.0 { format!("{value:.2} {unit}") } else { format!("{value:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_against_the_first_row() {
        let (mut rust, mut program) = (Row::new("Rust"), Row::new("a program"));
        for (row, by) in [(&mut rust, 1.0), (&mut program, 12.0)] {
            row.push(Column::Size, 150.0 * 1024.0 * by);
            row.push(Column::Build, 1_500_000.0 * by);
            row.push(Column::Log, 0.8 * by);
        }
        let table = Languages { rows: vec![rust, program], notes: vec!["a note".to_owned()] };
        let expected = "\
| language | size | its build | cold start | warm start | an instance | a whole run | a line of the log | a recorded call |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| Rust | 150 KiB, 1.0 × | 1.50 s, 1.0 × |  |  |  |  | 0.80 us, 1.0 × |  |
| a program | 1.8 MiB, 12 × | 18 s, 12 × |  |  |  |  | 9.60 us, 12 × |  |

a note
";
        assert_eq!(table.to_string(), expected);
    }
}
