//! A Docker daemon that is restarted under load. It is one of our own, in a network of its own: nobody else's
//! containers may end, and two daemons in one network take each other's bridges apart.
//!
//! Whoever talks to its containers has to be in that network too, so this program starts itself there again, and
//! is told the outcome in a line of JSON.

use super::super::harness::Harness;
use super::super::load::Shape;
use super::super::options::{APART, Driver};
use super::super::pipeline::{Delivery, Strategy};
use super::super::place::Place;
use super::super::process::{Process, until};
use super::super::table::{Bounds, Row};
use super::super::trial::Trial;
use super::{BOTH, NEITHER, Scenario};
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::http::{self, Server, request};
use crate::proc::Cmd;
use crate::setup::{folder, sweep};
use nix::sys::signal::Signal;
use serde_json::{Value as Json, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A daemon that starts or ends does so by then.
const PATIENCE: Duration = Duration::from_secs(40);
/// A daemon that ends takes its containers with it, unless it is told to leave them alone; those that are to be
/// started again are, when it is back.
const RECOVERY: Duration = Duration::from_secs(20);
/// The names of the scenarios: the second one's daemon leaves its containers alone.
const RESTARTED: &str = "Docker daemon restarted";
const LIVE: &str = "Docker daemon restarted, live-restore";

pub(super) fn scenarios() -> Vec<Scenario> {
    if !nix::unistd::geteuid().is_root() {
        crate::ui::note("not root: no Docker daemon is restarted; `sudo -E cargo xtask traffic --only daemon` does it");
        return Vec::new();
    }
    [RESTARTED, LIVE].map(|name| Scenario::new(name, BOTH, NEITHER, outside)).into()
}

/// Starts this program in a network of its own, and reads what it says.
fn outside(_: &Harness, scenario: &Scenario, driver: Driver) -> Result<Row> {
    let me = std::env::current_exe().doing(|| "find this program".to_owned())?;
    let script = "ip link set lo up && exec \"$0\" \"$@\"";
    let said = Cmd::new("unshare")
        .args(["--net", "--mount", "--", "sh", "-c", script])
        .arg(me)
        .args(["traffic", APART, "--driver", driver.name(), "--only", &scenario.name])
        .limit(Duration::from_secs(300))
        .output();
    // What the other one cannot remove while its mounts are there is removed now that they are gone.
    sweep("traffic-engine");
    let said = said?;
    let line = said.lines().last().unwrap_or_default();
    let row: Json = serde_json::from_str(line).doing(|| format!("read what the other one says: {said}"))?;
    Row::from_json(&row).doing(|| format!("read the outcome {row}"))
}

/// In that network: does it, and says the outcome.
pub(in super::super) fn apart(context: &Context, name: &str, driver: Driver) -> Result<()> {
    let mut daemon = Daemon::start(name == LIVE)?;
    let harness = Harness::apart(context, daemon.server.clone())?;
    let row = restarted(&harness, &mut daemon, name, driver)?;
    println!("{}", row.to_json());
    Ok(())
}

fn restarted(harness: &Harness, daemon: &mut Daemon, name: &str, driver: Driver) -> Result<Row> {
    let place = Place::new(harness, driver)?;
    place.deliver(&Delivery::of(Strategy::BlueGreen, "v1"))?;
    place.deliver(&Delivery::of(Strategy::BlueGreen, "v2"))?;
    // HAProxy cannot know where Docker has put its containers, so this runs beside it, as docs/haproxy.md has it.
    let watch = ["router", "sync", "--watch"];
    let _watch = (driver == Driver::Haproxy).then(|| place.windlass(&watch)).transpose()?;
    let mut trial = Trial::begin(name, driver, place.address(), Shape::USUAL)?;
    let before = place.services()?.containers();
    trial.act();
    daemon.stop()?;
    daemon.serve()?;
    // It is back; what it has to start it starts before it answers, or soon after.
    std::thread::sleep(RECOVERY);
    let after = place.services()?.containers();
    trial.check(before == after, || "the router names other containers than before".to_owned());
    trial.wrong.extend(place.settled("v2")?);
    let (outage, safe) = if daemon.live { (None, Duration::from_secs(1)) } else { (Some(RECOVERY), RECOVERY) };
    trial.end(harness, "v2", Bounds { outage, safe, own: 0.0 })
}

/// A Docker daemon of our own.
struct Daemon {
    folder: PathBuf,
    server: Server,
    live: bool,
    process: Option<Process>,
}

impl Daemon {
    fn start(live: bool) -> Result<Self> {
        let folder = folder("traffic-engine")?;
        let server = Server::Unix(folder.join("d.sock").display().to_string());
        let mut daemon = Self { folder, server, live, process: None };
        daemon.serve()?;
        Ok(daemon)
    }

    /// Starts the process, the first one or the one after a stop.
    fn serve(&mut self) -> Result<()> {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let mut command = Command::new("dockerd");
        command.args([
            format!("--host={}", self.server.to_docker_host()),
            format!("--data-root={}", at("data")),
            format!("--exec-root={}", at("exec")),
            format!("--pidfile={}", at("pid")),
            format!("--live-restore={}", self.live),
        ]);
        let mut process = Process::start(command, &self.folder.join("log"))?;
        until("the Docker daemon answers", PATIENCE, || {
            if process.ended()?.is_some() {
                return Err(Failure::new(format!("the Docker daemon ended:\n{}", process.said(15))));
            }
            Ok(http::get(&self.server, "/_ping").is_ok_and(|answer| answer.status == 200).then_some(()))
        })?;
        self.process = Some(process);
        Ok(())
    }

    /// As an init system does it.
    fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.signal(Signal::SIGTERM)?;
        process.wait(PATIENCE).map(drop)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Containers may outlive a daemon, so they go first; it is our own, nobody else's are here.
        let all = http::get(&self.server, "/containers/json?all=1").and_then(|answer| answer.json());
        for id in all.iter().flat_map(|all| all.as_array().into_iter().flatten()).filter_map(|one| one["Id"].as_str()) {
            let _ = request(&self.server, "DELETE", &format!("/containers/{id}?force=1&v=1"), &[]);
        }
        if let Err(why) = self.stop() {
            crate::ui::warn(&why.to_string());
        }
        // Some of it may still be mounted in this process; whoever started it looks again.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Row {
    fn to_json(&self) -> Json {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        json!({
            "scenario": self.scenario, "driver": self.driver, "requests": self.requests, "caused": self.caused,
            "outage": millis(self.outage), "cut": self.cut, "own": self.own, "safe": self.safe.map(millis),
            "bounds": {
                "outage": self.bounds.outage.map(millis), "safe": millis(self.bounds.safe), "own": self.bounds.own
            },
            "wrong": self.wrong, "failures": self.failures,
        })
    }

    fn from_json(row: &Json) -> Option<Self> {
        let count = |value: &Json| usize::try_from(value.as_u64()?).ok();
        let time = |value: &Json| value.as_u64().map(Duration::from_millis);
        let lines = |value: &Json| {
            value.as_array().map(|all| all.iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect())
        };
        let bounds = &row["bounds"];
        Some(Self {
            scenario: row["scenario"].as_str()?.to_owned(),
            driver: Driver::BOTH.into_iter().map(Driver::name).find(|name| row["driver"] == json!(name))?,
            requests: count(&row["requests"])?,
            caused: count(&row["caused"])?,
            outage: time(&row["outage"])?,
            cut: count(&row["cut"])?,
            own: count(&row["own"])?,
            safe: time(&row["safe"]),
            bounds: Bounds {
                outage: time(&bounds["outage"]),
                safe: time(&bounds["safe"])?,
                own: bounds["own"].as_f64()?,
            },
            wrong: lines(&row["wrong"])?,
            failures: lines(&row["failures"])?,
        })
    }
}
