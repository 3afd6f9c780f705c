//! `windlass run`: runs a pipeline.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use windlass_engine::{Cancel, RunOptions};
use windlass_journal::{Journal, RunFlags, RunStarted, Writer, WriterOptions, new_run_id};
use windlass_pipeline::SecretSource;
use windlass_view::{LiveOptions, RunModel};

use crate::args::{FileArg, Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::finish::{Told, finish};
use crate::prepare::{Prepared, Text, prepare};
use crate::{files, output, runtime, signals, versions, view_style, world};

/// Run a pipeline
///
/// Runs the stages as their needs allow, each step in a sandbox of its own, and records everything in
/// `.windlass/` beside the pipeline. The first Ctrl-C ends the run and cleans up what it made; a
/// second one ends it at once.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    file: FileArg,
    /// How many stages may run at a time [default: the number of cores, at least 4]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Leave what a failed run made in Docker, to look at it
    #[arg(long)]
    keep: bool,
    /// Go on with stages that do not need the one that failed
    #[arg(long)]
    keep_going: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Run) -> Result<Exit, CliError> {
    let text = Text::read(&args.file.file)?;
    let run = new_run_id();
    let mut options = RunOptions { keep: args.keep, fail_fast: !args.keep_going, ..RunOptions::default() };
    if let Some(jobs) = args.jobs {
        options.jobs = jobs.get();
    }
    let small = runtime::small()?;
    let prepared = small.block_on(prepare(&text, &run, options.jobs))?;
    if !prepared.plan.warnings.is_empty() && !args.quiet && args.format.format == Format::Human {
        output::say(prepared.plan.warnings.render(true));
    }
    let state = text.workspace.join(files::STATE);
    let writer = begin(args, &text, &prepared, &run, &state)?;
    let cancel = Cancel::new();
    signals::watch(cancel.clone(), run.clone(), state.clone())?;
    let gate = world::gate(writer, &prepared.plan, &run, &text.workspace, state.clone());
    // The threads of a large runtime cost more than a single step does.
    let runtime = if prepared.plan.steps.len() == 1 { small } else { runtime::large(options.jobs)? };
    let Prepared { plan, plugins, sandbox, .. } = prepared;
    let engine = windlass_engine::Run { plan: Arc::new(plan), plugins, gate: Arc::new(gate), options, recording: None };
    let ended = runtime.block_on(engine.execute(cancel));
    // To take it apart takes longer than to leave it to the system.
    std::mem::forget((runtime, sandbox));
    finish(Told { quiet: args.quiet, format: args.format.format }, &run, &state, &ended)
}

/// Opens the journal and writes the first record, which pins what the run is made from.
fn begin(args: &Run, text: &Text, prepared: &Prepared, run: &str, state: &Path) -> Result<Writer, CliError> {
    let Prepared { plan, facts, .. } = prepared;
    if files::is_link(state) {
        return Err(CliError::machine(
            format!("{} is a link, and records are written only to a folder beside the pipeline", state.display()),
            "remove the link",
        ));
    }
    let journal = Journal::open_or_create(state)?;
    let started = RunStarted {
        run: run.to_owned(),
        pipeline: plan.name.clone(),
        file: args.file.file.display().to_string(),
        workspace: facts.workspace.clone(),
        source: text.source.text.as_str().into(),
        facts: recorded(prepared),
        plugins: prepared.pins(),
        versions: versions::all(),
        stages: u32::try_from(plan.stages.len()).unwrap_or(u32::MAX),
        steps: u32::try_from(plan.steps.len()).unwrap_or(u32::MAX),
        flags: RunFlags {
            keep: args.keep,
            keep_going: args.keep_going,
            jobs: args.jobs.map(|jobs| u32::try_from(jobs.get()).unwrap_or(u32::MAX)),
            offline: None,
        },
    };
    let live = LiveOptions {
        style: view_style::style(),
        format: args.format.format.into(),
        quiet: args.quiet,
        verbose: false,
        size: Some(view_style::size),
        before: RunModel::default(),
    };
    let observer = Some(windlass_view::live(live, output::shared()));
    Ok(journal.start_run(WriterOptions { observer, ..WriterOptions::default() }, started)?)
}

/// What the plan was made from, under the names that the pipeline has for it. Secrets are told by
/// where they are.
fn recorded(prepared: &Prepared) -> BTreeMap<String, String> {
    let facts = &prepared.facts;
    let env = facts.env.iter().map(|(name, value)| (format!("env.{name}"), value.clone()));
    let git = facts.git.iter().map(|(name, value)| (format!("git.{name}"), value.clone()));
    let secrets = prepared.plan.secrets.iter().map(|(name, source)| {
        let place = match source {
            SecretSource::Env(variable) => format!("env:{variable}"),
            SecretSource::File(path) => format!("file:{path}"),
        };
        (format!("secrets.{name}"), place)
    });
    env.chain(git).chain(secrets).collect()
}
