//! Exit codes: the one place that documents them and gives them.
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | success |
//! | 1 | the pipeline failed |
//! | 2 | wrong usage, a bad pipeline or a bad plugin; nothing was started |
//! | 3 | denied or unsafe: a step did what no grant allows, or `pipeline.lock` does not allow the run |
//! | 4 | the world is not there: Docker, a registry, a folder that cannot be written |
//! | 5 | waiting for a person: an answer to `resume`, an approval |
//! | 130 | interrupted |
//!
//! The code of a run is decided by the engine, which also records it; everything that goes wrong
//! before or after a run gets its code from [`crate::error::CliError::exit`].

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    pub(crate) const SUCCESS: Self = Self(0);
    pub(crate) const FAILED: Self = Self(1);
    pub(crate) const USAGE: Self = Self(2);
    pub(crate) const DENIED: Self = Self(3);
    pub(crate) const WORLD: Self = Self(4);
    pub(crate) const WAITING: Self = Self(5);
    pub(crate) const INTERRUPTED: Self = Self(130);
}

/// What `windlass help` says about them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    success
  1    the pipeline failed
  2    wrong usage, a bad pipeline or a bad plugin; nothing was started
  3    denied or unsafe: a step did what no grant allows, or pipeline.lock does not allow the run
  4    the world is not there: Docker, a registry, a folder that cannot be written
  5    waiting for a person: an answer to `resume`, an approval
  130  interrupted";
