//! The daemon's errors in the words of the gate: what failed, where, why, and what to do next.

use std::fmt::Display;
use std::io;

use bollard::errors::Error;
use windlass_gate::CallError;

use crate::connect::{Address, Endpoint};

/// Nobody answers at this address.
pub(crate) fn unreachable(endpoint: &Endpoint, error: &io::Error) -> CallError {
    let local = matches!(endpoint.address, Address::Unix(_));
    let next = match error.kind() {
        io::ErrorKind::NotFound if local => "start Docker, or set DOCKER_HOST to where it listens",
        io::ErrorKind::PermissionDenied if local => {
            "let this user use the socket (on most systems: add it to the group `docker` and log in again)"
        }
        io::ErrorKind::ConnectionRefused => {
            "start the Docker daemon; something is left at this address, but nobody listens"
        }
        _ => "check that the daemon runs and that the address is right",
    };
    CallError::Unavailable(format!("cannot reach the Docker daemon at {endpoint}: {error}; {next}"))
}

/// An error of a request; `what` says what was being done.
pub(crate) fn of(endpoint: &Endpoint, what: impl Display, error: Error) -> CallError {
    match error {
        Error::DockerResponseServerError { status_code, message } => answered(status_code, what, &message),
        Error::DockerStreamError { error } => said(what, &error),
        Error::RequestTimeoutError => CallError::Unavailable(format!(
            "{what}: the Docker daemon at {endpoint} did not answer in time; look at the daemon's own log"
        )),
        Error::IOError { err } => match unreachable(endpoint, &err) {
            CallError::Unavailable(message) => CallError::Unavailable(format!("{what}: {message}")),
            other => other,
        },
        Error::HyperResponseError { err } => {
            CallError::Unavailable(format!("{what}: the connection to the Docker daemon at {endpoint} broke: {err}"))
        }
        error => CallError::Other(format!("{what}: {error}")),
    }
}

/// The daemon said no, with a status.
fn answered(status: u16, what: impl Display, message: &str) -> CallError {
    let message = message.trim();
    match by_text(&what, message) {
        Some(error) => error,
        None => {
            let text = format!("{what}: {message}");
            match status {
                400 => CallError::Invalid(text),
                401 | 403 if is_login(message) => CallError::Unauthorized(text),
                404 => CallError::NotFound(text),
                409 => CallError::Conflict(text),
                503 => CallError::Unavailable(text),
                _ => CallError::Other(text),
            }
        }
    }
}

/// The daemon said no in the middle of a stream, where there is no status.
pub(crate) fn said(what: impl Display, message: &str) -> CallError {
    let message = message.trim();
    by_text(&what, message).unwrap_or_else(|| CallError::Other(format!("{what}: {message}")))
}

/// What a registry, as the daemon tells it, said to a push or pull.
pub(crate) fn registry(what: impl Display, registry: &str, message: &str, hint: &str) -> CallError {
    let message = message.trim();
    let lower = message.to_lowercase();
    let any = |needles: &[&str]| needles.iter().any(|needle| lower.contains(needle));
    if let Some(error) = disk_full(&what, message) {
        return error;
    }
    if any(&[
        "manifest unknown",
        "not found: manifest",
        "does not exist",
        "name unknown",
        "no such image",
        "manifest for ",
    ]) {
        let hint = if lower.contains("docker login") { format!("; {hint}") } else { String::new() };
        return CallError::NotFound(format!("{what}: {message}{hint}"));
    }
    if is_login(message) {
        return CallError::Unauthorized(format!(
            "{what}: the registry {registry} does not accept the credentials: {message}; {hint}"
        ));
    }
    if any(&["gave http response to https client"]) {
        return CallError::RegistryUnavailable(format!(
            "{what}: the registry {registry} does not speak TLS: {message}; add it to `insecure-registries` of the Docker daemon, or give it a certificate"
        ));
    }
    if any(&[
        "connection refused",
        "no such host",
        "i/o timeout",
        "handshake timeout",
        "server misbehaving",
        "name resolution",
        "network is unreachable",
        "no route to host",
        "connection reset",
        "deadline exceeded",
        "x509:",
        "bad gateway",
        "service unavailable",
        "client.timeout",
        "eof",
    ]) {
        return CallError::RegistryUnavailable(format!(
            "{what}: the registry {registry} cannot be reached: {message}; check that it runs and that the Docker daemon's machine can reach it"
        ));
    }
    CallError::Other(format!("{what}: {message}"))
}

fn is_login(message: &str) -> bool {
    let lower = message.to_lowercase();
    [
        "no basic auth credentials",
        "unauthorized",
        "authentication required",
        "access denied",
        "access is denied",
        "access to the resource is denied",
        "incorrect username or password",
        "denied:",
        "forbidden",
    ]
    .iter()
    .any(|needle| lower.contains(needle))
}

fn disk_full(what: &impl Display, message: &str) -> Option<CallError> {
    let lower = message.to_lowercase();
    (lower.contains("no space left on device") || lower.contains("disk quota exceeded"))
        .then(|| CallError::DiskFull(format!("{what}: the disk of the Docker daemon is full: {message}; free space there, for instance with `docker system prune`")))
}

/// What the text tells whatever the status is.
fn by_text(what: &impl Display, message: &str) -> Option<CallError> {
    if let Some(error) = disk_full(what, message) {
        return Some(error);
    }
    let lower = message.to_lowercase();
    if lower.contains("port is already allocated") || lower.contains("address already in use") {
        let place =
            host_port(message).map_or_else(|| "a port that it publishes".to_owned(), |place| format!("port {place}"));
        return Some(CallError::PortInUse(format!(
            "{what}: {place} of the Docker daemon's machine is in use by something else; free it, publish another, or leave `host` out to take one that is free ({message})"
        )));
    }
    if lower.contains("executable file not found")
        || (lower.contains("exec:") && lower.contains("no such file or directory"))
    {
        return Some(CallError::Invalid(format!(
            "{what}: the image does not have the program to run: {message}; check `command`, `entrypoint` and the image"
        )));
    }
    if lower.contains("docker-init") && lower.contains("not found") {
        return Some(CallError::Unavailable(format!(
            "{what}: the Docker daemon has no `docker-init` (a package often called `tini` or `docker-init`): {message}; install it"
        )));
    }
    None
}

/// `address:port` out of "Bind for 127.0.0.1:8080 failed" or "listen tcp4 127.0.0.1:8080: bind".
fn host_port(message: &str) -> Option<&str> {
    let after =
        ["Bind for ", "listen tcp4 ", "listen tcp6 ", "listen tcp ", "listen udp4 ", "listen udp6 ", "listen udp "]
            .iter()
            .find_map(|lead| message.split_once(lead).map(|(_, rest)| rest))?;
    let word = after.split_whitespace().next()?.trim_end_matches(':');
    word.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint { address: Address::Unix("/run/d.sock".into()), origin: "from DOCKER_HOST".into() }
    }

    fn server(status_code: u16, message: &str) -> CallError {
        of(
            &endpoint(),
            "cannot start container `db`",
            Error::DockerResponseServerError { status_code, message: message.into() },
        )
    }

    #[test]
    fn the_daemons_answers_have_names() {
        type Case = (u16, &'static str, fn(&CallError) -> bool);
        let cases: &[Case] = &[
            (404, "No such container: x", |error| matches!(error, CallError::NotFound(_))),
            (409, "Conflict. The container name is in use", |error| matches!(error, CallError::Conflict(_))),
            (400, "invalid reference format", |error| matches!(error, CallError::Invalid(_))),
            (500, "write /var/lib/docker/tmp: no space left on device", |error| {
                matches!(error, CallError::DiskFull(_))
            }),
            (
                500,
                "driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:8080 failed: port is already allocated",
                |error| matches!(error, CallError::PortInUse(text) if text.contains("port 127.0.0.1:8080 of")),
            ),
            (
                500,
                "driver failed: Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use",
                |error| matches!(error, CallError::PortInUse(text) if text.contains("port 0.0.0.0:80 of")),
            ),
            (
                400,
                "OCI runtime create failed: exec: \"nope\": executable file not found in $PATH: unknown",
                |error| matches!(error, CallError::Invalid(text) if text.contains("does not have the program")),
            ),
            (500, "something else", |error| matches!(error, CallError::Other(_))),
        ];
        for (status, text, right) in cases {
            let error = server(*status, text);
            assert!(right(&error), "{status} {text}: {error:?}");
            assert!(error.message().starts_with("cannot start container `db`: "), "{error}");
        }
    }

    #[test]
    fn what_registries_say_has_names() {
        type Case = (&'static str, fn(&CallError) -> bool);
        let unavailable: fn(&CallError) -> bool =
            |error| matches!(error, CallError::RegistryUnavailable(text) if text.contains("localhost:5000"));
        let unauthorized: fn(&CallError) -> bool =
            |error| matches!(error, CallError::Unauthorized(text) if text.contains("log in"));
        let cases: &[Case] = &[
            ("Get \"http://localhost:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused", unavailable),
            ("Get \"https://r.example/v2/\": dial tcp: lookup r.example: no such host", unavailable),
            ("dial tcp: lookup registry-1.docker.io: Temporary failure in name resolution", unavailable),
            ("http: server gave HTTP response to HTTPS client", unavailable),
            ("no basic auth credentials", unauthorized),
            ("unauthorized: authentication required", unauthorized),
            ("denied: requested access to the resource is denied", unauthorized),
            ("manifest for localhost:5000/x:1 not found: manifest unknown: manifest unknown", |error| {
                matches!(error, CallError::NotFound(_))
            }),
            (
                "pull access denied for x, repository does not exist or may require 'docker login': denied",
                |error| matches!(error, CallError::NotFound(text) if text.contains("log in")),
            ),
            ("write /var/lib/docker/x: no space left on device", |error| matches!(error, CallError::DiskFull(_))),
        ];
        for (text, right) in cases {
            let error = registry("cannot push x", "localhost:5000", text, "log in");
            assert!(right(&error), "{text}: {error:?}");
        }
    }

    #[test]
    fn an_address_where_nobody_is_says_what_to_do() {
        for (kind, hint) in [
            (io::ErrorKind::NotFound, "start Docker"),
            (io::ErrorKind::PermissionDenied, "group `docker`"),
            (io::ErrorKind::ConnectionRefused, "nobody listens"),
        ] {
            let error = unreachable(&endpoint(), &io::Error::from(kind));
            assert!(
                matches!(&error, CallError::Unavailable(text) if text.contains("unix:///run/d.sock (from DOCKER_HOST)") && text.contains(hint)),
                "{error}"
            );
        }
    }
}
