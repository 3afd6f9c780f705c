//! The report for people: the place in the file, underlined, as compilers show it.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::Lines;

/// Longer lines are not shown: a report has to stay readable, whatever the file holds.
const MAX_LINE: usize = 2_000;

/// A place with more lines than this is shown by its first line only.
const MAX_LINES: usize = 6;

/// Places that are this many lines apart, or fewer, are shown together.
const NEAR: usize = 3;

/// The parts of the file that the reports show, for each diagnostic. A report may outlive the source, and the source
/// may have 50 MB, so only these are kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Excerpts(Arc<Vec<Vec<Window>>>);

/// Some lines of the file, with marks.
#[derive(Debug)]
struct Window {
    /// The number of the first line, from 1.
    line: usize,
    text: String,
    marks: Vec<Mark>,
}

#[derive(Debug)]
struct Mark {
    /// Within the file, and once cut, within the window's text.
    span: Range<usize>,
    /// The related place with this index, or the diagnostic's own.
    related: Option<usize>,
}

impl Excerpts {
    pub(super) fn of(text: &str, lines: &Lines, found: &[Diagnostic]) -> Self {
        Self(Arc::new(found.iter().map(|one| windows(text, lines, one)).collect()))
    }
}

fn windows(text: &str, lines: &Lines, one: &Diagnostic) -> Vec<Window> {
    // A place of no length at the very beginning stands for the whole file.
    if one.concealed || one.span == (0..0) {
        return Vec::new();
    }
    let own = std::iter::once((None, &one.span));
    let related = one.related.iter().enumerate().map(|(index, related)| (Some(index), &related.span));
    let mut windows: Vec<(Range<usize>, Vec<Mark>)> = Vec::new();
    for (index, span) in own.chain(related) {
        let first = lines.line(span.start);
        let last = lines.line(span.end.saturating_sub(1).max(span.start));
        let (last, span) = if last - first < MAX_LINES {
            (last, span.clone())
        } else {
            let end = lines.start(first + 1).map_or(text.len(), |next| next - 1);
            (first, span.start..end)
        };
        let near = windows.iter_mut().find(|(shown, _)| first <= shown.end + NEAR && shown.start <= last + NEAR);
        match near {
            Some((shown, marks)) => {
                *shown = shown.start.min(first)..shown.end.max(last);
                marks.push(Mark { span, related: index });
            }
            None => windows.push((first..last, vec![Mark { span, related: index }])),
        }
    }
    windows.into_iter().filter_map(|(shown, marks)| cut(text, lines, shown, marks)).collect()
}

fn cut(text: &str, lines: &Lines, shown: Range<usize>, marks: Vec<Mark>) -> Option<Window> {
    let start = lines.start(shown.start)?;
    let end = lines.start(shown.end + 1).unwrap_or(text.len());
    let excerpt = text.get(start..end)?;
    if excerpt.split('\n').any(|line| line.len() > MAX_LINE) {
        return None;
    }
    let within = |span: Range<usize>| span.start - start..span.end.max(span.start) - start;
    let marks = marks.into_iter().map(|mark| Mark { span: within(mark.span), ..mark }).collect();
    Some(Window { line: shown.start + 1, text: excerpt.to_owned(), marks })
}

pub(super) fn render(all: &Diagnostics, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for (one, windows) in all.diagnostics.iter().zip(all.text.0.iter()) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&[group(&all.file, one, windows)]));
        out.push('\n');
    }
    if all.omitted > 0 {
        let _ = write!(out, "\n{}: and {} more\n", all.file, all.omitted);
    }
    out
}

fn group<'a>(file: &'a str, one: &'a Diagnostic, windows: &'a [Window]) -> Group<'a> {
    let level = match one.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(one.message.as_str()).id(one.code));
    let shown =
        |related: Option<usize>| windows.iter().any(|window| window.marks.iter().any(|mark| mark.related == related));
    if !shown(None) {
        group = group.element(Origin::path(file).line(one.line as usize).char_column(one.column as usize));
    }
    for window in windows {
        let marks = window.marks.iter().map(|mark| match mark.related {
            None => {
                AnnotationKind::Primary.span(mark.span.clone()).label(one.label.as_deref().or(one.expected.as_deref()))
            }
            Some(index) => AnnotationKind::Context
                .span(mark.span.clone())
                .label(one.related.get(index).map(|related| related.message.as_str())),
        });
        group = group.element(Snippet::source(&window.text).path(file).line_start(window.line).annotations(marks));
    }
    for (index, related) in one.related.iter().enumerate() {
        if !shown(Some(index)) {
            let place = format!("{} at {file}:{}:{}", related.message, related.line, related.column);
            group = group.element(Level::NOTE.message(place));
        }
    }
    match &one.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}
