//! The report for people: the place in the file, underlined, as compilers show it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::Lines;

/// Lines longer than this are not shown: a report has to stay readable, whatever the file holds.
const MAX_LINE: usize = 2_000;

/// A span that covers more lines than this is shown by its first line only.
const MAX_LINES: usize = 6;

/// The lines of the file that the reports show, by line index, with their ends. A report may outlive the source, and the
/// source may have 50 MB, so only these are kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Excerpts(Arc<BTreeMap<usize, (usize, String)>>);

impl Excerpts {
    pub(super) fn of(text: &str, lines: &Lines, found: &[Diagnostic]) -> Self {
        let mut kept = BTreeMap::new();
        let spans = found.iter().filter(|one| !one.concealed).flat_map(|one| {
            std::iter::once(&one.span).chain(one.related.iter().map(|related| &related.span))
        });
        for span in spans {
            let first = lines.line(span.start);
            let last = lines.line(span.end.max(span.start));
            for index in first..=last.min(first + MAX_LINES) {
                let Some(start) = lines.start(index) else { break };
                let end = lines.start(index + 1).unwrap_or(text.len());
                if let Some(line) = text.get(start..end).filter(|line| line.len() <= MAX_LINE) {
                    kept.insert(index, (start, line.to_owned()));
                }
            }
        }
        Self(Arc::new(kept))
    }

    /// The lines of `span` as one text, with the number of the first and the span within that text.
    fn cut(&self, span: &Range<usize>) -> Option<(usize, String, Range<usize>)> {
        let (first, (base, line)) = self.0.iter().rev().find(|(_, (start, _))| *start <= span.start)?;
        if span.start > base + line.len() {
            return None;
        }
        let mut text = line.clone();
        for index in first + 1..=first + MAX_LINES {
            match self.0.get(&index) {
                Some((start, line)) if *start < span.end => text.push_str(line),
                _ => break,
            }
        }
        let (start, mut end) = (span.start - base, span.end.max(span.start) - base);
        if end > text.len() {
            // Too many lines: the first one stands for them.
            text.truncate(line.len());
            end = line.trim_end().len().max(start);
        }
        Some((first + 1, text, start..end))
    }
}

pub(super) fn render(all: &Diagnostics, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for one in &all.diagnostics {
        let report = report(all, one);
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&report));
        out.push('\n');
    }
    if all.omitted > 0 {
        let _ = write!(out, "\n{}: and {} more\n", all.file, all.omitted);
    }
    out
}

fn report<'a>(all: &'a Diagnostics, one: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match one.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(one.message.as_str()).id(one.code));
    let label = one.label.as_deref().or(one.expected.as_deref());
    match all.text.cut(&one.span).filter(|_| !one.concealed) {
        Some((line, text, span)) => {
            let mark = AnnotationKind::Primary.span(span).label(label);
            group = group.element(Snippet::source(text).path(all.file.as_str()).line_start(line).annotation(mark));
        }
        None => {
            let place = format!("at {}:{}:{}", all.file, one.line, one.column);
            group = group.element(Level::NOTE.message(place));
        }
    }
    for related in &one.related {
        match all.text.cut(&related.span) {
            Some((line, text, span)) => {
                let mark = AnnotationKind::Context.span(span).label(related.message.as_str());
                let snippet = Snippet::source(text).path(all.file.as_str()).line_start(line).annotation(mark);
                group = group.element(snippet);
            }
            None => {
                let place = format!("{} at {}:{}:{}", related.message, all.file, related.line, related.column);
                group = group.element(Level::NOTE.message(place));
            }
        }
    }
    if let Some(help) = &one.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    vec![group]
}
