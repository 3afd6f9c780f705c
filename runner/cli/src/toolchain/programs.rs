//! Programs of other people: where they are, and running them.

#![allow(clippy::disallowed_methods, reason = "a build is the work of the language's own tools, which are processes")]

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::environment;
use crate::error::CliError;
use crate::exit::Exit;

/// Where a program is, by the folders of `PATH`.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = environment::value("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

/// Whether a file is there and may be run.
pub(super) fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// A program in a folder, as a build runs it.
pub(super) fn program(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    // What it prints is for people; the command's own answer has standard output for itself.
    command.current_dir(folder).stdin(Stdio::null()).stdout(io::stderr()).stderr(Stdio::inherit());
    command
}

/// What a short question to a program is answered with. None if it fails.
pub(super) fn ask(mut command: Command) -> Option<String> {
    let answer = command.stdout(Stdio::piped()).stderr(Stdio::null()).output().ok()?;
    answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

/// Runs a program to its end.
pub(super) fn run(mut command: Command) -> Result<(), CliError> {
    let child = start(&mut command)?;
    ended(child, &command)
}

/// Runs a program to its end, and keeps what it prints.
pub(super) fn output(mut command: Command) -> Result<String, CliError> {
    let mut child = start(command.stdout(Stdio::piped()))?;
    let mut printed = Vec::new();
    let read = child.stdout.take().map_or(Ok(0), |mut out| out.read_to_end(&mut printed));
    ended(child, &command)?;
    read.map_err(|error| failed(&command, &format!("cannot be listened to: {error}")))?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

fn start(command: &mut Command) -> Result<Child, CliError> {
    let child = command.spawn();
    child.map_err(|error| failed(command, &format!("cannot be started: {error}")))
}

fn ended(mut child: Child, command: &Command) -> Result<(), CliError> {
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(command, &format!("failed ({status})"))),
        Err(error) => Err(failed(command, &format!("cannot be waited for: {error}"))),
    }
}

fn failed(command: &Command, why: &str) -> CliError {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let help = Some("what it printed stands above".to_owned());
    CliError::Run { message: format!("the build failed: `{name}` {why}"), help, exit: Exit::FAILED }
}
