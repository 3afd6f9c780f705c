//! A recorded attempt once more: what is answered from the record, what is done, and what is left in the journal.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test that cannot go on fails, and looks at files itself"
)]

mod answered;
mod any;
mod aside;
mod doubt;
mod life;
mod printed;

use std::time::Duration;

use serde_json::json;
use windlass_gate::{CallError, Function, Interrupt, Mode};
use windlass_journal::{InDoubtAnswer, Record, Stream};

use life::{
    CREATE, EXEC, GONE, INSPECT, METRIC, POST, PULL, PUSH, PUSH_SECRET, PUT, REMOVE, RUN, SLEEP, Story, TALK, call,
};

const BOTH: &str = r#"{ docker = { run = ["localhost:5000/shop"], push = ["localhost:5000/shop"], pull = ["localhost:5000/shop"], containers = ["gone"] }, process = ["make"], http = ["POST https://api.example/**", "PUT https://api.example/**"] }"#;

/// What happens before a call is answered and after it.
fn several() -> Vec<(Function, String)> {
    [
        (Function::DockerCreate, CREATE),
        (Function::DockerInspect, INSPECT),
        (Function::DockerRemove, GONE),
        (Function::DockerPull, PULL),
        (Function::MetricsEmit, METRIC),
        (Function::TimerSleep, SLEEP),
        (Function::DockerPush, PUSH),
    ]
    .map(|(function, args)| (function, args.to_owned()))
    .to_vec()
}

/// Makes the calls, and gives their answers.
async fn make(session: &mut windlass_gate::Session, calls: &[(Function, String)]) -> Vec<String> {
    let mut answers = Vec::new();
    for (function, args) in calls {
        answers.push(session.call_json(*function, args.clone()).await.expect("an answer"));
    }
    answers
}
