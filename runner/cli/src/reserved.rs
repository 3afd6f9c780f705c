//! Deploys that the router shows as those of a run: ended for it, whether it is dead, over, or in no journal here.
//!
//! The reservation at the router is the evidence: while it stands, nobody else can deploy the service.

use std::path::Path;
use std::sync::Arc;

use windlass_gate::api::docker::Remove;
use windlass_gate::api::traffic::{Abort, Finish};
use windlass_gate::{Authority, Gate, Session, SessionOptions, Stop};
use windlass_journal::{Journal, RunStarted, StepIndex, Writer, WriterOptions, now_micros};
use windlass_router::Driver;
use windlass_router::api::{Deployment, ServiceState};

use crate::error::CliError;
use crate::{files, versions, world};

/// How long requests to the revision that goes may take to finish.
const DRAIN_MS: u64 = 10_000;

/// A deploy that is not over.
pub(crate) struct Reserved {
    /// The service.
    pub(crate) service: String,
    /// Where it is deployed.
    pub(crate) environment: Option<String>,
    /// What is deployed.
    pub(crate) revision: String,
    /// It is the service's own already, and only the reservation is left.
    pub(crate) committed: bool,
    /// The pipeline that the service belongs to.
    pipeline: String,
    /// The containers of the revision, by their names in the pipeline.
    containers: Vec<String>,
}

impl Reserved {
    /// The service, and where.
    pub(crate) fn name(&self) -> String {
        let place = self.environment.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
        format!("{}{place}", self.service)
    }
}

/// What the router shows as reserved for this run.
///
/// # Errors
/// It is reserved by the router's table, and the router cannot be asked; or its table cannot be read.
pub(crate) async fn by(router: &dyn Driver, run: &str) -> Result<Vec<Reserved>, CliError> {
    let state = match router.state().await {
        Ok(state) => state,
        Err(away) => {
            let table = router.table().map_err(|why| CliError::Machine { message: why.to_string(), help: None })?;
            let open = table.services().filter_map(|(name, _)| Some((name, table.deployment(name)?)));
            let open: Vec<_> = open.filter(|(_, deployment)| deployment.holder == run).map(|(name, _)| name).collect();
            if open.is_empty() {
                return Ok(Vec::new());
            }
            return Err(CliError::machine(
                format!(
                    "run `{run}` has reserved {}, and the router cannot be told otherwise: {away}",
                    open.join(", ")
                ),
                format!("when the router is back: windlass cancel {run}"),
            ));
        }
    };
    let open = state.services.iter().filter_map(|(name, service)| Some((name, service, service.deployment.as_ref()?)));
    Ok(open
        .filter(|(.., open)| open.holder == run)
        .map(|(name, service, open)| reserved(name, service, open))
        .collect())
}

fn reserved(name: &str, service: &ServiceState, open: &Deployment) -> Reserved {
    // A service has no dot in its name: what is before one is its environment.
    let (environment, plain) = name.rsplit_once('.').map_or((None, name), |(place, plain)| (Some(place), plain));
    let endpoints = service.revisions.get(&open.revision).map(|revision| revision.endpoints.as_slice());
    let containers = endpoints.unwrap_or_default().iter().map(|endpoint| endpoint.name.clone());
    Reserved {
        service: plain.to_owned(),
        environment: environment.map(str::to_owned),
        revision: open.revision.clone(),
        committed: open.committed,
        pipeline: service.owner.clone(),
        containers: containers.filter(|name| !name.is_empty()).collect(),
    }
}

/// Whose record has what is done, and who cleans up after it.
pub(crate) enum Record {
    /// The run's own; a resume of it removes what it has made.
    Run(Writer),
    /// None: the run's has ended, or is elsewhere. What it has put behind the router is removed here.
    Nobodys,
}

/// Ends it as the run itself would: what is committed stays, everything else goes back. Containers that could not be
/// removed are named.
///
/// # Errors
/// It could not be ended; then it is as it was.
pub(crate) async fn end(
    router: &Arc<dyn Driver>,
    run: &str,
    reserved: &Reserved,
    state: &Path,
    record: Record,
) -> Result<Vec<String>, CliError> {
    let aside = files::aside()?;
    let (writer, cleans) = match record {
        Record::Run(writer) => (writer, false),
        Record::Nobodys => (nobodys(aside.path(), run, &reserved.pipeline)?, true),
    };
    // Docker's own view needs no workspace; that of the journal is where it is.
    let workspace = state.parent().unwrap_or(state);
    let gate = world::host_gate(writer, run, &reserved.pipeline, workspace, state.to_owned(), Arc::clone(router));
    let gate = Arc::new(gate);
    let mut session = session(&gate);
    session.set_environment(reserved.environment.as_deref().map(Into::into));
    let service = reserved.service.clone();
    let ended = if reserved.committed {
        session.call(&Finish { service }).await
    } else {
        session.call(&Abort { service, drain_ms: DRAIN_MS }).await
    };
    let left = match ended {
        Err(stop) => Err(failed(run, reserved, &stop)),
        Ok(_) if reserved.committed || !cleans => Ok(Vec::new()),
        Ok(_) => Ok(remove(&mut session, &reserved.containers).await),
    };
    // If the record cannot be written, the router has still done it.
    let _ = gate.journal().flush().await;
    left
}

async fn remove(session: &mut Session, containers: &[String]) -> Vec<String> {
    let mut left = Vec::new();
    for container in containers {
        if let Err(why) = session.call(&Remove { container: container.clone(), force: true }).await {
            left.push(format!("container {container}: {why}"));
        }
    }
    left
}

fn failed(run: &str, reserved: &Reserved, stop: &Stop) -> CliError {
    CliError::machine(
        format!("the deploy of {} by run `{run}` could not be ended: {stop}", reserved.name()),
        format!("it is as it was; to try again: windlass cancel {run}"),
    )
}

fn session(gate: &Arc<Gate>) -> Session {
    let options = SessionOptions {
        step: StepIndex::HOST,
        // Another one each time, so that the router does not take this for a call that was made before.
        attempt: u32::try_from(now_micros() / 1_000_000).unwrap_or(u32::MAX),
        authority: Authority::Host,
        max_calls: u64::MAX,
        max_log: 1 << 20,
        playback: None,
        repeat_in_doubt: false,
    };
    Session::new(Arc::clone(gate), options)
}

/// A record that goes when the command ends.
fn nobodys(folder: &Path, run: &str, pipeline: &str) -> Result<Writer, CliError> {
    let started = RunStarted {
        run: run.to_owned(),
        pipeline: pipeline.to_owned(),
        file: files::PIPELINE.to_owned(),
        workspace: folder.display().to_string(),
        source: "".into(),
        facts: std::collections::BTreeMap::new(),
        plugins: Vec::new(),
        versions: versions::all(),
        stages: 0,
        steps: 0,
        flags: Default::default(),
    };
    Ok(Journal::open_or_create(folder)?.start_run(WriterOptions::default(), started)?)
}
