//! `windlass run`: runs a pipeline.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use windlass_engine::{Cancel, Origin, RunOptions};
use windlass_journal::{Journal, Record, RunFlags, RunStarted, Writer, WriterOptions, new_run_id};
use windlass_pipeline::SecretSource;
use windlass_view::{LiveOptions, RunModel};

use crate::args::{FileArg, Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::finish::{Told, finish};
use crate::prepare::{Prepared, Text, prepare};
use crate::{files, offline, output, runtime, signals, versions, view_style, world};

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
    /// Answer every call from the record of an earlier run: no Docker, no network, no effect
    #[arg(long)]
    offline: bool,
    /// The run whose record answers [default: the newest of this pipeline that has ended]
    #[arg(long, value_name = "RUN", requires = "offline")]
    from: Option<String>,
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
    let state = text.workspace.join(files::STATE);
    let small = runtime::small()?;
    let recorded = if args.offline { Some(offline::recorded(&text, &state, args.from.as_deref())?) } else { None };
    let prepared = small.block_on(async {
        match &recorded {
            Some(recorded) => offline::prepare(&text, recorded, options.jobs).await,
            None => prepare(&text, &run, options.jobs).await,
        }
    })?;
    if !prepared.plan.warnings.is_empty() && !args.quiet && args.format.format == Format::Human {
        output::say(prepared.plan.warnings.render(true));
    }
    let from = recorded.as_ref().map(|recorded| recorded.started.run.clone());
    if !args.quiet
        && args.format.format == Format::Human
        && let Some(from) = &from
    {
        output::say(offline::notice(from));
    }
    let writer = begin(args, &text, &prepared, &run, &state, from.clone())?;
    if let Some(from) = &from {
        writer.append(Record::Notice { step: None, message: offline::notice(from) });
    }
    let cancel = Cancel::new();
    signals::watch(cancel.clone(), run.clone(), state.clone())?;
    let gate = world::gate(writer, &prepared.plan, &run, &text.workspace, state.clone());
    // The threads of a large runtime cost more than a single step does.
    let runtime = if prepared.plan.steps.len() == 1 { small } else { runtime::large(options.jobs)? };
    let Prepared { plan, plugins, sandbox, .. } = prepared;
    let origin = recorded.map_or(Origin::Fresh, |recorded| Origin::Offline(Box::new(recorded)));
    let engine = windlass_engine::Run { plan: Arc::new(plan), plugins, gate: Arc::new(gate), options, origin };
    let ended = runtime.block_on(engine.execute(cancel));
    // To take it apart takes longer than to leave it to the system.
    std::mem::forget((runtime, sandbox));
    finish(Told { quiet: args.quiet, format: args.format.format }, &run, &state, &ended)
}

/// Opens the journal and writes the first record, which pins what the run is made from.
fn begin(
    args: &Run,
    text: &Text,
    prepared: &Prepared,
    run: &str,
    state: &Path,
    offline: Option<String>,
) -> Result<Writer, CliError> {
    let Prepared { plan, facts, .. } = prepared;
    if files::is_link(state) {
        return Err(CliError::machine(
            format!("{} is a link, and records are written only to a folder beside the pipeline", state.display()),
            "remove the link",
        ));
    }
    let journal = Journal::open_or_create(state)?;
    if !args.quiet
        && args.format.format == Format::Human
        && let Some(open) = journal.interrupted(&plan.name)?
    {
        output::say(format_args!(
            "run {open} of this pipeline was interrupted; to go on with it instead: windlass resume {open}"
        ));
    }
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
            offline,
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
