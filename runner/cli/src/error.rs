//! What can go wrong before or after a run, with its exit code, and how it is told.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;
use windlass_journal::{Failure, JournalError};
use windlass_pipeline::Diagnostics;
use windlass_registry::RegistryError;
use windlass_sandbox::SandboxError;
use windlass_view::ViewError;

use crate::args::Format;
use crate::exit::Exit;
use crate::locked::Locked;
use crate::output;

/// Why a command could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The pipeline has mistakes.
    #[error("{}", counted(.0))]
    Pipeline(Vec<Diagnostics>, Vec<String>),
    /// The pipeline's file cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    File { path: PathBuf, why: String, help: Option<String> },
    /// An argument means nothing.
    #[error("{message}")]
    Usage { message: String, help: Option<String> },
    /// A plugin that was named on the command line cannot be used.
    #[error("{message}")]
    Plugin { message: String, help: Option<String> },
    /// The sandbox cannot be set up.
    #[error(transparent)]
    Sandbox(SandboxError),
    /// A registry cannot be used, or is not to be trusted.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The lock does not allow what was asked for.
    #[error("{0}")]
    Locked(Locked),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Something of this machine is not as it has to be.
    #[error("{message}")]
    Machine { message: String, help: Option<String> },
    /// A run failed, and there is no summary that says so.
    #[error("{message}")]
    Run { message: String, help: Option<String>, exit: Exit },
    /// The answer cannot be printed.
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
}

impl From<ViewError> for CliError {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Journal(error) => Self::Journal(error),
            ViewError::Write(error) => Self::Output(error),
            other => Self::Usage { message: other.to_string(), help: None },
        }
    }
}

impl CliError {
    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: Some(help.into()) }
    }

    /// Something is asked of a run that is over.
    pub(crate) fn over(run: &str) -> Self {
        Self::usage(format!("run `{run}` is over"), format!("what came of it: windlass show {run}"))
    }

    /// A machine that is not as it has to be.
    pub(crate) fn machine(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Machine { message: message.into(), help: Some(help.into()) }
    }

    /// The failure of a run that has ended with this code.
    pub(crate) fn run(failure: &Failure, exit: Exit) -> Self {
        Self::Run { message: failure.message.clone(), help: failure.hint.clone(), exit }
    }

    /// What the system says about a file that the person named.
    pub(crate) fn file(path: &Path, error: &io::Error, help: Option<String>) -> Self {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
            _ => error.to_string(),
        };
        Self::File { path: path.to_owned(), why, help }
    }

    /// The exit code; `exit.rs` says what each means.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Pipeline(..) | Self::File { .. } | Self::Usage { .. } | Self::Plugin { .. } => Exit::USAGE,
            Self::Journal(
                JournalError::Absent { .. }
                | JournalError::NoRuns { .. }
                | JournalError::UnknownRun { .. }
                | JournalError::AmbiguousRun { .. }
                | JournalError::ShortId { .. }
                | JournalError::Decided { .. }
                | JournalError::NotWaiting { .. }
                | JournalError::Ended { .. }
                | JournalError::InUse { .. },
            ) => Exit::USAGE,
            Self::Locked(_) | Self::Registry(RegistryError::Digest { .. } | RegistryError::Signature { .. }) => {
                Exit::DENIED
            }
            Self::Registry(
                RegistryError::Reference { .. }
                | RegistryError::NotFound { .. }
                | RegistryError::NotAPlugin { .. }
                | RegistryError::TooLarge { .. },
            ) => Exit::USAGE,
            Self::Sandbox(_) | Self::Registry(_) | Self::Journal(_) | Self::Machine { .. } => Exit::WORLD,
            Self::Run { exit, .. } => *exit,
            // Who closed the pipe has seen enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::SUCCESS,
            Self::Output(_) => Exit::WORLD,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Pipeline(..) => "bad-pipeline",
            Self::File { .. } => "bad-file",
            Self::Usage { .. } => "usage",
            Self::Plugin { .. } => "bad-plugin",
            Self::Sandbox(_) => "sandbox",
            Self::Registry(_) => "registry",
            Self::Locked(_) => "locked",
            Self::Journal(_) => "journal",
            Self::Machine { .. } => "machine",
            Self::Run { .. } => "run",
            Self::Output(_) => "output",
        }
    }

    fn help(&self) -> Option<Cow<'_, str>> {
        let help = match self {
            Self::Registry(error) => return error.help().map(Cow::Owned),
            Self::Locked(locked) => return Some(Cow::Owned(locked.help())),
            Self::File { help, .. }
            | Self::Usage { help, .. }
            | Self::Plugin { help, .. }
            | Self::Run { help, .. }
            | Self::Machine { help, .. } => help.as_deref(),
            Self::Sandbox(SandboxError::Cache { .. }) => {
                Some("set WINDLASS_CACHE_DIR to a folder that belongs to you alone")
            }
            _ => None,
        };
        help.map(Cow::Borrowed)
    }

    /// Tells it.
    pub(crate) fn report(&self, format: Format) {
        if let Self::Output(error) = self
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return;
        }
        match format {
            Format::Human => self.report_to_people(),
            // If even this cannot be printed, the exit code has to do.
            Format::Json => drop(output::json(&json!({ "error": self.to_json() }))),
        }
    }

    fn report_to_people(&self) {
        if let Self::Pipeline(found, notes) = self {
            for diagnostics in found {
                // `output` takes the colours out where nobody can see them.
                output::say(diagnostics.render(true));
            }
            for note in notes {
                output::warning(note);
            }
        }
        if let Self::Locked(locked) = self {
            locked.lines().for_each(output::say);
        }
        output::error(self);
        if let Some(help) = self.help() {
            output::help(help);
        }
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let mut error = json!({ "code": self.code(), "message": self.to_string(), "exit-code": self.exit().0 });
        if let Some(help) = self.help() {
            error["help"] = help.into();
        }
        if let Self::Locked(locked) = self {
            error["differences"] = json!(locked.differences);
        }
        if let Self::Pipeline(found, notes) = self {
            error["file"] = found.first().map(|one| one.file.as_str()).into();
            error["diagnostics"] = found.iter().flat_map(|one| &one.diagnostics).map(|one| json!(one)).collect();
            error["omitted"] = found.iter().map(|one| one.omitted).sum::<usize>().into();
            error["notes"] = notes.as_slice().into();
        }
        error
    }
}

/// `pipeline.toml has 2 errors and 1 warning`.
fn counted(found: &[Diagnostics]) -> String {
    use windlass_pipeline::Severity;
    let file = found.first().map_or("the pipeline", |one| one.file.as_str());
    let of = |severity| found.iter().flatten().filter(|one| one.severity == severity).count();
    // What was left out for its number is errors, as a rule: they come first.
    let errors = of(Severity::Error) + found.iter().map(|one| one.omitted).sum::<usize>();
    match (errors, of(Severity::Warning)) {
        (errors, 0) => format!("{file} has {}", number(errors, "error")),
        (errors, warnings) => format!("{file} has {} and {}", number(errors, "error"), number(warnings, "warning")),
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn number(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
