//! `windlass deployments`: what was deployed, how it went, and what is to be said of what went wrong.
//!
//! Nothing here asks the router: this is the past, as the calls about traffic tell it.

mod fold;
mod human;
mod incident;
mod json;
mod model;

use std::io::Write;

use windlass_journal::{Entry, JournalError, Reader, RunState, RunSummary};

use crate::error::ViewError;
use crate::style::{Format, Style};

pub use incident::{Incident, incidents};
pub use model::{Deployment, Event, Outcome, Verdict, What};

#[cfg(test)]
pub(crate) use incident::report;

/// Which deploys to read.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of this service.
    pub service: Option<String>,
    /// Only in this environment.
    pub environment: Option<String>,
    /// Only of this run.
    pub run: Option<RunSummary>,
    /// So many at most, the newest.
    pub limit: usize,
}

/// Reads deploys, the newest first.
///
/// # Errors
///
/// What the journal says.
pub fn read(reader: &Reader, wanted: &Wanted) -> Result<Vec<Deployment>, JournalError> {
    let runs = match &wanted.run {
        Some(run) => vec![run.clone()],
        None => reader.runs(usize::MAX)?,
    };
    let is_wanted = |one: &Deployment| {
        wanted.service.as_ref().is_none_or(|service| one.service == *service)
            && wanted.environment.as_ref().is_none_or(|name| one.environment.as_deref() == Some(name))
    };
    let mut found = Vec::new();
    for run in runs {
        if found.len() >= wanted.limit {
            break;
        }
        found.extend(of_run(reader, &run)?.into_iter().rev().filter(is_wanted));
    }
    found.truncate(wanted.limit);
    Ok(found)
}

/// The deploys of a run, in the order of their beginning.
pub(crate) fn of_run(reader: &Reader, run: &RunSummary) -> Result<Vec<Deployment>, JournalError> {
    let entries = reader.outline(run, fold::is_wanted)?;
    Ok(folded(&run.id, &run.pipeline, run.state, &entries))
}

/// The deploys that these records of a run tell of.
pub(crate) fn folded(run: &str, pipeline: &str, state: RunState, entries: &[Entry]) -> Vec<Deployment> {
    let mut fold = fold::Fold::new(run, pipeline, state);
    entries.iter().for_each(|entry| fold.apply(entry));
    fold.done()
}

/// How to print deploys.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeploymentsOptions {
    /// What the output can take.
    pub style: Style,
    /// For whom: people, or one JSON value a line.
    pub format: Format,
    /// For people, all that is known of each instead of a table.
    pub details: bool,
    /// The time in microseconds since the Unix epoch ([`windlass_journal::now_micros`]).
    pub now: u64,
}

/// Prints deploys in the order given: a table or all that is known for people, one JSON value a line for programs.
///
/// # Errors
///
/// What the output says.
pub fn deployments(found: &[Deployment], options: DeploymentsOptions, out: &mut dyn Write) -> Result<(), ViewError> {
    let mut text = String::new();
    match (options.format, options.details) {
        (Format::Json, _) => found.iter().for_each(|one| json::push(&mut text, one)),
        (Format::Human, true) if !found.is_empty() => human::details(&mut text, found, options.style),
        (Format::Human, _) => human::table(&mut text, found, options.style, options.now),
    }
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
