//! `windlass completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output;

/// Print a shell's completions
///
/// For bash: `windlass completions bash > ~/.local/share/bash-completion/completions/windlass`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// Does it.
pub(crate) fn run(args: &Completions) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "windlass", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::SUCCESS)
}
