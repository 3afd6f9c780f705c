//! Why no answer came, in words for people.

use std::error::Error;
use std::io;

use windlass_gate::CallError;

/// An error of a request that `what` names, as `GET http://127.0.0.1/`.
pub(crate) fn of_request(what: &str, error: &reqwest::Error) -> CallError {
    let why = why(error);
    if error.is_connect() {
        CallError::Unavailable(format!("{what}: {why}"))
    } else if error.is_builder() {
        CallError::Invalid(format!("{what}: {why}"))
    } else {
        CallError::Unavailable(format!("{what}: the connection broke off before the answer was complete: {why}"))
    }
}

/// The cause at the bottom, which says the most; the layers above it only say that something failed.
pub(crate) fn why(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    let mut resolving = false;
    loop {
        resolving |= deepest.to_string() == "dns error";
        let inner = match deepest.downcast_ref::<io::Error>() {
            Some(error) => match (of_io(error), error.get_ref()) {
                (Some(words), None) => return words.to_owned(),
                // It wraps another error without naming it as its source.
                (_, Some(inner)) => Some(inner as &(dyn Error + 'static)),
                (None, None) => None,
            },
            None => deepest.source(),
        };
        match inner {
            Some(inner) => deepest = inner,
            None => break,
        }
    }
    let text = deepest.to_string();
    if resolving {
        return format!("the host name is not known here ({})", text.trim_start_matches("failed to lookup address information: "));
    }
    match deepest.downcast_ref::<rustls::Error>() {
        Some(error) => of_tls(error),
        None => text,
    }
}

/// Words for the errors that people meet; the system's own carry numbers.
pub(crate) fn of_io(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "the other side reset the connection",
        io::ErrorKind::ConnectionAborted => "the connection was aborted",
        io::ErrorKind::HostUnreachable => "the host cannot be reached",
        io::ErrorKind::NetworkUnreachable => "the network cannot be reached",
        io::ErrorKind::BrokenPipe => "the other side closed the connection",
        io::ErrorKind::UnexpectedEof => "the other side closed the connection too early",
        _ => return None,
    })
}

fn of_tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => {
            "its certificate is signed by nobody whom this machine trusts; install the signer's certificate, or name a file with it in SSL_CERT_FILE".to_owned()
        }
        rustls::Error::InvalidCertificate(problem) => format!("its certificate is not acceptable: {problem}"),
        other => format!("TLS: {other}"),
    }
}
