//! The plan for people.

use std::fmt::Write as _;
use std::time::Duration;

use windlass_pipeline::lock::{Difference, grant_of};
use windlass_pipeline::{PlanStage, PlanStep, Rule, SecretSource};

use super::{graph, not_granted, unsandboxed};
use crate::error::number;
use crate::prepare::Prepared;
use crate::style::{BOLD, DIM, WARNING};

/// A `with` that is longer is cut.
const MAX_WITH: usize = 160;

/// The whole plan.
pub(super) fn render(prepared: &Prepared, file: &str) -> String {
    let plan = &prepared.plan;
    let mut text = String::new();
    let (stages, steps) = (number(plan.stages.len(), "stage"), number(plan.steps.len(), "step"));
    let _ = writeln!(text, "pipeline {BOLD}{}{BOLD:#}: {stages}, {steps} {DIM}({file}){DIM:#}", plan.name);
    if let Some(description) = &plan.description {
        let _ = writeln!(text, "{description}");
    }
    if let Some(graph) = graph::draw(&plan.stages) {
        let _ = write!(text, "\n{graph}");
    }
    for stage in &plan.stages {
        render_stage(prepared, stage, file, &mut text);
    }
    if !plan.secrets.is_empty() {
        let _ = writeln!(text, "\n{BOLD}secrets{BOLD:#}, read when a step first needs them");
        for (name, source) in &plan.secrets {
            let place = match source {
                SecretSource::Env(variable) => format!("environment variable {variable}"),
                SecretSource::File(path) => format!("file {path}"),
            };
            let _ = writeln!(text, "  {name}  {DIM}{place}{DIM:#}");
        }
    }
    if let Some(locked) = &prepared.locked {
        let _ = write!(text, "\n{}", locked.summary());
    }
    text
}

fn render_stage(prepared: &Prepared, stage: &PlanStage, file: &str, text: &mut String) {
    let plan = &prepared.plan;
    let needs: Vec<&str> = stage.needs.iter().map(|need| &*plan.stages[*need as usize].name).collect();
    let after = if needs.is_empty() { String::new() } else { format!(" after {}", needs.join(", ")) };
    let required = if stage.required { "" } else { ", may fail" };
    let within = stage.environment.as_ref().map_or_else(String::new, |name| format!(" in {name}"));
    let _ = writeln!(text, "\nstage {BOLD}{}{BOLD:#}{within}{after}{required}", stage.name);
    if let Some(message) = &stage.approval {
        let about = if message.is_empty() { String::new() } else { format!(": {message}") };
        let _ = writeln!(text, "  {WARNING}waits for approval{WARNING:#}{about}");
    }
    for index in stage.steps.clone() {
        render_step(prepared, &plan.steps[index as usize], file, text);
    }
}

fn render_step(prepared: &Prepared, step: &PlanStep, file: &str, text: &mut String) {
    let plugin = &prepared.plugins[step.plugin as usize];
    let source = prepared.plan.plugins[step.plugin as usize].to_string();
    // A program has none.
    let version = Some(&plugin.description().version).filter(|version| !version.is_empty());
    let version = version.map(|version| format!(" {version}")).unwrap_or_default();
    let mut traits = String::new();
    if !step.required {
        traits.push_str(", may fail");
    }
    if let Some(timeout) = step.timeout {
        let _ = write!(traits, ", at most {}", duration(timeout));
    }
    let _ = writeln!(
        text,
        "  step {BOLD}{}{BOLD:#}: {source}{version} {DIM}{}{DIM:#}{traits}",
        step.name,
        short(plugin.digest())
    );
    let with = serde_json::to_string(&step.with).unwrap_or_default();
    if with != "{}" {
        let _ = writeln!(text, "    with {DIM}{}{DIM:#}", cut(&with));
    }
    for (name, value) in &step.env {
        let value = serde_json::to_string(value).unwrap_or_default();
        let _ = writeln!(text, "    env {name} = {DIM}{}{DIM:#}", cut(&value));
    }
    let programs = unsandboxed(step);
    if !programs.is_empty() {
        let _ = writeln!(text, "    {WARNING}NOT SANDBOXED{WARNING:#}: may run on the host: {}", programs.join(", "));
    }
    let rules: Vec<(bool, String, &str, String)> = step
        .grants
        .rules()
        .iter()
        .map(|rule| {
            let what = format!("{}.{}", rule.capability, rule.verb);
            (is_wider(prepared, step, rule), what, &*rule.text, format!("{file}:{}", step.granted_at(rule)))
        })
        .collect();
    let left = rules.iter().map(|(_, what, ..)| what.chars().count()).max().unwrap_or(0);
    let right = rules.iter().map(|(.., resource, _)| resource.chars().count()).max().unwrap_or(0);
    for (wider, what, resource, place) in &rules {
        let sign = if *wider { format!("{WARNING}+{WARNING:#}") } else { " ".to_owned() };
        let _ = writeln!(text, "  {sign} may {what:left$}  {resource:right$}  {DIM}granted at {place}{DIM:#}");
    }
    for used in not_granted(plugin.description(), step) {
        let _ = writeln!(text, "    may not use {}, which it could: {DIM}{}{DIM:#}", used.capability, used.reason);
    }
    if rules.is_empty() {
        let _ = writeln!(text, "    {DIM}may do nothing to the world{DIM:#}");
    }
}

/// Whether the lock does not have this rule.
fn is_wider(prepared: &Prepared, step: &PlanStep, rule: &Rule) -> bool {
    let Some(locked) = &prepared.locked else { return false };
    let (plan, place) = (&prepared.plan, step.granted_at(rule));
    locked
        .differences
        .iter()
        .any(|one| matches!(one, Difference::Wider { grant, at, .. } if *at == place && *grant == grant_of(plan, rule)))
}

/// The first characters of a digest: enough to tell plugins apart.
fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_WITH) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{duration:?}"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, 0, 0) => format!("{hours}h"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}
