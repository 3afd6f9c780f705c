//! HAProxy in the router's place: a process with a configuration as its users have one.

use super::harness::Harness;
use super::pipeline::RINGS;
use super::process::{Process, free_port, until};
use crate::failure::{Doing, Failure, Result};
use crate::http::{Server, get};
use crate::proc::on_path;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// A running HAProxy, with one backend.
pub(super) struct Haproxy {
    folder: PathBuf,
    pub(super) address: SocketAddr,
    process: Process,
}

impl Haproxy {
    /// Starts one for this service.
    pub(super) fn start(harness: &Harness, service: &str) -> Result<Self> {
        if !on_path("haproxy") {
            return Err(Failure::new(
                "HAProxy is not installed: `apt-get install haproxy` installs it, and `--driver router` goes without it",
            ));
        }
        let folder = harness.sockets.join(service);
        fs::create_dir(&folder).doing(|| format!("create {}", folder.display()))?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let config = folder.join("haproxy.cfg");
        let socket = folder.join("admin.sock");
        let ring = |name: &&str| format!("  use_backend {service}-{name} if {{ hdr(host) -i {name}.test }}\n");
        let rings: String = RINGS.iter().map(ring).collect();
        let backend = |name: &&str| format!("backend {service}-{name}\n  balance roundrobin\n");
        let backends: String = RINGS.iter().map(backend).collect();
        let text = format!(
            "global\n  stats socket {} mode 600 level admin\n\
             defaults\n  mode http\n  timeout connect 1s\n  timeout client 60s\n  timeout server 60s\n  \
             timeout tunnel 1h\n\
             frontend traffic\n  bind {address}\n{rings}  default_backend {service}\n\
             backend {service}\n  balance roundrobin\n{backends}",
            socket.display()
        );
        fs::write(&config, text).doing(|| format!("write {}", config.display()))?;
        let mut command = Command::new("haproxy");
        command.args(["-W", "-db"]).arg("-f").arg(&config);
        let process = Process::start(command, &folder.join("log"))?;
        let mut haproxy = Self { folder, address, process };
        let server = Server::Tcp(address.to_string());
        until("HAProxy answers", PATIENCE, || match haproxy.process.ended()? {
            Some(_) => Err(Failure::new(format!("HAProxy has ended:\n{}", haproxy.process.said(10)))),
            None => Ok(get(&server, "/").is_ok().then_some(())),
        })?;
        Ok(haproxy)
    }

    /// As WINDLASS_ROUTER names it.
    pub(super) fn name(&self) -> String {
        format!("haproxy:{}?folder={}", self.folder.join("admin.sock").display(), self.table().display())
    }

    /// Windlass's folder for it.
    pub(super) fn table(&self) -> PathBuf {
        self.folder.join("windlass")
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
