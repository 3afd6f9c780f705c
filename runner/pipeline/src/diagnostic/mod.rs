//! What is wrong with a pipeline, in words a person can act on, and where.

pub mod codes;
mod render;
mod sink;

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::source::{Lines, Source};
use crate::suggest::tame;

pub(crate) use sink::Sink;

/// At most this many diagnostics are kept and shown; the others are counted.
pub const MAX_SHOWN: usize = 100;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The pipeline is refused.
    Error,
    /// The pipeline runs; somebody should look.
    Warning,
}

impl Severity {
    /// The word in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A second place that explains a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Related {
    /// The bytes in the file.
    pub span: Range<usize>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is there.
    pub message: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Diagnostic {
    /// A stable name for this class of mistake, one of [`codes`].
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// The bytes in the file.
    pub span: Range<usize>,
    /// The line of the first byte, from 1.
    pub line: u32,
    /// The column of the first byte in characters, from 1.
    pub column: u32,
    /// The line of the last byte, from 1.
    pub end_line: u32,
    /// The column after the last byte in characters, from 1.
    pub end_column: u32,
    /// A few words for the place itself; the message stands alone without them.
    pub label: Option<String>,
    /// What was expected there.
    pub expected: Option<String>,
    /// How to put it right.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// The text at the place may be a secret, so no report shows the line.
    #[serde(skip)]
    pub(crate) concealed: bool,
}

impl Diagnostic {
    /// An error at `span`. Line and column are filled in by [`Diagnostics::of`].
    pub(crate) fn error(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            line: 0,
            column: 0,
            end_line: 0,
            end_column: 0,
            label: None,
            expected: None,
            help: None,
            related: Vec::new(),
            concealed: false,
        }
    }

    /// Its short label at the place.
    pub(crate) fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = Some(label.into());
        self
    }

    /// What stands there instead in a good file.
    pub(crate) fn expected(&mut self, expected: impl Into<String>) -> &mut Self {
        self.expected = Some(expected.into());
        self
    }

    /// How to put it right.
    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Another place that belongs to it.
    pub(crate) fn related(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Self {
        self.related.push(Related { span, line: 0, column: 0, message: message.into() });
        self
    }

    /// What the file says is data, and must not act on a terminal or a log.
    fn tame(&mut self) {
        let texts = [Some(&mut self.message), self.label.as_mut(), self.expected.as_mut(), self.help.as_mut()];
        texts.into_iter().flatten().chain(self.related.iter_mut().map(|related| &mut related.message)).for_each(tame);
    }

    fn locate(&mut self, lines: &Lines, text: &str) {
        let start = lines.location(text, self.span.start);
        let end = lines.location(text, self.span.end);
        (self.line, self.column) = (start.line, start.column);
        (self.end_line, self.end_column) = (end.line, end.column);
        for related in &mut self.related {
            let place = lines.location(text, related.span.start);
            (related.line, related.column) = (place.line, place.column);
        }
    }
}

/// Everything that is wrong with one file, sorted by place.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Diagnostics {
    /// The file's name, as shown.
    pub file: String,
    /// The diagnostics, by place, at most [`MAX_SHOWN`].
    pub diagnostics: Vec<Diagnostic>,
    /// How many more there are.
    pub omitted: usize,
    /// The parts of the text that the reports show. Shared, so that a report outlives the source.
    #[serde(skip)]
    text: render::Excerpts,
}

impl Diagnostics {
    /// Diagnostics of `source`, put in order and given lines and columns.
    pub(crate) fn of(source: &Source, found: Vec<Diagnostic>) -> Self {
        Self::with_omitted(source, found, 0)
    }

    pub(crate) fn with_omitted(source: &Source, mut found: Vec<Diagnostic>, mut omitted: usize) -> Self {
        let mut text = render::Excerpts::default();
        if !found.is_empty() {
            found.sort_by_key(|one| (one.span.start, one.span.end));
            omitted += found.len().saturating_sub(MAX_SHOWN);
            found.truncate(MAX_SHOWN);
            let lines = Lines::of(&source.text);
            for diagnostic in &mut found {
                diagnostic.locate(&lines, &source.text);
                diagnostic.tame();
            }
            text = render::Excerpts::of(&source.text, &lines, &found);
        }
        let mut file = source.name.clone();
        tame(&mut file);
        Self { file, diagnostics: found, omitted, text }
    }

    /// The diagnostics, by place.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.diagnostics.iter()
    }

    /// How many there are, those not kept included.
    pub fn len(&self) -> usize {
        self.diagnostics.len() + self.omitted
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The full report with the places in the file, for a person.
    pub fn render(&self, color: bool) -> String {
        render::render(self, color)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.diagnostics.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            let (line, column, word) = (one.line, one.column, one.severity.word());
            write!(f, "{gap}{}:{line}:{column}: {word}: {}", self.file, one.message)?;
            if let Some(help) = &one.help {
                write!(f, " (help: {help})")?;
            }
        }
        if self.omitted > 0 {
            write!(f, "\n{}: and {} more", self.file, self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
