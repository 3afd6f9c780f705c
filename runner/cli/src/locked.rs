//! `pipeline.lock` beside the pipeline: read, written, and held against what is to be run.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use windlass_pipeline::lock::{Difference, Lock, Pinned};
use windlass_pipeline::{Pipeline, Plan, PluginSource};

use crate::error::{CliError, number};
use crate::prepare::Text;
use crate::style::{BOLD, DIM, GOOD, WARNING};
use crate::{environment, files};

/// Writes what is there into the lock.
const UPDATE: &str = "windlass plugin update";

/// The two flags.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LockedArg {
    /// Run only what `pipeline.lock` has: these plugins by digest, and no wider grants [default: if CI is set]
    #[arg(long, overrides_with = "no_locked")]
    locked: bool,
    /// Run what is there, whatever the lock says
    #[arg(long, overrides_with = "locked")]
    no_locked: bool,
}

impl LockedArg {
    /// Whether the lock has to have everything.
    pub(crate) fn is_wanted(self) -> bool {
        self.locked || (!self.no_locked && environment::is_ci())
    }
}

/// A lock that was read.
pub(crate) struct LockFile {
    pub(crate) lock: Lock,
    shown: String,
}

/// What is not as the lock has it.
#[derive(Clone, Debug)]
pub(crate) struct Locked {
    /// The lock, as messages name it.
    shown: String,
    /// The pipeline, for places.
    pipeline: String,
    /// Whether there is a lock.
    is_there: bool,
    /// The dangerous first.
    pub(crate) differences: Vec<Difference>,
}

/// Where the lock of a pipeline is. One that is in no file has none.
pub(crate) fn path(text: &Text) -> Option<PathBuf> {
    let name = Path::new(&text.source.name).file_name().filter(|_| !text.is_in_no_file())?;
    Some(text.workspace.join(name).with_extension("lock"))
}

/// As messages name it: beside the pipeline, as the person named that.
fn shown(text: &Text) -> String {
    Path::new(&text.source.name).with_extension("lock").display().to_string()
}

/// Reads the lock of a pipeline, if there is one.
pub(crate) fn read(text: &Text) -> Result<Option<LockFile>, CliError> {
    let Some(source) = path(text).map(|path| files::read_lock(&path, shown(text))).transpose()?.flatten() else {
        return Ok(None);
    };
    let shown = source.name.clone();
    match Lock::parse(source) {
        Ok(lock) => Ok(Some(LockFile { lock, shown })),
        Err(found) => Err(CliError::Pipeline(vec![found], Vec::new())),
    }
}

/// Writes the lock of a pipeline.
pub(crate) fn write(text: &Text, lock: &Lock) -> Result<String, CliError> {
    let path =
        path(text).ok_or_else(|| CliError::usage("a pipeline that is in no file has no lock", "name its file"))?;
    files::write_whole(&path, |out| out.write_all(lock.render().as_bytes()).map_err(CliError::Output))?;
    Ok(shown(text))
}

/// There has to be a lock, and there is none.
pub(crate) fn missing(text: &Text) -> CliError {
    let pipeline = text.source.name.clone();
    CliError::Locked(Locked { shown: shown(text), pipeline, is_there: false, differences: Vec::new() })
}

impl LockFile {
    /// What is not as the lock has it.
    pub(crate) fn against(&self, plan: &Plan, plugins: &[Pinned], pipeline: &Pipeline) -> Locked {
        let mut differences = self.lock.against(plan, plugins);
        // What is named and not used yet may well stay in the lock.
        let named = |plugin: &PluginSource| pipeline.named_plugins().values().any(|named| named == plugin);
        differences.retain(|one| !matches!(one, Difference::Gone { plugin } if named(plugin)));
        let pipeline = plan.warnings.file.clone();
        Locked { shown: self.shown.clone(), pipeline, is_there: true, differences }
    }
}

impl Locked {
    /// Differences that are known before there is a plan.
    pub(crate) fn of(text: &Text, differences: Vec<Difference>) -> Self {
        Self { shown: shown(text), pipeline: text.source.name.clone(), is_there: true, differences }
    }

    /// Whether something is to be run, or may be done, that the lock does not have.
    pub(crate) fn widens(&self) -> bool {
        self.differences.iter().any(Difference::widens)
    }

    /// Refuses what the lock does not have.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        if self.widens() { Err(CliError::Locked(self.clone())) } else { Ok(()) }
    }

    /// What writes all of it into the lock.
    fn update(&self) -> String {
        match self.pipeline.as_str() {
            files::PIPELINE => UPDATE.to_owned(),
            other => format!("{UPDATE} --file {other}"),
        }
    }

    /// One line for each difference, with its place.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.differences.iter().map(|one| {
            let style = if one.widens() { WARNING } else { DIM };
            let place = one.location().map(|at| format!("  {DIM}{}:{at}{DIM:#}", self.pipeline)).unwrap_or_default();
            let text = one.to_string();
            match text.split_once(' ') {
                Some((sign, rest)) => format!("  {style}{sign}{style:#} {rest}{place}"),
                None => text,
            }
        })
    }

    /// For a run that may go on.
    pub(crate) fn notice(&self) -> String {
        format!("{} does not have all of this pipeline; to see what is new: windlass plan", self.shown)
    }

    /// What of the plan is not as the lock has it, for a person.
    pub(crate) fn summary(&self) -> String {
        if self.differences.is_empty() {
            return format!("{GOOD}as locked{GOOD:#}: {DIM}{}{DIM:#}\n", self.shown);
        }
        let mut text = format!("{BOLD}not as {} has it{BOLD:#}\n", self.shown);
        for line in self.lines() {
            text.push_str(&line);
            text.push('\n');
        }
        text.push_str(&format!("  {DIM}if all of that is right: {}{DIM:#}\n", self.update()));
        text
    }

    /// What to do when it refuses.
    pub(crate) fn help(&self) -> String {
        let look = if self.is_there {
            "if all of that is right"
        } else {
            "write it, look at it, and keep it beside the pipeline"
        };
        let why = if environment::is_ci() { " (CI is set, so --locked is the default)" } else { "" };
        format!("{look}: {}; or run what is there: windlass run --no-locked{why}", self.update())
    }
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_there {
            return write!(f, "there is no {}, and only what it has may be run", self.shown);
        }
        let count = self.differences.iter().filter(|one| one.widens()).count();
        write!(f, "{} does not allow this: {}", self.shown, number(count, "difference"))
    }
}
