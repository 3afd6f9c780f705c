//! Why a build failed, and at which line of the Dockerfile.

use windlass_gate::CallError;

use super::Order;
use super::dockerfile::Instruction;
use super::output::plain;
use crate::reference::{Reference, hub_host};
use crate::{credentials, fault};

/// What BuildKit puts before the reason, which says nothing to people.
const WRAPPINGS: [&str; 5] = [
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve with frontend gateway.v0: ",
    "failed to create LLB definition: ",
    "failed to solve: ",
    "rpc error: code = Unknown desc = ",
];

/// The error for a build that the builder gave up.
///
/// `step` is the instruction that failed, if it is known; `output` is what steps printed last.
pub(super) fn explain(order: &Order<'_>, message: &str, step: Option<&Instruction>, output: &str) -> CallError {
    let message = plain(message.trim());
    let what = order.what();
    if let Some(syntax) = order.dockerfile.syntax()
        && message.contains("frontend gateway.v0")
    {
        return CallError::BuildFailed(format!(
            "{what}, line 1: the Dockerfile asks for the frontend `{syntax}`, which the builder could not get: {}; without that line the daemon's own frontend is used",
            unwrapped(&message)
        ));
    }
    let message = unwrapped(&message);
    if let Some(number) = named_line(message) {
        let text = order.dockerfile.line(number).unwrap_or_default();
        return CallError::BuildFailed(format!("{what}, line {number} `{text}`: {message}"));
    }
    if let Some((instruction, image)) = image_of(order, message, step) {
        let place = instruction.map(shown).unwrap_or_default();
        let registry = image.registry();
        let hint = credentials::find(&order.engine.config, order.call, registry, None)
            .map(|found| found.hint)
            .unwrap_or_default();
        match fault::registry(format_args!("{what}{place}"), registry, message, &hint) {
            CallError::NotFound(text) | CallError::Other(text) => {
                return CallError::BuildFailed(format!(
                    "{text}; there has to be an image `{image}` in that registry, or on the Docker daemon by this name"
                ));
            }
            error => return error,
        }
    }
    let place = step.map(shown).unwrap_or_default();
    match fault::said(format_args!("{what}{place}"), message) {
        full @ CallError::DiskFull(_) => full,
        _ => {
            let lines = if output.is_empty() { String::new() } else { format!("; the last lines:\n{output}") };
            CallError::BuildFailed(format!("{what}{place}: {message}{lines}"))
        }
    }
}

fn shown(instruction: &Instruction) -> String {
    format!(", line {} `{}`", instruction.line, instruction.text)
}

fn unwrapped(mut message: &str) -> &str {
    while let Some(rest) = WRAPPINGS.iter().find_map(|wrapping| message.strip_prefix(wrapping)) {
        message = rest;
    }
    message
}

/// The number in "parse error line 3:" and "parse error on line 3:".
fn named_line(message: &str) -> Option<usize> {
    let (before, after) = message.split_once("line ")?;
    if !before.to_lowercase().contains("parse error") {
        return None;
    }
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The image that could not be had, if that is the reason, and the instruction that wants it.
fn image_of<'a>(
    order: &'a Order<'_>,
    message: &str,
    step: Option<&'a Instruction>,
) -> Option<(Option<&'a Instruction>, Reference)> {
    let named = named_image(message);
    // The classic builder knows the step, and BuildKit the image.
    let wants = step
        .filter(|_| named.is_some() || is_about_a_registry(message))
        .and_then(|step| Some((Some(step), Reference::parse(step.image()?).ok()?)));
    wants.or_else(|| {
        let image = named?;
        let instruction = order.dockerfile.wanting(&image);
        // The name as it is written, tag included, says more than the address that was asked.
        let written = instruction.and_then(Instruction::image).and_then(|text| Reference::parse(text).ok());
        Some((instruction, written.unwrap_or(image)))
    })
}

fn is_about_a_registry(message: &str) -> bool {
    ["/v2/", "no basic auth credentials", "manifest unknown", "pull access denied", "unauthorized"]
        .iter()
        .any(|sign| message.contains(sign))
}

/// The image in an error about one that could not be had.
fn named_image(message: &str) -> Option<Reference> {
    // "failed to do request: Head "https://registry-1.docker.io/v2/library/alpine/manifests/3": ..."
    if let Some((before, after)) = message.split_once("/v2/")
        && let Some((_, host)) = before.rsplit_once("://")
    {
        let path = after.split(['"', ' ']).next().unwrap_or_default();
        let (path, tag) = path.split_once("/manifests/").or_else(|| path.split_once("/blobs/")).unwrap_or((path, ""));
        let tag = if tag.is_empty() || tag.contains(':') { String::new() } else { format!(":{tag}") };
        return Reference::parse(&format!("{}/{path}{tag}", hub_host(host))).ok();
    }
    for lead in [
        "failed to resolve source metadata for ",
        "failed to load metadata for ",
        "pull access denied for ",
        "manifest for ",
    ] {
        if let Some((_, rest)) = message.split_once(lead) {
            return Reference::parse(image_word(rest)).ok();
        }
    }
    // "pulling from host localhost:5001 failed with status code [manifests 1]: 401 Unauthorized"
    if let Some((_, rest)) = message.split_once("pulling from host ") {
        return Reference::parse(&format!("{}/unknown", hub_host(rest.split_whitespace().next()?))).ok();
    }
    // "localhost:5000/app:1: not found"
    let image = message.strip_suffix(": not found")?;
    (!image.contains([' ', '"'])).then(|| Reference::parse(image).ok()).flatten()
}

fn image_word(text: &str) -> &str {
    text.split([' ', ',']).next().unwrap_or(text).trim_end_matches(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_parse_error_is_found() {
        assert_eq!(named_line("dockerfile parse error line 3: unknown instruction: FOO"), Some(3));
        assert_eq!(named_line("dockerfile parse error on line 12: unknown instruction: FOO"), Some(12));
        assert_eq!(named_line("the command returned: line 3"), None);
    }

    #[test]
    fn wrappings_are_taken_off() {
        assert_eq!(
            unwrapped("failed to solve with frontend dockerfile.v0: failed to create LLB definition: x: y"),
            "x: y"
        );
        assert_eq!(unwrapped("failed to solve: x"), "x");
    }

    #[test]
    fn the_image_is_found() {
        for (message, image) in [
            (
                "failed to do request: Head \"https://registry-1.docker.io/v2/library/alpine/manifests/3\": dial tcp: no such host",
                Some("docker.io/library/alpine:3"),
            ),
            (
                "failed to do request: Head \"http://localhost:5999/v2/nope/manifests/1\": dial tcp 127.0.0.1:5999: connect: connection refused",
                Some("localhost:5999/nope:1"),
            ),
            ("pull access denied for nope, repository does not exist", Some("nope")),
            ("manifest for localhost:5000/nope:1 not found: manifest unknown", Some("localhost:5000/nope:1")),
            (
                "localhost:5000/nope:1: failed to resolve source metadata for localhost:5000/nope:1: not found",
                Some("localhost:5000/nope:1"),
            ),
            ("localhost:5000/nope:1: not found", Some("localhost:5000/nope:1")),
            (
                "pulling from host localhost:5001 failed with status code [manifests 1]: 401 Unauthorized",
                Some("localhost:5001/unknown"),
            ),
            ("executor failed running [/bin/sh -c false]: exit code: 1", None),
            ("failed to compute cache key: \"/nope.txt\" not found: not found", None),
        ] {
            assert_eq!(named_image(message).map(|image| image.to_string()).as_deref(), image, "{message}");
        }
    }
}
