//! What can go wrong with a registry, in words for whoever asked for the plugin.

use std::path::PathBuf;

use oci_client::errors::{DigestError, OciDistributionError, OciErrorCode};

use crate::reference::Reference;

/// Why a plugin could not be pulled or pushed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RegistryError {
    /// A text that names no artifact.
    #[error("`{text}` is not the name of a plugin in a registry: {reason}")]
    Reference { text: String, reason: String },
    /// Docker's configuration has no usable login.
    #[error("the login for registry {registry} cannot be used: {reason}")]
    Login { registry: String, reason: String, help: String },
    /// The registry does not answer, or says that it cannot.
    #[error("registry {registry} cannot be reached: {reason}")]
    Unavailable { registry: String, reason: String },
    /// The registry wants to know who asks, or does not let this one.
    #[error("registry {registry} does not give access to {what}: {login}")]
    Unauthorized { registry: String, what: String, login: String },
    /// There is no such thing.
    #[error("{what} is not there")]
    NotFound { what: String },
    /// It is there, and it is no plugin.
    #[error("{what} is no plugin: {reason}")]
    NotAPlugin { what: String, reason: String },
    /// It is larger than any plugin may be.
    #[error("{what} is too large: it has {size} bytes, and a plugin at most {limit}")]
    TooLarge { what: String, size: u64, limit: u64 },
    /// It is not what it says that it is, or not what was asked for.
    #[error("{what} is not what was asked for: its digest had to be {expected}, and is {got}")]
    Digest { what: String, expected: String, got: String },
    /// It does not carry the signature that it has to.
    #[error("{what} is not to be trusted: {reason}")]
    Signature { what: String, reason: String },
    /// The registry answers in a way in which none should.
    #[error("registry {registry} gives an answer that makes no sense: {reason}")]
    Protocol { registry: String, reason: String },
    /// The cache cannot be used.
    #[error("the cache of plugins cannot be used: {}: {reason}", path.display())]
    Cache { path: PathBuf, reason: String },
}

impl RegistryError {
    /// What to do about it, if anything is to be said.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Reference { .. } => "write it like `registry.example/team/audit:1.2`".to_owned(),
            Self::Login { help, .. } => help.clone(),
            Self::Unavailable { registry, .. } => {
                format!("check that {registry} is the right address, that it runs, and that this machine can reach it")
            }
            Self::Unauthorized { registry, .. } => format!("docker login {registry}"),
            Self::NotFound { .. } => "check its name and its tag; `windlass plugin push` puts a plugin there".to_owned(),
            Self::NotAPlugin { .. } => {
                "a plugin is an artifact with one layer of the type application/wasm, as `windlass plugin push` makes it"
                    .to_owned()
            }
            Self::Digest { .. } => {
                "somebody, or something, changed it on its way or in the registry; do not use it before you know what"
                    .to_owned()
            }
            // cosign 3 would write a bundle as a referrer, where nobody looks here.
            Self::Signature { .. } => {
                "let its author sign it: cosign sign --key ..., and with cosign 3 also --new-bundle-format=false \
                 --use-signing-config=false; or correct the `key` of the plugin"
                    .to_owned()
            }
            Self::Cache { .. } => "set WINDLASS_CACHE_DIR to a folder that belongs to you alone".to_owned(),
            Self::TooLarge { .. } | Self::Protocol { .. } => return None,
        })
    }

    /// What a registry's client says of a request for `what`. `login` tells who asked.
    pub(crate) fn of(error: OciDistributionError, reference: &Reference, what: &str, login: &str) -> Self {
        let registry = || reference.registry().to_owned();
        let what = || what.to_owned();
        let unauthorized = || Self::Unauthorized { registry: registry(), what: what(), login: login.to_owned() };
        let unavailable = |reason: &str| Self::Unavailable { registry: registry(), reason: plain(reason) };
        let protocol = |reason: &str| Self::Protocol { registry: registry(), reason: plain(reason) };
        match error {
            OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
                unauthorized()
            }
            OciDistributionError::ImageManifestNotFoundError(_) => Self::NotFound { what: what() },
            OciDistributionError::RegistryError { envelope, .. } => {
                let has = |codes: &[OciErrorCode]| envelope.errors.iter().any(|error| codes.contains(&error.code));
                if has(&[OciErrorCode::Unauthorized, OciErrorCode::Denied]) {
                    unauthorized()
                } else if has(&[
                    OciErrorCode::ManifestUnknown,
                    OciErrorCode::ManifestBlobUnknown,
                    OciErrorCode::NameUnknown,
                    OciErrorCode::BlobUnknown,
                    OciErrorCode::NotFound,
                ]) {
                    Self::NotFound { what: what() }
                } else if has(&[OciErrorCode::Toomanyrequests]) {
                    unavailable("it was asked too often")
                } else {
                    protocol(&envelope.to_string())
                }
            }
            OciDistributionError::ServerError { code: 404, .. } => Self::NotFound { what: what() },
            OciDistributionError::ServerError { code: 401 | 403, .. } => unauthorized(),
            OciDistributionError::ServerError { code: 429, .. } => unavailable("it was asked too often"),
            OciDistributionError::ServerError { code, message, .. } if code >= 500 => {
                unavailable(&format!("it answers {code}: {message}"))
            }
            OciDistributionError::DigestError(error) => Self::digest(error, reference, &what()),
            OciDistributionError::RequestError(error) => unavailable(&cause(&error)),
            OciDistributionError::IoError(error) => Self::io(error, reference, &what()),
            other => protocol(&other.to_string()),
        }
    }

    /// What a stream of bytes says.
    pub(crate) fn io(error: std::io::Error, reference: &Reference, what: &str) -> Self {
        match error.downcast::<DigestError>() {
            Ok(error) => Self::digest(error, reference, what),
            Err(error) => {
                Self::Unavailable { registry: reference.registry().to_owned(), reason: plain(&cause(&error)) }
            }
        }
    }

    fn digest(error: DigestError, reference: &Reference, what: &str) -> Self {
        match error {
            DigestError::VerificationError { expected, actual } => {
                Self::Digest { what: what.to_owned(), expected: plain(&expected), got: plain(&actual) }
            }
            other => Self::Protocol { registry: reference.registry().to_owned(), reason: plain(&other.to_string()) },
        }
    }
}

/// What lies behind an error: what is before it says no more than that there was a request.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

/// What somebody else says, short and on one line: it must not be able to move a terminal's cursor.
pub(crate) fn plain(text: &str) -> String {
    const SHOWN: usize = 300;
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    let mut out = words.collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = out.char_indices().nth(SHOWN) {
        out.truncate(at);
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_a_registry_says_stays_on_one_line_and_is_short() {
        assert_eq!(plain("no\r\nsuch\u{1b}[31m \t thing"), "no such [31m thing");
        assert_eq!(plain(&"x".repeat(1000)).chars().count(), 301);
    }
}
