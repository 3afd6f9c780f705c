//! From a file to a plan with its plugins: what `check`, `plan` and `run` have in common.

use std::path::PathBuf;
use std::sync::Arc;

use windlass_journal::{PluginPin, RunStarted};
use windlass_pipeline::lock::{Difference, Pinned};
use windlass_pipeline::{Descriptions, Facts, Pipeline, Plan, Source, StepProblem, parse_tolerant, plan};
use windlass_sandbox::{Planned, Plugin, Sandbox, SandboxError, SandboxOptions};

use crate::args::FileArg;
use crate::error::CliError;
use crate::locked::{self, Locked};
use crate::sources::{Found, Known, Missing, Sources};
use crate::{environment, files, git, plugin_problem, sources};

/// A pipeline's file, read.
pub(crate) struct Text {
    /// Its text.
    pub(crate) source: Source,
    /// The folder that its paths refer to.
    pub(crate) workspace: PathBuf,
    /// The environment of stages that name none.
    pub(crate) environment: Option<String>,
}

impl Text {
    /// Reads the file.
    pub(crate) fn read(named: &FileArg) -> Result<Self, CliError> {
        let file = &named.file;
        let environment = named.env.clone();
        Ok(Self { source: files::read_pipeline(file)?, workspace: files::workspace(file)?, environment })
    }
}

impl Text {
    /// The name of a text that is in no file, by what it was made for.
    pub(crate) fn made_by(what: &str) -> String {
        format!("<{what}>")
    }

    /// Whether a text has such a name.
    pub(crate) fn is_in_no_file(&self) -> bool {
        self.source.name.starts_with('<')
    }

    /// The text of a recorded run.
    pub(crate) fn recorded(started: &RunStarted, workspace: PathBuf) -> Self {
        let source = Source { name: started.file.clone(), text: started.source.to_string() };
        Self { source, workspace, environment: started.flags.env.clone() }
    }
}

/// What a run needs before it can begin.
pub(crate) struct Prepared {
    /// What to do.
    pub(crate) plan: Plan,
    /// The plugins, in the plan's order.
    pub(crate) plugins: Vec<Arc<Plugin>>,
    /// By what they are pinned, in the same order.
    pub(crate) pinned: Vec<Pinned>,
    /// What the plan was made from.
    pub(crate) facts: Facts,
    /// Keeps plugins in an endless loop from holding on to their threads; to be kept while one runs.
    pub(crate) sandbox: Option<Sandbox>,
    /// What is not as `pipeline.lock` has it, if there is one.
    pub(crate) locked: Option<Locked>,
}

impl Prepared {
    /// The plugins by digest, in the plan's order.
    pub(crate) fn pins(&self) -> Vec<PluginPin> {
        let pins = self.pinned.iter();
        pins.map(|pinned| PluginPin { source: pinned.source.to_string(), digest: pinned.digest.clone() }).collect()
    }
}

/// Makes the plan, or says everything that is wrong with the pipeline. At most `jobs` stages are to
/// run at a time. Plugins of registries are those that `pipeline.lock` has, as far as it has them.
pub(crate) async fn prepare(text: &Text, run_id: &str, jobs: usize) -> Result<Prepared, CliError> {
    prepare_locked(text, run_id, jobs, false).await
}

/// The same; `only_locked`, if the lock has to have everything.
pub(crate) async fn prepare_locked(
    text: &Text,
    run_id: &str,
    jobs: usize,
    only_locked: bool,
) -> Result<Prepared, CliError> {
    let pipeline = parse_tolerant(&text.source);
    let mut notes = Vec::new();
    let facts = facts(text, &pipeline, run_id, &mut notes);
    with_lock(text, &pipeline, facts, notes, jobs, Vec::new(), only_locked).await
}

/// The same from recorded facts. Plugins that the lock does not have are those of the record.
pub(crate) async fn prepare_recorded(
    text: &Text,
    facts: Facts,
    jobs: usize,
    recorded: Vec<Pinned>,
    only_locked: bool,
) -> Result<Prepared, CliError> {
    with_lock(text, &parse_tolerant(&text.source), facts, Vec::new(), jobs, recorded, only_locked).await
}

/// Makes the plan from facts and plugins that are known. The lock has no part in it.
pub(crate) async fn prepare_with(
    text: &Text,
    facts: Facts,
    jobs: usize,
    known: &Known<'_>,
) -> Result<Prepared, CliError> {
    planned(text, &parse_tolerant(&text.source), facts, Vec::new(), jobs, known).await
}

async fn with_lock(
    text: &Text,
    pipeline: &Pipeline,
    facts: Facts,
    notes: Vec<String>,
    jobs: usize,
    mut pinned: Vec<Pinned>,
    only_locked: bool,
) -> Result<Prepared, CliError> {
    let lock = locked::read(text)?;
    if only_locked && lock.is_none() {
        return Err(locked::missing(text));
    }
    if let Some(file) = &lock {
        // The lock comes first: it is what somebody has looked at last.
        pinned.splice(0..0, file.lock.plugins().iter().cloned());
    }
    let known = Known { pinned, only_pinned: only_locked, ..Known::default() };
    let mut prepared = planned(text, pipeline, facts, notes, jobs, &known).await?;
    prepared.locked = lock.map(|file| file.against(&prepared.plan, &prepared.pinned, pipeline));
    match &prepared.locked {
        Some(locked) if only_locked => locked.check().map(|()| prepared),
        _ => Ok(prepared),
    }
}

async fn planned(
    text: &Text,
    pipeline: &Pipeline,
    facts: Facts,
    notes: Vec<String>,
    jobs: usize,
    known: &Known<'_>,
) -> Result<Prepared, CliError> {
    let jobs = pipeline.jobs.map_or(jobs, |most| jobs.min(most as usize));
    let loaded = load(text, pipeline, jobs, known).await?;
    match plan(pipeline, &text.source, &facts, &loaded.descriptions) {
        Ok(plan) => {
            let Loaded { sandbox, plugins, pinned, .. } = loaded;
            let objections = objections(&plan, &plugins).await?;
            if !objections.is_empty() {
                return Err(CliError::Pipeline(vec![pipeline.step_problems(&text.source, objections)], notes));
            }
            Ok(Prepared { plan, plugins, pinned, facts, sandbox, locked: None })
        }
        Err(found) => {
            let found = plugin_problem::explain(found, loaded.problems, pipeline, &text.source);
            Err(CliError::Pipeline(found, notes))
        }
    }
}

/// What plugins object to in their steps, as far as those are known before anything runs.
async fn objections(plan: &Plan, plugins: &[Arc<Plugin>]) -> Result<Vec<StepProblem>, CliError> {
    let mut problems = Vec::new();
    for step in &plan.steps {
        let Some(plugin) = plugins.get(step.plugin as usize).filter(|plugin| plugin.checks()) else { continue };
        let (with, unknown) = step.with.sketch();
        let mut granted: Vec<String> =
            step.grants.rules().iter().map(|rule| format!("{}.{}", rule.capability, rule.verb)).collect();
        granted.sort_unstable();
        granted.dedup();
        let planned = Planned { with: with.to_string(), unknown, granted };
        let found = plugin.check(&planned).await.map_err(plugin_problem::refused)?;
        problems.extend(found.into_iter().map(|found| StepProblem {
            step: step.location,
            message: found.message,
            help: found.hint,
        }));
    }
    Ok(problems)
}

/// Gathers what the pipeline asks for.
pub(crate) fn facts(text: &Text, pipeline: &Pipeline, run_id: &str, notes: &mut Vec<String>) -> Facts {
    let git = git::facts(&text.source.text, &text.workspace);
    notes.extend(git.problem);
    let mut env = environment::named(pipeline.env_names().iter().map(String::as_str));
    for variable in windlass_capability_local::FileAndEnvSecrets::variables(&pipeline.secrets) {
        // It would stand in the journal for everybody to read.
        if env.remove(variable).is_some() {
            notes.push(format!(
                "`${{env.{variable}}}` is left out, because `[secrets]` says that `{variable}` is secret"
            ));
        }
    }
    Facts {
        run_id: run_id.to_owned(),
        env,
        git: git.facts,
        workspace: text.workspace.display().to_string(),
        environment: text.environment.clone(),
    }
}

/// The plugins of a pipeline, as far as they could be loaded.
#[derive(Default)]
pub(crate) struct Loaded {
    sandbox: Option<Sandbox>,
    plugins: Vec<Arc<Plugin>>,
    /// By what they are pinned.
    pub(crate) pinned: Vec<Pinned>,
    /// What they say of themselves.
    pub(crate) descriptions: Descriptions,
    /// Why others could not be loaded.
    pub(crate) problems: Vec<plugin_problem::Problem>,
}

/// Loads the plugins that the pipeline uses.
pub(crate) async fn load(text: &Text, pipeline: &Pipeline, jobs: usize, known: &Known<'_>) -> Result<Loaded, CliError> {
    let mut loaded = Loaded::default();
    let mut unpinned = Vec::new();
    let all = Sources::default();
    for (source, location) in pipeline.plugin_sources() {
        let found = match sources::key(pipeline, &source, &text.workspace) {
            Ok(key) => all.find(&source, &text.workspace, known, key.as_ref()).await,
            Err(missing) => Err(missing),
        };
        let Found { component, pinned } = match found {
            Ok(found) => found,
            Err(Missing::Bad(message, help)) => {
                loaded.problems.push(plugin_problem::Problem { source, location, message, help });
                continue;
            }
            Err(Missing::Unpinned) => {
                unpinned.push(Difference::NewPlugin { plugin: source, digest: None });
                continue;
            }
            Err(Missing::Failed(error)) => return Err(error),
        };
        // What nobody has looked at is not even compiled, nor asked what it is.
        if let Some(difference) = known.only_pinned.then(|| other(&pinned, &known.pinned)).flatten() {
            unpinned.push(difference);
            continue;
        }
        let sandbox = match &loaded.sandbox {
            Some(sandbox) => sandbox,
            None => loaded.sandbox.insert(open_sandbox(jobs)?),
        };
        match sandbox.load(component).await {
            Ok(plugin) => {
                loaded.descriptions.insert(source, Arc::clone(plugin.description()));
                loaded.plugins.push(Arc::new(plugin));
                loaded.pinned.push(pinned);
            }
            Err(error @ (SandboxError::Cache { .. } | SandboxError::Engine { .. })) => {
                return Err(CliError::Sandbox(error));
            }
            Err(error) => {
                let (message, help) = plugin_problem::words(&error);
                loaded.problems.push(plugin_problem::Problem { source, location, message, help });
            }
        }
    }
    // Without them there is no plan that could be compared with the lock.
    if unpinned.is_empty() { Ok(loaded) } else { Locked::of(text, unpinned).check().map(|()| loaded) }
}

/// How a plugin is other than the first of those by which it may be known.
fn other(found: &Pinned, pinned: &[Pinned]) -> Option<Difference> {
    let plugin = found.source.clone();
    match pinned.iter().find(|pinned| pinned.source == found.source) {
        None => Some(Difference::NewPlugin { plugin, digest: Some(found.digest.clone()) }),
        Some(locked) if locked.digest != found.digest => {
            Some(Difference::OtherDigest { plugin, locked: locked.digest.clone(), found: found.digest.clone() })
        }
        Some(_) => None,
    }
}

/// The sandbox, with room for this many live plugins.
pub(crate) fn open_sandbox(jobs: usize) -> Result<Sandbox, CliError> {
    let slots = u32::try_from(jobs).unwrap_or(u32::MAX).max(1);
    Sandbox::new(&SandboxOptions { slots, cache: files::cache()? }).map_err(CliError::Sandbox)
}
