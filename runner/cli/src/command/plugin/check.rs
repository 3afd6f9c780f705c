//! `windlass plugin check`: whether this Windlass can run a component, and what it asks for.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value as Json, json};
use windlass_pipeline::Description;
use windlass_sandbox::{Examined, Import, Kind, Plugin, Sandbox};

use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::named::Named;
use crate::prepare::open_sandbox;
use crate::style::{BOLD, DIM, ERROR, GOOD};
use crate::{output, plugin_problem, runtime};

/// Say whether this Windlass can run a component: what it needs, what it is, how large and how quick
///
/// Names each interface that the component imports with its version, and whether it is served here; then loads it,
/// and starts it to ask what it is. Ends with code 2 if it cannot be run.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A component's file; a built-in plugin, as `builtin:image`; or one of a registry, as `oci:REFERENCE`
    #[arg(value_name = "FILE")]
    plugin: String,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// A component that can be run.
struct Ready {
    plugin: Plugin,
    /// How long it took to have it ready, compiled or from the cache.
    loaded: Duration,
    /// How long an instance takes to start.
    starts: Duration,
}

/// Does it.
pub(crate) fn run(args: &Check) -> Result<Exit, CliError> {
    let named = Named::find(&args.plugin)?;
    let (source, digest) = (named.source.clone(), named.component.digest.clone());
    let examined = windlass_sandbox::examine(Named::find(&args.plugin)?.component).map_err(plugin_problem::refused)?;
    let sandbox = open_sandbox(1)?;
    let loaded = runtime::small()?.block_on(ready(named, &sandbox));
    match args.format.format {
        Format::Human => {
            output::text(&human(&source, &digest, &examined, loaded.as_ref().ok()))?;
            loaded?;
            Ok(Exit::SUCCESS)
        }
        Format::Json => {
            let (exit, told) = match &loaded {
                Ok(loaded) => (Exit::SUCCESS, served(loaded)),
                Err(error) => (error.exit(), json!({ "error": error.to_json() })),
            };
            let mut found = found(&source, &digest, &examined);
            if let (Json::Object(found), Json::Object(told)) = (&mut found, told) {
                found.extend(told);
            }
            output::json(&found)?;
            Ok(exit)
        }
    }
}

async fn ready(named: Named, sandbox: &Sandbox) -> Result<Ready, CliError> {
    let begin = Instant::now();
    let plugin = named.load(sandbox).await?;
    let loaded = begin.elapsed();
    plugin_problem::served(&plugin)?;
    // The first start has to read the code from the disk.
    plugin.starts_in().await.map_err(plugin_problem::refused)?;
    let starts = plugin.starts_in().await.map_err(plugin_problem::refused)?;
    Ok(Ready { plugin, loaded, starts })
}

fn found(source: &str, digest: &str, examined: &Examined) -> Json {
    let imports = examined.imports.iter().map(|import| {
        json!({
            "interface": import.name,
            "version": import.version,
            "served": import.problem.is_none(),
            "problem": import.problem.as_deref().map(str::trim),
        })
    });
    json!({
        "source": source,
        "digest": digest,
        "size": examined.size,
        "kind": word(examined),
        "adapted": examined.adapted,
        "exports": examined.exports,
        "imports": imports.collect::<Vec<_>>(),
    })
}

fn served(Ready { plugin, loaded, starts }: &Ready) -> Json {
    json!({
        "loaded-us": micros(*loaded),
        "starts-us": micros(*starts),
        "description": &**plugin.description(),
    })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn word(examined: &Examined) -> &'static str {
    match examined.kind {
        Kind::Step => "plugin",
        Kind::Command => "command",
        Kind::OtherWorld => "other",
        Kind::Module => "module",
        _ => "unknown",
    }
}

fn human(source: &str, digest: &str, examined: &Examined, loaded: Option<&Ready>) -> String {
    let what = match (examined.kind, examined.adapted) {
        (Kind::Step, _) => "a plugin",
        (Kind::Command, false) => "a program",
        (Kind::Command, true) => "a program for wasm32-wasip1, which is adapted when it is loaded",
        (Kind::Module, _) => "a core module",
        _ => "a component of another world",
    };
    let mut text = String::new();
    let _ = writeln!(text, "{BOLD}{source}{BOLD:#}: {what}, {} bytes", examined.size);
    let _ = writeln!(text, "{DIM}{digest}{DIM:#}");
    section(&mut text, "exports", examined.exports.iter().cloned());
    section(&mut text, "imports", examined.imports.iter().map(imported));
    let Some(Ready { plugin, loaded, starts }) = loaded else { return text };
    let Description { name, version, documentation, capabilities, .. } = &**plugin.description();
    let _ = writeln!(text, "\n{BOLD}{name}{BOLD:#} {version}");
    if let Some(summary) = documentation.lines().map(str::trim).find(|line| !line.is_empty()) {
        let _ = writeln!(text, "  {summary}");
    }
    for used in capabilities {
        let how = if used.required { "requires" } else { "can use" };
        let _ = writeln!(text, "  {how} {}: {}", used.capability, used.reason);
    }
    let _ = writeln!(
        text,
        "\n{GOOD}good{GOOD:#}: this Windlass runs it; loaded in {}, an instance starts in {}",
        time(*loaded),
        time(*starts),
    );
    text
}

fn section(text: &mut String, heading: &str, lines: impl ExactSizeIterator<Item = String>) {
    let _ = writeln!(text, "\n{BOLD}{heading}{BOLD:#}");
    if lines.len() == 0 {
        let _ = writeln!(text, "  none");
    }
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

fn imported(Import { name, version, problem }: &Import) -> String {
    let name = if version.is_empty() { name.clone() } else { format!("{name} {version}") };
    match problem {
        None => name,
        Some(_) => format!("{name} {ERROR}not served{ERROR:#}"),
    }
}

/// `2.1 s`, `350 ms`, `85 us`.
fn time(time: Duration) -> String {
    match time.as_micros() {
        us @ 0..1_000 => format!("{us} us"),
        us @ 1_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
