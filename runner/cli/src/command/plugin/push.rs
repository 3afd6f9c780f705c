//! `windlass plugin push`: a plugin goes into a registry.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use windlass_registry::{ComponentInfo, Reference};
use windlass_sandbox::Component;

use super::pull::reference;
use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::prepare::open_sandbox;
use crate::sources::Sources;
use crate::style::{BOLD, DIM};
use crate::{files, output, plugin_problem, runtime};

/// Push a plugin to a registry
///
/// Any container registry will do. The login is that of `docker login`; plain HTTP is spoken only to this machine. What
/// is no plugin that this Windlass can run is not pushed.
#[derive(Debug, Args)]
pub(crate) struct Push {
    /// The component's file
    #[arg(value_name = "FILE")]
    plugin: PathBuf,
    /// Where to, as `registry.example/team/audit:1.2`
    #[arg(value_name = "REFERENCE")]
    to: String,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Push) -> Result<Exit, CliError> {
    let to = reference(&args.to)?;
    let file = args.plugin.display().to_string();
    let bytes = files::read_plugin(&args.plugin).map_err(|why| CliError::Plugin {
        message: format!("plugin `{file}` cannot be read: {why}"),
        help: Some("build it first, or correct the path".to_owned()),
    })?;
    let small = runtime::small()?;
    let (info, pushed) = small.block_on(async {
        let info = info(&file, &bytes).await?;
        let pushed = Sources::default().registry()?.push(&to, bytes, &info).await?;
        Ok::<_, CliError>((info, pushed))
    })?;
    match args.format.format {
        Format::Human => output::text(&human(&to, &info, &pushed.component, &pushed.manifest))?,
        Format::Json => output::json(&json!({
            "reference": to.to_string(),
            "name": info.name,
            "version": info.version,
            "digest": pushed.component,
            "manifest": pushed.manifest,
            "size": pushed.size,
        }))?,
    }
    Ok(Exit::SUCCESS)
}

/// What the artifact says of the plugin.
async fn info(file: &str, bytes: &[u8]) -> Result<ComponentInfo, CliError> {
    let component = || Component::from_bytes(file, bytes.to_vec());
    let examined = windlass_sandbox::examine(component()).map_err(plugin_problem::refused)?;
    let plugin = open_sandbox(1)?.load(component()).await.map_err(plugin_problem::refused)?;
    plugin_problem::served(&plugin)?;
    let description = plugin.description();
    let imports = examined.imports.into_iter().map(|import| match import.version.as_str() {
        "" => import.name,
        version => format!("{}@{version}", import.name),
    });
    Ok(ComponentInfo {
        name: description.name.clone(),
        version: description.version.clone(),
        exports: examined.exports,
        imports: imports.collect(),
        core_module: examined.adapted,
    })
}

fn human(to: &Reference, info: &ComponentInfo, component: &str, manifest: &str) -> String {
    // A program for WASI has no version.
    let version = if info.version.is_empty() { String::new() } else { format!(" {}", info.version) };
    format!(
        "pushed {BOLD}{}{BOLD:#}{version} to {to}\n  {DIM}component {component}\n  manifest  {manifest}{DIM:#}\nto use it: windlass plugin add {to}\n",
        info.name
    )
}
