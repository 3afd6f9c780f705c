//! The router beside HAProxy: the same keep-alive load through both in turn, in one run.
//!
//! Once in front of containers, which is what the router is for, and once in front of two servers that do next to
//! nothing, where the proxy is all that takes time. The load generator and the router are processes of
//! `against_haproxy`, an example of the router's crate, since only that crate may know how a router is set up.

use super::table::{Goal, Row, Table, Unit};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::proc::Cmd;
use crate::setup::{World, docker_cli};
use crate::traffic::image;
use crate::ui;
use std::path::Path;

const ROUNDS: &str = "7";
const SECONDS: &str = "4";

pub(super) fn measure(context: &Context, table: &mut Table) -> Result<()> {
    let package = ["--profile", "dist", "--package", "windlass-router", "--example", "against_haproxy"];
    Cmd::new("cargo").dir(&context.root).arg("build").args(package).run()?;
    let program = context.target.join("dist/examples/against_haproxy");

    let world = World::ensure(context, false)?;
    docker_cli()?;
    let envs = world.envs();
    let tag = image(context, &envs)?;
    let containers = [Container::start(&tag, &envs)?, Container::start(&tag, &envs)?];
    let addresses = containers.iter().map(Container::address).collect::<Result<Vec<_>>>()?;
    ui::note("in front of containers");
    let rows = ["requests through the router", "p99 of them"];
    compare(&program, &addresses, rows, [Goal::AtLeast(0.8), Goal::Times(1.0)], table)?;
    drop(containers);

    ui::note("in front of servers that do nothing");
    compare(&program, &[], ["requests to bare servers", "p99 of them"], [Goal::None, Goal::None], table)
}

fn compare(
    program: &Path,
    servers: &[String],
    [rates, tails]: [&str; 2],
    [rate, tail]: [Goal; 2],
    table: &mut Table,
) -> Result<()> {
    let said = Cmd::new(program).args([ROUNDS, SECONDS]).args(servers).output()?;
    let mut rates = Row::new(rates, "HAProxy", Unit::Rate, rate);
    let mut tails = Row::new(tails, "HAProxy", Unit::Micros, tail);
    for line in said.lines().filter_map(|line| line.strip_prefix("round ")) {
        ui::note(line);
        let [theirs, ours, their_tail, our_tail] =
            numbers(line).ok_or_else(|| Failure::new(format!("`against_haproxy` said {line:?}")))?;
        rates.push(ours, theirs);
        tails.push(our_tail, their_tail);
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
        let line = "1: direct 40000 900 haproxy 22000 5100 router 19000 5000";
        assert_eq!(super::numbers(line), Some([22_000.0, 19_000.0, 5_100.0, 5_000.0]));
        assert_eq!(super::numbers("haproxy 1 router"), None);
    }
}
