//! The plan for programs.

use serde::Serialize;
use windlass_pipeline::lock::Difference;
use windlass_pipeline::{CapabilityUse, Diagnostic, Limits, Location, OnCrash, PlanStep, SecretSource, Template};

use super::{not_granted, unsandboxed};
use crate::prepare::Prepared;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PlanJson<'a> {
    pipeline: &'a str,
    file: &'a str,
    workspace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u128>,
    secrets: &'a std::collections::BTreeMap<String, SecretSource>,
    stages: Vec<StageJson<'a>>,
    warnings: &'a [Diagnostic],
    /// What is not as `pipeline.lock` has it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_as_locked: Option<&'a [Difference]>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StageJson<'a> {
    name: &'a str,
    needs: Vec<&'a str>,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a str>,
    at: Location,
    steps: Vec<StepJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StepJson<'a> {
    name: &'a str,
    plugin: PluginJson<'a>,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u128>,
    limits: &'a Limits,
    on_crash: OnCrash,
    with: &'a Template,
    env: std::collections::BTreeMap<&'a str, &'a Template>,
    /// Whether everything that it does passes the sandbox: no programs on the host.
    sandboxed: bool,
    grants: Vec<GrantJson<'a>>,
    /// What the plugin could use and is not given.
    not_granted: Vec<&'a CapabilityUse>,
    at: Location,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PluginJson<'a> {
    source: String,
    name: &'a str,
    version: &'a str,
    digest: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct GrantJson<'a> {
    capability: &'a str,
    verb: &'a str,
    resource: &'a str,
    at: Location,
}

impl<'a> PlanJson<'a> {
    pub(super) fn of(prepared: &'a Prepared, file: &'a str) -> Self {
        let plan = &prepared.plan;
        let name = |index: &u32| &*plan.stages[*index as usize].name;
        let stages = plan.stages.iter().map(|stage| StageJson {
            name: &stage.name,
            needs: stage.needs.iter().map(name).collect(),
            required: stage.required,
            environment: stage.environment.as_deref(),
            approval: stage.approval.as_deref(),
            at: stage.location,
            steps: stage.steps.clone().map(|step| StepJson::of(prepared, &plan.steps[step as usize])).collect(),
        });
        Self {
            pipeline: &plan.name,
            file,
            workspace: &prepared.facts.workspace,
            description: plan.description.as_deref(),
            jobs: plan.jobs,
            timeout_ms: plan.timeout.map(|timeout| timeout.as_millis()),
            secrets: &plan.secrets,
            stages: stages.collect(),
            warnings: &plan.warnings.diagnostics,
            not_as_locked: prepared.locked.as_ref().map(|locked| &*locked.differences),
        }
    }
}

impl<'a> StepJson<'a> {
    fn of(prepared: &'a Prepared, step: &'a PlanStep) -> Self {
        let plugin = &prepared.plugins[step.plugin as usize];
        let grant = |rule: &'a windlass_pipeline::Rule| GrantJson {
            capability: rule.capability,
            verb: rule.verb,
            resource: &rule.text,
            at: step.granted_at(rule),
        };
        Self {
            name: &step.name,
            plugin: PluginJson {
                source: prepared.plan.plugins[step.plugin as usize].to_string(),
                name: &plugin.description().name,
                version: &plugin.description().version,
                digest: plugin.digest(),
            },
            required: step.required,
            timeout_ms: step.timeout.map(|timeout| timeout.as_millis()),
            limits: &step.limits,
            on_crash: step.on_crash,
            with: &step.with,
            env: step.env.iter().map(|(name, value)| (name.as_str(), value)).collect(),
            sandboxed: unsandboxed(step).is_empty(),
            grants: step.grants.rules().iter().map(grant).collect(),
            not_granted: not_granted(plugin.description(), step).collect(),
            at: step.location,
        }
    }
}
