//! Where the checks drop what they find.

use std::ops::Range;

use super::{Diagnostic, Diagnostics, MAX_SHOWN, Severity, codes};
use crate::source::Source;

/// Collects diagnostics, keeps the first [`MAX_SHOWN`] errors and as many warnings, and counts the others.
///
/// Messages are built by closures, and only for those that are kept: a generated file with a million mistakes costs
/// no more than one with a hundred.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sink {
    kept: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
    /// The text was not TOML, so what seems to be missing may stand in the part that could not be read.
    broken: bool,
}

impl Sink {
    /// An error; `build` makes its message and may add to it.
    pub(crate) fn error(&mut self, code: &'static str, span: Range<usize>, build: impl FnOnce(&mut Diagnostic)) {
        if self.broken && absence(code) {
            return;
        }
        self.errors += 1;
        if self.errors <= MAX_SHOWN {
            let mut diagnostic = Diagnostic::error(code, span, String::new());
            build(&mut diagnostic);
            self.kept.push(diagnostic);
        }
    }

    /// A warning; `build` makes its message and may add to it.
    pub(crate) fn warning(&mut self, code: &'static str, span: Range<usize>, build: impl FnOnce(&mut Diagnostic)) {
        self.warnings += 1;
        if self.warnings <= MAX_SHOWN {
            let mut diagnostic = Diagnostic::error(code, span, String::new());
            diagnostic.severity = Severity::Warning;
            build(&mut diagnostic);
            self.kept.push(diagnostic);
        }
    }

    /// Whether no more errors are kept, so that it is not worth while to look for their places.
    pub(crate) fn is_full(&self) -> bool {
        self.errors >= MAX_SHOWN
    }

    /// Errors that were not even looked at.
    pub(crate) fn count_errors(&mut self, more: usize) {
        self.errors += more;
    }

    /// From here on, things that seem to be missing are not reported.
    pub(crate) fn mark_broken(&mut self) {
        self.broken = true;
    }

    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Everything found, in order. Errors come before warnings when there are too many for both.
    pub(crate) fn finish(mut self, source: &Source) -> Diagnostics {
        let found = self.errors + self.warnings;
        if self.kept.len() > MAX_SHOWN {
            self.kept.sort_by_key(|diagnostic| diagnostic.severity == Severity::Warning);
            self.kept.truncate(MAX_SHOWN);
        }
        let omitted = found - self.kept.len();
        Diagnostics::with_omitted(source, self.kept, omitted)
    }

    /// Takes over what another sink found and this one has not.
    pub(crate) fn absorb_new(&mut self, mut other: Self) {
        let found = other.kept.len();
        other.kept.retain(|diagnostic| !self.kept.contains(diagnostic));
        let known = found - other.kept.len();
        other.errors -= known;
        self.absorb(other);
    }

    /// Takes over what another sink found.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.kept.extend(other.kept);
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.broken |= other.broken;
    }
}

/// Codes that say that something is not there, or not all of it.
fn absence(code: &str) -> bool {
    matches!(
        code,
        codes::MISSING_KEY
            | codes::EMPTY
            | codes::UNKNOWN_STAGE
            | codes::UNKNOWN_ENVIRONMENT
            | codes::UNKNOWN_REFERENCE
            | codes::UNKNOWN_PLUGIN
            | codes::NOT_UPSTREAM
            | codes::MISSING_GRANT
            | codes::BAD_WITH
    )
}
