//! `windlass runs`: the table of runs.

use std::fmt::Write as _;
use std::io::Write;

use windlass_journal::{RunState, RunSummary};

use crate::clean::one_line;
use crate::error::ViewError;
use crate::json::{RunRow, push_line, state_word};
use crate::style::{Format, Style};
use crate::text::{BOLD, DIM, YELLOW, ago, duration, paint, shorten, status};

/// The widest name of a pipeline that is printed whole.
const WIDEST: usize = 40;

/// Prints runs, in the order given: a table for people, one JSON value a line for programs.
/// `now` is in microseconds since the Unix epoch ([`windlass_journal::now_micros`]).
///
/// # Errors
///
/// What the output says.
pub fn runs(runs: &[RunSummary], style: Style, format: Format, now: u64, out: &mut dyn Write) -> Result<(), ViewError> {
    let mut text = String::new();
    match format {
        Format::Human => {
            let rows: Vec<_> = runs.iter().map(|run| Row::new(run, now)).collect();
            table(&mut text, &rows, style);
        }
        Format::Json => runs.iter().for_each(|run| push_line(&mut text, &RunRow::from(run))),
    }
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// A row of the table.
struct Row {
    state: RunState,
    run: String,
    pipeline: String,
    started: String,
    took: String,
    note: String,
}

impl Row {
    fn new(run: &RunSummary, now: u64) -> Self {
        let until = match run.state {
            RunState::Running => now,
            _ => run.ended.unwrap_or(run.seen),
        };
        let note = match (run.state, &run.failed_step, run.exit_code) {
            (RunState::Running, ..) => run.pid.map_or_else(String::new, |pid| format!("process {pid}")),
            (RunState::Interrupted, ..) => format!("windlass resume {}", run.id),
            (_, Some(step), _) => format!("step {}", one_line(step)),
            (_, None, Some(code)) if code != 0 => format!("exit code {code}"),
            _ => String::new(),
        };
        Self {
            state: run.state,
            run: one_line(&run.id),
            pipeline: shorten(&one_line(&run.pipeline), WIDEST),
            started: ago(run.started, now),
            took: duration(run.started, until),
            note,
        }
    }
}

fn table(text: &mut String, rows: &[Row], style: Style) {
    if rows.is_empty() {
        text.push_str("no runs yet; start one with `windlass run`\n");
        return;
    }
    let widest = |title: &str, of: &dyn Fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0).max(title.len());
    let id = widest("RUN", &|row| row.run.chars().count());
    let pipeline = widest("PIPELINE", &|row| row.pipeline.chars().count());
    let started = widest("STARTED", &|row| row.started.chars().count());
    let title =
        format!("{:11}  {:id$}  {:pipeline$}  {:started$}  {:>7}", "STATUS", "RUN", "PIPELINE", "STARTED", "TOOK");
    let _ = writeln!(text, "{}", paint(style.color, DIM, title));
    for row in rows {
        let paint_as = match row.state {
            RunState::Ended(ended) => status(Some(ended)).1,
            RunState::Running => BOLD,
            _ => YELLOW,
        };
        let line = format!(
            "{}  {:id$}  {:pipeline$}  {:started$}  {:>7}  {}",
            paint(style.color, paint_as, format_args!("{:11}", state_word(row.state))),
            row.run,
            row.pipeline,
            row.started,
            row.took,
            row.note
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use windlass_journal::Status;

    use super::*;

    fn row(state: RunState, run: &str, started: u64, took: u64, note: &str) -> Row {
        let now = 10_000_000_000;
        Row {
            state,
            run: run.to_owned(),
            pipeline: "storefront".to_owned(),
            started: ago(now - started * 1_000_000, now),
            took: duration(0, took * 1_000_000),
            note: note.to_owned(),
        }
    }

    #[test]
    fn the_table_lines_up() {
        let rows = [
            row(RunState::Running, "k3v0c2mtx4", 12, 12, "process 4711"),
            row(RunState::Interrupted, "9c2mtx4k7e", 3700, 61, "windlass resume 9c2mtx4k7e"),
            row(RunState::Ended(Status::Failed), "aaaaaaaaaa", 7300, 125, "step deploy"),
            row(RunState::Ended(Status::Succeeded), "bbbbbbbbbb", 9900, 3, ""),
            row(RunState::Ended(Status::Cancelled), "cccccccccc", 9990, 4000, "exit code 130"),
        ];
        let mut text = String::new();
        table(&mut text, &rows, Style::default());
        insta::assert_snapshot!(text);
    }
}
