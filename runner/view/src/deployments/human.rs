//! Deploys for people: the table, and all that is known of each.

use std::fmt::Write as _;

use anstyle::Style as Ansi;

use super::model::{Deployment, Event, Outcome, What};
use crate::approvals::{asked, decided};
use crate::clean::one_line;
use crate::phrase::percent;
use crate::style::Style;
use crate::text::{BOLD, DIM, GREEN, RED, YELLOW, ago, duration, moment, paint, shorten};

/// The widest name that is printed whole in the table.
const WIDEST: usize = 32;

/// How much of a reason the table has.
const WHY: usize = 60;

/// An outcome in words, and its colour.
pub(super) fn outcome(of: Outcome) -> (&'static str, Ansi) {
    match of {
        Outcome::Committed => ("committed", GREEN),
        Outcome::RolledBack => ("rolled back", RED),
        Outcome::Cancelled => ("cancelled", YELLOW),
        Outcome::Open => ("open", BOLD),
        Outcome::Interrupted => ("interrupted", YELLOW),
    }
}

/// One line for each.
pub(super) fn table(text: &mut String, found: &[Deployment], style: Style, now: u64) {
    if found.is_empty() {
        text.push_str("nothing was deployed here\n");
        return;
    }
    let name = |text: &str| shorten(&one_line(text), WIDEST);
    let cells = |one: &Deployment| {
        let until = one.ended_at().unwrap_or(if one.outcome() == Outcome::Open { now } else { one.last_at() });
        [
            name(&one.service),
            one.environment.as_deref().map(name).unwrap_or_default(),
            name(&one.revision),
            name(&one.strategy),
            ago(one.began_at, now),
            duration(one.began_at, until),
            one.by.as_deref().map(name).unwrap_or_default(),
            one_line(&one.run),
            note(one),
        ]
    };
    let titles =
        ["SERVICE", "ENVIRONMENT", "REVISION", "STRATEGY", "BEGAN", "TOOK", "BY", "RUN", ""].map(str::to_owned);
    let rows: Vec<_> = found.iter().map(cells).collect();
    let mut widths = [0; 9];
    let has: Vec<bool> = (0..9).map(|column| rows.iter().any(|row| !row[column].is_empty())).collect();
    for row in rows.iter().chain([&titles]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 9]| {
        let shown = row.iter().zip(widths).zip(&has).filter(|(_, has)| **has);
        let cells: Vec<_> = shown.map(|((cell, width), _)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let _ = writeln!(text, "{}", paint(style.color, DIM, format_args!("{:11}  {}", "RESULT", line(&titles))));
    for (one, row) in found.iter().zip(&rows) {
        let (word, of) = outcome(one.outcome());
        let _ = writeln!(text, "{}  {}", paint(style.color, of, format_args!("{word:11}")), line(row));
    }
}

/// What the table has room to say.
fn note(one: &Deployment) -> String {
    let last = || one.weights().last().map_or_else(String::new, |(_, weights)| split(weights));
    match one.outcome() {
        Outcome::Interrupted => format!("windlass resume {}", one_line(&one.run)),
        Outcome::Open => last(),
        Outcome::Committed if one.ended_at().is_none() => "not finished".to_owned(),
        _ => one.why().map_or_else(String::new, |why| shorten(&first(&why), WHY)),
    }
}

/// All that is known of each.
pub(super) fn details(text: &mut String, found: &[Deployment], style: Style) {
    for (index, one) in found.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        detail(text, one, style);
    }
}

fn detail(text: &mut String, one: &Deployment, style: Style) {
    let (word, of) = outcome(one.outcome());
    let color = style.color;
    let title = format!("{}: revision {}", named(one), one_line(&one.revision));
    let _ = writeln!(text, "{}, {}", paint(color, BOLD, title), paint(color, of, word));
    let until = one.ended_at().unwrap_or(one.last_at());
    let mut rows = vec![
        ("why", one.why().map(|why| first(&why)).unwrap_or_default()),
        ("previous", one.previous.as_deref().map(one_line).unwrap_or_default()),
        ("strategy", one_line(&one.strategy)),
    ];
    rows.extend(one.details.iter().map(|(name, value)| (name.as_str(), one_line(value))));
    rows.extend([
        ("by", one.by.as_deref().map(one_line).unwrap_or_default()),
        ("run", format!("{} of {}, step {}", one_line(&one.run), one_line(&one.pipeline), one_line(&one.path))),
        ("began", moment(one.began_at)),
        ("took", duration(one.began_at, until)),
    ]);
    let width = rows.iter().map(|(name, _)| one_line(name).chars().count()).max().unwrap_or(0);
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "  {}  {value}", paint(color, DIM, format_args!("{:width$}", one_line(name))));
    }
    let _ = writeln!(text, "\n  {}", paint(color, BOLD, "what happened"));
    let times: Vec<_> = one.events.iter().map(|event| after(one, event)).collect();
    let width = times.iter().map(String::len).max().unwrap_or(0);
    for (time, event) in times.iter().zip(&one.events) {
        let line = format!("    {time:>width$}  {}", one_line(&sentence(one, &event.what)));
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// The first line of a reason; what comes after it is about containers and their logs, as a rule.
pub(super) fn first(why: &str) -> String {
    one_line(why.lines().next().unwrap_or_default())
}

/// A deploy's service, with its environment.
pub(super) fn named(one: &Deployment) -> String {
    match &one.environment {
        Some(environment) => format!("{} in {}", one_line(&one.service), one_line(environment)),
        None => one_line(&one.service),
    }
}

/// How long after the beginning of a deploy something happened; `before` if it was earlier.
pub(super) fn after(one: &Deployment, event: &Event) -> String {
    match event.at < one.began_at {
        true => "before".to_owned(),
        false => format!("+{}", duration(one.began_at, event.at)),
    }
}

/// `v2 5 %, v1 95 %`.
pub(super) fn split(weights: &[(String, u64)]) -> String {
    let said: Vec<_> = weights.iter().map(|(revision, weight)| format!("{revision} {}", percent(*weight))).collect();
    if said.is_empty() { "nothing serves".to_owned() } else { said.join(", ") }
}

/// What happened, as a sentence without an end.
pub(super) fn sentence(one: &Deployment, what: &What) -> String {
    match what {
        What::Begun => match &*one.before {
            [] => format!("begun: {}, the first of this service", one.strategy),
            before => format!("begun: {}, while {} of the traffic", one.strategy, has(before)),
        },
        What::Replicas { revision, ready, all } => format!("{revision}: {ready} of {all} replicas ready"),
        What::Weights(weights) => split(weights),
        What::Held => "new requests wait".to_owned(),
        What::Released => "requests that waited go on".to_owned(),
        What::Judged(verdict) => {
            let next = if verdict.next.is_empty() { String::new() } else { format!(", {}", verdict.next) };
            format!("{} says {} of {}{next}: {}", verdict.metric, verdict.verdict, verdict.revision, verdict.reason)
        }
        What::Asked(message) => asked(message),
        What::Decided(decision) => decided(decision),
        What::Refused { function, why } => format!("{function} was refused: {why}"),
        What::Failed(why) if why.is_empty() => "the step failed".to_owned(),
        What::Failed(why) => format!("the step failed: {}", first(why)),
        What::CancelRequested(by) => format!("{by} asked the run to end"),
        What::Cancelled => "the step was ended".to_owned(),
        What::Resumed => "another process went on with the run".to_owned(),
        What::Committed => format!("committed: {} is the service's own", one.revision),
        What::StartedAgain(container) => format!("container {container} was started again"),
        What::Restored(weights) if weights.is_empty() => {
            format!("rolled back: {} is out of the router, and nothing served before", one.revision)
        }
        What::Restored(weights) => format!("rolled back: {} of the traffic again", has(weights)),
        What::Drained { revision, left: 0, cut: 0 } => format!("{revision} is drained"),
        What::Drained { revision, left: 0, cut } => format!("{revision} is drained, {cut} cut when the time was over"),
        What::Drained { revision, left, cut } => format!("{revision} is drained, {cut} cut and {left} still under way"),
        What::Retired(revision) => format!("{revision} left the router"),
        What::Finished => "finished".to_owned(),
    }
}

/// `v1 has 100 %`.
fn has(weights: &[(String, u64)]) -> String {
    match weights {
        [(revision, weight)] => format!("{revision} has {}", percent(*weight)),
        several => format!("{} have their part", split(several)),
    }
}
