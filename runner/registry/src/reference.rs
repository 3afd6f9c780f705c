//! Names of artifacts: `registry/path:tag` or `registry/path@sha256:...`.

use std::fmt;

use crate::digest;
use crate::error::RegistryError;

/// Where a plugin is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    inner: oci_client::Reference,
    /// As it was written.
    text: String,
}

impl Reference {
    /// Takes a name apart.
    ///
    /// # Errors
    ///
    /// If it is none, or names no registry: Docker's own is meant only where it is said.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        let bad = |reason: String| RegistryError::Reference { text: text.to_owned(), reason };
        let host = text.split('/').next().unwrap_or_default();
        if !text.contains('/') || !(host.contains(['.', ':']) || host == "localhost") {
            return Err(bad("it does not begin with a registry".to_owned()));
        }
        let inner: oci_client::Reference =
            text.parse().map_err(|error: oci_client::ParseError| bad(error.to_string()))?;
        if inner.digest().is_some_and(|digest| digest::digits(digest).is_none()) {
            return Err(bad("its digest is not `sha256:` and 64 hexadecimal digits".to_owned()));
        }
        Ok(Self { inner, text: text.to_owned() })
    }

    /// The registry's host, with its port if it has one.
    pub fn registry(&self) -> &str {
        self.inner.registry()
    }

    /// The digest of the manifest, if the name has one.
    pub fn digest(&self) -> Option<&str> {
        self.inner.digest()
    }

    /// The last part of the path: what such a plugin is called when nobody says otherwise.
    pub fn name(&self) -> &str {
        self.inner.repository().rsplit('/').next().unwrap_or_default()
    }

    /// The same artifact by the digest of its manifest, whatever its tag points to now.
    #[must_use]
    pub fn at(&self, manifest: &str) -> Self {
        let inner = self.inner.clone_with_digest(manifest.to_owned());
        Self { text: inner.whole(), inner }
    }

    /// Another tag of the same repository.
    #[must_use]
    pub(crate) fn tagged(&self, tag: &str) -> Self {
        let (registry, repository) = (self.inner.registry().to_owned(), self.inner.repository().to_owned());
        let inner = oci_client::Reference::with_tag(registry, repository, tag.to_owned());
        Self { text: inner.whole(), inner }
    }

    /// Whether its registry is on this machine, where nobody can listen in: it is spoken to without TLS.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.registry().rsplit_once(':').map_or(self.registry(), |(host, _)| host);
        let loopback = |address: std::net::IpAddr| address.is_loopback();
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(loopback)
    }

    pub(crate) fn inner(&self) -> &oci_client::Reference {
        &self.inner
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let digest = digest::of(b"x");
        let name = Reference::parse(&format!("registry.example:444/team/audit:1.2@{digest}")).unwrap();
        assert_eq!((name.registry(), name.name(), name.digest()), ("registry.example:444", "audit", Some(&*digest)));
        assert_eq!(Reference::parse("localhost:5000/audit:1").unwrap().to_string(), "localhost:5000/audit:1");
        let pinned = Reference::parse("localhost:5000/audit:1").unwrap().at(&digest);
        assert!(pinned.to_string().ends_with(&digest), "{pinned}");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "",
            "audit",
            "team/audit:1",
            "localhost:5000/",
            "localhost:5000/Audit",
            "localhost:5000/a b",
            "localhost:5000/../v2",
            "localhost:5000/audit@sha256:12",
            "https://localhost:5000/audit",
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        let local = |text| Reference::parse(text).unwrap().is_local();
        assert!(local("localhost:5000/a") && local("localhost/a") && local("127.0.0.1:5000/a") && local("127.8.8.8/a"));
        assert!(!local("registry.example/a") && !local("10.0.0.1:5000/a") && !local("localhost.example:5000/a"));
        assert!(!local("127.0.0.1.example/a"));
    }
}
