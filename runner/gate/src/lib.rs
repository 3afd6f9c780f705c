//! The one door out: grant check, `Start`, effect, `End`.
//!
//! A plugin reaches the world only through a [`Session`]. The session checks the call against the
//! table, the plugin's description and the grants of the step, writes `Start` to the journal, lets
//! the capability act, writes `End`, and answers with exactly the bytes that the journal holds.

pub mod api;
mod approvals;
mod authorise;
mod capability;
mod crash;
mod demands;
mod error;
mod gate;
mod log;
mod recording;
mod redact;
mod secrets;
mod session;
mod table;
mod tape;

/// The version of what calls look like in the journal: the functions of the table, their arguments and answers, and which
/// calls composites are made of. A run is replayed and resumed only by a gate of the same version.
pub const VERSION: &str = "1";

pub use approvals::{Approvals, Subject};
pub use capability::{Authority, Call, Capability, Guard, RunContext, StepAuthority, Touched, Touches};
pub use error::{Answer, CallError, Interrupt, Stop};
pub use gate::Gate;
pub use log::StepLog;
pub use recording::{Question, Recording, StageRecord, StepRecord};
pub use redact::Redactor;
pub use secrets::{SecretStore, Secrets};
pub use session::{Session, SessionOptions};
pub use table::{Function, InDoubt, Kind, Need, Row, Want};
pub use tape::{Divergence, MadeCall, Mode, Playback, RecordedCall, Tape};
