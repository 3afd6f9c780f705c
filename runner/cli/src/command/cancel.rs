//! `windlass cancel`: asks a run to end.

use std::path::Path;

use clap::Args;
use serde_json::json;
use windlass_journal::{Ask, Journal, JournalError, Reader, RunState, RunSummary, WriterOptions};

use crate::args::{Format, FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::reserved::{self, Record, Reserved};
use crate::{answers, files, output, runtime, world};

/// Ask a run to end
///
/// What runs is stopped and what the run made is cleaned up, as with Ctrl-C in its own terminal; this waits until that is
/// done. A run that waits or was interrupted, so that no process works on it, ends as soon as it is resumed; a deploy of
/// its that is open is aborted at once. So is one that the router shows as that of a run which is over, or of which there
/// is no record here.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The run, by its id or the beginning of it, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// Ask, and do not wait for the end
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Cancel) -> Result<Exit, CliError> {
    let state = files::state(args.journal.within.as_deref())?;
    let found = Journal::open(&state).and_then(|reader| Ok((reader.resolve(Some(&args.run))?, reader)));
    let (run, reader) = match found {
        Ok(found) => found,
        Err(error @ (JournalError::Absent { .. } | JournalError::UnknownRun { .. })) => {
            return only_reserved(args, &state, &args.run, None, error.into());
        }
        Err(error) => return Err(error.into()),
    };
    let by = answers::who_and_where();
    match windlass_journal::send(&state, &run, Ask::Cancel, &by, None, false) {
        Ok(_) => {}
        Err(JournalError::Ended { run: id }) => {
            return only_reserved(args, &state, &run.id, Some(&run), CliError::over(&id));
        }
        Err(error) => return Err(error.into()),
    }
    if run.state == RunState::Running {
        return alive(args, &reader, &run);
    }
    // Nobody works on it, so its deploys are ended here; what else it has made goes when it is resumed.
    let ended = end(&state, &run.id, true)?;
    tell(args, &run.id, Some(&run), &ended)?;
    if args.format.format == Format::Human {
        output::text(&format!("run {}: it ends when it is resumed\n", run.id))?;
        output::help(format_args!("windlass resume {}", run.id));
    }
    Ok(Exit::SUCCESS)
}

fn alive(args: &Cancel, reader: &Reader, run: &RunSummary) -> Result<Exit, CliError> {
    let mut now = run.clone();
    if !args.no_wait {
        for entry in reader.follow(run, 0)? {
            let _ = entry?;
        }
        now = reader.refresh(run)?;
    }
    let word = windlass_view::state_word(now.state);
    match args.format.format {
        Format::Json => output::json(&json!({ "run": run.id, "state": word, "exit-code": now.exit_code }))?,
        Format::Human if args.no_wait => output::text(&format!("run {}: asked to end\n", run.id))?,
        Format::Human => output::text(&format!("run {}: {word}\n", run.id))?,
    }
    Ok(Exit::SUCCESS)
}

/// There is nobody to be asked. But while the router shows the run as one that deploys, nobody else can.
fn only_reserved(
    args: &Cancel,
    state: &Path,
    id: &str,
    run: Option<&RunSummary>,
    otherwise: CliError,
) -> Result<Exit, CliError> {
    let ended = end(state, id, false)?;
    if ended.is_empty() {
        return Err(otherwise);
    }
    if args.format.format == Format::Human {
        let why = match run {
            Some(_) => format!("run `{id}` is over, and the router still shows it as one that deploys"),
            None => format!("there is no record of run `{id}` here, and the router shows it as one that deploys"),
        };
        output::say(why);
    }
    tell(args, id, run, &ended)?;
    Ok(Exit::SUCCESS)
}

/// A deploy that was ended here.
struct Ended {
    reserved: Reserved,
    left: Vec<String>,
}

/// Ends what the router shows as reserved for the run. `resumable`: the run's record goes on, and what is done is in it.
fn end(state: &Path, run: &str, resumable: bool) -> Result<Vec<Ended>, CliError> {
    let router = world::router(state)?;
    let runtime = runtime::small()?;
    runtime.block_on(async {
        let mut ended = Vec::new();
        for reserved in reserved::by(&*router, run).await? {
            let record = match resumable {
                true => Record::Run(Journal::open_or_create(state)?.resume_run(WriterOptions::default(), run)?),
                false => Record::Nobodys,
            };
            let left = reserved::end(&router, run, &reserved, state, record).await?;
            ended.push(Ended { reserved, left });
        }
        Ok(ended)
    })
}

fn tell(args: &Cancel, id: &str, run: Option<&RunSummary>, ended: &[Ended]) -> Result<(), CliError> {
    if args.format.format == Format::Json {
        let deploys: Vec<_> = ended
            .iter()
            .map(|Ended { reserved, left }| {
                let result = if reserved.committed { "committed" } else { "cancelled" };
                json!({ "service": reserved.service, "environment": reserved.environment,
                    "revision": reserved.revision, "result": result, "left-behind": left })
            })
            .collect();
        let state = run.map(|run| windlass_view::state_word(run.state));
        let code = run.and_then(|run| run.exit_code);
        return Ok(output::json(&json!({ "run": id, "state": state, "exit-code": code, "deploys": deploys }))?);
    }
    for Ended { reserved, left } in ended {
        let (name, revision) = (reserved.name(), &reserved.revision);
        output::text(&match reserved.committed {
            true => format!("{name}: {revision} was committed and stays; the service is free for the next deploy\n"),
            false => format!("{name}: the deploy of {revision} was aborted: the previous revision serves\n"),
        })?;
        for left in left {
            output::warning(format_args!("left behind: {left}"));
        }
    }
    Ok(())
}
