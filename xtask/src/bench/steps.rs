//! Rows without containers: many steps, and one.

use super::children::{Windlass, fresh, ninja};
use super::disk::Disk;
use super::graph;
use super::table::{Goal, Row, Table, Unit, millis};
use crate::failure::{Doing, Result};
use std::fs;
use std::path::Path;

const MANY_ROUNDS: usize = 5;
/// One start takes a few milliseconds, so that many are needed to see past the machine's noise.
const ONE_ROUNDS: usize = 51;
const KIB_PER_MIB: f64 = 1024.0;

/// Ten thousand steps that do nothing: time and memory.
pub(super) fn many(windlass: &Windlass, noop: &Path, folder: &Path, table: &mut Table) -> Result<()> {
    let (pipeline, edges) = (graph::pipeline(), graph::ninja());
    let plugin = fs::read(noop).doing(|| format!("read {}", noop.display()))?;
    let (ours, theirs) = (folder.join("many-windlass"), folder.join("many-ninja"));
    let start_ours = || fresh(&ours, &[("pipeline.toml", pipeline.as_bytes()), ("noop.wasm", &plugin)]);
    let start_theirs = || fresh(&theirs, &[("build.ninja", edges.as_bytes())]);

    let mut time = Row::new("per step, of 10,000 (journal on)", "ninja -j2", Unit::Micros, Goal::Part(20));
    let mut memory = Row::new("peak memory of that", "ninja -j2", Unit::Mebibytes, Goal::Times(2.0));
    let mut disk = Disk::in_folder(folder)?;
    start_ours()?;
    windlass.run(&ours)?;
    for _ in 0..MANY_ROUNDS {
        start_ours()?;
        let a = windlass.run(&ours)?;
        start_theirs()?;
        let b = ninja(&theirs)?;
        let per_step = |time| millis(time) * 1e3 / graph::NODES as f64;
        time.push(per_step(a.time), per_step(b.time));
        memory.push(a.peak_kib as f64 / KIB_PER_MIB, b.peak_kib as f64 / KIB_PER_MIB);
        disk.round()?;
    }
    table.push(time);
    table.push(memory);
    table.note(disk.line());
    Ok(())
}

/// One step: from the shell's prompt and back. In a folder that never saw a run, where the
/// journal (and ninja's log) has to be made; and in one that did.
pub(super) fn one(windlass: &Windlass, noop: &Path, folder: &Path, table: &mut Table) -> Result<()> {
    let (pipeline, edge) = (graph::one_step(), graph::one_edge());
    let plugin = fs::read(noop).doing(|| format!("read {}", noop.display()))?;
    let (ours, theirs) = (folder.join("one-windlass"), folder.join("one-ninja"));
    let mut first = Row::new("cold start, one step, new folder", "ninja", Unit::Millis, Goal::Times(1.5));
    let mut again = Row::new("cold start, one step, run before", "ninja", Unit::Millis, Goal::Times(1.5));
    let mut disk = Disk::in_folder(folder)?;
    fresh(&ours, &[("pipeline.toml", pipeline.as_bytes()), ("noop.wasm", &plugin)])?;
    windlass.run(&ours)?;
    for _ in 0..ONE_ROUNDS {
        fresh(&ours, &[("pipeline.toml", pipeline.as_bytes()), ("noop.wasm", &plugin)])?;
        fresh(&theirs, &[("build.ninja", edge.as_bytes())])?;
        first.push(millis(windlass.run(&ours)?.time), millis(ninja(&theirs)?.time));
        again.push(millis(windlass.run(&ours)?.time), millis(ninja(&theirs)?.time));
        disk.round()?;
    }
    table.push(first);
    table.push(again);
    table.note(disk.line());
    Ok(())
}
