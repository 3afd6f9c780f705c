//! `windlass plugin run`: one plugin alone, granted what the command line says.
//!
//! It is a pipeline of one step that is in no file, and a run like any other: granted, recorded, resumable.

mod generate;

use clap::Args;
use windlass_engine::RunOptions;
use windlass_journal::{RunFlags, new_run_id};
use windlass_pipeline::Source;

use self::generate::{Asked, generate};
use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::finish::Told;
use crate::named::Named;
use crate::prepare::{Text, prepare};
use crate::start::Start;
use crate::waiting::WaitArg;
use crate::{files, offline, output, runtime};

/// Run one plugin alone, with what it is given and granted here
///
/// It is a run like any other, recorded in `.windlass` here, which `show`, `logs`, `replay` and `plugin test --record`
/// know. Paths are relative to this folder.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A component's file; a built-in plugin, as `builtin:image`; or one of a registry, as `oci:REFERENCE`
    #[arg(value_name = "FILE")]
    plugin: String,
    /// What the plugin gets: `with` of the step, as JSON
    #[arg(long, value_name = "JSON", default_value = "{}", hide_default_value = true)]
    with: String,
    /// What it may do, as in `grants` of a step: 'http = ["GET https://api.example/**"]'; may be repeated
    #[arg(long, value_name = "GRANT")]
    grant: Vec<String>,
    /// A variable that the plugin sees; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    variable: Vec<String>,
    /// Where a secret is that grants name: NAME=env:VARIABLE or NAME=file:PATH; may be repeated
    #[arg(long, value_name = "NAME=PLACE")]
    secret: Vec<String>,
    /// How long it may take, as `90s`
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// The environment to run in
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Print the pipeline that this stands for, and run nothing
    #[arg(long)]
    print: bool,
    /// If it fails, leave its containers and what it wrote, and say how to enter them
    #[arg(long, conflicts_with = "offline")]
    break_on_failure: bool,
    /// Answer every call from the record of an earlier run of this plugin: no Docker, no network, no effect
    #[arg(long)]
    offline: bool,
    /// The run whose record answers [default: the newest of this plugin that has ended]
    #[arg(long, value_name = "RUN", requires = "offline")]
    from: Option<String>,
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
    // Told here, where no place in a pipeline stands in the way.
    let plugin = Named::find(&args.plugin)?.source;
    let asked = Asked {
        plugin: &plugin,
        with: &args.with,
        grants: &args.grant,
        variables: &args.variable,
        secrets: &args.secret,
        timeout: args.timeout.as_deref(),
        environment: args.env.as_deref(),
    };
    let text = generate(&asked)?;
    if args.print {
        output::text(&text)?;
        return Ok(Exit::SUCCESS);
    }
    let source = Source { name: Text::made_by(&format!("plugin run {plugin}")), text };
    let text = Text { source, workspace: files::here()?, environment: args.env.clone() };
    let state = text.workspace.join(files::STATE);
    let keep = args.break_on_failure;
    let options = RunOptions { keep, keep_files: keep, wait: args.wait.stays(), ..RunOptions::default() };
    let run = new_run_id();
    let small = runtime::small()?;
    let recorded = if args.offline { Some(offline::recorded(&text, &state, args.from.as_deref())?) } else { None };
    let prepared = small.block_on(async {
        match &recorded {
            Some(recorded) => offline::prepare(&text, recorded, options.jobs, false).await,
            None => prepare(&text, &run, options.jobs).await,
        }
    })?;
    let from = recorded.as_ref().map(|recorded| recorded.started.run.clone());
    if !args.quiet && args.format.format == Format::Human {
        if !prepared.plan.warnings.is_empty() {
            output::say(prepared.plan.warnings.render(true));
        }
        if let Some(from) = &from {
            output::say(offline::notice(from));
        }
    }
    let flags = RunFlags { keep, offline: from, env: args.env.clone(), ..RunFlags::default() };
    let told = Told { quiet: args.quiet, format: args.format.format };
    Start { text, run, state, small, prepared, options, flags, told, recorded }.go()
}
