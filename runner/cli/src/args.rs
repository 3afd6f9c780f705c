//! The command line as a whole: what holds for every command. Each command's own arguments stand in
//! its own file.

use std::path::PathBuf;

use anstream::ColorChoice;
use clap::{Args, Parser, ValueEnum};

use crate::command::Command;
use crate::exit;

/// Runs delivery pipelines: every step is a sandboxed plugin that can do only what `pipeline.toml`
/// grants it, and everything it does is journaled.
#[derive(Debug, Parser)]
#[command(name = "windlass", version, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What holds for every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print what the host itself does, as `info` or `windlass_engine=debug`
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Global options")]
    pub(crate) log: Option<String>,
    /// When to use colours; `NO_COLOR` holds for `auto`
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        help_heading = "Global options"
    )]
    pub(crate) color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// Where a person can see them
    Auto,
    /// Also in a pipe
    Always,
    /// Not at all
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// For programs: JSON, one value a line
    Json,
}

/// `--format`.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct FormatArg {
    /// What to print: text for people, or JSON for programs, errors included
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_default_value = true)]
    pub(crate) format: Format,
}

/// The pipeline's file, and for which environment, for commands that read it.
#[derive(Clone, Debug, Args)]
pub(crate) struct FileArg {
    /// The pipeline
    #[arg(value_name = "FILE", default_value = "pipeline.toml")]
    pub(crate) file: PathBuf,
    /// The environment of the stages that name none
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
}

/// Where the journal is, for commands that read it.
#[derive(Clone, Debug, Args)]
pub(crate) struct JournalArg {
    /// The pipeline's file or folder, beside which `.windlass` is; else the nearest one from here upwards
    #[arg(long = "in", value_name = "PATH")]
    pub(crate) within: Option<PathBuf>,
}
