//! `cargo xtask crash`: kills the runner at every point of every call, resumes, and compares.
//!
//! A point is a call and a phase of it, so it means the same in every run. The pipelines of
//! tests/crash reach every effect of the gate's table, against the real engine and registry.

mod choose;
mod disk;
pub(crate) mod docker;
mod normalise;
mod options;
mod place;
mod point;
mod router;
mod server;
mod trial;
mod world;

use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::http::Server;
use crate::proc::{self, Cmd};
use crate::setup::{World as Outside, build_guests, docker_cli, guest_envs};
use crate::ui;
use docker::Events;
use options::Mode;
pub(crate) use options::Options;
use router::Router;
use server::Counting;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;
use trial::{Reference, Trial};

/// The pipelines of tests/crash.
const PIPELINES: [&str; 6] = ["deploy", "image", "local", "service", "things", "waits"];
/// Waits for a person, who would have to decide in every trial; tests/e2e/approvals.rs kills a run that waits.
const DECIDED: &str = "approval.wait";
/// The image that the pipelines find.
const IMAGE: &str = "windlass-crash:base";
const DOCKERFILE: &str = "FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/sleep\nCOPY busybox /bin/cat\n\
                          COPY busybox /bin/httpd\nCOPY health /health\nCMD [\"/bin/sh\"]\n";
/// How many trials go on at a time: they wait for the engine more than they compute.
const WORKERS: usize = 3;

/// What all trials share.
struct Harness {
    program: PathBuf,
    pipelines: PathBuf,
    guests: PathBuf,
    busybox: PathBuf,
    /// Where workspaces and disks are.
    folder: PathBuf,
    /// Where programs note that they ran.
    ran: PathBuf,
    envs: Vec<(String, String)>,
    engine: Server,
    registry: String,
    server: Counting,
    events: Events,
    router: Router,
    template: Option<PathBuf>,
    next: AtomicUsize,
}

/// The command.
pub(crate) fn command(options: &Options) -> Result<()> {
    let context = Context::find()?;
    build_guests(&context)?;
    let outside = Outside::ensure(&context, false)?;
    run(&context, &outside, options).map(drop)
}

/// The sample that belongs to `cargo xtask test`; gives how many trials there were.
pub(crate) fn sample(context: &Context, outside: &Outside) -> Result<usize> {
    let mut modes = Mode::ALL.to_vec();
    if !nix::unistd::geteuid().is_root() {
        ui::note("not root: no power is cut in this sample; `sudo -E cargo xtask crash --mode power` does it");
        modes.retain(|mode| *mode != Mode::Power);
    }
    run(context, outside, &Options { sample: true, modes, only: None })
}

/// Tries everything, and fails if anything differs.
fn run(context: &Context, outside: &Outside, options: &Options) -> Result<usize> {
    let start = Instant::now();
    let harness = Harness::prepare(context, outside, options)?;
    let references = ui::part("undisturbed runs", || {
        PIPELINES.iter().map(|pipeline| Reference::find(&harness, pipeline)).collect::<Result<Vec<_>>>()
    })?;
    let mut wrong = covered(&references);
    let mut lines = Vec::new();
    let mut count = 0;
    for &mode in &options.modes {
        let trials = choose::trials(&references, mode, options);
        let failed = ui::part(&format!("mode {}: {} trials", mode.name(), trials.len()), || all(&harness, &trials))?;
        count += trials.len();
        lines.push(format!(
            "{:<5} crash points: {} tried, {} ended alike",
            mode.name(),
            trials.len(),
            trials.len() - failed.len()
        ));
        wrong.extend(failed);
    }
    ui::heading(&format!("killed, resumed and compared in {}", ui::took(start.elapsed())));
    lines.iter().for_each(|line| println!("{line}"));
    if count == 0 {
        wrong.push("there is nothing to try: no trial has the text of `--only` in its title".to_owned());
    }
    if wrong.is_empty() {
        return Ok(count);
    }
    Err(Failure::new(format!("{} of the trials or checks failed:\n{}", wrong.len(), wrong.join("\n"))))
}

impl Harness {
    fn prepare(context: &Context, outside: &Outside, options: &Options) -> Result<Self> {
        docker_cli()?;
        let folder = context.target.join("crash");
        disk::sweep(&folder);
        for folder in ["trials", "ran", "failed"].map(|name| folder.join(name)) {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
        }
        let program = ui::part("windlass with crash points", || build(context, &folder))?;
        let envs = outside.envs();
        let busybox = outside.busybox().to_owned();
        ui::part("the image", || base_image(&folder.join("image"), &busybox, &envs))?;
        let router = Router::start(&program, &folder.join("router"))?;
        let mut harness = Self {
            program,
            router,
            pipelines: context.root.join("tests/crash"),
            guests: context.test_guests(),
            busybox,
            ran: folder.join("ran"),
            folder: folder.join("trials"),
            envs,
            events: Events::listen(&outside.engine.server)?,
            engine: outside.engine.server.clone(),
            registry: outside.registry.address.clone(),
            server: Counting::start()?,
            template: None,
            next: AtomicUsize::new(1),
        };
        if options.modes.contains(&Mode::Power) {
            harness.template = Some(ui::part("power cuts", || {
                let template = disk::template(&harness.folder)?;
                disk::prove(&template, &harness.folder).map(|()| template)
            })?);
        }
        Ok(harness)
    }
}

impl Drop for Harness {
    /// Images go at the very end: trials share their layers, and would take them from one another.
    fn drop(&mut self) {
        docker::clear_images(&self.engine, &[IMAGE, &format!("{}/crash-*", self.registry)]);
    }
}

/// Builds the program that can be killed at a point. Its dependencies are those of every other build; it gets a place
/// of its own, since cargo has only one for all features.
fn build(context: &Context, folder: &Path) -> Result<PathBuf> {
    let features = ["build", "--package", "windlass", "--features", "crash-points"];
    Cmd::new("cargo").dir(&context.root).envs(&guest_envs(context)).args(features).run()?;
    let (built, program) = (context.target.join("debug/windlass"), folder.join("windlass"));
    let _ = fs::remove_file(&program);
    fs::copy(&built, &program).doing(|| format!("copy {}", built.display()))?;
    Ok(program)
}

/// Fills a folder to build a tiny image in.
fn fill_image(folder: &Path, busybox: &Path) -> Result<()> {
    fs::create_dir_all(folder).doing(|| format!("create {}", folder.display()))?;
    let copied = fs::copy(busybox, folder.join("busybox")).map(drop);
    copied
        .and_then(|()| fs::write(folder.join("Dockerfile"), DOCKERFILE))
        .and_then(|()| fs::write(folder.join("health"), "ok\n"))
        .doing(|| format!("fill {}", folder.display()))
}

fn base_image(folder: &Path, busybox: &Path, envs: &[(String, String)]) -> Result<()> {
    fill_image(folder, busybox)?;
    Cmd::new("docker").args(["build", "--quiet", "--tag", IMAGE, "."]).dir(folder).envs(envs).output().map(drop)
}

/// A function that no pipeline reaches is a failure: nobody would know what a crash does to it.
fn covered(references: &[Reference]) -> Vec<String> {
    let listings: Vec<_> = references.iter().map(|reference| &reference.listing).collect();
    let (effects, others) = point::unreached(&listings);
    let others = others.into_iter().filter(|function| function != DECIDED);
    effects
        .into_iter()
        .chain(others)
        .map(|function| format!("no point is of {function}: add a call of it to tests/crash"))
        .collect()
}

/// Tries them, several at a time, and gives what differed.
fn all(harness: &Harness, trials: &[Trial<'_>]) -> Result<Vec<String>> {
    let queue: Mutex<VecDeque<&Trial<'_>>> = Mutex::new(trials.iter().collect());
    let failed = Mutex::new(Vec::new());
    let evidence = harness.folder.with_file_name("failed");
    let work = || {
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
            let Some(trial) = next.filter(|_| proc::interrupted().is_none()) else { return };
            let differs = match trial.run(harness) {
                Ok(None) => continue,
                Ok(Some(differs)) => differs,
                Err(why) => why.to_string(),
            };
            if proc::interrupted().is_some() {
                return;
            }
            let file = evidence.join(format!("{}.txt", trial.title().replace(['/', ' ', ':', ',', '(', ')'], "-")));
            let _ = fs::write(&file, &differs);
            let short = differs.split("\n\n---- what was said").next().unwrap_or_default();
            let text = format!("{}\n  {}\n  {}", trial.title(), short.replace('\n', "\n  "), file.display());
            ui::warn(&text);
            if let Ok(mut failed) = failed.lock() {
                failed.push(text);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(work);
        }
    });
    if proc::interrupted().is_some() {
        return Err(Failure::new("interrupted"));
    }
    Ok(failed.into_inner().unwrap_or_default())
}
