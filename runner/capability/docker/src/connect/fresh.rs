//! What this process made and has not finished with: it need not be looked at before it is used.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bollard::container::LogOutput;
use bollard::errors::Error;
use futures_util::Stream;

/// Output as it comes.
pub(crate) type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

/// Something that was made and not started yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// A container that runs to its end: its output is wanted from the first byte.
    Run,
    /// A container that goes on, or an exec.
    Other,
}

/// Containers and execs that this process made and has not started yet, and the output of those that it has. Whatever
/// is not here may have been started by a process that is gone, and is looked at first.
#[derive(Default)]
pub(crate) struct Fresh {
    made: Mutex<HashMap<String, Made>>,
    outputs: Mutex<HashMap<String, Output>>,
}

impl Fresh {
    /// It was made here.
    pub(crate) fn note(&self, id: &str, made: Made) {
        lock(&self.made).insert(id.to_owned(), made);
    }

    /// What it is, if it was made here and never started; only the first caller is told so.
    pub(crate) fn take(&self, id: &str) -> Option<Made> {
        lock(&self.made).remove(id)
    }

    /// Keeps the output of a container that is being started for who waits for its end.
    pub(crate) fn keep(&self, id: &str, output: Output) {
        lock(&self.outputs).insert(id.to_owned(), output);
    }

    /// The output from the first byte on, if it was kept.
    pub(crate) fn output(&self, id: &str) -> Option<Output> {
        lock(&self.outputs).remove(id)
    }

    /// It is gone.
    pub(crate) fn forget(&self, id: &str) {
        self.take(id);
        self.output(id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_here_is_started_without_a_look_once() {
        let fresh = Fresh::default();
        fresh.note("a", Made::Run);
        assert_eq!(fresh.take("a"), Some(Made::Run));
        assert_eq!(fresh.take("a"), None);
        assert_eq!(fresh.take("b"), None);
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let fresh = Fresh::default();
        fresh.note("a", Made::Other);
        fresh.keep("a", Box::pin(futures_util::stream::empty()));
        fresh.forget("a");
        assert!(fresh.take("a").is_none() && fresh.output("a").is_none());
    }
}
