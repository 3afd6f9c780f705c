//! Measures how many requests of the new revision it takes until `compare` finds what is wrong with it, and what errors
//! that come in bursts do to its false alarms: `cargo run --example power`. The same numbers come out every time.
#![allow(clippy::print_stdout, reason = "it is a program that prints a table")]

#[path = "../tests/support/mod.rs"]
mod support;

use support::{Dice, Fed, comparing};
use windlass_analysis::{Compare, Traffic, Verdict};

/// How often each case is tried.
const TRIES: u64 = 500;
/// Requests of both revisions in one interval.
const INTERVAL: u64 = 200;
/// When to give up, in requests of the new revision.
const ENOUGH: u64 = 40_000;

fn main() {
    println!("requests of the new revision until it is found worse: median / p90 of {TRIES}, alpha 0.01\n");
    println!("| new revision | baseline | weight 1% | 5% | 25% | 50% |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (bad, good) in [(0.5, 0.0), (0.1, 0.0), (0.1, 0.005), (0.05, 0.005), (0.02, 0.005), (0.01, 0.005), (0.1, 0.05)]
    {
        let traffic = |dice: &mut Dice, n, canary| dice.traffic(n, if canary { bad } else { good });
        let [bad, good] = [bad, good].map(|rate| format!("{}% errors", rate * 100.0));
        row(&bad, &good, Compare::ErrorRate, 0.001, traffic);
    }
    for slower in [1.3, 1.5, 2.0, 4.0] {
        let traffic = |dice: &mut Dice, n, canary| dice.timed(n, if canary { 100.0 * slower } else { 100.0 });
        row(&format!("{slower} × as slow"), "100 ms", Compare::Latency, 0.1, traffic);
    }
    let hangs = |dice: &mut Dice, n, canary| {
        let hanging = if canary { dice.of(n, 0.05) } else { 0 };
        let mut traffic = dice.timed(n - hanging, 100.0);
        traffic.requests = n;
        traffic.latency.counts[66] += hanging;
        traffic
    };
    row("5% take 10 s", "100 ms", Compare::Latency, 0.1, hangs);
    bursts();
}

/// Identical revisions with 1 % errors, which come in bursts that hit one revision or the other.
fn bursts() {
    println!("\nfalse failures of 1000 identical revisions, 50 looks, 1% errors, weight 10%, alpha 0.01\n");
    println!("| errors come | false failures |");
    println!("| --- | --- |");
    for size in [1, 2, 5] {
        let fails = |seed: u64| {
            let (mut dice, mut fed) = (Dice(seed << 20), Fed::new(comparing(Compare::ErrorRate, 0.01, 0.001)));
            (0..50).any(|_| {
                let mut traffic = |requests| Traffic {
                    requests,
                    errors: size * dice.of(requests / size, 0.01),
                    ..Traffic::default()
                };
                let (new, old) = (traffic(100), traffic(900));
                fed.traffic(new, old).verdict == Verdict::Fail
            })
        };
        println!("| by {size} | {} |", (0..1000).filter(|seed| fails(*seed)).count());
    }
}

/// One line of the table.
fn row(bad: &str, good: &str, compare: Compare, effect: f64, traffic: impl Fn(&mut Dice, u64, bool) -> Traffic) {
    let cells: Vec<String> = [1, 5, 25, 50]
        .into_iter()
        .map(|weight| {
            let canary = INTERVAL * weight / 100;
            let find = |seed: u64| {
                let (mut dice, mut fed) = (Dice(seed << 20), Fed::new(comparing(compare, 0.01, effect)));
                (1..=ENOUGH / canary).find(|_| {
                    let (new, old) = (traffic(&mut dice, canary, true), traffic(&mut dice, INTERVAL - canary, false));
                    fed.traffic(new, old).verdict == Verdict::Fail
                })
            };
            let mut found: Vec<u64> = (0..TRIES).filter_map(find).map(|looks| looks * canary).collect();
            found.sort_unstable();
            let at = |share: u64| {
                let found = found.get((TRIES * share / 100) as usize);
                found.map_or_else(|| "not".to_owned(), u64::to_string)
            };
            format!("{} / {}", at(50), at(90))
        })
        .collect();
    println!("| {bad} | {good} | {} |", cells.join(" | "));
}
