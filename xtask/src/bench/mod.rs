//! `cargo xtask bench`: what Windlass costs, beside what people would use without it.
//!
//! Every row is measured side by side in one run, a round of the one and then a round of the
//! other, so that whatever else the machine does falls on both. docs/benchmarks.md explains the
//! rows and has measured numbers.

mod children;
mod containers;
mod disk;
pub(crate) mod graph;
mod plugins;
mod router;
mod sample;
mod steps;
mod table;

pub(crate) use sample::command as measure;

use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::setup::{World, build_guests, docker_cli, guest_envs, haproxy, ninja};
use crate::ui;
use children::Windlass;
use std::fs;
use std::path::{Path, PathBuf};
use table::Table;

/// The parts that can be measured by themselves.
pub(crate) const PARTS: [&str; 5] = ["steps", "start", "containers", "router", "plugins"];

/// The command; without parts it measures all of them.
pub(crate) fn command(parts: &[String]) -> Result<()> {
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|named| named == part);
    let context = Context::find()?;
    let mut table = Table::default();
    if wanted("router") {
        haproxy()?;
        ui::part("router", || router::measure(&context, &mut table))?;
    }
    if ["steps", "start", "containers"].into_iter().any(wanted) {
        pipelines(&context, wanted, &mut table)?;
    }
    let languages = if wanted("plugins") { Some(plugins::measure(&context)?) } else { None };
    ui::heading("what it costs");
    if !table.is_empty() {
        print!("{table}");
    }
    if let Some(languages) = languages {
        print!("{languages}");
    }
    println!("\nWhat the rows mean, and where the time goes: docs/benchmarks.md");
    Ok(())
}

/// What needs the whole program.
fn pipelines(context: &Context, wanted: impl Fn(&str) -> bool, table: &mut Table) -> Result<()> {
    build_guests(context)?;
    ui::part("ninja", ninja)?;
    let mut envs = guest_envs(context);
    let program = ui::part("windlass", || build(context, &envs))?;
    let folder = Folder::make(&context.target.join("bench"))?;
    let windlass = Windlass::new(program, folder.0.join("cache"));
    let guest = |name: &str| guest(context, name);

    if wanted("steps") {
        let noop = guest("noop")?;
        ui::part("10,000 steps", || steps::many(&windlass, &noop, &folder.0, table))?;
    }
    if wanted("start") {
        let noop = guest("noop")?;
        ui::part("one step", || steps::one(&windlass, &noop, &folder.0, table))?;
    }
    if wanted("containers") {
        let asks = guest("asks")?;
        let world = World::ensure(context, false)?;
        docker_cli()?;
        envs = world.envs();
        ui::part("containers", || containers::measure(&windlass.with(&envs), &asks, &folder.0, table))?;
    }
    Ok(())
}

/// Builds the program as users get it.
fn build(context: &Context, envs: &[(String, String)]) -> Result<PathBuf> {
    Cmd::new("cargo").dir(&context.root).envs(envs).args(["build", "--release", "--package", "windlass"]).run()?;
    Ok(context.target.join("release/windlass"))
}

/// A guest of the tests.
fn guest(context: &Context, name: &str) -> Result<PathBuf> {
    let path = context.test_guests().join(format!("{name}.wasm"));
    if path.is_file() {
        return Ok(path);
    }
    Err(Failure::new(format!("there is no {}: the guest `{name}` of tests/guests was not built", path.display())))
}

/// Where everything is measured: on the disk of cargo's target folder, since the system's folder
/// for temporary files may be memory, where nothing is ever durable.
struct Folder(PathBuf);

impl Folder {
    fn make(path: &Path) -> Result<Self> {
        // What a killed run has left would be measured along.
        if path.exists() {
            fs::remove_dir_all(path).doing(|| format!("remove {}", path.display()))?;
        }
        fs::create_dir_all(path).doing(|| format!("create {}", path.display()))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
