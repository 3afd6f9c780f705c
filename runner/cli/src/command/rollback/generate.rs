//! The pipeline of a rollback, written from the record of a deploy.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json};
use windlass_journal::{Reader, Record, RunStarted, StageIndex, StepIndex};
use windlass_pipeline::{PluginSource, RecordedStep, SecretSource, Source, parse_tolerant, recorded_step};
use windlass_view::deployments::Deployment;

use super::choose::Way;
use crate::error::CliError;
use crate::pinned;
use crate::toml::{key, string, value};

/// What says how a revision is brought in; a rollback moves the traffic at once.
const NOT_FOR_A_ROLLBACK: &[&str] =
    &["action", "analysis", "bake", "canary", "commit", "preview", "revision", "rings", "rolling", "strategy"];

/// The only plugin that knows the way back.
const PLUGIN: &str = "deploy";

/// A pipeline that goes back.
pub(super) struct Generated {
    /// Its text.
    pub(super) text: String,
    /// The image of the revision, if its deploy is known.
    pub(super) image: Option<String>,
}

/// Writes the pipeline.
pub(super) fn generate(reader: &Reader, way: &Way<'_>) -> Result<Generated, CliError> {
    let deployment = way.settings;
    let (started, step) = recorded(reader, deployment)?;
    if step.plugin != PluginSource::Builtin(PLUGIN.to_owned()) {
        return Err(CliError::usage(
            format!(
                "`{}` was deployed by plugin `{}`, and only `builtin:{PLUGIN}` knows the way back",
                deployment.service, step.plugin
            ),
            "deploy the earlier revision again with its own pipeline",
        ));
    }
    let secrets = parse_tolerant(&Source { name: started.file, text: started.source.to_string() }).secrets;
    let with = with(way, &step);
    let image = with.iter().find(|(name, _)| name == "image").and_then(|(_, of)| of.as_str()).map(str::to_owned);
    Ok(Generated { text: text(way, &step, &with, &secrets), image })
}

/// The step of a deploy as its run was given it, and what the run was pinned to.
fn recorded(reader: &Reader, of: &Deployment) -> Result<(RunStarted, RecordedStep), CliError> {
    let run = reader.resolve(Some(&of.run))?;
    let mut started = None;
    let mut stages: BTreeMap<StageIndex, String> = BTreeMap::new();
    let mut steps: BTreeMap<StepIndex, (String, String)> = BTreeMap::new();
    let mut outputs: BTreeMap<(String, String), BTreeMap<String, Json>> = BTreeMap::new();
    for entry in reader.outline(&run, |function| function == "traffic.begin")? {
        match entry.record {
            Record::RunStarted(found) => started = Some(*found),
            Record::StageStarted { stage, name, .. } => drop(stages.insert(stage, name.to_string())),
            Record::StepStarted { step, stage, name, .. } => {
                let stage = stages.get(&stage).cloned().unwrap_or_default();
                steps.insert(step, (stage, name.to_string()));
            }
            Record::StepEnded { step, outputs: given, .. } => {
                if let Some(name) = steps.get(&step) {
                    outputs.insert(name.clone(), given);
                }
            }
            _ => {}
        }
    }
    let lost = || {
        CliError::usage(
            format!("run {} has no record of how `{}` was deployed", of.run, of.service),
            "deploy the earlier revision again with its own pipeline",
        )
    };
    let started = started.ok_or_else(lost)?;
    let (stage, step) = of.path.split_once('/').ok_or_else(lost)?;
    let source = Source { name: started.file.clone(), text: started.source.to_string() };
    let given =
        |stage: &str, step: &str, output: &str| outputs.get(&(stage.to_owned(), step.to_owned()))?.get(output).cloned();
    let pipeline = parse_tolerant(&source);
    let found = recorded_step(&pipeline, &source, &pinned::facts(&started), (stage, step), &given);
    let found = found.map_err(|found| CliError::Pipeline(vec![found], Vec::new()))?;
    Ok((started, found))
}

fn text(
    way: &Way<'_>,
    step: &RecordedStep,
    with: &[(String, Json)],
    secrets: &BTreeMap<String, SecretSource>,
) -> String {
    let service = &way.current.service;
    let mut text = format!("# Written by `windlass rollback`, from the record of run {}.\n", way.settings.run);
    let mut line = |line: &str| {
        let _ = writeln!(text, "{line}");
    };
    line("[pipeline]");
    line(&format!("name = {}", string(&way.settings.pipeline)));
    line(&format!("description = {}", string(&format!("{service} back to {}", way.to))));
    if !secrets.is_empty() {
        line("\n[secrets]");
        for (name, source) in secrets {
            let (from, value) = match source {
                SecretSource::Env(variable) => ("env", variable),
                SecretSource::File(path) => ("file", path),
            };
            line(&format!("{} = {{ {from} = {} }}", key(name), string(value)));
        }
    }
    if let Some(environment) = &step.environment {
        line(&format!("\n[environments.{}]", key(environment)));
    }
    line("\n[stages.rollback]");
    if let Some(environment) = &step.environment {
        line(&format!("environment = {}", string(environment)));
    }
    line("\n[[stages.rollback.steps]]");
    line(&format!("name = \"{PLUGIN}\""));
    line(&format!("uses = \"builtin:{PLUGIN}\""));
    line("\n[stages.rollback.steps.with]");
    for (name, of) in with {
        line(&format!("{} = {}", key(name), value(of)));
    }
    line("\n[stages.rollback.steps.grants]");
    for (name, of) in step.grants.as_object().into_iter().flatten() {
        line(&format!("{} = {}", key(name), value(of)));
    }
    text
}

/// What the plugin gets: what is to be done, then what it got when the revision was deployed, without how it came in.
fn with(way: &Way<'_>, step: &RecordedStep) -> Vec<(String, Json)> {
    let service = way.current.service.as_str();
    let mut settings = step.with.as_object().cloned().unwrap_or_default();
    if let Some(ring) = ring(&settings, service) {
        as_ring(&mut settings, &ring);
    }
    let own = way.settings.revision == way.to;
    let noted = way.settings.details.get("image").map(String::as_str);
    let image = noted.or_else(|| settings.get("image").and_then(Json::as_str)).filter(|_| own);
    let first = [("action", Some("rollback")), ("service", Some(service)), ("to", Some(&*way.to)), ("image", image)];
    let said = first.iter().filter_map(|(name, of)| Some(((*name).to_owned(), Json::from((*of)?))));
    let is_other = |name: &str| !NOT_FOR_A_ROLLBACK.contains(&name) && first.iter().all(|(known, _)| *known != name);
    let rest = settings.iter().filter(|(name, of)| is_other(name) && !of.is_null());
    said.chain(rest.map(|(name, of)| (name.clone(), of.clone()))).collect()
}

/// The ring that this service is, if it is one: a service of its own in the router.
fn ring(settings: &Map<String, Json>, service: &str) -> Option<Map<String, Json>> {
    let of = settings.get("service").and_then(Json::as_str)?;
    let rings = settings.get("rings")?.as_array()?.iter().filter_map(Json::as_object);
    let is_it = |ring: &&Map<String, Json>| match ring.get("service").and_then(Json::as_str) {
        Some(own) => own == service,
        None => ring.get("name").and_then(Json::as_str).is_some_and(|name| format!("{of}-{name}") == service),
    };
    rings.into_iter().find(is_it).cloned()
}

/// What a ring says stands in for what the step says; its variables stand beside those of the step.
fn as_ring(settings: &mut Map<String, Json>, ring: &Map<String, Json>) {
    for (name, of) in ring {
        match (name.as_str(), of, settings.get_mut(name)) {
            ("env", Json::Object(more), Some(Json::Object(env))) => env.extend(more.clone()),
            ("name" | "service" | "bake", ..) => {}
            _ => drop(settings.insert(name.clone(), of.clone())),
        }
    }
}
