//! What stands behind the gate of a case: every capability by its name, with the case's answers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value as Json;
use windlass_engine::Cancel;
use windlass_gate::{Answer, Call, CallError, Capability, Function, Session, Stop};
use windlass_journal::StepIndex;

use crate::case::{Case, Fault, Reply};
use crate::made::MadeCall;
use crate::script::Script;
use crate::value;

/// The case, as far as it has come. All capabilities share it.
pub(crate) struct Answers {
    case: Arc<Case>,
    /// The calls that came here.
    made: Mutex<Vec<MadeCall>>,
    /// Ends the step as soon as it makes a call that is not expected.
    cancel: Cancel,
    /// The step's own time limit.
    timeout: Option<Duration>,
}

impl Answers {
    pub(crate) fn new(case: Arc<Case>, cancel: Cancel, timeout: Option<Duration>) -> Arc<Self> {
        Arc::new(Self { case, made: Mutex::default(), cancel, timeout })
    }

    /// What the case says to this call; nothing if it does not expect it.
    fn reply(&self, call: MadeCall) -> Option<Reply> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push(call);
        // A case has a handful of calls: to go through them again is simpler than to keep the place.
        let mut script = Script::new(&self.case.calls);
        let mut last = None;
        for call in &*made {
            last = script.take(call.function, &call.args, true);
        }
        last.map(|call| call.reply.clone())
    }

    /// The calls that came here. Some are not in the journal: those without an effect that were
    /// never answered.
    pub(crate) fn made(&self) -> Vec<MadeCall> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn perform(&self, call: &Call) -> Result<Json, CallError> {
        let args = serde_json::from_str(&call.args).map_err(|error| CallError::Invalid(error.to_string()))?;
        let made =
            MadeCall { ordinal: call.id.ordinal, function: call.function, args: value::compact(args), answer: None };
        match self.reply(made) {
            Some(Reply::Answer(Answer::Ok(answer))) => Ok(answer),
            Some(Reply::Answer(Answer::Err(error))) => Err(error),
            Some(Reply::Fault(fault)) => Err(self.fault(fault, call.function).await),
            None => {
                self.cancel.cancel("the case");
                // The engine looks whether it is to go on before the plugin hears of this.
                tokio::task::yield_now().await;
                Err(CallError::Other(format!("the case does not expect this call of {}", call.function.name())))
            }
        }
    }

    async fn fault(&self, fault: Fault, function: Function) -> CallError {
        let name = function.name();
        match fault {
            Fault::Denied => CallError::Denied(format!("{name} is denied by the test case")),
            Fault::Unavailable => CallError::Unavailable(format!("{name} is made unavailable by the test case")),
            Fault::Timeout => CallError::TimedOut(format!("{name} is made to time out by the test case")),
            Fault::Hang => {
                // Long enough for the step's own limit to come first, and no longer.
                tokio::time::sleep(self.timeout.unwrap_or_default() + Duration::from_millis(50)).await;
                CallError::TimedOut(format!("{name} is made to hang by the test case"))
            }
        }
    }

    /// Whether the case lists calls of a function that it need not list.
    fn lists(&self, function: Function) -> bool {
        self.case.calls.iter().any(|call| call.function == function)
    }
}

/// A capability whose calls the case answers.
pub(crate) struct Canned {
    name: &'static str,
    answers: Arc<Answers>,
    /// Makes the composites, and does what is harmless in the folder of a case.
    real: Option<Box<dyn Capability>>,
}

impl Canned {
    pub(crate) fn new(name: &'static str, answers: &Arc<Answers>) -> Self {
        Self { name, answers: Arc::clone(answers), real: None }
    }

    pub(crate) fn over(real: impl Capability + 'static, answers: &Arc<Answers>) -> Self {
        Self { name: real.name(), answers: Arc::clone(answers), real: Some(Box::new(real)) }
    }
}

#[async_trait]
impl Capability for Canned {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        match (call.function, &self.real) {
            // What the engine does after the step: there is nothing to clean up.
            (Function::DockerLeftovers | Function::TrafficOpen | Function::TrafficPlaced, _) => {
                Ok(Json::Array(Vec::new()))
            }
            _ if call.id.step == StepIndex::HOST => Ok(Json::Null),
            (Function::TimerSleep, _) if !self.answers.lists(Function::TimerSleep) => Ok(Json::Null),
            (Function::FilesPublish, Some(files)) if !self.answers.lists(Function::FilesPublish) => {
                files.perform(call).await
            }
            _ => self.answers.perform(&call).await,
        }
    }

    async fn compose(&self, function: Function, args: &str, session: &mut Session) -> Result<Json, Stop> {
        match &self.real {
            Some(real) => real.compose(function, args, session).await,
            None => Err(CallError::Other(format!("{} is not made of other calls", function.name())).into()),
        }
    }
}
