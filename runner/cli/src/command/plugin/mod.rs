//! `windlass plugin`: what has to do with plugins alone.

mod inspect;
mod test;

use clap::{Args, Subcommand};

use crate::args::Format;
use crate::error::CliError;
use crate::exit::Exit;

/// Look at plugins, and test them
#[derive(Debug, Args)]
pub(crate) struct Plugin {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
    Inspect(inspect::Inspect),
    Test(test::Test),
}

impl Plugin {
    /// Whom errors are for.
    pub(crate) fn format(&self) -> Format {
        match &self.command {
            PluginCommand::Inspect(args) => args.format.format,
            PluginCommand::Test(args) => args.format.format,
        }
    }
}

/// Does it.
pub(crate) fn run(args: &Plugin) -> Result<Exit, CliError> {
    match &args.command {
        PluginCommand::Inspect(args) => inspect::run(args),
        PluginCommand::Test(args) => test::run(args),
    }
}
