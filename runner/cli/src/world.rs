//! What stands behind the gate of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_capability_docker::{Docker, DockerConfig};
use windlass_capability_health::Health;
use windlass_capability_http::Http;
use windlass_capability_local::{Artifacts, FileAndEnvSecrets, Files, Process, Timer};
use windlass_capability_traffic::{Guarded, Traffic};
use windlass_gate::{Gate, RunContext, Secrets};
use windlass_journal::Writer;
use windlass_pipeline::{Grants, Plan};
use windlass_router::{Driver, DriverConfig};

use crate::error::CliError;
use crate::{environment, files};

/// The variables that say where Docker is, as Docker's own tools read them.
const DOCKER: &[&str] = &[
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "DOCKER_BUILDKIT",
    "HOME",
];

/// The gate of a run, with everything behind it that a grant can give. Nothing is connected to, and
/// no secret is read, before a step asks for it. With `keep_failed`, containers that have failed stay.
pub(crate) fn gate(
    writer: Writer,
    plan: &Plan,
    run: &str,
    workspace: &Path,
    state: PathBuf,
    keep_failed: bool,
) -> Result<Gate, CliError> {
    let context = RunContext {
        run: run.to_owned(),
        pipeline: plan.name.clone(),
        workspace: workspace.to_owned(),
        state,
        env: granted_env(plan),
        secrets: secrets(plan, workspace),
    };
    let router = router(&context.state)?;
    Ok(behind(writer, context, router, keep_failed))
}

/// The gate of what the host alone does for a run, with no plan: nothing has a secret or a variable.
pub(crate) fn host_gate(
    writer: Writer,
    run: &str,
    pipeline: &str,
    workspace: &Path,
    state: PathBuf,
    router: Arc<dyn Driver>,
) -> Gate {
    let nothing = FileAndEnvSecrets::new(std::collections::BTreeMap::new(), workspace, environment::value);
    let context = RunContext {
        run: run.to_owned(),
        pipeline: pipeline.to_owned(),
        workspace: workspace.to_owned(),
        state,
        env: std::collections::BTreeMap::new(),
        secrets: Secrets::new(nothing),
    };
    behind(writer, context, router, false)
}

fn behind(writer: Writer, context: RunContext, router: Arc<dyn Driver>, keep_failed: bool) -> Gate {
    let config = DockerConfig { router: Some(router.name()), ..docker_config() };
    let docker = Arc::new(Docker::new(config).keeping_failed(keep_failed));
    Gate::new(writer, context)
        .with(Arc::clone(&docker))
        .guarded_by(Guarded::new(Arc::clone(&router), docker))
        .with(Traffic::new(router))
        .with(Http::new())
        .with(Health)
        .with(Process::new(environment::value("PATH").unwrap_or_default()))
        .with(Artifacts)
        .with(Files)
        .with(Timer)
}

/// What WINDLASS_ROUTER names, else the router of the pipeline's own state folder.
pub(crate) fn router(state: &Path) -> Result<Arc<dyn Driver>, CliError> {
    let named = environment::value("WINDLASS_ROUTER").filter(|text| !text.is_empty());
    let config = match named {
        Some(text) => text.to_string_lossy().parse::<DriverConfig>().map_err(|error| {
            CliError::usage(format!("WINDLASS_ROUTER: {error}"), "leave it out to use the router of the state folder")
        })?,
        None => DriverConfig::Router { folder: state.join(files::ROUTER) },
    };
    Ok(Arc::from(config.driver()))
}

/// The secrets of a run.
pub(crate) fn secrets(plan: &Plan, workspace: &Path) -> Secrets {
    Secrets::new(FileAndEnvSecrets::new(plan.secrets.clone(), workspace, environment::value))
}

/// Where Docker is.
pub(crate) fn docker_config() -> DockerConfig {
    DockerConfig::from_env(&environment::named(DOCKER.iter().copied()))
}

/// The host's variables that some grant lets through. Those that hold secrets are never among them:
/// nobody would take them out of output.
fn granted_env(plan: &Plan) -> std::collections::BTreeMap<String, String> {
    let mut seen: Vec<*const Grants> = Vec::new();
    let mut patterns = Vec::new();
    for step in &plan.steps {
        let grants = Arc::as_ptr(&step.grants);
        // Steps of generated pipelines share their grants.
        if seen.last() != Some(&grants) && !seen.contains(&grants) {
            seen.push(grants);
            patterns.extend(step.grants.of("env", "read").map(|rule| &rule.pattern));
        }
    }
    if patterns.is_empty() {
        return std::collections::BTreeMap::new();
    }
    let secret: Vec<&str> = FileAndEnvSecrets::variables(&plan.secrets).collect();
    environment::select(|name| !secret.contains(&name) && patterns.iter().any(|pattern| pattern.matches(name)))
}
