//! `windlass plugin update`: `pipeline.lock` becomes what the pipeline is now.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use windlass_pipeline::lock::{Lock, Pinned};
use windlass_pipeline::{Diagnostics, Facts, Pipeline, Plan, PluginSource, parse_tolerant, plan};

use crate::args::{FileArg, Format, FormatArg};
use crate::command::plan::NO_RUN;
use crate::error::{CliError, number};
use crate::exit::Exit;
use crate::locked::{self, LockFile};
use crate::prepare::{Text, facts, load};
use crate::sources::{Known, Missing, Sources};
use crate::style::BOLD;
use crate::{files, output, plugin_problem, runtime, sources};

/// Write `pipeline.lock`: the plugins by digest as they are now, and what each step is granted
///
/// Tags of registries are asked what they point to now. What changes is shown; look at it, and keep the file beside the
/// pipeline. With names, only those plugins, and what is granted to them.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The plugins, by their names in `[plugins]`, or as `uses` has them [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The pipeline
    #[arg(long, value_name = "FILE", default_value = files::PIPELINE)]
    file: PathBuf,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Update) -> Result<Exit, CliError> {
    let text = Text::read(&FileArg { file: args.file.clone(), env: None })?;
    let pipeline = parse_tolerant(&text.source);
    let chosen = chosen(args, &pipeline)?;
    let old = match (locked::read(&text), chosen.is_empty()) {
        (Ok(old), _) => old,
        // It is written anew, whatever it was.
        (Err(CliError::Pipeline(..)), true) => None,
        (Err(error), _) => return Err(error),
    };
    let kept = old.as_ref().map(|file| file.lock.plugins()).unwrap_or_default();
    let kept = kept.iter().filter(|pinned| !chosen.is_empty() && !chosen.contains(&pinned.source));
    let known = Known { pinned: kept.cloned().collect(), ..Known::default() };
    let Everything { lock: all, plan, used, notes } = runtime::small()?.block_on(everything(&text, &known))?;
    let before = old.as_ref().map(|file| file.against(&plan, &used, &pipeline));
    let lock = match old {
        Some(LockFile { mut lock, .. }) if !chosen.is_empty() => {
            lock.take(&chosen, &all);
            lock
        }
        _ => all,
    };
    let shown = locked::write(&text, &lock)?;
    let left = locked::read(&text)?.map(|file| file.against(&plan, &used, &pipeline));
    let differences = before.as_ref().map(|before| &before.differences);
    match args.format.format {
        Format::Human => {
            notes.iter().for_each(output::warning);
            let plugins = number(lock.plugins().len(), "plugin");
            let mut told = format!("{BOLD}{shown}{BOLD:#} has {plugins} by digest, and what each step is granted\n");
            for line in before.iter().flat_map(locked::Locked::lines) {
                told.push_str(&line);
                told.push('\n');
            }
            output::text(&told)?;
            if left.is_some_and(|left| left.widens()) {
                output::warning("other plugins are not as it has them; for all of them, name none");
            }
        }
        Format::Json => output::json(&json!({
            "lock": shown,
            "plugins": lock.plugins().iter().map(pinned_json).collect::<Vec<_>>(),
            "differences": differences,
            "notes": notes,
        }))?,
    }
    Ok(Exit::SUCCESS)
}

fn pinned_json(pinned: &Pinned) -> serde_json::Value {
    json!({ "source": pinned.source, "digest": pinned.digest, "manifest": pinned.manifest })
}

/// The plugins that are named.
fn chosen(args: &Update, pipeline: &Pipeline) -> Result<Vec<PluginSource>, CliError> {
    let named = args.names.iter().map(|name| {
        pipeline.plugin_named(name).cloned().ok_or_else(|| {
            let used = pipeline.plugin_sources().into_iter().map(|(source, _)| source.to_string());
            let known: Vec<String> = pipeline.named_plugins().keys().cloned().chain(used).collect();
            CliError::usage(
                format!("the pipeline has no plugin `{name}`"),
                format!("its plugins are: {}", known.join(", ")),
            )
        })
    });
    named.collect()
}

/// What a pipeline is, in every environment.
pub(super) struct Everything {
    pub(super) lock: Lock,
    /// One of its plans.
    pub(super) plan: Plan,
    /// The plugins that it uses.
    pub(super) used: Vec<Pinned>,
    /// What could not be planned.
    pub(super) notes: Vec<String>,
}

/// Loads all plugins, and plans the pipeline wherever it can be.
pub(super) async fn everything(text: &Text, known: &Known<'_>) -> Result<Everything, CliError> {
    let pipeline = parse_tolerant(&text.source);
    let mut notes = Vec::new();
    let facts = facts(text, &pipeline, NO_RUN, &mut notes);
    let loaded = load(text, &pipeline, 1, known).await?;
    let in_environment = |environment: Option<&str>| {
        let facts = Facts { environment: environment.map(str::to_owned), ..facts.clone() };
        plan(&pipeline, &text.source, &facts, &loaded.descriptions)
    };
    let mut plans = Vec::new();
    let mut failed: Option<Diagnostics> = None;
    for environment in std::iter::once(None).chain(pipeline.environment_names().map(Some)) {
        match (in_environment(environment), environment) {
            (Ok(plan), _) => plans.push(plan),
            // It may well be one that needs an environment.
            (Err(found), None) => failed = Some(found),
            (Err(_), Some(name)) => notes.push(format!(
                "the pipeline cannot be planned for environment `{name}` here, so the lock may lack grants of it: windlass plan --env {name}"
            )),
        }
    }
    if plans.is_empty() {
        let found = failed.map(|found| plugin_problem::explain(found, loaded.problems, &pipeline, &text.source));
        return Err(CliError::Pipeline(found.unwrap_or_default(), notes));
    }
    let used = loaded.pinned.clone();
    let plugins = used.iter().cloned().chain(unused(text, &pipeline, known, &used).await?).collect();
    let lock = Lock::of(&plans.iter().collect::<Vec<_>>(), plugins);
    Ok(Everything { lock, plan: plans.swap_remove(0), used, notes })
}

/// The plugins of `[plugins]` that no step uses yet. One that is not there is of no matter until a step uses it.
async fn unused(text: &Text, pipeline: &Pipeline, known: &Known<'_>, used: &[Pinned]) -> Result<Vec<Pinned>, CliError> {
    let used: HashSet<&PluginSource> = used.iter().map(|pinned| &pinned.source).collect();
    let all = Sources::default();
    let mut found = Vec::new();
    for source in pipeline.named_plugins().values().filter(|source| !used.contains(source)) {
        let looked = match sources::key(pipeline, source, &text.workspace) {
            Ok(key) => all.find(source, &text.workspace, known, key.as_ref()).await,
            Err(missing) => Err(missing),
        };
        match looked {
            Ok(one) => found.push(one.pinned),
            Err(Missing::Failed(error)) => return Err(error),
            Err(Missing::Bad(..) | Missing::Unpinned) => {}
        }
    }
    Ok(found)
}
