//! `windlass plugin add`: a plugin of a registry becomes one of the pipeline.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use windlass_pipeline::diagnostic::codes;
use windlass_pipeline::lock::{Lock, Pinned};
use windlass_pipeline::{PluginSource, Source, add_plugin, parse, parse_tolerant};
use windlass_sandbox::Plugin;

use super::pull::reference;
use super::update;
use crate::args::{FileArg, Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::prepare::{Text, open_sandbox};
use crate::sources::{Found, Known, Missing, Sources, read_key};
use crate::style::{BOLD, DIM};
use crate::{files, locked, output, plugin_problem, runtime};

/// Add a plugin of a registry to a pipeline, and pin it in `pipeline.lock`
///
/// Writes one line into `[plugins]`; nothing else of the file changes. What the plugin may do is up to the steps that
/// use it.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The plugin, as `registry.example/team/audit:1.2`
    #[arg(value_name = "REFERENCE")]
    from: String,
    /// What to call it [default: the last part of its path]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The public key with which it has to be signed, as `cosign generate-key-pair` writes it
    #[arg(long, value_name = "FILE")]
    key: Option<String>,
    /// The pipeline
    #[arg(long, value_name = "FILE", default_value = files::PIPELINE)]
    file: PathBuf,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Add) -> Result<Exit, CliError> {
    let from = reference(&args.from)?;
    let text = Text::read(&FileArg { file: args.file.clone(), env: None })?;
    readable(&text)?;
    let name = args.name.clone().unwrap_or_else(|| from.name().to_owned());
    let edited = add_plugin(&text.source, &name, &from.to_string(), args.key.as_deref())
        .map_err(|error| CliError::usage(error.to_string(), "choose another name with `--name`, or edit the file"))?;
    let lock = locked::read(&text)?.map(|file| file.lock);
    let source = PluginSource::Oci(from.to_string());
    let small = runtime::small()?;
    let (plugin, pinned) = small.block_on(load(&source, &text, args.key.as_deref()))?;
    let text = Text { source: Source { name: text.source.name.clone(), text: edited }, ..text };
    let lock = match lock {
        Some(mut lock) => {
            lock.pin(pinned.clone());
            lock
        }
        None => small.block_on(first_lock(&text, pinned.clone()))?,
    };
    files::write_whole(&args.file, |out| out.write_all(text.source.text.as_bytes()).map_err(CliError::Output))?;
    let shown = locked::write(&text, &lock)?;
    match args.format.format {
        Format::Human => output::text(&human(&name, &args.file.display().to_string(), &shown, &plugin, &pinned))?,
        Format::Json => output::json(&json!({
            "name": name,
            "source": source,
            "digest": pinned.digest,
            "manifest": pinned.manifest,
            "file": args.file.display().to_string(),
            "lock": shown,
            "description": &**plugin.description(),
        }))?,
    }
    Ok(Exit::SUCCESS)
}

/// What is not TOML cannot be edited without harm, and a lock is that of a pipeline by its name. All else can be wrong.
fn readable(text: &Text) -> Result<(), CliError> {
    let Err(found) = parse(&text.source) else { return Ok(()) };
    let unreadable = [codes::SYNTAX, codes::TOO_DEEP, codes::DUPLICATE_KEY];
    let broken = found.diagnostics.iter().any(|one| unreadable.contains(&one.code));
    if broken || parse_tolerant(&text.source).name.is_empty() {
        return Err(CliError::Pipeline(vec![found], Vec::new()));
    }
    Ok(())
}

/// The plugin that the tag points to now. It has to be one.
async fn load(source: &PluginSource, text: &Text, key: Option<&str>) -> Result<(Plugin, Pinned), CliError> {
    let key = key.map(|key| read_key(&text.workspace.join(key))).transpose().map_err(Missing::into_error)?;
    let found = Sources::default().find(source, &text.workspace, &Known::default(), key.as_ref()).await;
    let Found { component, pinned } = found.map_err(Missing::into_error)?;
    let plugin = open_sandbox(1)?.load(component).await.map_err(plugin_problem::refused)?;
    plugin_problem::served(&plugin)?;
    Ok((plugin, pinned))
}

/// The first lock has everything. A pipeline that cannot be planned yet gets one that has the plugin alone.
async fn first_lock(text: &Text, pinned: Pinned) -> Result<Lock, CliError> {
    let known = Known { pinned: vec![pinned.clone()], ..Known::default() };
    match update::everything(text, &known).await {
        Ok(update::Everything { lock, .. }) => Ok(lock),
        Err(CliError::Pipeline(..)) => {
            let mut lock = Lock::empty(&parse_tolerant(&text.source).name);
            lock.pin(pinned);
            Ok(lock)
        }
        Err(error) => Err(error),
    }
}

fn human(name: &str, file: &str, lock: &str, plugin: &Plugin, pinned: &Pinned) -> String {
    let description = plugin.description();
    // A program for WASI has no version.
    let version = if description.version.is_empty() { String::new() } else { format!(" {}", description.version) };
    let mut text = format!(
        "added {BOLD}{name}{BOLD:#} ({}{version}) to {file}, and pinned it in {lock}\n  {DIM}{}{DIM:#}\n",
        description.name, pinned.digest
    );
    let wanted = description.capabilities.iter();
    for used in wanted {
        let how = if used.required { "needs" } else { "can use" };
        text.push_str(&format!("  it {how} {}: {}\n", used.capability, used.reason));
    }
    text.push_str(&format!("to use it: `uses = \"{name}\"` in a step, with the `grants` that it is to have\n"));
    text
}
