//! `windlass plugin pull`: a plugin comes from a registry.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use windlass_registry::Reference;

use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::sources::Sources;
use crate::style::DIM;
use crate::{files, output, runtime};

/// Pull a plugin from a registry into the cache, and into a file if one is named
///
/// What comes is hashed while it comes, and kept only if it has the digest that it is called by.
#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// Where from, as `registry.example/team/audit:1.2`
    #[arg(value_name = "REFERENCE")]
    from: String,
    /// The file to write it to
    #[arg(value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Pull) -> Result<Exit, CliError> {
    let from = reference(&args.from)?;
    let sources = Sources::default();
    let registry = sources.registry()?;
    let pulled = runtime::small()?.block_on(async {
        let found = registry.resolve(&from).await?;
        registry.fetch(&from, &found.component).await?;
        Ok::<_, CliError>(found)
    })?;
    if let Some(to) = &args.to {
        let bytes = registry.read(&pulled.component)?;
        files::write_whole(to, |out| out.write_all(&bytes).map_err(CliError::Output))?;
    }
    match args.format.format {
        Format::Human => {
            let place = args.to.as_ref().map(|to| format!(" to {}", to.display())).unwrap_or_default();
            output::text(&format!(
                "pulled {from}{place}, {} bytes\n  {DIM}component {}\n  manifest  {}{DIM:#}\n",
                pulled.size, pulled.component, pulled.manifest
            ))?;
        }
        Format::Json => output::json(&json!({
            "reference": from.to_string(),
            "digest": pulled.component,
            "manifest": pulled.manifest,
            "size": pulled.size,
            "file": args.to.as_ref().map(|to| to.display().to_string()),
        }))?,
    }
    Ok(Exit::SUCCESS)
}

/// A reference as a person writes it; a pipeline has `oci:` before it.
pub(super) fn reference(text: &str) -> Result<Reference, CliError> {
    Ok(Reference::parse(text.strip_prefix("oci:").unwrap_or(text))?)
}
