//! URLs: scheme, host, port and path. The query is not looked at.

use ::url::Url;

use super::{PatternError, glob};

/// A pattern of URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlPattern {
    scheme: Box<str>,
    /// `*` stands for any part of one label.
    host: Box<str>,
    /// `None` is any port.
    port: Option<u16>,
    /// `*` stands for any part of one segment, `**` for any number of segments. None for `tcp`.
    path: Option<Box<str>>,
}

impl UrlPattern {
    pub(super) fn parse(text: &str, schemes: &[&str]) -> Result<Self, PatternError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(PatternError::new(
                "is not a URL",
                format!("write it with its scheme: `{}://{text}`", schemes[0]),
            ));
        };
        let scheme = scheme.to_ascii_lowercase();
        if !schemes.contains(&scheme.as_str()) {
            let known = crate::suggest::listed(schemes.iter().copied());
            return Err(PatternError::new("has a scheme that is not possible here", format!("possible are {known}")));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(PatternError::new(
                "holds a user name",
                "leave it out; credentials go into a header, as a secret",
            ));
        }
        let (host, port) = split_port(authority).ok_or_else(|| {
            PatternError::new("has a port that is no number", "write the port as a number, or `*` for any")
        })?;
        let port =
            match port {
                Some("*") => None,
                Some(digits) => Some(digits.parse().map_err(|_| {
                    PatternError::new("has a port that is no number", "write the port as a number, or `*` for any")
                })?),
                None => Some(default_port(&scheme).ok_or_else(|| {
                    PatternError::new("has no port", format!("write it: `{scheme}://{authority}:5432`"))
                })?),
            };
        let host = host_of(host)?;
        let path = if scheme == "tcp" {
            if !path.is_empty() && path != "/" {
                return Err(PatternError::new("has a path", "a `tcp` target is a host and a port"));
            }
            None
        } else {
            Some(path_of(&scheme, authority, path)?)
        };
        Ok(Self { scheme: scheme.into(), host, port, path })
    }

    pub(super) fn matches(&self, resource: &str) -> bool {
        let Ok(url) = Url::parse(resource) else { return false };
        if url.scheme() != &*self.scheme || !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else { return false };
        // Other schemes than the web's keep the case of their host.
        if !glob::matches(&self.host, &host.to_ascii_lowercase(), '.') {
            return false;
        }
        let port = url.port().or_else(|| default_port(url.scheme()));
        if port.is_none() || self.port.is_some_and(|wanted| Some(wanted) != port) {
            return false;
        }
        match &self.path {
            None => matches!(url.path(), "" | "/"),
            Some(path) => {
                let given = url.path();
                // Servers differ on whether these separate segments, so they only pass where any path does.
                let doubtful = ["%2f", "%2F", "%5c", "%5C", "\\"].iter().any(|code| given.contains(code));
                (!doubtful || &**path == "/**") && glob::matches(path, given, '/')
            }
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Host and port, or nothing when there is a colon without a port.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let from = if authority.starts_with('[') { authority.find(']')? } else { 0 };
    match authority[from..].find(':') {
        None => Some((authority, None)),
        Some(at) => {
            let (host, port) = authority.split_at(from + at);
            let port = &port[1..];
            let good = port == "*" || (!port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()));
            good.then_some((host, Some(port)))
        }
    }
}

fn host_of(host: &str) -> Result<Box<str>, PatternError> {
    if host.contains('*') {
        if !host.contains(|c: char| c.is_ascii_alphanumeric()) {
            return Err(PatternError::new("allows any host", "name the host, or a part of it: `*.example.com`"));
        }
        if host.contains("**") || !host.bytes().all(|c| c.is_ascii_alphanumeric() || b".-_*".contains(&c)) {
            return Err(PatternError::new(
                "has a host that is no pattern",
                "`*` stands for any part of one label: `*.example.com`",
            ));
        }
        return Ok(host.to_ascii_lowercase().into());
    }
    // The host is brought to the form in which it is compared: lower case, punycode, plain addresses.
    let url = Url::parse(&format!("http://{host}/")).ok();
    match url.as_ref().and_then(Url::host_str) {
        Some(good) if !host.is_empty() => Ok(good.into()),
        _ => Err(PatternError::new("has no valid host", "write it like `https://api.example/**`")),
    }
}

fn path_of(scheme: &str, authority: &str, path: &str) -> Result<Box<str>, PatternError> {
    if path.is_empty() {
        let help = format!(
            "say which paths: `{scheme}://{authority}/**` for all of them, or `{scheme}://{authority}/` for the root alone"
        );
        return Err(PatternError::new("has no path", help));
    }
    if path.contains(['?', '#']) {
        return Err(PatternError::new(
            "has a query or a fragment, which grants do not look at",
            "end it with the path",
        ));
    }
    let plain = Url::parse(&format!("http://host{path}")).ok();
    let plain = plain.as_ref().map(Url::path).unwrap_or_default();
    let dots = path.split(['/', '\\']).any(|part| part == "." || part == "..");
    if plain.is_empty() || dots || path.contains('\\') {
        return Err(PatternError::new("has a path that is not plain", "write it without `.`, `..` and `\\`"));
    }
    Ok(plain.into())
}

#[cfg(test)]
mod tests {
    use super::UrlPattern;

    fn covers(pattern: &str, url: &str) -> bool {
        UrlPattern::parse(pattern, &["http", "https", "tcp"]).unwrap().matches(url)
    }

    #[test]
    fn hosts_ports_and_paths() {
        assert!(covers("https://api.example/**", "https://API.example/v1/x?y=1"));
        assert!(covers("https://api.example/**", "https://api.example:443/"));
        assert!(!covers("https://api.example/**", "https://api.example:8443/"));
        assert!(!covers("https://api.example/**", "http://api.example/"));
        assert!(covers("http://127.0.0.1:*/**", "http://127.0.0.1:8080/health"));
        assert!(covers("https://*.example.com/*", "https://a.example.com/x"));
        assert!(!covers("https://*.example.com/*", "https://a.b.example.com/x"));
        assert!(!covers("https://*.example.com/*", "https://example.com/x"));
        assert!(covers("https://api.example/v1/*/logs", "https://api.example/v1/7/logs"));
        assert!(covers("http://[::1]:80/**", "http://[0:0::1]/"));
        assert!(covers("tcp://127.0.0.1:5432", "tcp://127.0.0.1:5432"));
    }

    #[test]
    fn tricks_do_not_pass() {
        assert!(!covers("https://api.example/**", "https://api.example@evil.example/"));
        assert!(!covers("https://api.example/**", "https://user@api.example/"));
        assert!(!covers("https://api.example/**", "https://api.example.evil/"));
        assert!(!covers("https://api.example/v1/**", "https://api.example/v1/../admin"));
        assert!(!covers("https://api.example/v1/**", "https://api.example/v1/%2e%2e/admin"));
        assert!(!covers("https://api.example/v1/**", "https://api.example/v1/..%2fadmin"));
        assert!(!covers("https://api.example/v1/**", "https://api.example/v1\\..\\admin"));
        assert!(!covers("https://api.example/v1/**", "file:///v1/x"));
        assert!(!covers("tcp://127.0.0.1:5432", "tcp://127.0.0.1:5432/x"));
    }

    #[test]
    fn broad_and_broken_patterns_are_refused() {
        for bad in [
            "api.example",
            "https://*/**",
            "https://api.example",
            "https://u@api.example/",
            "https://api.example/?q=1",
            "https://api.example:x/",
            "ftp://api.example/",
            "https:///x",
            "https://api.example/../x",
            "tcp://127.0.0.1",
        ] {
            assert!(UrlPattern::parse(bad, &["http", "https", "tcp"]).is_err(), "{bad}");
        }
    }
}
