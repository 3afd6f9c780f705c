//! The report of a deploy that was rolled back, in Markdown.
//!
//! It is made from the journal alone, so whoever asks again gets the same text.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use serde_json::Value;
use windlass_journal::{CallId, Entry, JournalError, Reader, Record, RunSummary, StepIndex};

use super::human::{after, first, named, sentence, split};
use super::model::{Deployment, Outcome, What};
use super::{folded, of_run};
use crate::clean::{one_line, push_line};
use crate::model::LogPiece;
use crate::report::{ReadLog, tail};
use crate::text::{duration, moment};

/// How many of the last lines of a container's output, and of its errors, are told.
const LINES: usize = 20;

/// How much of a step's log is looked at for its last lines.
const TAIL_BYTES: u64 = 64 << 10;

/// A deploy that was rolled back, and what is to be said of it.
#[derive(Clone, Debug)]
pub struct Incident {
    /// The deploy.
    pub deployment: Deployment,
    /// What tells it from others of its run: the service, with its environment and, if need be, a number.
    pub name: String,
    /// The report.
    pub text: String,
}

impl Incident {
    /// Whether nobody has asked for it.
    pub fn is_automatic(&self) -> bool {
        self.deployment.outcome() == Outcome::RolledBack
    }
}

/// What is to be said of a run's deploys that ended with the traffic where it had been, in the order of their beginning.
///
/// # Errors
///
/// What the journal says.
pub fn incidents(reader: &Reader, run: &RunSummary) -> Result<Vec<Incident>, JournalError> {
    if of_run(reader, run)?.iter().all(|one| one.restored_at().is_none()) {
        return Ok(Vec::new());
    }
    let entries = reader.entries(run, 0)?.collect::<Result<Vec<_>, _>>()?;
    let found = folded(&run.id, &run.pipeline, run.state, &entries);
    report(found, &entries, &|offset, len| reader.log_bytes(run, offset, len))
}

/// What is to be said of these deploys, with what their run has recorded.
pub(crate) fn report(
    deployed: Vec<Deployment>,
    entries: &[Entry],
    read: ReadLog<'_>,
) -> Result<Vec<Incident>, JournalError> {
    let mut found = Vec::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (index, one) in deployed.iter().enumerate() {
        if one.restored_at().is_none() {
            continue;
        }
        let whole = match &one.environment {
            Some(environment) => format!("{environment}.{}", one.service),
            None => one.service.clone(),
        };
        let mut name: String = whole.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        let count = names.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            let _ = write!(name, "-{count}");
        }
        let others = deployed.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, other)| other);
        let evidence = Evidence::of(one, others.flat_map(|other| other.containers.values().flatten()), entries);
        let text = written(one, &evidence, read)?;
        found.push(Incident { deployment: one.clone(), name, text });
    }
    Ok(found)
}

/// What a file's name may have.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// What was printed before the end of a deploy.
struct Evidence {
    /// The last answers about the logs of containers that are not another revision's: standard output and error.
    containers: BTreeMap<String, [String; 2]>,
    /// Where the end of the step's own log stands.
    log: VecDeque<LogPiece>,
}

impl Evidence {
    /// `elsewhere` are the containers of other deploys of the run.
    fn of<'a>(one: &'a Deployment, elsewhere: impl Iterator<Item = &'a String>, entries: &[Entry]) -> Self {
        let own = |container: &String| one.containers.get(&one.revision).is_some_and(|own| own.contains(container));
        let previous = one.containers.iter().filter(|(revision, _)| **revision != one.revision);
        let not: BTreeSet<&String> =
            elsewhere.chain(previous.flat_map(|(_, containers)| containers)).filter(|name| !own(name)).collect();
        let mut evidence = Self { containers: BTreeMap::new(), log: VecDeque::new() };
        let mut bytes = 0;
        let mut asked: BTreeMap<CallId, String> = BTreeMap::new();
        let of_step = |call: &CallId| (call.step, call.attempt) == (one.step, one.attempt);
        for entry in entries.iter().filter(|entry| entry.at >= one.began_at) {
            match &entry.record {
                Record::Log { step, attempt, stream, offset, len } if (*step, *attempt) == (one.step, one.attempt) => {
                    evidence.log.push_back(LogPiece { attempt: *attempt, stream: *stream, offset: *offset, len: *len });
                    bytes += len;
                    while evidence.log.front().is_some_and(|first| bytes - first.len >= TAIL_BYTES) {
                        bytes -= evidence.log.pop_front().map_or(0, |piece| piece.len);
                    }
                }
                Record::CallRecorded { call, function, args, answer, .. }
                    if of_step(call) && &**function == "docker.logs" =>
                {
                    evidence.container(&not, args, answer);
                }
                Record::CallStarted { call, function, args, .. } if of_step(call) && &**function == "docker.logs" => {
                    asked.insert(*call, args.clone());
                }
                Record::CallEnded { call, answer } => {
                    if let Some(args) = asked.remove(call) {
                        evidence.container(&not, &args, answer);
                    }
                }
                _ => {}
            }
        }
        evidence
    }

    fn container(&mut self, not: &BTreeSet<&String>, args: &str, answer: &str) {
        let (args, answer): (Value, Value) =
            (serde_json::from_str(args).unwrap_or_default(), serde_json::from_str(answer).unwrap_or_default());
        let Some(container) = args.pointer("/query/container").and_then(Value::as_str) else { return };
        if not.iter().any(|name| *name == container) {
            return;
        }
        let tail = |key| answer.pointer(key).and_then(Value::as_str).unwrap_or_default();
        let said = [tail("/ok/stdout-tail"), tail("/ok/stderr-tail")].map(str::to_owned);
        if said.iter().any(|said| !said.trim().is_empty()) {
            self.containers.insert(container.to_owned(), said);
        }
    }
}

fn written(one: &Deployment, evidence: &Evidence, read: ReadLog<'_>) -> Result<String, JournalError> {
    let mut text = String::new();
    let word = if one.outcome() == Outcome::Cancelled { "cancelled" } else { "rolled back" };
    let _ = writeln!(text, "# {}: revision {} was {word}\n", inline(&named(one)), inline(&one.revision));
    if let Some(why) = one.why() {
        let _ = writeln!(text, "{}\n", inline(&first(&why)));
    }
    facts(&mut text, one);
    timeline(&mut text, one);
    verdicts(&mut text, one);
    done(&mut text, one);
    logs(&mut text, one, evidence, read)?;
    let (run, path) = (one_line(&one.run), one_line(&one.path));
    let _ = writeln!(text, "\n## To look further\n");
    for (command, what) in [
        (format!("windlass show {run} --calls"), "every call of the run, with its answer"),
        (format!("windlass logs {run} {path}"), "all that the step has printed"),
        (format!("windlass deployments {}", one_line(&one.service)), "what was deployed before, and after"),
    ] {
        let _ = writeln!(text, "- `{}`: {what}", command.replace('`', "'"));
    }
    Ok(text)
}

fn facts(text: &mut String, one: &Deployment) {
    let restored = one.restored_at().unwrap_or(one.began_at);
    let mut rows = vec![("offending revision", one.revision.clone())];
    rows.extend(one.details.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let serving = one.weights().last().map(|(_, weights)| split(weights)).unwrap_or_default();
    rows.extend([
        ("serving again", serving),
        ("strategy", one.strategy.clone()),
        ("run", format!("{} of {}, step {}", one.run, one.pipeline, one.path)),
        ("started by", one.by.clone().unwrap_or_default()),
        ("began", moment(one.began_at)),
        ("traffic restored", format!("{}, {} after it began", moment(restored), duration(one.began_at, restored))),
    ]);
    if let Some(turned) = one.turned_at() {
        rows.push(("time to safe state", format!("{} after it was clear that it fails", duration(turned, restored))));
    }
    table(
        text,
        &["what", ""],
        rows.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| vec![name.to_owned(), value]),
    );
}

fn timeline(text: &mut String, one: &Deployment) {
    text.push_str("\n## Timeline\n\n");
    let rows = one.events.iter();
    table(
        text,
        &["after", "at", "what happened"],
        rows.map(|event| vec![after(one, event), moment(event.at), sentence(one, &event.what)]),
    );
}

fn verdicts(text: &mut String, one: &Deployment) {
    text.push_str("\n## Verdicts\n\n");
    if one.verdicts().next().is_none() {
        text.push_str("Nothing was judged: the deploy failed before its analysis, or has none.\n");
        return;
    }
    table(
        text,
        &["after", "metric", "verdict", "next", "why, with the numbers"],
        one.verdicts().map(|(at, said)| {
            let after = format!("+{}", duration(one.began_at, at));
            vec![after, said.metric.clone(), said.verdict.clone(), said.next.clone(), said.reason.clone()]
        }),
    );
}

/// What was done about it.
fn done(text: &mut String, one: &Deployment) {
    text.push_str("\n## What was done\n\n");
    let acts = |what: &What| match what {
        What::Restored(_) | What::StartedAgain(_) | What::Retired(_) => true,
        What::Drained { revision, .. } => *revision == one.revision,
        _ => false,
    };
    for event in one.events.iter().filter(|event| acts(&event.what)) {
        let _ = writeln!(text, "- {}: {}", after(one, event), inline(&sentence(one, &event.what)));
    }
}

fn logs(text: &mut String, one: &Deployment, evidence: &Evidence, read: ReadLog<'_>) -> Result<(), JournalError> {
    let _ = writeln!(text, "\n## The last of the logs of {}", inline(&one.revision));
    for (container, said) in &evidence.containers {
        for (said, stream) in said.iter().zip(["output", "error"]).filter(|(said, _)| !said.trim().is_empty()) {
            let lines: Vec<_> = said.lines().collect();
            let last = lines[lines.len().saturating_sub(LINES)..].iter().map(|line| line.as_bytes().to_vec());
            let _ = writeln!(text, "\nContainer {}, standard {stream}:\n", inline(container));
            fenced(text, last);
        }
    }
    let lines = tail(one.step, &evidence.log, read)?;
    if one.step != StepIndex::HOST && !lines.is_empty() {
        let _ = writeln!(text, "\nStep {}:\n", inline(&one.path));
        fenced(text, lines);
    } else if evidence.containers.is_empty() {
        text.push_str("\nNothing was printed that is recorded.\n");
    }
    Ok(())
}

/// Lines as they are. Each has something before it, so that none is a command for whoever shows the report.
fn fenced(text: &mut String, lines: impl IntoIterator<Item = Vec<u8>>) {
    let mut inner = String::new();
    for line in lines {
        inner.push_str("| ");
        push_line(&mut inner, &line, false);
        inner.truncate(inner.trim_end_matches(' ').len());
        inner.push('\n');
    }
    let _ = writeln!(text, "```text\n{inner}```");
}

fn table(text: &mut String, titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let line = |text: &mut String, cells: &[String]| {
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    };
    line(text, &titles.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>());
    line(text, &titles.iter().map(|_| "---".to_owned()).collect::<Vec<_>>());
    for row in rows {
        line(text, &row.iter().map(|cell| inline(cell)).collect::<Vec<_>>());
    }
}

/// Text within a line of Markdown: what would be markup is text there, too.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
