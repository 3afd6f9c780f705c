//! `windlass run`: runs a pipeline.

use std::num::NonZeroUsize;

use clap::Args;
use windlass_engine::RunOptions;
use windlass_journal::{RunFlags, new_run_id};

use crate::args::{FileArg, Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::finish::Told;
use crate::locked::LockedArg;
use crate::prepare::{Text, prepare_locked};
use crate::start::Start;
use crate::waiting::WaitArg;
use crate::{files, offline, output, runtime};

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
    /// Stop at the first failure, leave the step's containers and what it wrote, and say how to enter them
    #[arg(long, conflicts_with_all = ["keep_going", "offline"])]
    break_on_failure: bool,
    /// Go on with stages that do not need the one that failed
    #[arg(long)]
    keep_going: bool,
    /// Answer every call from the record of an earlier run: no Docker, no network, no effect
    #[arg(long)]
    offline: bool,
    /// The run whose record answers [default: the newest of this pipeline that has ended]
    #[arg(long, value_name = "RUN", requires = "offline")]
    from: Option<String>,
    #[command(flatten)]
    locked: LockedArg,
    #[command(flatten)]
    wait: WaitArg,
    /// Print nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Run) -> Result<Exit, CliError> {
    let text = Text::read(&args.file)?;
    let run = new_run_id();
    let keep = args.keep || args.break_on_failure;
    let mut options = RunOptions {
        keep,
        keep_files: args.break_on_failure,
        fail_fast: !args.keep_going,
        wait: args.wait.stays(),
        ..RunOptions::default()
    };
    if let Some(jobs) = args.jobs {
        options.jobs = jobs.get();
    }
    let state = text.workspace.join(files::STATE);
    let small = runtime::small()?;
    let locked = args.locked.is_wanted();
    let recorded = if args.offline { Some(offline::recorded(&text, &state, args.from.as_deref())?) } else { None };
    let prepared = small.block_on(async {
        match &recorded {
            Some(recorded) => offline::prepare(&text, recorded, options.jobs, locked).await,
            None => prepare_locked(&text, &run, options.jobs, locked).await,
        }
    })?;
    if !prepared.plan.warnings.is_empty() && !args.quiet && args.format.format == Format::Human {
        output::say(prepared.plan.warnings.render(true));
    }
    if let Some(locked) = prepared.locked.as_ref().filter(|locked| !args.quiet && locked.widens())
        && args.format.format == Format::Human
    {
        output::say(locked.notice());
    }
    let from = recorded.as_ref().map(|recorded| recorded.started.run.clone());
    if !args.quiet
        && args.format.format == Format::Human
        && let Some(from) = &from
    {
        output::say(offline::notice(from));
    }
    let flags = RunFlags {
        keep,
        keep_going: args.keep_going,
        jobs: args.jobs.map(|jobs| u32::try_from(jobs.get()).unwrap_or(u32::MAX)),
        offline: from,
        env: prepared.facts.environment.clone(),
    };
    let told = Told { quiet: args.quiet, format: args.format.format };
    Start { text, run, state, small, prepared, options, flags, told, recorded }.go()
}
