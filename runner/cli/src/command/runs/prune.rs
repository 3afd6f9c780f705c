//! `windlass runs prune`: removes what is no longer wanted.
//!
//! The journal removes its own; what the crates above it keep beside it for each run is removed here,
//! once nothing in the journal refers to it any more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use windlass_engine::inputs::InputStore;
use windlass_journal::{Journal, JournalError, PruneOptions, RunSummary, now_micros, prune};
use windlass_view::{InDocker, Removal};

use crate::args::{FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::left_behind::{self, Thing};
use crate::{files, incidents, output, view_style};

/// The folders beside the journal that have a folder for each run, or files that are called after it: artifacts, what
/// steps wrote and did not publish, and reports of what was rolled back.
pub(crate) const PER_RUN: [&str; 3] = ["artifacts", "staging", incidents::FOLDER];

/// Inputs may be stored a little before the record that refers to them.
const SPARE: Duration = Duration::from_secs(600);

/// Remove old runs, with their logs, artifacts and inputs
///
/// With both `--keep` and `--older-than`, a run goes when it is beyond the newest N and also older
/// than D; what is not said keeps nothing. A run that is running always stays, and an interrupted
/// one stays unless `--interrupted` is given, since it could be resumed. With it, one that has made
/// containers, networks or volumes stays all the same: nothing else knows of them.
#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Leave the newest N runs
    #[arg(long, value_name = "N", required_unless_present = "older_than")]
    keep: Option<usize>,
    /// Leave runs that ended less than this long ago, as `30d` or `12h`
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration)]
    older_than: Option<Duration>,
    /// Remove interrupted runs too, unless they have something in Docker
    #[arg(long)]
    interrupted: bool,
    /// Remove those that have, too; say what stays there, and how to remove it
    #[arg(long, requires = "interrupted")]
    leave_behind: bool,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Prune) -> Result<Exit, CliError> {
    let state = files::state(args.journal.within.as_deref())?;
    let in_docker = if args.interrupted { in_docker(&state)? } else { BTreeMap::new() };
    let may_go = |things: &[Thing]| args.leave_behind || things.is_empty();
    let options = PruneOptions {
        keep: args.keep,
        older_than: args.older_than,
        interrupted: in_docker.iter().filter(|(_, things)| may_go(things)).map(|(run, _)| run.clone()).collect(),
        dry_run: args.dry_run,
    };
    let pruned = prune(&state, &options)?;
    let what_of = |runs: &[RunSummary]| -> Vec<InDocker> {
        let known = runs.iter().filter_map(|run| in_docker.get_key_value(&run.id));
        known.filter(|(_, things)| !things.is_empty()).map(|(run, things)| told(run, things)).collect()
    };
    let mut removal = Removal {
        holding: what_of(&pruned.interrupted),
        left_behind: what_of(&pruned.runs),
        dry_run: args.dry_run,
        runs: pruned.runs,
        interrupted: pruned.interrupted,
        records: pruned.records,
        sources: pruned.sources,
        orphans: pruned.orphans,
        freed: pruned.freed,
        notes: pruned.not_compacted.as_ref().map(not_compacted).into_iter().collect(),
    };
    folders(&state, &mut removal)?;
    if !args.dry_run {
        inputs(&state, &mut removal)?;
    }
    windlass_view::pruned(&removal, view_style::style(), args.format.format.into(), now_micros(), &mut output::raw())?;
    Ok(Exit::SUCCESS)
}

/// What each interrupted run has made in Docker and not removed.
fn in_docker(state: &Path) -> Result<BTreeMap<String, Vec<Thing>>, JournalError> {
    let reader = Journal::open(state)?;
    let runs = reader.runs(usize::MAX)?.into_iter().filter(|run| run.state.is_open());
    runs.map(|run| Ok((run.id.clone(), left_behind::of(&reader, &run)?))).collect()
}

fn told(run: &str, things: &[Thing]) -> InDocker {
    InDocker {
        run: run.to_owned(),
        things: things.iter().map(Thing::to_string).collect(),
        removed_by: things.iter().map(Thing::removed_by).collect(),
    }
}

/// Removes the folders of the runs that are gone, and of those that an earlier prune did not get to.
fn folders(state: &Path, removal: &mut Removal) -> Result<(), CliError> {
    let reader = Journal::open(state)?;
    for folder in PER_RUN {
        let gone: Vec<PathBuf> =
            removal.runs.iter().flat_map(|run| files::named_after(&state.join(folder), &run.id)).collect();
        let abandoned: Vec<PathBuf> =
            reader.abandoned(folder)?.into_iter().filter(|path| !gone.contains(path)).collect();
        for path in gone.iter().chain(&abandoned) {
            removal.freed += files::size(path);
            if !removal.dry_run {
                files::remove(path).map_err(|error| cannot_remove(path, &error))?;
            }
        }
        removal.orphans.extend(abandoned);
    }
    Ok(())
}

/// Removes inputs that no run refers to any more.
fn inputs(state: &Path, removal: &mut Removal) -> Result<(), CliError> {
    let in_use = Journal::open(state)?.inputs_in_use()?;
    let freed = InputStore::new(state).retain(&in_use, SPARE);
    removal.freed += freed.map_err(|error| {
        CliError::machine(error.to_string(), "the runs are removed; put this right, and prune again for the rest")
    })?;
    Ok(())
}

fn not_compacted(error: &JournalError) -> String {
    let later = "the journal's own file stays as large as it is, and its free room is used by later runs";
    match error {
        JournalError::Locked { .. } => format!("a run is under way, so {later}"),
        error => format!("{error}; {later}"),
    }
}

fn cannot_remove(path: &Path, error: &std::io::Error) -> CliError {
    CliError::machine(
        format!("cannot remove {}: {error}", path.display()),
        "the runs are removed from the journal; put this right, and prune again for the rest",
    )
}
