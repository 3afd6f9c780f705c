//! Why a build failed, and at which line of the Dockerfile.

use windlass_gate::CallError;

use super::Order;
use super::dockerfile::Instruction;
use super::output::plain;
use crate::credentials;
use crate::fault;
use crate::reference::Reference;

/// The error for a build that the builder gave up.
///
/// `step` is the instruction that failed, if it is known; `output` is what steps printed last.
pub(super) fn explain(order: &Order<'_>, message: &str, step: Option<&Instruction>, output: &str) -> CallError {
    let message = plain(message.trim());
    let what = order.what();
    if let Some(syntax) = order.dockerfile.syntax()
        && (message.contains(syntax)
            || message.contains("failed to solve with frontend dockerfile.v0: failed to solve with frontend gateway"))
    {
        return CallError::BuildFailed(format!(
            "{what}: its first line asks for the frontend `{syntax}`, which the builder could not get: {message}; without that line the daemon's own frontend is used"
        ));
    }
    let place = place(order, &message, step);
    let base = base_of(&message);
    let place = place.or_else(|| base.and_then(|image| order.dockerfile.base(image)).map(shown)).unwrap_or_default();
    if let Some(image) = base
        && let Ok(reference) = Reference::parse(image)
    {
        let registry = reference.registry();
        let hint = credentials::find(&order.engine.config, order.call, registry, None)
            .map(|found| found.hint)
            .unwrap_or_default();
        let error = fault::registry(format_args!("{what}{place}"), registry, &message, &hint);
        match error {
            CallError::NotFound(text) | CallError::Other(text) => {
                return CallError::BuildFailed(format!(
                    "{text}; the base image has to be in its registry, or on the Docker daemon by this name"
                ));
            }
            other => return other,
        }
    }
    match fault::said(format_args!("{what}{place}"), &message) {
        full @ CallError::DiskFull(_) => full,
        _ => {
            let lines = if output.is_empty() { String::new() } else { format!("; the last lines:\n{output}") };
            CallError::BuildFailed(format!("{what}{place}: {message}{lines}"))
        }
    }
}

fn place(order: &Order<'_>, message: &str, step: Option<&Instruction>) -> Option<String> {
    // A parse error names the line itself.
    if let Some(number) = named_line(message) {
        let text = order.dockerfile.line(number).unwrap_or_default();
        return Some(format!(", line {number} `{text}`"));
    }
    step.map(shown)
}

fn shown(instruction: &Instruction) -> String {
    format!(", line {} `{}`", instruction.line, instruction.text)
}

/// The number in "parse error line 3:" and "parse error on line 3:".
fn named_line(message: &str) -> Option<usize> {
    let (before, after) = message.split_once("line ")?;
    if !before.to_lowercase().contains("parse error") {
        return None;
    }
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The image in errors about one that could not be had.
fn base_of(message: &str) -> Option<&str> {
    let leads = [
        "failed to resolve source metadata for ",
        "failed to load metadata for ",
        "pull access denied for ",
        "manifest for ",
        "failed to do request: Head \"",
        "failed to copy: ",
    ];
    for lead in leads.iter().take(4) {
        if let Some((_, rest)) = message.split_once(lead) {
            return rest.split([' ', ',', ':']).next().map(|_| image_word(rest));
        }
    }
    // The oldest BuildKit puts the image before the reason: "localhost:5000/x:1: not found".
    let (_, rest) =
        message.split_once("failed to solve with frontend dockerfile.v0: failed to create LLB definition: ")?;
    rest.contains(": ").then(|| image_word(rest))
}

fn image_word(text: &str) -> &str {
    let word = text.split([' ', ',']).next().unwrap_or(text);
    word.trim_end_matches(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_parse_error_is_found() {
        assert_eq!(named_line("dockerfile parse error line 3: unknown instruction: FOO"), Some(3));
        assert_eq!(
            named_line("failed to solve: dockerfile parse error on line 12: unknown instruction: FOO"),
            Some(12)
        );
        assert_eq!(named_line("the command returned: line 3"), None);
    }

    #[test]
    fn the_base_image_is_found() {
        assert_eq!(base_of("pull access denied for nope, repository does not exist"), Some("nope"));
        assert_eq!(
            base_of("manifest for localhost:5000/nope:1 not found: manifest unknown"),
            Some("localhost:5000/nope:1")
        );
        assert_eq!(
            base_of(
                "failed to solve: localhost:5000/nope:1: failed to resolve source metadata for localhost:5000/nope:1: not found"
            ),
            Some("localhost:5000/nope:1")
        );
        assert_eq!(
            base_of(
                "failed to solve with frontend dockerfile.v0: failed to create LLB definition: localhost:5000/nope:1: not found"
            ),
            Some("localhost:5000/nope:1")
        );
        assert_eq!(base_of("executor failed running [/bin/sh -c false]: exit code: 1"), None);
    }
}
