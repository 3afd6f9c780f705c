//! The keeper: a small process between Windlass and a program of the host, so that nothing that
//! the program started outlives its call.
//!
//! Windlass starts itself anew under the name `windlass-keeper` and talks to it over one socket.
//! The keeper reads one line, the [`Order`]; starts the program; and when the program and
//! everything below it is gone, it writes one line, the [`Report`]. The end of the stream from
//! Windlass's side means: end all of it now. It comes when a time limit passes, when the call is
//! dropped, and when Windlass itself is killed, because the system closes its sockets then. So one
//! mechanism serves all three, and none of them depends on code that still has to run in Windlass.
//!
//! On Linux the keeper is the "subreaper" of what it started: a process whose parent ends becomes
//! the keeper's child, even one that left its process group and session. The keeper sees all of
//! them, ends all of them, and its last child is the last process of the call. Elsewhere it ends
//! the program's process group.

mod tree;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::{SigSet, Signal};
use serde::{Deserialize, Serialize};

pub(crate) use tree::GRACE;
use tree::Tree;

/// The name under which a keeper is started.
pub(crate) const NAME: &str = "windlass-keeper";

/// Whether the running program becomes a keeper when it is started under that name.
static OFFERED: AtomicBool = AtomicBool::new(false);

/// Becomes a keeper if this process was started as one, and does not return then.
///
/// A program that runs host processes calls this first thing in `main`, before it has threads. A
/// program that does not can name another one with [`crate::Process::kept_by`].
pub fn take_over_if_asked() {
    if std::env::args_os().next().is_some_and(|name| name == NAME) {
        // Nobody reads a message of a keeper; that it ends without a report says it all.
        std::process::exit(i32::from(keep().is_err()));
    }
    OFFERED.store(true, Ordering::Relaxed);
}

/// The program to start as keeper, if this one can be.
pub(crate) fn own_program() -> Option<PathBuf> {
    if !OFFERED.load(Ordering::Relaxed) {
        return None;
    }
    // This is the very file that runs, even if another version took its name meanwhile.
    if cfg!(target_os = "linux") { Some("/proc/self/exe".into()) } else { std::env::current_exe().ok() }
}

/// What to run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The program's file.
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    /// The whole environment.
    pub(crate) env: Vec<(String, String)>,
    /// Where to run it; absolute.
    pub(crate) folder: PathBuf,
    /// What it reads; nothing if absent.
    pub(crate) stdin: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Report {
    /// It has ended, and everything it started as well. 128 and the signal's number if a signal ended it.
    Ended(i32),
    /// It could not be started.
    NotStarted {
        /// The system's number of the error.
        errno: Option<i32>,
        /// The system's words for it.
        why: String,
    },
}

fn keep() -> io::Result<()> {
    // The terminal's signals (Ctrl-C, hang-up) are for Windlass, which then decides; a session
    // without a terminal also makes a program fail that would ask for a password and wait for ever.
    let _ = nix::unistd::setsid();
    // A program inherits what is blocked here, and could not be ended politely then.
    SigSet::empty().thread_set_mask()?;
    tree::adopt_orphans()?;

    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut input = BufReader::new(socket.try_clone()?);
    let mut line = String::new();
    input.read_line(&mut line)?;
    if !line.ends_with('\n') {
        // The call was dropped before it said what to run.
        return Ok(());
    }
    let order: Order = serde_json::from_str(&line)?;
    let report = match start(&order).and_then(|program| watch(program, order.stdin, input)) {
        Ok(code) => Report::Ended(code),
        Err(error) => Report::NotStarted { errno: error.raw_os_error(), why: error.to_string() },
    };
    let mut line = serde_json::to_string(&report)?;
    line.push('\n');
    socket.write_all(line.as_bytes())
}

fn start(order: &Order) -> io::Result<Child> {
    Command::new(&order.program)
        .args(&order.args)
        .env_clear()
        .envs(order.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&order.folder)
        .process_group(0)
        .stdin(if order.stdin.is_some() { Stdio::piped() } else { Stdio::from(File::open("/dev/null")?) })
        .spawn()
}

/// Waits until the program and everything below it is gone; ends what outlives the program, and all
/// of it when the stream from Windlass ends. Answers with the exit code.
fn watch(mut program: Child, stdin: Option<String>, mut input: BufReader<UnixStream>) -> io::Result<i32> {
    let tree = Tree::of(&program);
    // Whoever ends "everything of Windlass" with a polite signal must not end the keeper first.
    let polite: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT].into_iter().collect();
    let _ = polite.thread_block();
    let helpers = || {
        if let (Some(text), Some(mut pipe)) = (stdin, program.stdin.take()) {
            // A program need not read what it is given.
            thread::Builder::new().spawn(move || pipe.write_all(text.as_bytes()))?;
        }
        thread::Builder::new().spawn(move || {
            let _ = input.read_to_end(&mut Vec::new());
            tree.end()
        })
    };
    // Where no more threads are allowed, a program would go on without anybody who could end it.
    helpers().inspect_err(|_| tree.kill())?;
    Ok(tree.wait(|| {
        if thread::Builder::new().spawn(move || tree.end()).is_err() {
            tree.kill();
        }
    }))
}
