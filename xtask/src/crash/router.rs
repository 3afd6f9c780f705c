//! The router through which the services of all trials get their traffic: nobody kills it.

use crate::failure::{Doing, Result};
use crate::proc::Cmd;
use crate::setup::Service;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// It lives as long as the program.
pub(super) struct Router {
    program: PathBuf,
    folder: PathBuf,
    _service: Service,
}

impl Router {
    pub(super) fn start(program: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).doing(|| format!("create {}", folder.display()))?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let address = free.doing(|| "find a free port for the router".to_owned())?.to_string();
        let (tool, place) = (program.display().to_string(), folder.display().to_string());
        let command = [&tool, "router", "start", "--foreground", "--router", &place, "--listen", &address];
        let socket = folder.join("control.sock");
        let service = Service::start("the router", folder, &command, || UnixStream::connect(&socket).is_ok())?;
        Ok(Self { program: program.to_owned(), folder: folder.to_owned(), _service: service })
    }

    /// For the runner.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the table says of a service, without what may differ: by revision its weight and how many replicas it has.
    pub(super) fn facts(&self, service: &str) -> Result<BTreeMap<String, String>> {
        let place = self.folder.display().to_string();
        let text =
            Cmd::new(&self.program).args(["router", "status", "--router", &place, "--format", "json"]).output()?;
        let state: Json = serde_json::from_str(&text).doing(|| "read the state of the router".to_owned())?;
        let mut facts = BTreeMap::new();
        let Some(found) = state["services"].get(service) else { return Ok(facts) };
        facts.insert("service, current".to_owned(), found["current"].to_string());
        facts.insert("service, deployment".to_owned(), found["deployment"].to_string());
        for (revision, declared) in found["declared"]["revisions"].as_object().into_iter().flatten() {
            let endpoints = declared["endpoints"].as_array().map_or(0, Vec::len);
            let ready = declared["endpoints"].as_array().into_iter().flatten().filter(|e| e["ready"] == true).count();
            let weight = &declared["weight"];
            facts.insert(
                format!("service, revision {revision}"),
                format!("weight {weight}, {ready} of {endpoints} vouched for"),
            );
        }
        Ok(facts)
    }
}
