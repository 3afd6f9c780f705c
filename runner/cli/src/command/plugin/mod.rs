//! `windlass plugin`: what has to do with plugins alone.

mod add;
mod inspect;
mod pull;
mod push;
mod test;
mod update;

use clap::{Args, Subcommand};

use crate::args::Format;
use crate::error::CliError;
use crate::exit::Exit;

/// Look at plugins, test them, and get them from registries
#[derive(Debug, Args)]
pub(crate) struct Plugin {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
    Add(add::Add),
    Update(update::Update),
    Push(push::Push),
    Pull(pull::Pull),
    Inspect(inspect::Inspect),
    Test(test::Test),
}

impl Plugin {
    /// Whom errors are for.
    pub(crate) fn format(&self) -> Format {
        match &self.command {
            PluginCommand::Add(args) => args.format.format,
            PluginCommand::Update(args) => args.format.format,
            PluginCommand::Push(args) => args.format.format,
            PluginCommand::Pull(args) => args.format.format,
            PluginCommand::Inspect(args) => args.format.format,
            PluginCommand::Test(args) => args.format.format,
        }
    }
}

/// Does it.
pub(crate) fn run(args: &Plugin) -> Result<Exit, CliError> {
    match &args.command {
        PluginCommand::Add(args) => add::run(args),
        PluginCommand::Update(args) => update::run(args),
        PluginCommand::Push(args) => push::run(args),
        PluginCommand::Pull(args) => pull::run(args),
        PluginCommand::Inspect(args) => inspect::run(args),
        PluginCommand::Test(args) => test::run(args),
    }
}
