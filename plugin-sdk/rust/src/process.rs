//! Programs on the host, outside any sandbox.
//!
//! ```no_run
//! use windlass_plugin::{Failure, ensure, process};
//!
//! # fn f() -> Result<(), Failure> {
//! let exit = process::run(&process::Command::new("cargo", ["test"]))?;
//! ensure!(exit.code == 0, "the tests fail");
//! # Ok(()) }
//! ```

pub use crate::bindings::windlass::process::process::*;
use crate::host::host;

host! {
    "process", crate::bindings::windlass::process::process =>
    /// Runs a program to its end. Its output flows into the step's log.
    ///
    /// # Errors
    /// Why it was not done.
    fn run(command: &Command) -> Result<Exit, Error>;
}

impl Command {
    /// A program by the name that the grant lists, with its arguments. No shell sees them.
    pub fn new<S: Into<String>>(program: impl Into<String>, args: impl IntoIterator<Item = S>) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            working_directory: None,
            stdin: None,
            timeout_ms: None,
        }
    }
}
