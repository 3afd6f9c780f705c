//! A host for `cargo test`: it answers what the test says, and keeps what the plugin asked for.
//!
//! ```
//! use windlass_plugin::prelude::*;
//! use windlass_plugin::{http, mock};
//!
//! /// The tag of the newest release.
//! fn newest(repository: &str) -> Result<String> {
//!     let answer = http::send(&http::Request::get(format!("https://releases.example/{repository}")))?;
//!     ensure!(answer.is_success(), "no releases of {repository}: status {}", answer.status);
//!     Ok(answer.text().into_owned())
//! }
//!
//! # fn main() {
//! let host = mock::Host::new();
//! host.when(http::send).answers(Ok(http::Response::new(200, "v2")));
//! host.when(http::send).answers(Err(http::Error::Unavailable("nobody answers".to_owned())));
//! assert_eq!(newest("shop").unwrap(), "v2");
//! assert_eq!(newest("shop").unwrap_err().message(), "nobody answers");
//! assert!(host.calls()[0].starts_with("http.send(Request { method: \"GET\", url: \"https://releases.example/shop\""));
//! # }
//! ```
//!
//! The host is the one of its thread, so tests do not see each other's, and gone with the value. A call that it has no
//! answer for ends the test, and so does an answer that nobody asked for. Waiting, the log and metrics need no answer.
//!
//! The real gate with its grants and denials is not here: `windlass plugin test` has it.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::marker::PhantomData;

use serde_json::{Map, Value as Json};

use crate::bindings::exports::windlass::step::step::Input;
use crate::{Failure, Plugin};

thread_local! {
    static HOST: RefCell<Option<State>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct State {
    answers: HashMap<TypeId, VecDeque<Answer>>,
    calls: Vec<String>,
    log: Vec<String>,
}

/// What one call is answered with.
struct Answer {
    function: &'static str,
    value: Box<dyn Any>,
}

/// The host of this thread, for as long as it lives.
#[must_use = "the host is there for as long as the value lives"]
#[derive(Debug)]
pub struct Host {
    /// It belongs to its thread.
    of_this_thread: PhantomData<*const ()>,
}

impl Host {
    /// A host that has no answers yet.
    ///
    /// # Panics
    /// If there is one on this thread.
    #[expect(clippy::new_without_default, reason = "there is only one at a time")]
    pub fn new() -> Self {
        HOST.with_borrow_mut(|host| {
            assert!(host.is_none(), "there is a mock host on this thread already: keep one for the whole test");
            *host = Some(State::default());
        });
        Self { of_this_thread: PhantomData }
    }

    /// Says what calls of a function are answered with, as `host.when(docker::push).answers(...)`.
    pub fn when<F: Function<Arguments>, Arguments>(&self, function: F) -> When<'_, F::Answer> {
        let _ = function;
        When { of: TypeId::of::<F>(), function: std::any::type_name::<F>(), answer: PhantomData }
    }

    /// The calls so far, each as `docker.push("localhost:5000/app:1", None)`.
    pub fn calls(&self) -> Vec<String> {
        HOST.with_borrow(|host| host.as_ref().map(|host| host.calls.clone()).unwrap_or_default())
    }

    /// What the plugin has logged so far, each as `info: pushed`.
    pub fn log(&self) -> Vec<String> {
        HOST.with_borrow(|host| host.as_ref().map(|host| host.log.clone()).unwrap_or_default())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let Some(state) = HOST.take() else { return };
        let left: Vec<&str> = state.answers.values().flatten().map(|answer| answer.function).collect();
        assert!(left.is_empty() || std::thread::panicking(), "nobody asked for these answers: {}", left.join(", "));
    }
}

/// What the calls of one function are answered with.
#[derive(Debug)]
pub struct When<'h, T> {
    of: TypeId,
    function: &'static str,
    answer: PhantomData<(&'h Host, T)>,
}

impl<T: 'static> When<'_, T> {
    /// One call is answered with this; several answers are given in their order.
    pub fn answers(&self, value: T) -> &Self {
        let answer = Answer { function: self.function, value: Box::new(value) };
        HOST.with_borrow_mut(|host| {
            if let Some(host) = host {
                host.answers.entry(self.of).or_default().push_back(answer);
            }
        });
        self
    }
}

/// A function of the contract, with arguments of these types.
pub trait Function<Arguments>: 'static {
    /// What it gives.
    type Answer: 'static;
}

macro_rules! functions {
    ($(($($argument:ident),*))*) => {$(
        impl<F: Fn($($argument),*) -> T + 'static, T: 'static, $($argument),*> Function<($($argument,)*)> for F {
            type Answer = T;
        }
    )*};
}
functions! { () (A) (A, B) (A, B, C) (A, B, C, D) }

/// Runs a plugin as the host does: `with` is JSON text, and so are the outputs.
///
/// # Errors
/// The plugin's failure, or that `with` is not of its type.
pub fn run<P: Plugin>(with: &str) -> Result<Json, Failure> {
    let input = Input {
        with: with.to_owned(),
        pipeline: "test".to_owned(),
        stage: "test".to_owned(),
        step: "test".to_owned(),
        run: "test".to_owned(),
        attempt: 1,
    };
    let outcome =
        crate::export::ran::<P>(input).map_err(|failure| Failure::from_parts(failure.message, failure.hint))?;
    let mut outputs = Map::new();
    for output in outcome.outputs {
        outputs.insert(output.name, serde_json::from_str(&output.value)?);
    }
    Ok(outputs.into())
}

/// Answers a call.
pub(crate) fn called<F: Function<Arguments>, Arguments>(_: F, name: &str, arguments: &[&dyn Debug]) -> F::Answer {
    let said: Vec<String> = arguments.iter().map(|argument| format!("{argument:?}")).collect();
    let call = format!("{name}({})", said.join(", "));
    let answer = HOST.with_borrow_mut(|host| {
        let host = host.as_mut()?;
        host.calls.push(call.clone());
        host.answers.get_mut(&TypeId::of::<F>())?.pop_front()
    });
    // What is answered with nothing needs no answer.
    let answer = answer.map(|answer| answer.value).or_else(|| {
        let nothing: Box<dyn Any> = Box::new(());
        nothing.is::<F::Answer>().then_some(nothing)
    });
    match answer.and_then(|answer| answer.downcast::<F::Answer>().ok()) {
        Some(answer) => *answer,
        None => unanswered(name, &call),
    }
}

#[expect(clippy::panic, reason = "a test that goes another way than it says has failed")]
fn unanswered(name: &str, call: &str) -> ! {
    let path = name.replace('.', "::");
    panic!("nothing answers {call}; there is no host in `cargo test` but `mock::Host`: host.when({path}).answers(...)");
}

/// Keeps a line of the log.
pub(crate) fn logged(line: impl FnOnce() -> String) {
    HOST.with_borrow_mut(|host| {
        if let Some(host) = host {
            host.log.push(line());
        }
    });
}
