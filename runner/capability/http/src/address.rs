//! Which addresses can be asked at all, whatever is granted.

use url::Url;
use windlass_gate::CallError;

/// Reads a URL that a call names.
///
/// It is read by the same parser that the grants are compared with and that the connection is made
/// with, so that all three mean the same host.
pub(crate) fn url(text: &str) -> Result<Url, CallError> {
    // The parser would leave these out in silence, and ask for another address than was written.
    if text.chars().any(char::is_control) {
        return Err(CallError::Invalid(format!("{text:?} is not a URL: it has control characters")));
    }
    let url = Url::parse(text).map_err(|error| CallError::Invalid(format!("`{text}` is not a URL: {error}")))?;
    match fault(&url) {
        None => Ok(url),
        Some(fault) => Err(CallError::Invalid(format!("`{}` {fault}", crate::words::shown(&url)))),
    }
}

/// What is wrong with a URL, after its name.
pub(crate) fn fault(url: &Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Some(format!("has the scheme `{}`; only http and https can be asked", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("holds a user name or password; send them as a secret in the header `Authorization`".to_owned());
    }
    None
}

/// Checks a `host:port`.
///
/// It is strict, because a grant reads the same text as a part of a URL: whatever could be taken
/// for a path, a query or a user name there is refused here.
pub(crate) fn host_and_port(text: &str) -> Result<(), CallError> {
    let good = text.rsplit_once(':').is_some_and(|(host, port)| {
        let host_is_good = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
        };
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        host_is_good && digits && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if good {
        Ok(())
    } else {
        Err(CallError::Invalid(format!("`{text}` is not `host:port`; write it like `127.0.0.1:5432` or `[::1]:5432`")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_web_and_no_credentials() {
        assert!(url("http://127.0.0.1/x?y#z").is_ok());
        assert!(url("HTTPS://Example.com").is_ok());
        for bad in
            ["", "x", "/x", "ftp://a/", "file:///etc/passwd", "http://u@a/", "http://u:p@a/", "http://:p@a/", "http://"]
        {
            assert!(matches!(url(bad), Err(CallError::Invalid(_))), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_repeated_in_the_error() {
        let error = url("ftp://host/x?token=geheim").expect_err("not the web");
        assert!(!error.message().contains("geheim"), "{error}");
    }

    #[test]
    fn hosts_with_ports() {
        for good in ["127.0.0.1:1", "localhost:65535", "[::1]:80", "a_b-c.example:5432"] {
            assert!(host_and_port(good).is_ok(), "{good}");
        }
        for bad in [
            "", ":", "a", "a:", ":1", "a:0", "a:65536", "a:+1", "::1:80", "[x]:80", "u@a:1", "a/b:1", "a?b:1", "a#b:1",
            "a b:1", "a:1/",
        ] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// What is accepted is, to the parser of the grants, that host and port and nothing else.
        #[test]
        fn an_accepted_address_means_the_same_in_a_grant(text in "[a-z0-9.:/?#@\\[\\]\\\\ _-]{1,20}:[0-9]{1,5}") {
            if host_and_port(&text).is_ok()
                && let Ok(url) = Url::parse(&format!("tcp://{text}"))
            {
                prop_assert!(url.username().is_empty() && url.query().is_none() && url.fragment().is_none() && url.path().is_empty());
                let (host, port) = text.rsplit_once(':').expect("it was accepted");
                prop_assert_eq!(url.port(), port.parse().ok());
                if !host.starts_with('[') {
                    prop_assert_eq!(url.host_str(), Some(host));
                }
            }
        }
    }
}
