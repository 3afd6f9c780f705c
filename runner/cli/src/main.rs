//! The `windlass` command.
//!
//! A thin crate: it reads arguments, gathers facts of the world (files, environment, git), hands
//! them to the crates below, and tells people what came of it. Colours, hints and exit codes exist
//! only here.

mod answers;
mod args;
mod broken;
mod builtins;
mod command;
mod environment;
mod error;
mod exit;
mod files;
mod finish;
mod git;
mod incidents;
mod left_behind;
mod locked;
mod logging;
mod named;
mod offline;
mod output;
mod pinned;
mod plugin_problem;
mod prepare;
mod project;
mod reserved;
mod runtime;
mod sdk;
mod signals;
mod sources;
mod start;
mod style;
mod toml;
mod toolchain;
mod tree;
mod versions;
mod view_style;
mod waiting;
mod world;

use clap::Parser as _;

use crate::args::Cli;
use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "the end of the process")]
fn main() {
    // As the keeper of a host process this program is something else altogether.
    windlass_capability_local::keeper::take_over_if_asked();
    let Exit(code) = run(Cli::parse());
    // Whatever is still there needs no taking apart: the system is quicker at it.
    std::process::exit(i32::from(code));
}

fn run(cli: Cli) -> Exit {
    output::set_color(cli.global.color.into());
    let format = cli.command.format();
    let done = match &cli.global.log {
        Some(filter) => logging::begin(filter).and_then(|()| cli.command.run()),
        None => cli.command.run(),
    };
    done.unwrap_or_else(|error| {
        error.report(format);
        error.exit()
    })
}
