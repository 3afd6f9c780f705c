//! `windlass plugin build`: a project becomes a component, made by the tools of its language.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::named::Named;
use crate::prepare::open_sandbox;
use crate::project::Project;
use crate::style::{DIM, GOOD};
use crate::{files, output, plugin_problem, runtime, toolchain};

/// Build a plugin with the tools of its language
///
/// Builds the project of `windlass-plugin.toml`, says what is missing and how to get it, and writes the component
/// once it is known that this Windlass can run it.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The project's folder
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// The component to write [default: what the project says, else NAME.wasm in its folder]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Build) -> Result<Exit, CliError> {
    let begin = Instant::now();
    let project = Project::read(&args.folder)?;
    let bytes = toolchain::build(&project)?;
    let built = begin.elapsed();
    let file = args.output.clone().unwrap_or_else(|| args.folder.join(&project.output));
    let name = file.display().to_string();
    let name = name.strip_prefix("./").unwrap_or(&name);
    let named = Named::bytes(name, bytes.clone());
    let size = named.size;
    let plugin = runtime::small()?.block_on(named.load(&open_sandbox(1)?))?;
    plugin_problem::served(&plugin)?;
    files::write_whole(&file, |out| out.write_all(&bytes).map_err(CliError::from))?;
    let described = plugin.description();
    for (what, said, own) in
        [("name", Some(&project.name), &described.name), ("version", project.version.as_ref(), &described.version)]
    {
        if let Some(said) = said.filter(|said| *said != own) {
            output::warning(format_args!(
                "the plugin gives its {what} as `{own}`, and {} as `{said}`",
                crate::project::FILE
            ));
        }
    }
    match args.format.format {
        Format::Human => output::text(&format!(
            "{GOOD}built{GOOD:#} {name}: {} {}, {} bytes, in {:.1} s\n{DIM}{}{DIM:#}\n",
            described.name,
            described.version,
            size,
            built.as_secs_f64(),
            plugin.digest(),
        ))?,
        Format::Json => output::json(&json!({
            "type": "built",
            "file": name,
            "name": described.name,
            "version": described.version,
            "language": project.language.name(),
            "size": size,
            "digest": plugin.digest(),
            "took-ms": u64::try_from(built.as_millis()).unwrap_or(u64::MAX),
        }))?,
    }
    Ok(Exit::SUCCESS)
}
