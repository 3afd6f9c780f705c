//! Why no answer came, in words for people.

use std::error::Error;
use std::io;

use windlass_gate::CallError;

/// How the standard library begins its words for a name that is not found; there is no kind of error for it.
const UNKNOWN_HOST: &str = "failed to lookup address information: ";

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
    loop {
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
    if let Some(reason) = text.strip_prefix(UNKNOWN_HOST) {
        return format!("its host name is not known here ({reason})");
    }
    match deepest.downcast_ref::<rustls::Error>() {
        Some(error) => of_tls(error),
        None => text,
    }
}

/// Words for the errors that people meet; the system's own carry numbers.
fn of_io(error: &io::Error) -> Option<&'static str> {
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
            "its certificate is signed by nobody whom this machine trusts; \
             install the signer's certificate, or name a file with it in SSL_CERT_FILE"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(problem) => format!("its certificate is not acceptable: {problem}"),
        other => format!("TLS: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_found_in_its_wrappings() {
        let wrapped = |inner: io::Error| why(&io::Error::other(inner));
        assert_eq!(wrapped(io::ErrorKind::ConnectionRefused.into()), "connection refused");
        assert_eq!(
            wrapped(io::Error::other(format!("{UNKNOWN_HOST}Name or service not known"))),
            "its host name is not known here (Name or service not known)"
        );
        let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert!(
            wrapped(io::Error::new(io::ErrorKind::InvalidData, untrusted)).contains("nobody whom this machine trusts")
        );
        assert_eq!(wrapped(io::Error::other("anything else")), "anything else");
    }
}
