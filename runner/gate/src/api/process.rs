//! Programs on the host.

use serde::{Deserialize, Serialize};

use super::{NamedValue, operation};

/// Runs a program to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The command.
    pub command: Command,
}

/// A command to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Command {
    /// The program, by the name that the grant lists.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment, but for the host's variables that the step's `env` grants.
    pub env: Vec<NamedValue>,
    /// The folder to run it in, relative to the workspace.
    pub working_directory: Option<String>,
    /// What it reads on standard input.
    pub stdin: Option<String>,
    /// After how many milliseconds to end it.
    pub timeout_ms: Option<u64>,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Exit {
    /// The exit code; 128 and the signal's number for one that a signal ended.
    pub code: i32,
    /// The last bytes of standard output as text.
    pub stdout_tail: String,
    /// The last bytes of standard error as text.
    pub stderr_tail: String,
}

operation! { Run => ProcessRun -> Exit; }
