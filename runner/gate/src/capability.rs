//! What stands behind the gate: the capabilities that act, and the guards that may veto.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value as Json;
use windlass_journal::CallId;
use windlass_pipeline::Grants;

use crate::api::Operation;
use crate::{CallError, Function, Secrets, Session, StepLog, Stop};

/// Who makes a call.
#[derive(Clone, Debug)]
pub enum Authority {
    /// The host itself. It needs no grant, and everything it does is journaled all the same.
    Host,
    /// A step of the pipeline.
    Step(Arc<StepAuthority>),
}

/// What a step may do, and how to name it to people.
#[derive(Debug)]
pub struct StepAuthority {
    /// The stage's name.
    pub stage: Arc<str>,
    /// The environment of the stage, if it belongs to one.
    pub environment: Option<Arc<str>>,
    /// The step's name.
    pub step: Arc<str>,
    /// What `pipeline.toml` grants.
    pub grants: Arc<Grants>,
    /// The capabilities that the plugin's description asks for.
    pub asked: Arc<[String]>,
}

/// What is the same for all calls of a run.
#[derive(Debug)]
pub struct RunContext {
    /// The run's id.
    pub run: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The folder that relative paths refer to; absolute, symlinks resolved.
    pub workspace: PathBuf,
    /// Where Windlass keeps its state; never part of a grant, a mount or a build context.
    pub state: PathBuf,
    /// The host's environment variables that a grant may let through.
    pub env: BTreeMap<String, String>,
    /// Secrets, read when they are first needed.
    pub secrets: Secrets,
}

/// A call on its way to a capability: allowed, journaled, to be done.
#[derive(Clone, Debug)]
pub struct Call {
    /// What to do.
    pub function: Function,
    /// Which call it is; what it makes carries this.
    pub id: CallId,
    /// The arguments as JSON text.
    pub args: Arc<str>,
    /// Who makes it.
    pub authority: Authority,
    /// The environment that it belongs to, if it does: a host's call on behalf of a step has the step's.
    pub environment: Option<Arc<str>>,
    /// The run it belongs to.
    pub run: Arc<RunContext>,
    /// Where output goes.
    pub log: StepLog,
    /// How long ago the call began, if it did before a crash: what waits has that much less to wait.
    pub began_before: Duration,
}

impl Call {
    /// The arguments.
    ///
    /// # Errors
    /// [`CallError::Invalid`] if they are not of the operation's form.
    pub fn decode<O: Operation>(&self) -> Result<O, CallError> {
        serde_json::from_str(&self.args)
            .map_err(|error| CallError::Invalid(format!("arguments of {}: {error}", self.function.name())))
    }

    /// A name that is the same whenever this very call is made, and different for any other call:
    /// safe as a container's name and as a header.
    pub fn identity(&self) -> String {
        let CallId { step, attempt, ordinal } = self.id;
        let run = &self.run.run;
        if step == windlass_journal::StepIndex::HOST {
            format!("{run}-host-{attempt}-{ordinal}")
        } else {
            format!("{run}-{}-{attempt}-{ordinal}", step.0)
        }
    }
}

/// A kind of effect: it performs the functions of the table that name it.
#[async_trait]
pub trait Capability: Send + Sync {
    /// Its name in the table.
    fn name(&self) -> &'static str;

    /// Does what the call asks. The answer is the operation's answer as JSON.
    ///
    /// A call that changes the world for good is not dropped half-way when its step is cancelled;
    /// everything else is, so what is held over an `await` must let go of it when dropped.
    async fn perform(&self, call: Call) -> Result<Json, CallError>;

    /// Does a composite function by calls of its own through the session.
    async fn compose(&self, function: Function, args: &str, session: &mut Session) -> Result<Json, Stop> {
        let _ = (args, session);
        Err(CallError::Other(format!("{} is not made of other calls", function.name())).into())
    }
}

/// One that others have a use for, too.
#[async_trait]
impl<C: Capability + ?Sized> Capability for Arc<C> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        (**self).perform(call).await
    }

    async fn compose(&self, function: Function, args: &str, session: &mut Session) -> Result<Json, Stop> {
        (**self).compose(function, args, session).await
    }
}

/// May veto an effect of any capability, beneath every version of every interface.
#[async_trait]
pub trait Guard: Send + Sync {
    /// Says why the call must not happen, in words a person can act on.
    async fn veto(&self, call: &Call) -> Option<String>;
}

/// A container that a call would stop or remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Docker's id.
    pub id: String,
    /// The router of the run that made it, as WINDLASS_ROUTER names it, if it says so: it may be another than this run's.
    pub router: Option<String>,
}

/// Knows which containers a call would touch: guards go by that, since calls name them in more than one way.
#[async_trait]
pub trait Touches: Send + Sync {
    /// The containers that the call would stop or remove.
    async fn touches(&self, call: &Call) -> Result<Vec<Touched>, CallError>;
}
