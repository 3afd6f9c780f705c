//! The commands, one file each.

mod cancel;
mod check;
mod completions;
mod decide;
mod deployments;
mod doctor;
mod logs;
mod plan;
mod plugin;
mod replay;
mod resume;
mod rollback;
mod router;
mod run;
mod runs;
mod show;

use clap::Subcommand;

use crate::args::Format;
use crate::error::CliError;
use crate::exit::Exit;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Run),
    Resume(resume::Resume),
    Cancel(cancel::Cancel),
    Approve(decide::Approve),
    Reject(decide::Reject),
    Replay(replay::Replay),
    Plan(plan::Plan),
    Check(check::Check),
    Runs(runs::Runs),
    Show(show::Show),
    Logs(logs::Logs),
    Deployments(deployments::Deployments),
    Rollback(rollback::Rollback),
    Router(router::Router),
    Doctor(doctor::Doctor),
    Plugin(plugin::Plugin),
    Completions(completions::Completions),
}

impl Command {
    /// Whom errors are for.
    pub(crate) fn format(&self) -> Format {
        match self {
            Self::Run(args) => args.format.format,
            Self::Resume(args) => args.format.format,
            Self::Cancel(args) => args.format.format,
            Self::Approve(args) => args.format(),
            Self::Reject(args) => args.format(),
            Self::Replay(args) => args.format.format,
            Self::Plan(args) => args.format.format,
            Self::Check(args) => args.format.format,
            Self::Runs(args) => args.format(),
            Self::Show(args) => args.format.format,
            Self::Logs(args) => args.format.format,
            Self::Deployments(args) => args.format.format,
            Self::Rollback(args) => args.format.format,
            Self::Router(args) => args.format(),
            Self::Doctor(args) => args.format.format,
            Self::Plugin(args) => args.format(),
            Self::Completions(_) => Format::Human,
        }
    }

    /// Does it.
    pub(crate) fn run(&self) -> Result<Exit, CliError> {
        match self {
            Self::Run(args) => run::run(args),
            Self::Resume(args) => resume::run(args),
            Self::Cancel(args) => cancel::run(args),
            Self::Approve(args) => decide::approve(args),
            Self::Reject(args) => decide::reject(args),
            Self::Replay(args) => replay::run(args),
            Self::Plan(args) => plan::run(args),
            Self::Check(args) => check::run(args),
            Self::Runs(args) => runs::run(args),
            Self::Show(args) => show::run(args),
            Self::Logs(args) => logs::run(args),
            Self::Deployments(args) => deployments::run(args),
            Self::Rollback(args) => rollback::run(args),
            Self::Router(args) => router::run(args),
            Self::Doctor(args) => doctor::run(args),
            Self::Plugin(args) => plugin::run(args),
            Self::Completions(args) => completions::run(args),
        }
    }
}
