//! A new run, from its plan to its end: what `run` and `rollback` have in common.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Runtime;
use windlass_engine::{Cancel, Origin, RunOptions};
use windlass_gate::Recording;
use windlass_journal::{Journal, Record, RunFlags, RunStarted, Writer, WriterOptions};
use windlass_pipeline::SecretSource;
use windlass_view::{LiveOptions, RunModel};

use crate::args::Format;
use crate::error::CliError;
use crate::exit::Exit;
use crate::finish::{Told, finish};
use crate::prepare::{Prepared, Text};
use crate::{answers, broken, files, offline, output, runtime, signals, versions, view_style, world};

/// A run that can begin.
pub(crate) struct Start {
    /// What it is made from.
    pub(crate) text: Text,
    /// Its id.
    pub(crate) run: String,
    /// The folder of the journal.
    pub(crate) state: PathBuf,
    /// What the plan was made on.
    pub(crate) small: Runtime,
    /// Its plan.
    pub(crate) prepared: Prepared,
    /// How to go about it.
    pub(crate) options: RunOptions,
    /// The same, for the record.
    pub(crate) flags: RunFlags,
    /// To whom it is told.
    pub(crate) told: Told,
    /// The record that answers instead of the world.
    pub(crate) recorded: Option<Recording>,
}

impl Start {
    /// Runs it to its end.
    pub(crate) fn go(self) -> Result<Exit, CliError> {
        let writer = self.begin()?;
        let Self { text, run, state, small, prepared, options, told, recorded, .. } = self;
        if let Some(recorded) = &recorded {
            writer.append(Record::Notice { step: None, message: offline::notice(&recorded.started.run) });
        }
        let cancel = Cancel::new();
        signals::watch(cancel.clone(), run.clone(), state.clone())?;
        let gate = world::gate(writer, &prepared.plan, &run, &text.workspace, state.clone(), options.keep_files)?;
        let breaks = options.keep_files.then(|| broken::Broken::new(&run, &state, &prepared.plan));
        // The threads of a large runtime cost more than a single step does.
        let (runtime, small) = match prepared.plan.steps.len() {
            1 => (small, None),
            _ => (runtime::large(options.jobs)?, Some(small)),
        };
        let Prepared { plan, plugins, sandbox, .. } = prepared;
        let origin = recorded.map_or(Origin::Fresh, |recorded| Origin::Offline(Box::new(recorded)));
        let engine = windlass_engine::Run { plan: Arc::new(plan), plugins, gate: Arc::new(gate), options, origin };
        let ended = runtime.block_on(engine.execute(cancel));
        // To take it apart takes longer than to leave it to the system.
        std::mem::forget((runtime, small, sandbox));
        let exit = finish(told, &run, &state, &ended)?;
        match breaks {
            Some(broken) if ended.failure.is_some() => broken.tell(told)?,
            _ => {}
        }
        Ok(exit)
    }

    /// Opens the journal and writes the first record, which pins what the run is made from.
    fn begin(&self) -> Result<Writer, CliError> {
        let Self { text, run, state, prepared, told, .. } = self;
        let Prepared { plan, facts, .. } = prepared;
        if files::is_link(state) {
            return Err(CliError::machine(
                format!("{} is a link, and records are written only to a folder beside the pipeline", state.display()),
                "remove the link",
            ));
        }
        let journal = Journal::open_or_create(state)?;
        if !told.quiet
            && told.format == Format::Human
            && let Some(open) = journal.interrupted(&plan.name)?
        {
            output::say(format_args!(
                "run {open} of this pipeline was interrupted; to go on with it instead: windlass resume {open}"
            ));
        }
        let started = RunStarted {
            run: run.clone(),
            pipeline: plan.name.clone(),
            file: text.source.name.clone(),
            workspace: facts.workspace.clone(),
            source: text.source.text.as_str().into(),
            facts: recorded(prepared),
            plugins: prepared.pins(),
            versions: versions::all(),
            stages: u32::try_from(plan.stages.len()).unwrap_or(u32::MAX),
            steps: u32::try_from(plan.steps.len()).unwrap_or(u32::MAX),
            flags: self.flags.clone(),
        };
        let live = LiveOptions {
            style: view_style::style(),
            format: told.format.into(),
            quiet: told.quiet,
            verbose: false,
            size: Some(view_style::size),
            before: RunModel::default(),
        };
        let observer = Some(windlass_view::live(live, output::shared()));
        Ok(journal.start_run(WriterOptions { observer, ..WriterOptions::default() }, started)?)
    }
}

/// What the plan was made from, under the names that the pipeline has for it. Secrets are told by
/// where they are. Who asked for the run is among it, for those who read the record.
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
    let by = ("run.by".to_owned(), answers::who_and_where());
    env.chain(git).chain(secrets).chain([by]).collect()
}
