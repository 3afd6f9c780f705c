//! The router beside HAProxy: the same keep-alive load through both in turn, in one run.
//!
//! Once in front of containers, which is what the router is for, and once in front of two servers that do next to
//! nothing, where the proxy is all that takes time. The router is the program that is given to others.

use super::table::{Goal, Row, Table, Unit};
use crate::context::Context;
use crate::dist;
use crate::failure::{Failure, Result};
use crate::proc::Cmd;
use crate::setup::{World, build_guests, docker_cli, llvm_profdata};
use crate::traffic::image;
use crate::ui;
use std::path::{Path, PathBuf};

/// Who shares a processor with two others waits as chance has it, and the machine has better and worse moments: many
/// short rounds in turn, so that both have the same of them. Even, so that each is as often the first.
const ROUNDS: &str = "80";
const MILLISECONDS: &str = "1500";

pub(super) fn measure(context: &Context, table: &mut Table) -> Result<()> {
    let program = program(context)?;
    let load = dist::load(context)?;

    let world = World::ensure(context, false)?;
    docker_cli()?;
    let envs = world.envs();
    let tag = image(context, &envs)?;
    let containers = [Container::start(&tag, &envs)?, Container::start(&tag, &envs)?];
    let addresses = containers.iter().map(Container::address).collect::<Result<Vec<_>>>()?;
    ui::note("in front of containers");
    let rows = ["requests through the router", "p99 of all of them"];
    compare(&load, &program, &addresses, rows, [Goal::AtLeast(0.8), Goal::Times(1.0)], table)?;
    drop(containers);

    ui::note("in front of servers that do nothing");
    compare(&load, &program, &[], ["requests to bare servers", "p99 of all of them"], [Goal::None, Goal::None], table)
}

/// The program as it is given to others; or, where the compiler's tools for a profile are not to be had, compiled once.
fn program(context: &Context) -> Result<PathBuf> {
    build_guests(context)?;
    match llvm_profdata() {
        Ok(tool) => dist::build(context, &tool),
        Err(why) => {
            ui::warn(&format!("{why}. So the router is measured without a profile."));
            dist::build_without_profile(context)
        }
    }
}

fn compare(
    load: &Path,
    program: &Path,
    servers: &[String],
    [rates, tails]: [&str; 2],
    [rate, tail]: [Goal; 2],
    table: &mut Table,
) -> Result<()> {
    let said = Cmd::new(load).arg("compare").arg(program).args([ROUNDS, MILLISECONDS]).args(servers).output()?;
    let mut rates = Row::new(rates, "HAProxy", Unit::Rate, rate);
    let mut tails = Row::new(tails, "HAProxy", Unit::Micros, tail);
    let read = |line: &str| numbers(line).ok_or_else(|| Failure::new(format!("`load` said {line:?}")));
    for line in said.lines() {
        ui::note(line);
        if line.starts_with("round ") {
            let [theirs, ours, ..] = read(line)?;
            rates.push(ours, theirs);
        } else if line.starts_with("together") {
            let [.., their_tail, our_tail] = read(line)?;
            tails.push(our_tail, their_tail);
        }
    }
    table.push(rates);
    table.push(tails);
    Ok(())
}

/// A replica of the test service.
struct Container<'a> {
    id: String,
    envs: &'a [(String, String)],
}

impl<'a> Container<'a> {
    fn start(image: &str, envs: &'a [(String, String)]) -> Result<Self> {
        let id = Cmd::new("docker").args(["run", "--detach", "--rm", image]).envs(envs).output()?.trim().to_owned();
        Ok(Self { id, envs })
    }

    fn address(&self) -> Result<String> {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let said = Cmd::new("docker").args(["inspect", "--format", format, &self.id]).envs(self.envs).output()?;
        Ok(format!("{}:8080", said.trim()))
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = Cmd::new("docker").args(["rm", "--force", &self.id]).envs(self.envs).output();
    }
}

/// `haproxy 22000 5100 router 19000 5000 ...`: requests a second and p99 of each.
fn numbers(line: &str) -> Option<[f64; 4]> {
    let after = |name: &str| {
        let mut words = line.split_whitespace().skip_while(move |word| *word != name).skip(1);
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    let ((theirs, their_tail), (ours, our_tail)) = (after("haproxy")?, after("router")?);
    Some([theirs, ours, their_tail, our_tail])
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_round_is_read() {
        let line = "round 1: direct 40000 900 haproxy 22000 5100 router 19000 5000";
        assert_eq!(super::numbers(line), Some([22_000.0, 19_000.0, 5_100.0, 5_000.0]));
        assert_eq!(super::numbers("haproxy 1 router"), None);
    }
}
