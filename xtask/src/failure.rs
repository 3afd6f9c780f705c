//! Errors for people: what failed, why, and what to do next, as one text.

use std::fmt;

/// A failure that ends the command; its text is all there is to it.
#[derive(Debug, Clone)]
pub(crate) struct Failure(String);

/// What every fallible function of this crate returns.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says what was being done when something failed. There is deliberately no `From<io::Error>`:
/// "No such file or directory" alone helps nobody.
pub(crate) trait Doing<T> {
    /// `cannot <what>: <cause>`.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Failure(format!("cannot {}: {cause}", what())))
    }
}

impl<T> Doing<T> for Option<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.ok_or_else(|| Failure(format!("cannot {}", what())))
    }
}
