//! Where one trial of a delivery happens: a fresh workspace, a pipeline of its own name, a router of its own.

use super::front::{self, Front, Services};
use super::harness::{Harness, REPOSITORY};
use super::options::Driver;
use super::pipeline::Delivery;
use super::process::{Process, until};
use crate::failure::{Doing, Failure, Result};
use crate::http::{self, query};
use crate::ui;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// No process of a trial takes longer.
pub(super) const LIMIT: Duration = Duration::from_secs(120);

/// A trial's place. What is in it goes when it is dropped.
pub(super) struct Place<'a> {
    harness: &'a Harness,
    /// Of the pipeline and of the service.
    pub(super) name: String,
    pub(super) front: Front,
    driver: Driver,
    workspace: PathBuf,
    said: PathBuf,
}

/// A container, as Docker has it.
struct Container {
    runs: bool,
    addresses: Vec<String>,
}

impl<'a> Place<'a> {
    /// Makes one, with nothing deployed.
    pub(super) fn new(harness: &'a Harness, driver: Driver) -> Result<Self> {
        let name = harness.name();
        let workspace = harness.folder.join("trials").join(&name);
        fs::create_dir_all(&workspace).doing(|| format!("create {}", workspace.display()))?;
        let said = workspace.with_extension("said");
        let front = Front::start(harness, driver, &name)?;
        Ok(Self { harness, name, front, driver, workspace, said })
    }

    /// Where the load goes.
    pub(super) fn address(&self) -> SocketAddr {
        self.front.address()
    }

    /// Starts `windlass` in the workspace.
    pub(super) fn windlass(&self, args: &[&str]) -> Result<Process> {
        let mut command = Command::new(&self.harness.program);
        command
            .args(args)
            .current_dir(&self.workspace)
            .envs(self.harness.envs.iter().map(|(name, value)| (name, value)))
            .env("WINDLASS_ROUTER", self.front.name())
            .env("NO_COLOR", "1")
            .env_remove("CI");
        Process::start(command, &self.said)
    }

    /// Runs `windlass` to its end, and wants this exit code.
    pub(super) fn run(&self, args: &[&str], code: i32) -> Result<()> {
        let ended = self.windlass(args)?.wait(LIMIT)?;
        if ended == Some(code) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "`windlass {}` ended with {ended:?}, and {code} was expected:\n{}",
            args.join(" "),
            self.said(30)
        )))
    }

    /// Writes the pipeline of a delivery.
    pub(super) fn write(&self, delivery: &Delivery<'_>) -> Result<()> {
        let file = self.workspace.join("pipeline.toml");
        fs::write(&file, delivery.pipeline(&self.name, REPOSITORY, self.driver))
            .doing(|| format!("write {}", file.display()))
    }

    /// Delivers, and wants it to succeed.
    pub(super) fn deliver(&self, delivery: &Delivery<'_>) -> Result<()> {
        self.write(delivery)?;
        self.run(&["run"], 0)
    }

    /// The newest deploy, as `windlass deployments` has it.
    pub(super) fn deployment(&self) -> Result<Json> {
        self.run(&["deployments", "--run", "latest", "--format", "json"], 0)?;
        let said = self.said(20);
        let line = said.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
        serde_json::from_str(line).doing(|| format!("read what `windlass deployments` says:\n{said}"))
    }

    /// What is known of the services.
    pub(super) fn services(&self) -> Result<Services> {
        self.front.ask().services()
    }

    /// The same for whoever looks on from another thread.
    pub(super) fn looks(&self) -> impl Fn() -> Result<Services> + Send + use<> {
        let ask = self.front.ask();
        move || ask.services()
    }

    /// Waits until the router says this of the services; a process that drives it must not end before.
    pub(super) fn until(&self, what: &str, driver: &mut Process, holds: impl Fn(&Services) -> bool) -> Result<()> {
        until(what, LIMIT, || {
            if holds(&self.services()?) {
                return Ok(Some(()));
            }
            match driver.ended()? {
                None => Ok(None),
                Some(status) => Err(Failure::new(format!(
                    "the runner ended ({status}) before this: {what}. It has said:\n{}",
                    self.said(30)
                ))),
            }
        })
    }

    /// The containers of this pipeline, by their ids.
    fn containers(&self) -> Result<BTreeMap<String, Container>> {
        let filters = query(&json!({ "label": [format!("windlass.pipeline={}", self.name)] }).to_string());
        let list = http::get(&self.harness.engine, &format!("/containers/json?all=1&filters={filters}"))?.json()?;
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let container = |one: &Json| {
            let networks = one["NetworkSettings"]["Networks"].as_object().into_iter().flatten();
            let addresses =
                networks.map(|(_, network)| text(&network["IPAddress"])).filter(|address| !address.is_empty());
            (text(&one["Id"]), Container { runs: text(&one["State"]) == "running", addresses: addresses.collect() })
        };
        Ok(list.as_array().into_iter().flatten().map(container).collect())
    }

    /// What is not as it should be once all is settled: the containers that are there are exactly those that the
    /// router's state names, the current revision's run, and nobody is in the middle of a deployment.
    pub(super) fn settled(&self, current: &str) -> Result<Vec<String>> {
        let services = self.services()?;
        let there = self.containers()?;
        let named = services.containers();
        let short = |id: &str| id.chars().take(12).collect::<String>();
        let mut wrong = Vec::new();
        for id in there.keys().filter(|id| !named.contains(*id)) {
            wrong.push(format!("container {} is there, and the router's state does not name it", short(id)));
        }
        for id in named.iter().filter(|id| !there.contains_key(*id)) {
            wrong.push(format!("the router's state names container {}, which is not there", short(id)));
        }
        if services.0.is_empty() {
            wrong.push("the router knows of no service".to_owned());
        }
        for (name, service) in &services.0 {
            let revisions = &service["declared"]["revisions"];
            for endpoint in revisions[current]["endpoints"].as_array().into_iter().flatten() {
                let id = endpoint["container"].as_str().unwrap_or_default();
                let Some(container) = there.get(id) else { continue };
                let named = endpoint["address"].as_str().unwrap_or_default();
                let at = |address: &String| named.rsplit_once(':').is_some_and(|(host, _)| host == address);
                if !container.runs {
                    wrong.push(format!("container {} of the current revision does not run", short(id)));
                } else if !container.addresses.is_empty() && !container.addresses.iter().any(at) {
                    wrong.push(format!(
                        "the router's state has container {} at {named}, and Docker has it at {}",
                        short(id),
                        container.addresses.join(" and ")
                    ));
                }
            }
            if front::weight(service, current) < 100.0 {
                wrong.push(format!("{name}: revision {current} does not have all of the weight: {revisions}"));
            }
            if service["current"] != json!(current) {
                wrong.push(format!("{name}: the current revision is {}, not {current}", service["current"]));
            }
            if !service["deployment"].is_null() {
                wrong.push(format!("{name}: a deployment is left: {}", service["deployment"]));
            }
        }
        Ok(wrong)
    }

    /// The last lines of what the runners have said.
    pub(super) fn said(&self, lines: usize) -> String {
        crate::proc::tail(&fs::read_to_string(&self.said).unwrap_or_default(), lines)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Err(why) = crate::crash::docker::clear(&self.harness.engine, &self.name) {
            ui::warn(&why.to_string());
        }
        let _ = fs::remove_dir_all(&self.workspace);
        let _ = fs::remove_file(&self.said);
    }
}
