//! One case: the engine runs its step in the real sandbox, before the real gate, in a folder that goes away.

#![allow(clippy::disallowed_methods, reason = "the folder of a case is the test kit's own")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use windlass_capability_docker::{Docker, DockerConfig};
use windlass_capability_health::Health;
use windlass_capability_local::Files;
use windlass_capability_traffic::Traffic;
use windlass_engine::{Cancel, Origin, Run, RunOptions};
use windlass_gate::{Gate, RunContext, SecretStore, Secrets};
use windlass_journal::{Journal, JournalError, RunFlags, RunStarted, Writer, WriterOptions};
use windlass_pipeline::{Descriptions, Diagnostics, Facts, Plan, plan};
use windlass_router::Client;
use windlass_sandbox::Plugin;

use crate::canned::{Answers, Canned};
use crate::case::Case;
use crate::made::Made;
use crate::report::Report;
use crate::verdict;

/// The id of every run of a case.
const RUN: &str = "0000000000";
/// A step that waits for something else than a call is not waited for longer than this.
const LONGEST: Duration = Duration::from_secs(30);

/// Why a case could not be run.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The case does not fit the plugin.
    #[error("{0}")]
    Bad(Diagnostics),
    /// The folder of the case cannot be used.
    #[error("the folder of the case: {0}")]
    Folder(#[from] io::Error),
    /// The journal of the case cannot be used.
    #[error("the journal of the case: {0}")]
    Journal(#[from] JournalError),
}

/// Nobody reads secrets here: they are used only where effects happen.
struct NoSecrets;

impl SecretStore for NoSecrets {
    fn read(&self, name: &str) -> Result<String, String> {
        Err(format!("the secret `{name}` has no value in a test case"))
    }
}

/// Runs a case with this plugin, whatever the case itself names.
///
/// # Errors
/// Why it could not be run. A case that fails is no error.
pub async fn run(case: Case, plugin: &Arc<Plugin>) -> Result<Report, CaseError> {
    let begin = Instant::now();
    let folder = tempfile::Builder::new().prefix("windlass-case-").tempdir()?;
    let root = folder.path().canonicalize()?;
    let (workspace, state) = (root.join("workspace"), root.join("state"));
    fs::create_dir_all(&workspace)?;
    for (path, content) in &case.given.files {
        let path = workspace.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&workspace))?;
        fs::write(path, content)?;
    }
    let plan = planned(&case, &workspace, plugin)?;
    let case = Arc::new(case);
    let writer = begun(&case, &workspace, &state)?;
    let cancel = Cancel::new();
    let answers = Answers::new(Arc::clone(&case), cancel.clone(), plan.steps.first().and_then(|step| step.timeout));
    let gate = gate(&case, &answers, writer, &workspace, &state);
    let options = RunOptions { jobs: 1, step_timeout: LONGEST, ..RunOptions::default() };
    let run = Run {
        plan: Arc::new(plan),
        plugins: vec![Arc::clone(plugin)],
        gate: Arc::new(gate),
        options,
        origin: Origin::Fresh,
    };
    run.execute(cancel).await;
    let mut made = Made::read(&Journal::open(&state)?)?;
    made.add(answers.made());
    let differences = verdict::compare(&case, &made, |path| fs::read_to_string(workspace.join(path)));
    Ok(Report {
        file: case.file().to_owned(),
        name: case.name.clone(),
        took: begin.elapsed(),
        calls: made.calls.len(),
        log: made.log,
        differences,
    })
}

fn planned(case: &Case, workspace: &Path, plugin: &Plugin) -> Result<Plan, CaseError> {
    let facts = Facts {
        run_id: RUN.to_owned(),
        env: case.given.env.clone(),
        git: BTreeMap::new(),
        workspace: workspace.display().to_string(),
        environment: None,
    };
    let described = case.plugin().map(|source| (source, Arc::clone(plugin.description())));
    let descriptions: Descriptions = described.into_iter().collect();
    plan(&case.pipeline, case.document.source(), &facts, &descriptions).map_err(CaseError::Bad)
}

fn begun(case: &Case, workspace: &Path, state: &Path) -> Result<Writer, CaseError> {
    let started = RunStarted {
        run: RUN.to_owned(),
        pipeline: case.given.pipeline.clone(),
        file: case.file().to_owned(),
        workspace: workspace.display().to_string(),
        source: case.document.source().text.as_str().into(),
        facts: BTreeMap::new(),
        plugins: Vec::new(),
        versions: BTreeMap::new(),
        stages: 1,
        steps: 1,
        flags: RunFlags::default(),
    };
    Ok(Journal::open_or_create(state)?.start_run(WriterOptions::default(), started)?)
}

fn gate(case: &Case, answers: &Arc<Answers>, writer: Writer, workspace: &Path, state: &Path) -> Gate {
    let context = RunContext {
        run: RUN.to_owned(),
        pipeline: case.given.pipeline.clone(),
        workspace: workspace.to_owned(),
        state: state.to_owned(),
        env: case.given.env.clone(),
        secrets: Secrets::new(NoSecrets),
    };
    let nowhere = state.join("router");
    // Docker, health and traffic only say what their composites are made of: nothing is connected to.
    Gate::new(writer, context)
        .with(Canned::over(Docker::new(DockerConfig::from_env(&BTreeMap::new())), answers))
        .with(Canned::over(Health, answers))
        .with(Canned::over(Files, answers))
        .with(Canned::new("http", answers))
        .with(Canned::new("process", answers))
        .with(Canned::new("artifacts", answers))
        .with(Canned::new("timer", answers))
        .with(Canned::new("approval", answers))
        .with(Canned::over(Traffic::new(Arc::new(Client::new(&nowhere))), answers))
}
