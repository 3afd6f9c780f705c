//! The Docker Engine: the one that is there, or one of our own for as long as it is needed.

use super::packages;
use super::service::{self, Service};
use crate::failure::{Doing, Failure, Result};
use crate::http::{self, Server, query, request};
use crate::proc::on_path;
use crate::ui;
use std::fs;
use std::path::{Path, PathBuf};

/// An engine that answers.
pub(crate) struct Engine {
    pub(crate) server: Server,
    ours: Option<Service>,
}

impl Engine {
    /// Finds an engine or starts one. There is no third way: without an engine the tests that
    /// matter most would not run, so its absence is a failure and never a skip.
    pub(super) fn ensure(shared: bool) -> Result<Self> {
        service::sweep("engine");
        if let Some(server) = find()? {
            return Ok(Self { server, ours: None });
        }
        if !on_path("dockerd") || !on_path("iptables") {
            packages::ensure(
                &["docker.io", "iptables"],
                "A Docker Engine is needed, and none answers (tried DOCKER_HOST and the usual sockets).\n\
                 Start Docker, or set DOCKER_HOST to an engine",
            )?;
        }
        if !nix::unistd::geteuid().is_root() {
            return Err(Failure::new(
                "A Docker Engine is needed, and none answers. Start it (`sudo systemctl start docker`) \
                 and see that you may use it, or set DOCKER_HOST.",
            ));
        }
        Self::start(shared)
    }

    fn start(shared: bool) -> Result<Self> {
        let folder = service::folder("engine")?;
        let at = |name: &str| folder.join(name).display().to_string();
        if shared {
            fs::write(at(SHARED), "").doing(|| format!("write {}", at(SHARED)))?;
        }
        let server = Server::Unix(at("d.sock"));
        let command = [
            "dockerd",
            &format!("--host={}", server.to_docker_host()),
            &format!("--data-root={}", at("data")),
            &format!("--exec-root={}", at("exec")),
            &format!("--pidfile={}", at("pid")),
        ];
        let ours = Service::start("the Docker Engine", &folder, &command, || answers(&server))?;
        Ok(Self { server, ours: Some(ours) })
    }

    /// The ids of all containers with this label, running or not.
    pub(crate) fn containers(&self, label: Option<&str>) -> Result<Vec<String>> {
        let mut path = "/containers/json?all=1".to_owned();
        if let Some(label) = label {
            let filter = serde_json::json!({ "label": [label] }).to_string();
            path.push_str(&format!("&filters={}", query(&filter)));
        }
        let answer = http::get(&self.server, &path)?;
        let list = answer.json()?;
        let list = list.as_array().doing(|| format!("list containers: {}", answer.text()))?;
        Ok(list.iter().filter_map(|c| c["Id"].as_str().map(str::to_owned)).collect())
    }

    /// What the engine says of itself.
    pub(crate) fn version(&self) -> String {
        let version = http::get(&self.server, "/version").and_then(|a| a.json());
        version.ok().and_then(|v| v["Version"].as_str().map(str::to_owned)).unwrap_or_else(|| "unknown".into())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.ours.is_none() {
            return;
        }
        // Containers outlive a daemon, so they go first; it is our own, nobody else's are here.
        for id in self.containers(None).unwrap_or_default() {
            let _ = request(&self.server, "DELETE", &format!("/containers/{id}?force=1&v=1"), &[]);
        }
        drop(self.ours.take());
    }
}

/// The mark in the folder of an engine that `cargo xtask up` holds for others.
const SHARED: &str = "shared";

fn answers(server: &Server) -> bool {
    http::get(server, "/_ping").is_ok_and(|a| a.status == 200)
}

/// The engine to use, if one answers.
fn find() -> Result<Option<Server>> {
    if let Some(value) = std::env::var("DOCKER_HOST").ok().filter(|v| !v.is_empty()) {
        let server = Server::from_docker_host(&value)?;
        // A person named this one: to take another in silence would be worse than to stop.
        return if answers(&server) {
            ui::note(&format!("using the Docker Engine of DOCKER_HOST={value}"));
            Ok(Some(server))
        } else {
            Err(Failure::new(format!("DOCKER_HOST={value} does not answer. Start that engine, or unset DOCKER_HOST.")))
        };
    }
    let mut sockets = vec!["/var/run/docker.sock".to_owned()];
    for (variable, file) in [("XDG_RUNTIME_DIR", "docker.sock"), ("HOME", ".docker/run/docker.sock")] {
        if let Some(folder) = std::env::var_os(variable) {
            sockets.push(PathBuf::from(folder).join(file).display().to_string());
        }
    }
    for socket in sockets.into_iter().filter(|s| Path::new(s).exists()) {
        let server = Server::Unix(socket.clone());
        if answers(&server) {
            ui::note(&format!("using the Docker Engine at {socket}"));
            return Ok(Some(server));
        }
    }
    running_elsewhere()
}

/// A daemon on a socket of its own. Two daemons on one machine take each other's networks apart,
/// so one that runs is used, or the way is barred; a second one is never started.
fn running_elsewhere() -> Result<Option<Server>> {
    let is_daemon = |line: &[String]| line.first().is_some_and(|p| p == "dockerd" || p.ends_with("/dockerd"));
    let Some((pid, line)) = service::processes().find(|(_, line)| is_daemon(line)) else {
        return Ok(None);
    };
    for server in hosts(&line).iter().filter_map(|h| Server::from_docker_host(h).ok()) {
        let Server::Unix(socket) = &server else {
            continue;
        };
        let folder = Path::new(socket).parent().unwrap_or(Path::new("/"));
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("windlass-engine-") && !folder.join(SHARED).exists() {
            return Err(Failure::new(format!(
                "another `cargo xtask` runs a Docker Engine for itself (process {pid}): wait until it has \
                 ended. `cargo xtask up` holds one that several can share."
            )));
        }
        if answers(&server) {
            ui::note(&format!("using the Docker Engine at {socket} (process {pid})"));
            return Ok(Some(server));
        }
    }
    Err(Failure::new(format!(
        "a Docker daemon runs (process {pid}), but it does not answer on a socket that its command line names. \
         A second one beside it would take its networks apart: set DOCKER_HOST to it, or stop it."
    )))
}

/// The `-H`/`--host` values of a daemon's command line.
fn hosts(line: &[String]) -> Vec<String> {
    let mut hosts = Vec::new();
    let mut words = line.iter();
    while let Some(word) = words.next() {
        if word == "-H" || word == "--host" {
            hosts.extend(words.next().cloned());
        } else if let Some(value) = word.strip_prefix("--host=").or_else(|| word.strip_prefix("-H")) {
            hosts.push(value.trim_start_matches('=').to_owned());
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_a_command_line() {
        let line = "dockerd -H unix:///a --host unix:///b --host=unix:///c -Hunix:///d -H=tcp://e --debug";
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        assert_eq!(hosts(&words), ["unix:///a", "unix:///b", "unix:///c", "unix:///d", "tcp://e"]);
    }
}
