//! Time by the router's clock, and how much of it a deploy may work.

use windlass_plugin::{Failure, OrFail, ensure, traffic};

use crate::names::span;

/// What a deploy has of its time.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    service: String,
    /// When the first work began.
    began: Option<u64>,
    /// When the work that is being done began.
    since: u64,
    /// How long it has worked before that.
    spent: u64,
    /// How long it may.
    limit: u64,
}

/// Now, by the router's clock, in milliseconds since 1970.
///
/// # Errors
/// The router cannot be asked.
pub(crate) fn now(service: &str) -> Result<u64, Failure> {
    let measured = traffic::measure(service, None, 1_000).or_fail("ask the router for the time")?;
    Ok(measured.now_ms)
}

impl Clock {
    pub(crate) fn new(service: &str) -> Self {
        Self { service: service.to_owned(), began: None, since: 0, spent: 0, limit: u64::MAX }
    }

    /// Work begins, or goes on after a pause.
    ///
    /// # Errors
    /// The router cannot be asked.
    pub(crate) fn begin_work(&mut self, limit: u64) -> Result<(), Failure> {
        self.since = now(&self.service)?;
        self.began.get_or_insert(self.since);
        self.limit = limit;
        Ok(())
    }

    /// When the first work began.
    pub(crate) fn began(&self) -> u64 {
        self.began.unwrap_or_default()
    }

    /// What was left of the time when this work began.
    pub(crate) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.spent)
    }

    /// Work ends.
    ///
    /// # Errors
    /// It took too long, or the router cannot be asked.
    pub(crate) fn end_work(&mut self) -> Result<(), Failure> {
        self.spent += now(&self.service)?.saturating_sub(self.since);
        ensure!(
            self.spent <= self.limit,
            "bringing the new containers up took {}, longer than `progress-deadline`, which is {}",
            span(self.spent),
            span(self.limit)
        );
        Ok(())
    }
}
