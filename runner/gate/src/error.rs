//! What a call can fail with, in the form that the journal and the plugins know.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use windlass_journal::{CallId, FailureKind, JournalError};

use crate::{Divergence, MadeCall};

/// Why a call failed. The names are those of the WIT error variants; an interface that does not
/// have a case shows it as `other`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[error("{}", self.message())]
pub enum CallError {
    /// No grant allows it, or it is never allowed.
    Denied(String),
    /// What is named does not exist.
    NotFound(String),
    /// The name is taken.
    Conflict(String),
    /// The arguments are not acceptable.
    Invalid(String),
    /// It would break what a deploy promises.
    Unsafe(String),
    /// The other side cannot do this at all.
    Unsupported(String),
    /// The other side cannot be reached.
    Unavailable(String),
    /// The registry cannot be reached.
    RegistryUnavailable(String),
    /// The credentials are not accepted.
    Unauthorized(String),
    /// The build failed.
    BuildFailed(String),
    /// The port is in use.
    PortInUse(String),
    /// The time limit passed.
    TimedOut(String),
    /// The other side's disk is full.
    DiskFull(String),
    /// The answer is larger than the limit.
    TooLarge(String),
    /// Anything else.
    Other(String),
    /// The call was under way when the runner died, and how it ended cannot be found out. It is no answer: a person is
    /// asked instead.
    Lost(String),
}

impl CallError {
    /// What failed and why.
    pub fn message(&self) -> &str {
        match self {
            Self::Denied(message)
            | Self::NotFound(message)
            | Self::Conflict(message)
            | Self::Invalid(message)
            | Self::Unsafe(message)
            | Self::Unsupported(message)
            | Self::Unavailable(message)
            | Self::RegistryUnavailable(message)
            | Self::Unauthorized(message)
            | Self::BuildFailed(message)
            | Self::PortInUse(message)
            | Self::TimedOut(message)
            | Self::DiskFull(message)
            | Self::TooLarge(message)
            | Self::Other(message)
            | Self::Lost(message) => message,
        }
    }

    /// Who has to act when a step fails of it.
    pub fn failure_kind(&self) -> FailureKind {
        match self {
            Self::Denied(_) | Self::Unsafe(_) => FailureKind::Denied,
            Self::Unavailable(_) | Self::RegistryUnavailable(_) | Self::Unauthorized(_) | Self::DiskFull(_) => {
                FailureKind::Unavailable
            }
            Self::TimedOut(_) => FailureKind::TimedOut,
            _ => FailureKind::Failed,
        }
    }
}

/// An answer as the journal holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer<T> {
    /// It went well.
    Ok(T),
    /// It did not.
    Err(CallError),
}

/// Why a step cannot go on at all; no answer reaches the plugin.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Interrupt {
    /// The journal cannot write, so nothing may happen any more.
    #[error("the journal cannot be written: {0}")]
    Journal(Arc<JournalError>),
    /// The record cannot be played.
    #[error("the record of the step cannot be used: {0}")]
    Record(String),
    /// A call is not the one that was recorded in its place.
    #[error("{0}")]
    Diverged(Box<Divergence>),
    /// The record has no more calls, and none is to be made.
    #[error("call {} ({} {}) is not in the record, and nothing is done here that is not", .0.call.ordinal + 1, .0.function, .0.args)]
    RecordEnded(Box<MadeCall>),
    /// How a call ended is not known, it must not be made twice, and nobody has said what became of it.
    #[error("how call {} (`{function}`) ended before the crash is not known", call.ordinal + 1)]
    InDoubt {
        /// Which call.
        call: CallId,
        /// The function.
        function: &'static str,
    },
    /// The step made more calls than its limit.
    #[error("the step made more than {limit} calls; raise `limits.calls` if it really needs more")]
    TooManyCalls {
        /// The limit.
        limit: u64,
    },
}

/// Why a composite cannot go on: an error to answer with, or the end of the step.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Stop {
    /// One of its calls failed.
    #[error(transparent)]
    Error(#[from] CallError),
    /// The step cannot go on.
    #[error(transparent)]
    Interrupt(#[from] Interrupt),
}
