//! `windlass replay`: a recorded run once more, from its record alone.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value as Json, json};
use windlass_engine::{Difference, Origin, Replayed};
use windlass_gate::{Divergence, Recording};
use windlass_journal::{Journal, Replayability, RunSummary, Status, StepIndex, WriterOptions};
use windlass_pipeline::{Plan, parse_tolerant};

use crate::args::{Format, FormatArg, JournalArg};
use crate::error::{CliError, number};
use crate::exit::Exit;
use crate::prepare::{Prepared, Text};
use crate::{answers, files, output, pinned, runtime, style, versions, world};

/// Run the components of a run again from its record
///
/// No Docker, no network, no effect: whatever a step asks for is answered from the journal. Prints the same outcome, or
/// the first thing that is not as it was recorded, and then ends with code 1.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The run, by its id or the beginning of it [default: the newest]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Only this stage, or only this step
    #[arg(value_name = "STAGE[/STEP]")]
    only: Option<String>,
    /// Replay another build of a plugin: would it have done the same?
    #[arg(long, value_name = "PLUGIN=FILE")]
    with: Vec<String>,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Replay) -> Result<Exit, CliError> {
    let state = files::state(args.journal.within.as_deref())?;
    let reader = Journal::open(&state)?;
    let run = reader.resolve(args.run.as_deref())?;
    replayable(&reader, &run)?;
    let recording = Recording::read(&reader, &run)?;
    let started = recording.started.clone();
    let text = Text::recorded(&started, files::beside(&state)?);
    let with = with(args, &text)?;
    let instead: Vec<_> = with.iter().map(|(name, file)| (name.clone(), file.as_path())).collect();
    let small = runtime::small()?;
    let prepared = small.block_on(pinned::prepare(&text, &started, 1, &instead))?;
    let replaced: Vec<&str> = with.iter().map(|(name, _)| name.as_str()).collect();
    pinned::same_plugins(&prepared, &recording, &replaced)?;
    let wanted = wanted(&prepared.plan, args.only.as_deref())?;

    // What the gate writes is of no use to anybody: the record is there already.
    let aside = files::aside()?;
    let writer = Journal::open_or_create(aside.path())?.start_run(WriterOptions::default(), started.clone())?;
    let gate = world::gate(writer, &prepared.plan, &run.id, &text.workspace, aside.path().to_owned(), false)?;
    let Prepared { plan, plugins, sandbox: _sandbox, .. } = prepared;
    let plan = Arc::new(plan);
    let replayed = windlass_engine::Run {
        plan: Arc::clone(&plan),
        plugins,
        gate: Arc::new(gate),
        options: pinned::options(&started.flags),
        origin: Origin::Interrupted(Box::new(recording.clone())),
    };
    let human = args.format.format == Format::Human;
    if human {
        output::text(&format!("replay of run {} of {}, from its record alone\n", run.id, started.pipeline))?;
    }
    let mut told = Ok(());
    let tell = |step: &Replayed| {
        if human && told.is_ok() {
            told = output::text(&line(&plan, step));
        }
    };
    let all = small.block_on(replayed.replay(&state, |StepIndex(index)| wanted.contains(&index), tell));
    told?;
    let differs = all.iter().find_map(|step| Some((step, step.difference.as_ref()?)));
    match args.format.format {
        Format::Human => output::text(&summary(&plan, &recording, &all, differs))?,
        Format::Json => output::json(&as_json(&plan, &run, &recording, &all))?,
    }
    Ok(if differs.is_some() { Exit(1) } else { Exit::SUCCESS })
}

fn replayable(reader: &windlass_journal::Reader, run: &RunSummary) -> Result<(), CliError> {
    match reader.replayability(run, &versions::all())? {
        Replayability::Replayable => Ok(()),
        Replayability::NotReplayable(reasons) => {
            let reasons: Vec<_> = reasons.iter().map(|reason| format!("  {reason}")).collect();
            Err(CliError::usage(
                format!("run `{}` cannot be replayed:\n{}", run.id, reasons.join("\n")),
                format!("what it did is in `windlass show {} --calls`", run.id),
            ))
        }
        _ => Err(CliError::usage(
            format!("run `{}` has not ended, so there is nothing to compare with yet", run.id),
            format!("if it was interrupted: windlass resume {}", run.id),
        )),
    }
}

/// The files that stand in for plugins, by the plugins' sources.
fn with(args: &Replay, text: &Text) -> Result<Vec<(String, PathBuf)>, CliError> {
    let pipeline = parse_tolerant(&text.source);
    args.with
        .iter()
        .map(|given| {
            let Some((name, file)) = given.split_once('=') else {
                return Err(CliError::usage(
                    format!("`--with {given}` does not say which plugin the file stands in for"),
                    "write `--with image=build/image.wasm`",
                ));
            };
            match pipeline.plugin_named(name) {
                Some(source) => Ok((source.to_string(), PathBuf::from(file))),
                None => {
                    let all: Vec<_> = pipeline.plugin_sources().iter().map(|(source, _)| source.to_string()).collect();
                    Err(CliError::usage(
                        format!("the run has no plugin `{name}`"),
                        format!("its plugins are: {}", all.join(", ")),
                    ))
                }
            }
        })
        .collect()
}

/// Which steps are meant.
fn wanted(plan: &Plan, only: Option<&str>) -> Result<Range<u32>, CliError> {
    Ok(match only {
        None => 0..u32::MAX,
        Some(step) if step.contains('/') => {
            let StepIndex(index) = answers::step(plan, step)?;
            index..index + 1
        }
        Some(name) => match plan.stages.iter().find(|stage| *stage.name == *name) {
            Some(stage) => stage.steps.clone(),
            None => {
                let all: Vec<&str> = plan.stages.iter().map(|stage| &*stage.name).collect();
                return Err(CliError::usage(
                    format!("the run has no stage `{name}`"),
                    format!("its stages are: {}", all.join(", ")),
                ));
            }
        },
    })
}

fn line(plan: &Plan, step: &Replayed) -> String {
    let (style, word) = match step.difference {
        None => (style::GOOD, "same"),
        Some(_) => (style::ERROR, "differs"),
    };
    let name = answers::name(plan, step.step);
    format!("  {style}{word:<7}{style:#}  {name}  {}, {}\n", number(step.calls, "call"), status(step.status))
}

fn summary(plan: &Plan, recording: &Recording, all: &[Replayed], differs: Option<(&Replayed, &Difference)>) -> String {
    let Some((step, difference)) = differs else {
        let calls = all.iter().map(|step| step.calls).sum();
        let ended = match recording.ended {
            Some((status_, code)) => format!("the run {}, exit code {code}", status(status_)),
            None => "the run did not end".to_owned(),
        };
        return format!("{}, {}: all as recorded; {ended}\n", number(all.len(), "step"), number(calls, "call"));
    };
    let name = answers::name(plan, step.step);
    match difference {
        Difference::Call(divergence) => format!("\nfirst difference, in step {name}: {}\n", sides(divergence)),
        Difference::Outcome { recorded, actual } => {
            format!("\nfirst difference: step {name} ended otherwise\n  recorded: {recorded}\n  now:      {actual}\n")
        }
    }
}

/// Both calls, one above the other, with arguments that can be read.
fn sides(divergence: &Divergence) -> String {
    let side = |side: &Option<(Arc<str>, String)>| match side {
        Some((function, args)) => {
            let args = match serde_json::from_str::<Json>(args) {
                Ok(args) => serde_json::to_string_pretty(&args).unwrap_or_default().replace('\n', "\n    "),
                Err(_) => args.clone(),
            };
            format!("{function} {args}")
        }
        None => "no further call".to_owned(),
    };
    let place = divergence.place().map_or_else(String::new, |place| format!(", at `{place}`"));
    format!(
        "call {}{place}\n  recorded: {}\n  now:      {}",
        divergence.call.ordinal + 1,
        side(&divergence.recorded),
        side(&divergence.actual)
    )
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Skipped => "was skipped",
        Status::Cancelled => "was cancelled",
    }
}

fn as_json(plan: &Plan, run: &RunSummary, recording: &Recording, all: &[Replayed]) -> Json {
    let side = |side: &Option<(Arc<str>, String)>| {
        side.as_ref().map(|(function, args)| {
            let args = serde_json::from_str::<Json>(args).unwrap_or_else(|_| args.clone().into());
            json!({ "function": &**function, "args": args })
        })
    };
    let steps: Vec<_> = all
        .iter()
        .map(|step| {
            let mut told = json!({
                "step": answers::name(plan, step.step), "calls": step.calls, "status": step.status,
                "same": step.difference.is_none(),
            });
            match &step.difference {
                None => {}
                Some(Difference::Call(divergence)) => {
                    told["difference"] = json!({
                        "call": divergence.call.ordinal, "at": divergence.place(),
                        "recorded": side(&divergence.recorded), "actual": side(&divergence.actual),
                    });
                }
                Some(Difference::Outcome { recorded, actual }) => {
                    told["difference"] = json!({ "recorded": recorded, "actual": actual });
                }
            }
            told
        })
        .collect();
    json!({
        "run": run.id, "same": all.iter().all(|step| step.difference.is_none()), "steps": steps,
        "status": recording.ended.map(|(status, _)| status), "exit-code": recording.ended.map(|(_, code)| code),
    })
}
