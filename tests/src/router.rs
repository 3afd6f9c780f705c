//! A router of a test's own, as a process.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::windlass;

/// It lives as long as this value.
pub struct Router {
    folder: tempfile::TempDir,
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Router {
    /// Starts one on a free port, and waits until it serves.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut router = Self { child: run(folder.path(), address), folder, address };
        router.until_it_serves();
        router
    }

    /// Kills it, and starts another one with the same table.
    pub fn kill_and_start_again(&mut self) {
        self.kill();
        self.start_again();
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts another one with the same table.
    pub fn start_again(&mut self) {
        self.child = run(self.folder.path(), self.address);
        self.until_it_serves();
    }

    /// For WINDLASS_ROUTER.
    pub fn folder(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// What it says of a service.
    pub fn service(&self, name: &str) -> serde_json::Value {
        let status = Command::new(windlass())
            .args(["router", "status", "--router", self.folder(), "--format", "json"])
            .output()
            .unwrap();
        let state: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
        state["services"][name].clone()
    }

    fn until_it_serves(&mut self) {
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(self.folder.path().join("control.sock")).is_err() {
            assert_eq!(self.child.try_wait().unwrap(), None, "the router has ended");
            assert!(begun.elapsed() < Duration::from_secs(60), "the router does not begin to serve");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn run(folder: &Path, address: SocketAddr) -> Child {
    Command::new(windlass())
        .args(["router", "start", "--foreground", "--router"])
        .arg(folder)
        .args(["--listen", &address.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", windlass().display()))
}

impl Drop for Router {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
