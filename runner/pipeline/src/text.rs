//! `${...}` in strings: how it is written.
//!
//! `${vars.x}`, `${env.X}`, `${git.short}`, `${run.id}`, `${environment}` and `${stages.S.steps.T.outputs.O}`; `:-` before
//! the `}` begins a default, plain text up to the `}`; `$${` is a plain `${`. Everything else that has a dollar sign is plain text.
//!
//! As in a shell, the default of `${env.X:-...}` also stands in for a variable that is set and empty.

use std::ops::Range;

/// A part of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Reference(Reference<'a>),
    /// Something that begins like a reference and is none.
    Bad(Bad<'a>),
}

/// `${...}`, and where in the string it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) default: Option<&'a str>,
    /// All of it, with `${` and `}`.
    pub(crate) at: Range<usize>,
}

/// What a reference names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    Var(&'a str),
    Env(&'a str),
    Git(&'a str),
    Run(&'a str),
    /// The environment of the stage.
    Environment,
    Output {
        stage: &'a str,
        step: &'a str,
        output: &'a str,
    },
}

/// What is wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bad<'a> {
    pub(crate) problem: Problem<'a>,
    pub(crate) at: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem<'a> {
    /// No `}`.
    Unclosed,
    /// Nothing between the braces.
    Empty,
    /// The first word is none of [`ROOTS`].
    Root(&'a str),
    /// More or fewer words than this root takes; how it is written.
    Shape(&'static str),
    /// A character that names do not have.
    Character(char),
    /// A reference within a default.
    Nested,
}

/// The first words.
pub(crate) const ROOTS: &[&str] = &["env", "environment", "git", "run", "stages", "vars"];

/// What `${git.*}` knows.
pub(crate) const GIT: &[&str] = &["branch", "dirty", "sha", "short", "tag"];

/// What `${run.*}` knows.
pub(crate) const RUN: &[&str] = &["id", "workspace"];

/// Whether the string has anything but plain text in it.
pub(crate) fn is_plain(text: &str) -> bool {
    // Most strings have no dollar sign at all, and that is found quickest.
    !text.contains('$') || !text.contains("${")
}

/// The parts of a string, in order.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find("${").map(|found| found + at) {
        let escaped = found > from && text.as_bytes()[found - 1] == b'$';
        let before = &text[from..if escaped { found - 1 } else { found }];
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        if escaped {
            pieces.push(Piece::Text("${"));
            (from, at) = (found + 2, found + 2);
            continue;
        }
        let Some(length) = text[found..].find('}') else {
            pieces.push(Piece::Bad(Bad { problem: Problem::Unclosed, at: found..text.len() }));
            return pieces;
        };
        let end = found + length + 1;
        pieces.push(match reference(&text[found + 2..end - 1]) {
            Ok((target, default)) => Piece::Reference(Reference { target, default, at: found..end }),
            Err(problem) => Piece::Bad(Bad { problem, at: found..end }),
        });
        (from, at) = (end, end);
    }
    if from < text.len() {
        pieces.push(Piece::Text(&text[from..]));
    }
    pieces
}

fn reference(inner: &str) -> Result<(Target<'_>, Option<&str>), Problem<'_>> {
    let (path, default) = inner.split_once(":-").map_or((inner, None), |(path, default)| (path, Some(default)));
    if path.is_empty() {
        return Err(Problem::Empty);
    }
    if default.is_some_and(|default| default.contains("${")) {
        return Err(Problem::Nested);
    }
    if let Some(bad) = path.chars().find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c)) {
        return Err(Problem::Character(bad));
    }
    let words: Vec<&str> = path.split('.').collect();
    let target = match words.as_slice() {
        [root, ..] if !ROOTS.contains(root) => return Err(Problem::Root(root)),
        words if words.iter().any(|word| word.is_empty()) => return Err(Problem::Shape(shape(words[0]))),
        ["vars", name] => Target::Var(name),
        ["env", name] => Target::Env(name),
        ["git", name] => Target::Git(name),
        ["run", name] => Target::Run(name),
        ["environment"] => Target::Environment,
        ["stages", stage, "steps", step, "outputs", output] => Target::Output { stage, step, output },
        words => return Err(Problem::Shape(shape(words[0]))),
    };
    Ok((target, default))
}

fn shape(root: &str) -> &'static str {
    match root {
        "vars" => "${vars.NAME}",
        "env" => "${env.NAME}",
        "git" => "${git.short}",
        "run" => "${run.id}",
        "environment" => "${environment}",
        _ => "${stages.STAGE.steps.STEP.outputs.OUTPUT}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference<'a>(target: Target<'a>, default: Option<&'a str>, at: Range<usize>) -> Piece<'a> {
        Piece::Reference(Reference { target, default, at })
    }

    #[test]
    fn text_and_references() {
        assert_eq!(
            pieces("a ${vars.x} b"),
            [Piece::Text("a "), reference(Target::Var("x"), None, 2..11), Piece::Text(" b")]
        );
        let output = Target::Output { stage: "s", step: "t", output: "o" };
        assert_eq!(pieces("${stages.s.steps.t.outputs.o}"), [reference(output, None, 0..29)]);
        assert_eq!(pieces("${env.X:-a:-b}"), [reference(Target::Env("X"), Some("a:-b"), 0..14)]);
        assert_eq!(pieces("${environment}"), [reference(Target::Environment, None, 0..14)]);
        assert_eq!(pieces("${env.X:-}"), [reference(Target::Env("X"), Some(""), 0..10)]);
    }

    #[test]
    fn escapes_and_lone_dollars() {
        assert_eq!(pieces("$${vars.x}"), [Piece::Text("${"), Piece::Text("vars.x}")]);
        assert_eq!(pieces("$5 $$ $"), [Piece::Text("$5 $$ $")]);
        assert_eq!(pieces("$$${x}"), [Piece::Text("$"), Piece::Text("${"), Piece::Text("x}")]);
        assert_eq!(pieces("${vars.x}${vars.y}").len(), 2);
    }

    #[test]
    fn what_is_no_reference() {
        let problem = |text| match pieces(text).pop() {
            Some(Piece::Bad(bad)) => bad.problem,
            other => panic!("{other:?}"),
        };
        assert_eq!(problem("${vars.x"), Problem::Unclosed);
        assert_eq!(problem("${}"), Problem::Empty);
        assert!(pieces("${env.A:-${vars.b}}").contains(&Piece::Bad(Bad { problem: Problem::Nested, at: 0..18 })));
        assert_eq!(problem("${var.x}"), Problem::Root("var"));
        assert_eq!(problem("${vars}"), Problem::Shape("${vars.NAME}"));
        assert_eq!(problem("${vars.}"), Problem::Shape("${vars.NAME}"));
        assert_eq!(problem("${environment.name}"), Problem::Shape("${environment}"));
        assert_eq!(problem("${vars.x y}"), Problem::Character(' '));
        assert_eq!(problem("${stages.a.outputs.x}"), Problem::Shape("${stages.STAGE.steps.STEP.outputs.OUTPUT}"));
    }
}
