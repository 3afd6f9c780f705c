//! The plan for readers: what will run, and what each step may do, with the line that says so.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{OnCrash, Plan, PlanStep, SecretSource};
use crate::limits::Limits;
use crate::template::Template;

/// One thing that one step may do, and where that is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permission<'a> {
    /// The capability.
    pub capability: &'a str,
    /// The verb; for `http` the method.
    pub verb: &'a str,
    /// What it may be done to, as granted.
    pub resource: &'a str,
    /// The line of the grant, from 1.
    pub line: u32,
    /// The column of the grant in characters, from 1.
    pub column: u32,
}

impl PlanStep {
    /// Everything that this step may do, in the order of the file.
    pub fn permissions(&self) -> impl Iterator<Item = Permission<'_>> {
        self.grants.rules().iter().map(|rule| {
            let place = self.granted_at(rule);
            Permission {
                capability: rule.capability,
                verb: rule.verb,
                resource: &rule.text,
                line: place.line,
                column: place.column,
            }
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PlanView<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<String>,
    plugins: Vec<String>,
    secrets: &'a BTreeMap<String, SecretSource>,
    stages: Vec<StageView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StageView<'a> {
    name: &'a str,
    needs: Vec<&'a str>,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a str>,
    line: u32,
    steps: Vec<StepView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StepView<'a> {
    name: &'a str,
    plugin: String,
    with: &'a Template,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<&'a str, &'a Template>,
    permissions: Vec<Permission<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    limits: Limits,
    required: bool,
    on_crash: OnCrash,
    line: u32,
}

fn is_default(limits: &Limits) -> bool {
    *limits == Limits::default()
}

fn shown(duration: std::time::Duration) -> String {
    humantime::format_duration(duration).to_string()
}

impl Serialize for Plan {
    /// For programs that read `windlass plan --format json`: names in place of indexes, and no value of any secret.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = |stage: &u32| self.stages.get(*stage as usize).map(|stage| &*stage.name);
        let stages = self.stages.iter().map(|stage| StageView {
            name: &stage.name,
            needs: stage.needs.iter().filter_map(name).collect(),
            required: stage.required,
            environment: stage.environment.as_deref(),
            approval: stage.approval.as_deref(),
            line: stage.location.line,
            steps: self.steps_of(stage).iter().map(|step| self.view(step)).collect(),
        });
        PlanView {
            name: &self.name,
            description: self.description.as_deref(),
            jobs: self.jobs,
            timeout: self.timeout.map(shown),
            plugins: self.plugins.iter().map(ToString::to_string).collect(),
            secrets: &self.secrets,
            stages: stages.collect(),
        }
        .serialize(serializer)
    }
}

impl Plan {
    fn view<'a>(&'a self, step: &'a PlanStep) -> StepView<'a> {
        StepView {
            name: &step.name,
            plugin: self.plugins.get(step.plugin as usize).map(ToString::to_string).unwrap_or_default(),
            with: &step.with,
            env: step.env.iter().map(|(name, value)| (name.as_str(), value)).collect(),
            permissions: step.permissions().collect(),
            timeout: step.timeout.map(shown),
            limits: step.limits,
            required: step.required,
            on_crash: step.on_crash,
            line: step.location.line,
        }
    }
}
