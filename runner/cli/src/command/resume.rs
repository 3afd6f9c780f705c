//! `windlass resume`: goes on with a run that was interrupted.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use windlass_capability_docker::Docker;
use windlass_engine::{Cancel, Origin};

use windlass_gate::{CallError, Question, Recording};
use windlass_journal::{
    InDoubtAnswer, Journal, Record, RunResumed, RunState, RunSummary, StepIndex, Writer, WriterOptions,
};
use windlass_pipeline::OnCrash;
use windlass_view::{LiveOptions, RunModel};

use crate::args::{Format, FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::finish::{Told, finish};
use crate::prepare::{Prepared, Text};
use crate::waiting::WaitArg;
use crate::{answers, files, output, pinned, runtime, signals, versions, view_style, world};

/// Go on with a run that was interrupted, or that waits for a decision
///
/// Steps that were over are taken over with their outputs; a step that was under way runs again against its recorded
/// calls and goes on where the record ends. Nothing is done twice. Where it is not known how a call ended that must not
/// be made twice, `resume` says so, does nothing and ends with code 5: find out, and say it with `--answer`.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The run, by its id or the beginning of it [default: the newest that was interrupted or waits]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// What became of a call that may have been made: `done` or `repeat`; of one step with `STAGE/STEP=done`
    #[arg(long, value_name = "ANSWER")]
    answer: Vec<String>,
    /// Leave behind what a step has done so far, and begin it anew, with the plugin as it is now
    #[arg(long, value_name = "STAGE/STEP")]
    restart_step: Vec<String>,
    #[command(flatten)]
    wait: WaitArg,
    /// Go on although this secret has another value than before, or none: output may show the old one
    #[arg(long, value_name = "NAME")]
    forget_secret: Vec<String>,
    /// Print nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Resume) -> Result<Exit, CliError> {
    let state = files::state(args.journal.within.as_deref())?;
    let reader = Journal::open(&state)?;
    let run = choose(&reader, args.run.as_deref())?;
    let recording = Recording::read(&reader, &run)?;
    if let Some(from) = &recording.started.flags.offline {
        return Err(CliError::usage(
            format!(
                "run `{}` was offline, with the answers of run `{from}`: there is nothing in the world to go on with",
                run.id
            ),
            format!("start it again: windlass run --offline --from {from}"),
        ));
    }
    let workspace = files::beside(&state)?;
    let text = Text::recorded(&recording.started, workspace);
    let mut options = pinned::options(&recording.started.flags);
    options.wait = args.wait.stays();
    let small = runtime::small()?;
    let prepared = small.block_on(pinned::prepare(&text, &recording.started, options.jobs, &[]))?;
    let restarted = restarted(args, &prepared, &recording)?;
    pinned::check(&prepared, &recording, &restarted)?;
    pinned::same_secrets(&world::secrets(&prepared.plan, &text.workspace), &recording, &args.forget_secret)?;
    if !args.quiet
        && args.format.format == Format::Human
        && let Some(edited) = pinned::edited(&text)
    {
        output::say(edited);
    }
    let docker = Docker::new(world::docker_config());
    if recording.acted.contains("docker") {
        small.block_on(docker.probe()).map_err(|error| away(&error, &run.id))?;
    }

    let live = LiveOptions {
        style: view_style::style(),
        format: args.format.format.into(),
        quiet: args.quiet,
        verbose: false,
        size: Some(view_style::size),
        before: RunModel::read(&reader, &run)?,
    };
    // Nobody else can go on with the run from here on, so the record does not change any more.
    let writer = lease(&state, &run, live)?;
    let mut recording = Recording::read(&reader, &run)?;
    recording.restart(&restarted);
    let repeats =
        |step: StepIndex| prepared.plan.steps.get(step.0 as usize).is_some_and(|step| step.on_crash == OnCrash::Repeat);
    let lost = small.block_on(lost_execs(&recording, &docker))?;
    let (repeated, questions): (Vec<_>, Vec<_>) = recording
        .questions(repeats, |exec| lost.iter().any(|lost| lost == exec))
        .into_iter()
        .partition(|question| repeats(question.call.step));
    let answered = answers::settle(&prepared.plan, &questions, &args.answer)?;
    let Some(answered) = answered else {
        drop(writer);
        return Ok(ask(args, &run.id, &prepared, &questions));
    };
    begin(&writer, &prepared, &restarted);
    for question in &repeated {
        tell(&writer, &mut recording, question, InDoubtAnswer::Repeat, "on-crash".to_owned());
    }
    for (question, answer) in answered {
        tell(&writer, &mut recording, question, answer, answers::who());
    }

    let cancel = Cancel::new();
    signals::watch(cancel.clone(), run.id.clone(), state.clone())?;
    let gate = world::gate(writer, &prepared.plan, &run.id, &text.workspace, state.clone(), false)?;
    let runtime = runtime::large(options.jobs)?;
    let Prepared { plan, plugins, sandbox, .. } = prepared;
    let engine = windlass_engine::Run {
        plan: Arc::new(plan),
        plugins,
        gate: Arc::new(gate),
        options,
        origin: Origin::Interrupted(Box::new(recording)),
    };
    let ended = runtime.block_on(engine.execute(cancel));
    // To take it apart takes longer than to leave it to the system.
    std::mem::forget((runtime, small, sandbox));
    finish(Told { quiet: args.quiet, format: args.format.format }, &run.id, &state, &ended)
}

/// Without Docker a run that has used it could only fail, and clean nothing up.
fn away(error: &CallError, run: &str) -> CliError {
    CliError::machine(
        format!("run `{run}` has used Docker, which is not there now: {error}"),
        format!("nothing was changed; when Docker is back: windlass resume {run}"),
    )
}

/// The execs that were under way and of which Docker does not know any more how they ended.
async fn lost_execs(recording: &Recording, docker: &Docker) -> Result<Vec<String>, CliError> {
    let mut lost = Vec::new();
    for exec in recording.execs_in_doubt() {
        if docker.exec_is_lost(&exec).await.map_err(|error| away(&error, &recording.started.run))? {
            lost.push(exec);
        }
    }
    Ok(lost)
}

/// The run that is meant; without a name the newest that was interrupted.
fn choose(reader: &windlass_journal::Reader, named: Option<&str>) -> Result<RunSummary, CliError> {
    let run = match named {
        Some(_) => reader.resolve(named)?,
        None => {
            let newest = reader.resolve(None)?;
            let interrupted = reader.runs(usize::MAX)?.into_iter().find(|run| run.state.is_open());
            interrupted.ok_or_else(|| {
                CliError::usage(
                    format!("no run was interrupted, and none waits; the newest is `{}`", newest.id),
                    "start a new one with `windlass run`; `windlass runs` lists all",
                )
            })?
        }
    };
    match run.state {
        RunState::Interrupted | RunState::Waiting => Ok(run),
        RunState::Running => Err(windlass_journal::JournalError::InUse { run: run.id, pid: run.pid }.into()),
        _ => Err(windlass_journal::JournalError::Ended { run: run.id }.into()),
    }
}

fn lease(state: &Path, run: &RunSummary, live: LiveOptions) -> Result<Writer, CliError> {
    let observer = Some(windlass_view::live(live, output::shared()));
    let journal = Journal::open_or_create(state)?;
    Ok(journal.resume_run(WriterOptions { observer, ..WriterOptions::default() }, &run.id)?)
}

/// The steps that `--restart-step` names.
fn restarted(args: &Resume, prepared: &Prepared, recording: &Recording) -> Result<Vec<StepIndex>, CliError> {
    let plan = &prepared.plan;
    args.restart_step
        .iter()
        .map(|given| {
            let index = answers::step(plan, given)?;
            match recording.steps.get(&index).map(|step| step.ended.is_some()) {
                Some(true) => Err(CliError::usage(
                    format!("step `{given}` is over, so it cannot begin anew in this run"),
                    "start a new run with `windlass run`",
                )),
                _ => Ok(index),
            }
        })
        .collect()
}

/// What is now pinned, for whoever resumes or replays next.
fn begin(writer: &Writer, prepared: &Prepared, restarted: &[StepIndex]) {
    writer.append(Record::RunResumed(Box::new(RunResumed {
        versions: versions::all(),
        plugins: prepared.pins(),
        restarted: restarted.to_vec(),
    })));
}

/// Records what a person has found out about a call, and acts on it.
fn tell(writer: &Writer, recording: &mut Recording, question: &Question, answer: InDoubtAnswer, by: String) {
    let call = question.call;
    writer.append(Record::InDoubtAnswered { call, answer, by });
    if let Some(answer) = recording.tell(question, answer) {
        writer.append(Record::CallEnded { call, answer });
    }
}

/// Says what has to be found out.
fn ask(args: &Resume, run: &str, prepared: &Prepared, questions: &[Question]) -> Exit {
    match args.format.format {
        Format::Json => {
            let questions: Vec<_> =
                questions.iter().map(|question| answers::question_json(&prepared.plan, question)).collect();
            // If even this cannot be printed, the exit code has to do.
            drop(output::json(
                &serde_json::json!({ "run": run, "questions": questions, "exit-code": Exit::WAITING.0 }),
            ));
        }
        Format::Human => {
            for question in questions {
                output::say(answers::question(&prepared.plan, question));
            }
            output::help(answers::how(&prepared.plan, run, questions));
        }
    }
    Exit::WAITING
}
