//! The reports of what a run has rolled back, as files beside the journal.

use std::path::{Path, PathBuf};

use serde_json::json;
use windlass_journal::{Journal, Reader, RunSummary};
use windlass_view::deployments::{Incident, incidents};

use crate::args::Format;
use crate::error::CliError;
use crate::finish::Told;
use crate::{files, output};

/// The folder beside the journal that has them, each called after its run and its service.
pub(crate) const FOLDER: &str = "incidents";

/// Writes a report for each deploy of a run that was rolled back by itself. They can be had again from the journal, so
/// that one cannot be written changes nothing about how the run ended.
pub(crate) fn write(state: &Path, run: &str) -> Vec<Written> {
    let read = || {
        let reader = Journal::open(state)?;
        let run = reader.resolve(Some(run))?;
        Ok::<_, CliError>(incidents(&reader, &run)?)
    };
    let found = read().unwrap_or_else(|error| {
        output::warning(format_args!("it cannot be told whether something was rolled back: {error}"));
        Vec::new()
    });
    let mut written = Vec::new();
    for incident in found.into_iter().filter(Incident::is_automatic) {
        match place(state, run, &incident) {
            Ok(path) => written.push(Written { incident, path }),
            Err(error) => {
                output::warning(error);
                output::help(format_args!("read it with: windlass deployments --incident {run}"));
            }
        }
    }
    written
}

/// A report that was written.
pub(crate) struct Written {
    incident: Incident,
    path: PathBuf,
}

impl Written {
    /// For programs.
    fn to_json(&self) -> serde_json::Value {
        let one = &self.incident.deployment;
        json!({
            "type": "incident",
            "run": one.run,
            "service": one.service,
            "environment": one.environment,
            "revision": one.revision,
            "path": self.path.display().to_string(),
        })
    }
}

/// Says where the reports are. For programs before the summary, which is the last they read; for people after it.
pub(crate) fn tell(written: &[Written], told_to: Told) -> Result<(), CliError> {
    for one in written {
        match told_to.format {
            Format::Json => output::json(&one.to_json())?,
            Format::Human => {
                let of = &one.incident.deployment;
                output::text(&format!(
                    "\n{} was rolled back from {}; the report: {}\n",
                    of.service,
                    of.revision,
                    one.path.display()
                ))?;
            }
        }
    }
    Ok(())
}

fn place(state: &Path, run: &str, incident: &Incident) -> Result<PathBuf, CliError> {
    let path = state.join(FOLDER).join(format!("{run}-{}.md", incident.name));
    files::write_kept(&path, &incident.text)?;
    Ok(path)
}

/// The reports of a run, as they are or would be written.
pub(crate) fn of(reader: &Reader, run: &RunSummary) -> Result<Vec<Incident>, CliError> {
    let found = incidents(reader, run)?;
    if found.is_empty() {
        return Err(CliError::usage(
            format!("run `{}` has rolled nothing back", run.id),
            format!("what it deployed: windlass deployments --run {}", run.id),
        ));
    }
    Ok(found)
}
