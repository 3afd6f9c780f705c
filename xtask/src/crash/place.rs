//! Where one trial happens: a fresh workspace, a pipeline of its own name, and the runner in it.

use super::disk::Disk;
use super::point::Point;
use super::{Harness, docker};
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::ui;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// No process of a trial takes longer.
const LIMIT: Duration = Duration::from_secs(120);

/// The guests that the pipelines use.
const GUESTS: [&str; 3] = ["asks", "clock", "files"];

/// How a process of the runner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Exited(i32),
    Killed,
}

/// A trial's place. What is in it goes when it is dropped.
pub(super) struct Place<'a> {
    pub(super) harness: &'a Harness,
    pub(super) name: String,
    pub(super) workspace: PathBuf,
    disk: Option<Disk>,
    /// All that the runner printed.
    said: PathBuf,
}

impl<'a> Place<'a> {
    /// Fills a new workspace with this pipeline; with `power` on a disk whose power can be cut.
    pub(super) fn new(harness: &'a Harness, pipeline: &str, power: bool) -> Result<Self> {
        let number = harness.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("crash-{pipeline}-{number}");
        let workspace = harness.folder.join(&name);
        let said = harness.folder.join(format!("{name}.said"));
        fs::create_dir_all(&workspace).doing(|| format!("create {}", workspace.display()))?;
        let mut place = Self { harness, name, workspace, disk: None, said };
        if power {
            let template = harness.template.as_deref().doing(|| "find the template of disks".to_owned())?;
            let image = harness.folder.join(format!("{}.ext4", place.name));
            place.disk = Some(Disk::new(template, image, &place.workspace)?);
        }
        place.fill(pipeline)?;
        if let Some(disk) = &place.disk {
            disk.settle()?;
        }
        Ok(place)
    }

    fn fill(&self, pipeline: &str) -> Result<()> {
        let harness = self.harness;
        let source = harness.pipelines.join(format!("{pipeline}.toml"));
        let mut text = fs::read_to_string(&source).doing(|| format!("read {}", source.display()))?;
        let server = format!("http://{}", harness.server.address);
        for (word, value) in [
            ("@NAME@", self.name.as_str()),
            ("@IMAGE@", super::IMAGE),
            ("@REGISTRY@", &harness.registry),
            ("@SERVER@", &server),
            ("@TCP@", &harness.server.address),
            ("@RAN@", &harness.ran.display().to_string()),
        ] {
            text = text.replace(word, value);
        }
        let file = self.workspace.join("pipeline.toml");
        fs::write(&file, text).doing(|| format!("write {}", file.display()))?;
        for guest in GUESTS {
            let (from, to) =
                (harness.guests.join(format!("{guest}.wasm")), self.workspace.join(format!("{guest}.wasm")));
            fs::copy(&from, to).doing(|| format!("copy {}; `cargo xtask guests` builds it", from.display()))?;
        }
        super::fill_image(&self.workspace.join("box"), &harness.busybox)
    }

    /// Runs `windlass` to its end, which may be a violent one at this point.
    pub(super) fn windlass(&self, args: &[&str], at: Option<&Point>) -> Result<End> {
        let open = OpenOptions::new().append(true).create(true).open(&self.said);
        let said = open.doing(|| format!("write {}", self.said.display()))?;
        self.note(&format!(
            "$ windlass {}{}",
            args.join(" "),
            at.map_or(String::new(), |at| format!("  # dies at {}", at.place))
        ));
        let mut cmd = self.cmd(args).limit(LIMIT).output_to(&said)?;
        if let Some(at) = at {
            cmd = cmd.env("WINDLASS_CRASH_AT", &at.place);
        }
        let status = cmd.status()?;
        let end = match (status.code(), status.signal()) {
            (Some(code), _) => End::Exited(code),
            (None, Some(9)) => End::Killed,
            _ => return Err(Failure::new(format!("`windlass {}` ended by {status}", args.join(" ")))),
        };
        self.note(&format!("# {end:?}"));
        Ok(end)
    }

    fn cmd(&self, args: &[&str]) -> Cmd {
        Cmd::new(&self.harness.program)
            .args(args)
            .dir(&self.workspace)
            .envs(&self.harness.envs)
            .env("WINDLASS_ROUTER", self.harness.router.folder())
            .env("NO_COLOR", "1")
            .env_remove("CI")
    }

    /// Runs the pipeline undisturbed, and gives the list of its points.
    pub(super) fn listed(&self) -> Result<(End, String)> {
        let log = self.harness.folder.join(format!("{}.points", self.name));
        let said = File::create(&self.said).doing(|| format!("write {}", self.said.display()))?;
        let cmd = self.cmd(&["run"]).limit(LIMIT).output_to(&said)?.env("WINDLASS_CRASH_LOG", &log);
        let code = cmd.status()?.code().unwrap_or(-1);
        let listing = fs::read_to_string(&log).doing(|| format!("read the list of points {}", log.display()))?;
        let _ = fs::remove_file(&log);
        Ok((End::Exited(code), listing))
    }

    fn note(&self, line: &str) {
        use std::io::Write as _;
        let file = OpenOptions::new().append(true).create(true).open(&self.said);
        let _ = file.map(|mut file| writeln!(file, "{line}"));
    }

    /// What the runner has printed so far.
    pub(super) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.said).unwrap_or_default()).into_owned()
    }

    /// The record of the run.
    pub(super) fn show(&self) -> Result<Json> {
        let text = self.cmd(&["show", "--format", "json"]).limit(LIMIT).output()?;
        serde_json::from_str(&text).doing(|| format!("read what `windlass show` says: {text}"))
    }

    /// Whether there is any record of a run.
    pub(super) fn has_run(&self) -> bool {
        self.cmd(&["show", "--format", "json"]).limit(LIMIT).output().is_ok()
    }

    /// Cuts the power, if this trial is about that.
    pub(super) fn cut(&mut self) -> Result<()> {
        self.disk.as_mut().map_or(Ok(()), Disk::cut)
    }

    /// How often a program ran, or a request came that changes something, by the step's name.
    pub(super) fn performed(&self) -> Result<BTreeMap<String, u64>> {
        let mut performed: BTreeMap<String, u64> = self.harness.server.asked(&self.name).into_iter().collect();
        let ran = &self.harness.ran;
        for entry in fs::read_dir(ran).doing(|| format!("list {}", ran.display()))?.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            if let Some(step) = file.strip_prefix(&format!("{}.", self.name)) {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                performed.insert(step.to_owned(), text.lines().count() as u64);
            }
        }
        Ok(performed)
    }

    /// What somebody needs who wants to know why: everything that was said, and every call.
    pub(super) fn evidence(&self) -> String {
        let calls = self.cmd(&["show", "--calls"]).limit(LIMIT).output();
        format!("{}\n---- the calls\n{}", self.said(), calls.unwrap_or_else(|why| why.to_string()))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Harness { engine, registry, .. } = self.harness;
        let cleared = docker::clear(engine, &self.name).and_then(|()| docker::unpublish(registry, &self.name));
        if let Err(why) = cleared {
            ui::warn(&why.to_string());
        }
        drop(self.disk.take());
        let _ = fs::remove_dir_all(&self.workspace);
        let _ = fs::remove_file(&self.said);
    }
}
