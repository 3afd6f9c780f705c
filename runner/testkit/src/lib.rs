//! Tests of plugins without a world: no Docker, no network, no effect.
//!
//! A *case* is a TOML file: what a step finds, the calls that it is expected to make with the answers
//! that they get, and what comes of it. The engine runs the step in the real sandbox and before the
//! real gate, so grants are checked and composites are made of their real calls; behind the gate, the
//! case stands in for every capability. What the step did is read from the journal of that run, and
//! compared with the case.
//!
//! `docs/plugin-tests.md` has every key of a case.

mod canned;
mod case;
mod diff;
mod made;
mod read;
mod record;
mod report;
mod run;
mod script;
mod shape;
mod toml;
mod value;
mod verdict;

pub use case::Case;
pub use read::read;
pub use record::{RecordError, record};
pub use report::Report;
pub use run::{CaseError, run};
pub use verdict::{Difference, ShownCall};
