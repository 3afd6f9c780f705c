//! `windlass plugin`: what has to do with plugins alone.

mod add;
mod build;
mod check;
mod inspect;
mod new;
mod pull;
mod push;
mod run;
mod test;
mod update;

use clap::{Args, Subcommand};

use crate::args::Format;
use crate::error::CliError;
use crate::exit::Exit;

/// Write plugins, build and test them, look at them, and get them from registries
#[derive(Debug, Args)]
pub(crate) struct Plugin {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
    New(new::New),
    Build(build::Build),
    Check(check::Check),
    Add(add::Add),
    Update(update::Update),
    Push(push::Push),
    Pull(pull::Pull),
    Inspect(inspect::Inspect),
    Test(test::Test),
    Run(run::Run),
}

impl Plugin {
    /// Whom errors are for.
    pub(crate) fn format(&self) -> Format {
        match &self.command {
            PluginCommand::New(args) => args.format.format,
            PluginCommand::Build(args) => args.format.format,
            PluginCommand::Check(args) => args.format.format,
            PluginCommand::Add(args) => args.format.format,
            PluginCommand::Update(args) => args.format.format,
            PluginCommand::Push(args) => args.format.format,
            PluginCommand::Pull(args) => args.format.format,
            PluginCommand::Inspect(args) => args.format.format,
            PluginCommand::Test(args) => args.format.format,
            PluginCommand::Run(args) => args.format.format,
        }
    }
}

/// Does it.
pub(crate) fn run(args: &Plugin) -> Result<Exit, CliError> {
    match &args.command {
        PluginCommand::New(args) => new::run(args),
        PluginCommand::Build(args) => build::run(args),
        PluginCommand::Check(args) => check::run(args),
        PluginCommand::Add(args) => add::run(args),
        PluginCommand::Update(args) => update::run(args),
        PluginCommand::Push(args) => push::run(args),
        PluginCommand::Pull(args) => pull::run(args),
        PluginCommand::Inspect(args) => inspect::run(args),
        PluginCommand::Test(args) => test::run(args),
        PluginCommand::Run(args) => run::run(args),
    }
}
