//! Sees when processes come and when the last of them is gone, without asking again and again.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::stat::Mode;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A named pipe that processes open for writing as file 3 and hand on to their children. Its end
/// comes when the last process that has it is gone.
pub(crate) struct Witness {
    path: PathBuf,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Witness {
    pub(crate) fn new(folder: &Path) -> Self {
        let path = folder.join("witness");
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).expect("a named pipe");
        let (came, lines) = mpsc::unbounded_channel();
        let file = path.clone();
        std::thread::spawn(move || {
            let pipe = File::open(file).expect("opened");
            for line in BufReader::new(pipe).lines() {
                let _ = came.send(line.expect("text"));
            }
        });
        Self { path, lines }
    }

    /// A shell's script that has the pipe open as file 3.
    pub(crate) fn script(&self, script: &str) -> String {
        format!("exec 3>'{}'; {script}", self.path.display())
    }

    /// The next line that some process wrote.
    pub(crate) async fn line(&mut self) -> String {
        timeout(PATIENCE, self.lines.recv()).await.expect("in time").expect("the processes live")
    }

    /// Waits until all are gone; answers with the lines that were left.
    pub(crate) async fn all_gone(mut self) -> Vec<String> {
        let mut rest = Vec::new();
        while let Some(line) = timeout(PATIENCE, self.lines.recv()).await.expect("all are gone in time") {
            rest.push(line);
        }
        rest
    }
}
