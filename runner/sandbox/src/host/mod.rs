//! Binds every imported interface to the gate: arguments become JSON, the answer becomes WIT again.

mod approval;
mod artifacts;
mod docker;
mod health;
mod http;
mod log;
mod metrics;
mod process;
mod query;
mod timer;
mod traffic;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use windlass_gate::{Answer, CallError, Function};

use crate::contract::windlass::value::value;
use crate::state::State;

impl value::Host for State {}

impl State {
    /// Makes a call through the gate.
    async fn call<T, E>(&mut self, function: Function, args: Json) -> wasmtime::Result<Result<T, E>>
    where
        T: DeserializeOwned,
        E: DeserializeOwned,
    {
        let Some(session) = self.session.as_mut() else {
            return Err(wasmtime::Error::msg(format!(
                "`describe` called {}; it has to say what the plugin is without calling anything",
                function.name()
            )));
        };
        match session.call_json(function, args.to_string()).await {
            Ok(answer) => match serde_json::from_str::<Answer<T>>(&answer) {
                Ok(Answer::Ok(answer)) => Ok(Ok(answer)),
                Ok(Answer::Err(error)) => Ok(Err(in_words_of_the_interface(&error)?)),
                Err(error) => {
                    Err(wasmtime::Error::msg(format!("the answer of {} is not of its form: {error}", function.name())))
                }
            },
            Err(interrupt) => Err(self.interrupted(interrupt)),
        }
    }
}

/// The interface's own error; `other` for a case that it does not have.
fn in_words_of_the_interface<E: DeserializeOwned>(error: &CallError) -> wasmtime::Result<E> {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Fallback<'a> {
        Other(&'a str),
    }
    let exact = serde_json::to_value(error).and_then(serde_json::from_value);
    exact
        .or_else(|_| serde_json::to_value(Fallback::Other(error.message())).and_then(serde_json::from_value))
        .map_err(|_| wasmtime::Error::msg(format!("the interface has no words for the error: {error}")))
}
