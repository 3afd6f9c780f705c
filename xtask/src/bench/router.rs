//! The router beside HAProxy: the same keep-alive load through both in turn, in one run.
//!
//! The load generator, the servers behind and the router are processes of `against_haproxy`, an
//! example of the router's crate, since only that crate may know how a router is set up.

use super::table::{Goal, Row, Table, Unit};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::proc::Cmd;
use crate::ui;

const ROUNDS: &str = "7";
const SECONDS: &str = "4";

pub(super) fn measure(context: &Context, table: &mut Table) -> Result<()> {
    let package = ["--release", "--package", "windlass-router", "--example", "against_haproxy"];
    Cmd::new("cargo").dir(&context.root).arg("build").args(package).run()?;
    let program = context.target.join("release/examples/against_haproxy");
    let said = Cmd::new(program).args([ROUNDS, SECONDS]).output()?;
    let mut rates = Row::new("requests through the router", "HAProxy", Unit::Rate, Goal::AtLeast(0.8));
    let mut tails = Row::new("p99 of them", "HAProxy", Unit::Micros, Goal::Times(1.0));
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
