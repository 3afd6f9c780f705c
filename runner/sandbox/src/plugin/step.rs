//! Plugins: components that export `windlass:step/step`.

use std::fs;

use serde_json::Value as Json;
use windlass_gate::Session;
use windlass_journal::{Failure, FailureKind, Stream};
use windlass_pipeline::{CapabilityUse, Description, OutputKind, OutputSpec, WithSchema};

use super::{DESCRIBE, DESCRIBE_TIME, Job, Outcome, Plugin, back, end, store, unattended, wasi};
use crate::cache::Cache;
use crate::contract::PluginPre;
use crate::contract::exports::windlass::step::step;
use crate::error::SandboxError;
use crate::identity::Identity;
use crate::limits::Limits;
use crate::state::State;
use crate::stdio::Output;

/// What the plugin says of itself: asked once for each digest.
pub(super) async fn describe(
    pre: &PluginPre<State>,
    plugin: &Identity,
    cache: &Cache,
) -> Result<Description, SandboxError> {
    let path = cache.description(plugin.digest());
    let known = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Description>(&bytes).ok());
    if let Some(known) = known.and_then(|known| known.vetted().ok()) {
        return Ok(known);
    }
    let failed = |reason: String| SandboxError::Describe { plugin: plugin.clone(), reason };
    let description = ask(pre).await.map_err(failed)?;
    if let Err(problem) = WithSchema::compile(&description) {
        let plugin = plugin.clone().versioned(&description.version);
        return Err(SandboxError::Describe {
            plugin,
            reason: format!("its schema of `with` cannot be used: {problem}"),
        });
    }
    let text = serde_json::to_vec(&description).map_err(|error| failed(error.to_string()))?;
    cache.store(&path, &text)?;
    Ok(description)
}

async fn ask(pre: &PluginPre<State>) -> Result<Description, String> {
    let (mut store, said) = unattended(pre.engine());
    let asked = async {
        store.set_fuel(DESCRIBE.fuel)?;
        let plugin = pre.instantiate_async(&mut store).await?;
        plugin.windlass_step_step().call_describe(&mut store).await
    };
    let answer = tokio::time::timeout(DESCRIBE_TIME, asked).await;
    let description = match answer {
        Ok(Ok(description)) => description,
        Ok(Err(error)) => return Err(end::unanswered(&error, store.data(), &said)),
        Err(_) => return Err(format!("`describe` took more than {} s", DESCRIBE_TIME.as_secs())),
    };
    read(description)
}

/// Runs one step.
pub(super) async fn run(
    plugin: &Plugin,
    pre: &PluginPre<State>,
    session: Session,
    job: Job,
) -> (Session, Result<Outcome, Failure>) {
    let limits = job.limits;
    let mut wasi = match wasi(&job, str::to_owned) {
        Ok(wasi) => wasi,
        Err(failure) => return (session, Err(failure)),
    };
    wasi.stdout(Output::logged(session.log(), Stream::Stdout)).stderr(Output::logged(session.log(), Stream::Stderr));
    let mut store = store(pre.engine(), Some(session), wasi.build(), &limits);
    let input = step::Input {
        with: job.with,
        pipeline: job.pipeline.to_string(),
        stage: job.stage.to_string(),
        step: job.step.to_string(),
        run: job.run.to_string(),
        attempt: job.attempt,
    };
    let called = async {
        store.set_fuel(limits.fuel)?;
        let plugin = pre.instantiate_async(&mut store).await?;
        plugin.windlass_step_step().call_run(&mut store, &input).await
    }
    .await;
    let result = match called {
        Ok(Ok(said)) => outcome(plugin, said, &limits),
        Ok(Err(said)) => Err(failure(plugin, said, store.data())),
        Err(error) => Err(end::broken(plugin, &error, store.data(), &limits)),
    };
    (back(store), result)
}

fn outcome(plugin: &Plugin, said: step::Outcome, limits: &Limits) -> Result<Outcome, Failure> {
    let identity = plugin.identity();
    let wrong = |message: String| Failure { kind: FailureKind::Plugin, message, hint: None };
    let size: u64 = said.outputs.iter().map(|output| (output.name.len() + output.value.len()) as u64).sum();
    if size > limits.outputs {
        return Err(too_large(identity, size, limits));
    }
    let mut outputs = Vec::with_capacity(said.outputs.len());
    for step::Output { name, value } in said.outputs {
        let Some(spec) = plugin.description.output(&name) else {
            let message = format!("{identity} returned the output `{name}`, which its description does not have");
            return Err(wrong(message));
        };
        let value: Json = serde_json::from_str(&value)
            .map_err(|error| wrong(format!("output `{name}` of {identity} is not JSON: {error}")))?;
        if !spec.kind.admits(&value) {
            let kind = spec.kind;
            let message = format!("output `{name}` of {identity} is declared as {kind} and is something else: {value}");
            return Err(wrong(message));
        }
        outputs.push((name, value));
    }
    Ok(Outcome { summary: said.summary, outputs })
}

/// Outputs are for values.
pub(super) fn too_large(plugin: &Identity, size: u64, limits: &Limits) -> Failure {
    Failure {
        kind: FailureKind::Plugin,
        message: format!("{plugin} returned outputs of {size} bytes, and the limit is {}", limits.outputs),
        hint: Some("pass large content on as an artifact, or raise `limits.outputs` of the step".to_owned()),
    }
}

/// A failure in the plugin's own words. Who has to act is told from what its calls answered,
/// so that a plugin cannot pass a denial off as something else.
fn failure(plugin: &Plugin, said: step::Failure, state: &State) -> Failure {
    let kind = state.session.as_ref().map_or(FailureKind::Failed, |session| session.failure_kind(&said.message));
    Failure { kind, message: said.message, hint: whose(plugin, said.hint) }
}

/// A plugin's hint, and whose words they are: the message alone may be any plugin's. What is part of Windlass needs no
/// introduction.
fn whose(plugin: &Plugin, hint: Option<String>) -> Option<String> {
    if plugin.name.starts_with("builtin:") {
        return hint;
    }
    let said = format!("said by {}", plugin.identity());
    Some(match hint {
        Some(hint) => format!("{hint} ({said})"),
        None => said,
    })
}

fn read(said: step::Description) -> Result<Description, String> {
    let with_schema = if said.with_schema.trim().is_empty() {
        serde_json::json!({})
    } else {
        serde_json::from_str(&said.with_schema).map_err(|error| format!("its schema of `with` is not JSON: {error}"))?
    };
    let capabilities = said
        .capabilities
        .into_iter()
        .map(|used| CapabilityUse { capability: used.name, required: used.required, reason: used.reason })
        .collect();
    let outputs = said
        .outputs
        .into_iter()
        .map(|output| OutputSpec { name: output.name, kind: kind(output.type_), documentation: output.documentation })
        .collect();
    let description = Description {
        name: said.name,
        version: said.version,
        documentation: said.documentation,
        with_schema,
        capabilities,
        outputs,
    };
    description.vetted()
}

fn kind(ty: step::OutputType) -> OutputKind {
    match ty {
        step::OutputType::String => OutputKind::String,
        step::OutputType::Number => OutputKind::Number,
        step::OutputType::Bool => OutputKind::Bool,
        step::OutputType::List => OutputKind::List,
        step::OutputType::Object => OutputKind::Object,
    }
}
