//! From a file to a plan with its plugins: what `check`, `plan` and `run` have in common.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_journal::{PluginPin, RunStarted};
use windlass_pipeline::{Descriptions, Facts, Pipeline, Plan, PluginSource, Source, parse_tolerant, plan};
use windlass_sandbox::{Component, Plugin, Sandbox, SandboxError, SandboxOptions};

use crate::args::FileArg;
use crate::builtins::Builtin;
use crate::error::CliError;
use crate::{environment, files, git, plugin_problem};

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
    /// What the plan was made from.
    pub(crate) facts: Facts,
    /// Keeps plugins in an endless loop from holding on to their threads; to be kept while one runs.
    pub(crate) sandbox: Option<Sandbox>,
}

impl Prepared {
    /// The plugins by digest, in the plan's order.
    pub(crate) fn pins(&self) -> Vec<PluginPin> {
        let pins = self.plan.plugins.iter().zip(&self.plugins);
        pins.map(|(source, plugin)| PluginPin { source: source.to_string(), digest: plugin.digest().to_owned() })
            .collect()
    }
}

/// Makes the plan, or says everything that is wrong with the pipeline. At most `jobs` stages are to
/// run at a time.
pub(crate) async fn prepare(text: &Text, run_id: &str, jobs: usize) -> Result<Prepared, CliError> {
    let pipeline = parse_tolerant(&text.source);
    let mut notes = Vec::new();
    let facts = facts(text, &pipeline, run_id, &mut notes);
    planned(text, pipeline, facts, notes, jobs, &[]).await
}

/// Makes the plan from facts that are known. `instead` names plugins that other files stand in for.
pub(crate) async fn prepare_with(
    text: &Text,
    facts: Facts,
    jobs: usize,
    instead: &[(String, &Path)],
) -> Result<Prepared, CliError> {
    planned(text, parse_tolerant(&text.source), facts, Vec::new(), jobs, instead).await
}

async fn planned(
    text: &Text,
    pipeline: Pipeline,
    facts: Facts,
    notes: Vec<String>,
    jobs: usize,
    instead: &[(String, &Path)],
) -> Result<Prepared, CliError> {
    let jobs = pipeline.jobs.map_or(jobs, |most| jobs.min(most as usize));
    let Loaded { sandbox, plugins, descriptions, problems } = load(text, &pipeline, jobs, instead).await?;
    match plan(&pipeline, &text.source, &facts, &descriptions) {
        Ok(plan) => Ok(Prepared { plan, plugins, facts, sandbox }),
        Err(found) => {
            let found = plugin_problem::explain(found, problems, &pipeline, &text.source);
            Err(CliError::Pipeline(found, notes))
        }
    }
}

/// Gathers what the pipeline asks for.
fn facts(text: &Text, pipeline: &Pipeline, run_id: &str, notes: &mut Vec<String>) -> Facts {
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

#[derive(Default)]
struct Loaded {
    sandbox: Option<Sandbox>,
    plugins: Vec<Arc<Plugin>>,
    descriptions: Descriptions,
    problems: Vec<plugin_problem::Problem>,
}

/// Loads the plugins that the pipeline uses.
async fn load(text: &Text, pipeline: &Pipeline, jobs: usize, instead: &[(String, &Path)]) -> Result<Loaded, CliError> {
    let mut loaded = Loaded::default();
    for (source, location) in pipeline.plugin_sources() {
        let named = source.to_string();
        let other = instead.iter().find(|(name, _)| *name == named).map(|(_, file)| *file);
        let component = match other.map_or_else(|| component(&source, &text.workspace), |file| stand_in(&named, file)) {
            Ok(component) => component,
            Err((message, help)) => {
                loaded.problems.push(plugin_problem::Problem { source, location, message, help });
                continue;
            }
        };
        let sandbox = match &loaded.sandbox {
            Some(sandbox) => sandbox,
            None => loaded.sandbox.insert(open_sandbox(jobs)?),
        };
        match sandbox.load(component).await {
            Ok(plugin) => {
                loaded.descriptions.insert(source, Arc::clone(plugin.description()));
                loaded.plugins.push(Arc::new(plugin));
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
    Ok(loaded)
}

/// The sandbox, with room for this many live plugins.
pub(crate) fn open_sandbox(jobs: usize) -> Result<Sandbox, CliError> {
    let slots = u32::try_from(jobs).unwrap_or(u32::MAX).max(1);
    Sandbox::new(&SandboxOptions { slots, cache: files::cache()? }).map_err(CliError::Sandbox)
}

/// The bytes of a file that stands in for a plugin.
fn stand_in(name: &str, file: &Path) -> Result<Component, (String, Option<String>)> {
    match files::read_plugin(file) {
        Ok(bytes) => Ok(Component::from_bytes(name.to_owned(), bytes)),
        Err(why) => Err((format!("{} cannot be read: {why}", file.display()), None)),
    }
}

/// Where a plugin's bytes are; or why there are none, and what to do.
pub(crate) fn component(source: &PluginSource, workspace: &Path) -> Result<Component, (String, Option<String>)> {
    match source {
        PluginSource::Builtin(name) => match Builtin::find(name) {
            Some(builtin) => Ok(builtin.component()),
            None => Err((format!("there is no built-in plugin `{name}`"), Some(plugin_problem::similar(name)))),
        },
        PluginSource::Path(path) => match files::read_plugin(&workspace.join(path)) {
            Ok(bytes) => Ok(Component::from_bytes(path.clone(), bytes)),
            Err(why) => Err((
                format!("plugin `{path}` cannot be read: {why}"),
                Some(format!("build the plugin first, or correct the path; it is relative to {}", workspace.display())),
            )),
        },
        PluginSource::Oci(reference) => Err((
            format!("plugin `oci:{reference}` comes from a registry, which this version of Windlass cannot fetch"),
            Some("fetch the component yourself and name its file: `{ path = \"plugins/NAME.wasm\" }`".to_owned()),
        )),
    }
}
