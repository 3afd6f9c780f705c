//! What a docker grant can give: the Docker Engine, through bollard.
//!
//! Plugins never see the daemon: they ask for builds, containers, networks and volumes by the
//! names of their own pipeline, and what they cannot ask for (privileges, devices, host
//! namespaces, the socket) has no way through here. Nothing is connected before the first call.
//!
//! How things are found again: a container's *name* derives from the identity of the call that
//! made it, so that the daemon itself refuses to make it twice; labels say the rest.
//!
//! Builders: BuildKit on every Docker daemon for Linux, spoken to through the daemon's build
//! endpoint, which takes the context as a stream and gives output, progress and errors while it
//! works; the classic builder where there is no BuildKit, or where `DOCKER_BUILDKIT=0` says so.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the door to Docker: it owns the daemon's socket, the packing of contexts, Docker's configuration files and the time limits of its requests"
)]

mod build;
mod compose;
mod config;
mod connect;
mod container;
mod credentials;
mod fault;
mod health;
mod images;
mod leftovers;
mod mounts;
mod names;
mod networks;
mod progress;
mod reference;
mod tail;
#[cfg(test)]
mod testing;
mod transfer;
mod volumes;

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tokio::sync::OnceCell;
use windlass_gate::api::Nothing;
use windlass_gate::api::docker as api;
use windlass_gate::{Call, CallError, Capability, Function, Session, Stop, Touched, Touches};

pub use config::DockerConfig;
pub use connect::DaemonInfo;
use connect::Engine;
pub use names::shared_by as shared_name;

/// The Docker Engine behind the gate.
pub struct Docker {
    config: Arc<DockerConfig>,
    engine: OnceCell<Engine>,
    keep_failed: bool,
}

impl Docker {
    /// A daemon that is looked for at the first call.
    pub fn new(config: DockerConfig) -> Self {
        Self { config: Arc::new(config), engine: OnceCell::new(), keep_failed: false }
    }

    /// The same, that leaves a container which ran to its end and failed, for a person to look at.
    #[must_use]
    pub fn keeping_failed(self, keep_failed: bool) -> Self {
        Self { keep_failed, ..self }
    }

    /// Looks for the daemon now, and says what it is.
    ///
    /// # Errors
    /// [`CallError::Unavailable`] with the address, where it comes from, and what to do.
    pub async fn probe(&self) -> Result<DaemonInfo, CallError> {
        self.engine().await?.info().await
    }

    /// Every address at which a container's port is reached from here, by Docker's id; none if it does not run.
    ///
    /// # Errors
    /// [`CallError::Unavailable`] if the daemon cannot be reached, [`CallError::NotFound`] if there is no such container.
    pub async fn addresses(&self, container: &str, port: u16) -> Result<Vec<SocketAddr>, CallError> {
        health::addresses(self.engine().await?, container, port).await
    }

    /// Whether nobody can know how the exec of this id ended.
    ///
    /// # Errors
    /// [`CallError::Unavailable`] if the daemon cannot be reached.
    pub async fn exec_is_lost(&self, id: &str) -> Result<bool, CallError> {
        container::exec_lost(self.engine().await?, id).await
    }

    /// The connection. A failed attempt is not remembered: the daemon may be there next time.
    async fn engine(&self) -> Result<&Engine, CallError> {
        self.engine.get_or_try_init(|| Engine::connect(&self.config)).await
    }
}

#[async_trait]
impl Capability for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        let engine = self.engine().await?;
        tokio::select! {
            answer = perform(engine, &call) => answer,
            () = engine.lost() => Err(CallError::Unavailable(format!(
                "the Docker daemon at {} has given no sign of life for {:?}, so {} was given up, and how it ended is not known; look whether the daemon runs and can be reached, and resume or start the run again",
                engine.endpoint, engine.config.patience, call.function.name()
            ))),
        }
    }

    async fn compose(&self, function: Function, args: &str, session: &mut Session) -> Result<Json, Stop> {
        match function {
            Function::DockerRun => {
                let exit = compose::run(session, decode(function, args)?, self.keep_failed).await?;
                Ok(answer(Ok(exit))?)
            }
            Function::DockerStart => Ok(answer(Ok(compose::start(session, decode(function, args)?).await?))?),
            Function::DockerExec => Ok(answer(Ok(compose::exec(session, decode(function, args)?).await?))?),
            other => Err(CallError::Other(format!("{} is not made of other calls of Docker", other.name())).into()),
        }
    }
}

#[async_trait]
impl Touches for Docker {
    async fn touches(&self, call: &Call) -> Result<Vec<Touched>, CallError> {
        let named = match call.function {
            Function::DockerStop => call.decode::<api::Stop>()?.container,
            Function::DockerRemove => call.decode::<api::Remove>()?.container,
            // The call's own step has just made it: no other run can have put it behind another router.
            Function::DockerRemoveCreated => {
                let id = call.decode::<api::RemoveCreated>()?.id;
                return Ok(vec![Touched { id, router: None }]);
            }
            Function::DockerSweep => {
                let leftover = call.decode::<api::Sweep>()?.leftover;
                if leftover.kind != api::LeftoverKind::Container {
                    return Ok(Vec::new());
                }
                let router = container::router_of(self.engine().await?, &leftover.id).await?;
                return Ok(vec![Touched { id: leftover.id, router }]);
            }
            _ => return Ok(Vec::new()),
        };
        let found = container::find(self.engine().await?, call, &named).await?;
        Ok(found.into_iter().map(|found| Touched { id: found.id, router: found.router }).collect())
    }
}

async fn perform(engine: &Engine, call: &Call) -> Result<Json, CallError> {
    match call.function {
        Function::DockerBuild => answer(build::build(engine, call, &call.decode::<api::Build>()?.spec).await),
        Function::DockerTag => done(images::tag(engine, &call.decode()?).await),
        Function::DockerPush => answer(transfer::push(engine, call, &call.decode()?).await),
        Function::DockerPull => answer(transfer::pull(engine, call, &call.decode()?).await),
        Function::DockerInspectImage => {
            answer(images::inspect(engine, &call.decode::<api::InspectImage>()?.reference).await)
        }
        Function::DockerListImages => answer(images::list(engine, &call.decode::<api::ListImages>()?.repository).await),
        Function::DockerCreate => answer(container::create(engine, call, &call.decode()?).await),
        Function::DockerStartCreated => done(container::start_created(engine, &call.decode()?).await),
        Function::DockerWait => answer(container::wait(engine, call, &call.decode()?).await),
        Function::DockerRemoveCreated => done(container::remove_created(engine, &call.decode()?).await),
        Function::DockerExecCreate => {
            answer(container::exec_create(engine, call, &call.decode::<api::ExecCreate>()?.spec).await)
        }
        Function::DockerExecStart => answer(container::exec_start(engine, call, &call.decode()?).await),
        Function::DockerInspect => {
            answer(container::inspect(engine, call, &call.decode::<api::Inspect>()?.container).await)
        }
        Function::DockerList => answer(container::list(engine, call).await),
        Function::DockerLogs => answer(container::logs(engine, call, &call.decode::<api::Logs>()?.query).await),
        Function::DockerStats => answer(container::stats(engine, call, &call.decode::<api::Stats>()?.container).await),
        Function::DockerWaitHealthy => answer(container::wait_healthy(engine, call, &call.decode()?).await),
        Function::DockerStartAgain => {
            answer(container::start_again(engine, call, &call.decode::<api::StartAgain>()?.container).await)
        }
        Function::DockerStop => done(container::stop(engine, call, &call.decode()?).await),
        Function::DockerRemove => done(container::remove(engine, call, &call.decode()?).await),
        Function::DockerCreateNetwork => done(networks::create(engine, call, &call.decode()?).await),
        Function::DockerRemoveNetwork => {
            done(networks::remove(engine, call, &call.decode::<api::RemoveNetwork>()?.name).await)
        }
        Function::DockerCreateVolume => done(volumes::create(engine, call, &call.decode()?).await),
        Function::DockerRemoveVolume => {
            done(volumes::remove(engine, call, &call.decode::<api::RemoveVolume>()?.name).await)
        }
        Function::DockerLocate => answer(health::locate(engine, call, &call.decode()?).await),
        Function::DockerProbeCommand => answer(health::probe_command(engine, call, &call.decode()?).await),
        Function::DockerProbeHealth => {
            answer(health::probe_health(engine, call, &call.decode::<api::ProbeHealth>()?.container).await)
        }
        Function::DockerLeftovers => {
            answer(leftovers::leftovers(engine, call, &call.decode::<api::Leftovers>()?).await)
        }
        Function::DockerSweep => done(leftovers::sweep(engine, &call.decode::<api::Sweep>()?.leftover).await),
        other => Err(CallError::Other(format!("{} is not a function of Docker", other.name()))),
    }
}

fn decode<O: DeserializeOwned>(function: Function, args: &str) -> Result<O, CallError> {
    serde_json::from_str(args).map_err(|error| CallError::Invalid(format!("arguments of {}: {error}", function.name())))
}

fn answer<T: Serialize>(result: Result<T, CallError>) -> Result<Json, CallError> {
    serde_json::to_value(result?).map_err(|error| CallError::Other(format!("the answer has no JSON form: {error}")))
}

fn done(result: Result<(), CallError>) -> Result<Json, CallError> {
    answer(result.map(|()| Nothing))
}
