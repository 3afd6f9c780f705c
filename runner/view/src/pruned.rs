//! `windlass runs prune`: what was removed.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use windlass_journal::RunSummary;

use crate::clean::one_line;
use crate::error::ViewError;
use crate::json::{RunRow, push_line, state_word};
use crate::style::{Format, Style};
use crate::text::{DIM, YELLOW, ago, count, paint, size};

/// What was removed, or would be.
#[derive(Debug, Default)]
pub struct Removal {
    /// Nothing was removed: it was only asked what would be.
    pub dry_run: bool,
    /// The runs, newest first.
    pub runs: Vec<RunSummary>,
    /// Interrupted runs that stay only because they could be resumed.
    pub interrupted: Vec<RunSummary>,
    /// Those of them that stay because of what they have in Docker.
    pub holding: Vec<InDocker>,
    /// What stays in Docker of runs that are removed all the same.
    pub left_behind: Vec<InDocker>,
    /// How many records the runs had.
    pub records: u64,
    /// How many pipelines' texts went, because no other run has them.
    pub sources: u64,
    /// What was left over of runs that are not in the journal.
    pub orphans: Vec<PathBuf>,
    /// How many bytes are free now that were not.
    pub freed: u64,
    /// What could not be done, and does no harm.
    pub notes: Vec<String>,
}

/// What a run has made in Docker and not removed, as far as its records know.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InDocker {
    /// The run.
    pub run: String,
    /// What there is.
    pub things: Vec<String>,
    /// How to remove it without Windlass.
    pub removed_by: Vec<String>,
}

#[derive(Serialize)]
struct RunLine<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    run: RunRow<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Total<'a> {
    r#type: &'static str,
    dry_run: bool,
    runs: usize,
    records: u64,
    sources: u64,
    orphans: &'a [PathBuf],
    freed: u64,
    interrupted: Vec<&'a str>,
    holding: &'a [InDocker],
    left_behind: &'a [InDocker],
    notes: &'a [String],
}

/// Prints what was removed; `now` is in microseconds since the Unix epoch.
///
/// # Errors
///
/// What the output says.
pub fn pruned(removal: &Removal, style: Style, format: Format, now: u64, out: &mut dyn Write) -> Result<(), ViewError> {
    let mut text = String::new();
    match format {
        Format::Human => human(&mut text, removal, style, now),
        Format::Json => {
            let kind = if removal.dry_run { "would-remove" } else { "removed" };
            for run in &removal.runs {
                push_line(&mut text, &RunLine { r#type: kind, run: run.into() });
            }
            let Removal { dry_run, records, sources, freed, .. } = *removal;
            let interrupted = removal.interrupted.iter().map(|run| run.id.as_str()).collect();
            let (runs, orphans, notes) = (removal.runs.len(), &*removal.orphans, &*removal.notes);
            let r#type = "pruned";
            let (holding, left_behind) = (&*removal.holding, &*removal.left_behind);
            push_line(
                &mut text,
                &Total {
                    r#type,
                    dry_run,
                    runs,
                    records,
                    sources,
                    orphans,
                    freed,
                    interrupted,
                    holding,
                    left_behind,
                    notes,
                },
            );
        }
    }
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn human(text: &mut String, removal: &Removal, style: Style, now: u64) {
    let (verb, done, freed) = if removal.dry_run {
        ("would remove", "would be removed, about", "would be freed")
    } else {
        ("removed", "removed,", "freed")
    };
    for run in &removal.runs {
        let _ = writeln!(
            text,
            "{}  {}  {}, {}, started {}",
            paint(style.color, DIM, verb),
            one_line(&run.id),
            one_line(&run.pipeline),
            state_word(run.state),
            ago(run.started, now)
        );
    }
    for orphan in &removal.orphans {
        let path = one_line(&orphan.display().to_string());
        let _ = writeln!(text, "{}  {path}, left over of a run that is gone", paint(style.color, DIM, verb));
    }
    let runs = count(removal.runs.len() as u64, "run");
    let _ = writeln!(text, "{runs} {done} {} {freed}", size(removal.freed));
    let note = paint(style.color, YELLOW, "note");
    for InDocker { run, things, .. } in &removal.holding {
        let (run, things) = (one_line(run), one_line(&things.join(", ")));
        let _ = writeln!(
            text,
            "{note}: {run} was interrupted and stays, because of what it has in Docker: {things}; `windlass resume {run}` \
             ends it and cleans up, --leave-behind forgets it all the same"
        );
    }
    for InDocker { run, removed_by, .. } in &removal.left_behind {
        let _ = writeln!(text, "{note}: what {} made stays in Docker; this removes it:", one_line(run));
        for command in removed_by {
            let _ = writeln!(text, "  {}", one_line(command));
        }
    }
    let held = |run: &&RunSummary| removal.holding.iter().any(|holding| holding.run == run.id);
    let others: Vec<_> = removal.interrupted.iter().filter(|run| !held(run)).collect();
    match &*others {
        [] => {}
        [run] => {
            let run = one_line(&run.id);
            let _ = writeln!(text, "{note}: {run} was interrupted and stays: windlass resume {run}, or --interrupted");
        }
        more => {
            let n = more.len();
            let _ = writeln!(text, "{note}: {n} interrupted runs stay: windlass resume, or --interrupted");
        }
    }
    for line in &removal.notes {
        let _ = writeln!(text, "{note}: {}", one_line(line));
    }
}
