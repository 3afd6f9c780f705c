//! The router of one trial: its process, and what it says through its control socket.

use super::harness::Harness;
use super::process::{Process, free_port, until};
use crate::failure::{Doing, Failure, Result};
use crate::http::{Server, get, send};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// What is asked of a router is done by then.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long requests may take to finish when a router ends, or hands over.
const DRAIN_S: &str = "3";

/// A running router. What it is, it says itself: an upgrade makes it another process.
pub(super) struct Router {
    program: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) address: SocketAddr,
    pub(super) control: Server,
    log: PathBuf,
    /// Where Docker is: the router looks after the addresses of its containers.
    envs: Vec<(String, String)>,
    /// The process that was started, and those that replaced it.
    processes: Vec<Process>,
    changes: u64,
}

impl Router {
    /// Starts one in a new folder.
    pub(super) fn start(harness: &Harness, name: &str) -> Result<Self> {
        let folder = harness.sockets.join(name);
        fs::create_dir(&folder).doing(|| format!("create {}", folder.display()))?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let control = Server::Unix(folder.join("control.sock").display().to_string());
        let log = folder.with_extension("log");
        let program = harness.program.clone();
        let envs = harness.envs.clone();
        let mut router = Self { program, folder, address, control, log, envs, processes: Vec::new(), changes: 0 };
        router.serve()?;
        Ok(router)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // On the command line, where a later run finds what a killed one left.
        command
            .args(args)
            .arg("--router")
            .arg(&self.folder)
            .envs(self.envs.iter().cloned())
            .env("NO_COLOR", "1")
            .env_remove("CI");
        command
    }

    /// Starts the process, the first one or the one after a kill, and waits until it serves.
    pub(super) fn serve(&mut self) -> Result<()> {
        let address = self.address.to_string();
        let args = ["router", "start", "--foreground", "--listen", &address, "--drain", DRAIN_S];
        let process = Process::start(self.command(&args), &self.log)?;
        self.processes.push(process);
        until("the router serves", PATIENCE, || {
            let ended = self.processes.last_mut().map_or(Ok(None), Process::ended)?;
            match ended {
                Some(status) => Err(Failure::new(format!("the router has ended ({status}):\n{}", self.said()))),
                None => Ok(self.health().ok()),
            }
        })
        .map(drop)
    }

    /// Kills it at once.
    pub(super) fn kill(&mut self) -> Result<()> {
        let pid = self.health()?["pid"].as_u64().doing(|| "read the router's process id".to_owned())?;
        match self.processes.iter_mut().find(|process| u64::from(process.pid()) == pid) {
            Some(process) => process.kill(),
            // One that an upgrade made is nobody's child here.
            None => {
                signal(pid, Signal::SIGKILL)?;
                until("the killed router is gone", PATIENCE, || Ok(self.health().is_err().then_some(())))
            }
        }
    }

    /// Replaces it by a new process, and waits until the old one has finished what was under way.
    pub(super) fn upgrade(&mut self) -> Result<()> {
        let before = self.health()?["pid"].clone();
        let args = ["router", "upgrade", "--foreground", "--drain", DRAIN_S];
        let process = Process::start(self.command(&args), &self.log)?;
        self.processes.push(process);
        until("another router has taken over", PATIENCE, || {
            let health = self.health().ok().filter(|health| health["pid"] != before);
            Ok(health.filter(|health| health["predecessor"] == json!(false)))
        })
        .map(drop)
        .map_err(|why| Failure::new(format!("{why}\n{}", self.said())))
    }

    /// What it says of itself.
    pub(super) fn health(&self) -> Result<Json> {
        get(&self.control, "/v1/health")?.json()
    }

    /// All that it knows.
    pub(super) fn state(&self) -> Result<Json> {
        get(&self.control, "/v1/state")?.json()
    }

    /// One of its services.
    fn service(&self, name: &str) -> Result<Option<Json>> {
        Ok(self.state()?["services"].get(name).cloned())
    }

    /// Changes the table by hand, as it is now.
    fn apply(&mut self, name: &str, change: &Json) -> Result<()> {
        let expect = self.service(name)?.map_or(json!(0), |service| service["generation"].clone());
        self.changes += 1;
        let by = format!("traffic/{}/{}", std::process::id(), self.changes);
        let body = json!({ "by": by, "expect": expect, "change": change }).to_string();
        let answer = send(&self.control, "POST", "/v1/apply", &[], body.as_bytes())?;
        if answer.status == 200 {
            return Ok(());
        }
        Err(Failure::new(format!("the router refuses {change}: {}", answer.text())))
    }

    /// Declares a service for every request: revisions with their weights and addresses.
    pub(super) fn declare(&mut self, name: &str, revisions: &[(&str, f64, SocketAddr)]) -> Result<()> {
        let revisions: BTreeMap<&str, Json> = revisions
            .iter()
            .map(|(revision, weight, address)| {
                let endpoint = json!({ "container": format!("c-{revision}"), "address": address, "ready": true });
                (*revision, json!({ "weight": weight, "endpoints": [endpoint] }))
            })
            .collect();
        let service = json!({ "routes": [{ "path": "/" }], "replicas": 1, "revisions": revisions });
        self.apply(name, &json!({ "kind": "service", "name": name, "service": service }))
    }

    /// Sets the weights of a service.
    pub(super) fn weights(&mut self, name: &str, weights: &[(&str, f64)]) -> Result<()> {
        let weights: BTreeMap<&str, f64> = weights.iter().copied().collect();
        self.apply(name, &json!({ "kind": "weights", "name": name, "weights": weights }))
    }

    /// What it has said.
    pub(super) fn said(&self) -> String {
        crate::proc::tail(&fs::read_to_string(&self.log).unwrap_or_default(), 20)
    }
}

fn signal(pid: u64, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).doing(|| "read a process id".to_owned())?;
    kill(Pid::from_raw(pid), signal).doing(|| format!("send {signal} to process {pid}"))
}

impl Drop for Router {
    fn drop(&mut self) {
        // The one that serves may be no child of ours: an upgrade can make such.
        if let Some(pid) = self.health().ok().and_then(|health| health["pid"].as_u64())
            && !self.processes.iter().any(|process| u64::from(process.pid()) == pid)
        {
            let _ = signal(pid, Signal::SIGTERM);
        }
        // All are told before any is waited for.
        for process in &mut self.processes {
            let _ = process.signal(Signal::SIGTERM);
        }
        self.processes.clear();
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(&self.log);
    }
}
