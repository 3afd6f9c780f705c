//! `windlass rollback`: the fast way back to a revision that was committed before.
//!
//! The way back is a pipeline of one step, made from what the journal has of the deploy of that revision, and run like
//! any other: granted, recorded, resumable.

mod choose;
mod generate;

use clap::Args;
use serde_json::json;
use windlass_engine::RunOptions;
use windlass_journal::{Journal, RunFlags, new_run_id};
use windlass_pipeline::Source;
use windlass_view::deployments::{Wanted, read};

use self::generate::Generated;
use super::plan;
use crate::args::{Format, FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::finish::Told;
use crate::prepare::{Text, prepare};
use crate::start::Start;
use crate::waiting::WaitArg;
use crate::{files, output, runtime, world};

/// Go back to a revision of a service that was committed before
///
/// The deploy plugin gets the settings and the grants with which that revision was deployed, as they were recorded, and
/// gives it all of the traffic at once: containers that are still there are used again, others are started from the
/// image. It is a run like any other, which `show`, `resume` and `cancel` know.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The revision to go back to [default: the one that was committed before the present one]
    #[arg(long, value_name = "REVISION")]
    to: Option<String>,
    /// The environment, if the service is in several
    #[arg(long = "env", visible_alias = "environment", value_name = "NAME")]
    environment: Option<String>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: WaitArg,
    /// Print nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Rollback) -> Result<Exit, CliError> {
    let state = files::state(args.journal.within.as_deref())?;
    let reader = Journal::open(&state)?;
    let all = read(&reader, &Wanted { limit: usize::MAX, ..Wanted::default() })?;
    let router = world::router(&state)?;
    let small = runtime::small()?;
    let serves = small.block_on(router.state()).ok();
    let present = |environment: Option<&str>| {
        let name = environment.map_or_else(|| args.service.clone(), |place| format!("{place}.{}", args.service));
        serves.as_ref()?.services.get(&name)?.current.clone()
    };
    let way = choose::choose(&all, &args.service, args.environment.as_deref(), args.to.as_deref(), present)?;
    let Generated { text, image } = generate::generate(&reader, &way)?;
    let human = args.format.format == Format::Human && !args.quiet;
    let source = Source { name: Text::made_by(&format!("rollback of {}", args.service)), text };
    if human {
        output::say(way.words(image.as_deref()));
        if args.dry_run {
            output::text(&format!("{}\n", source.text))?;
        }
    } else if args.dry_run && args.format.format == Format::Json {
        output::json(&json!({
            "type": "rollback",
            "service": way.current.service,
            "environment": way.current.environment,
            "from": way.from,
            "to": way.to,
            "image": image,
            "settings-of": way.settings.run,
            "pipeline": source.text,
        }))?;
    }
    let text = Text { source, workspace: files::beside(&state)?, environment: None };
    let options = RunOptions { wait: args.wait.stays(), ..RunOptions::default() };
    let run = new_run_id();
    let prepared = small.block_on(prepare(&text, &run, options.jobs))?;
    if args.dry_run {
        plan::show(&prepared, &text.source.name, args.format.format)?;
        return Ok(Exit::SUCCESS);
    }
    let told = Told { quiet: args.quiet, format: args.format.format };
    Start { text, run, state, small, prepared, options, flags: RunFlags::default(), told, recorded: None }.go()
}
