//! Names of images: taken apart, and checked before they become part of a request's path.

use std::fmt;

use windlass_gate::CallError;

/// The registry of names that do not say one.
const DEFAULT_REGISTRY: &str = "docker.io";

/// A name of an image: `[registry/]path[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Everything before tag and digest, as it was written.
    pub(crate) repository: String,
    pub(crate) tag: Option<String>,
    pub(crate) digest: Option<String>,
}

impl Reference {
    /// Takes a name apart.
    pub(crate) fn parse(text: &str) -> Result<Self, CallError> {
        let wrong = |why: &str| {
            CallError::Invalid(format!(
                "`{text}` is not the name of an image: {why}; a name looks like `localhost:5000/team/app:1.2`"
            ))
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(wrong("what follows `@` is not a digest (`sha256:` and 64 hexadecimal digits)")),
            None => (text, None),
        };
        let (repository, tag) = match rest.rsplit_once(':') {
            // A colon before the last slash belongs to the registry's port.
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.to_owned())),
            _ => (rest, None),
        };
        if let Some(tag) = &tag {
            let fits = tag.len() <= 128
                && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
            if !fits {
                return Err(wrong("its tag has characters that a tag cannot have"));
            }
        }
        let (registry, path) = split_registry(repository);
        if registry.is_some_and(|registry| !is_host(registry)) {
            return Err(wrong("its registry is not a host"));
        }
        let part_fits = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && part.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c))
        };
        if !path.split('/').all(part_fits) {
            return Err(wrong(
                "its path may have lower-case letters, digits, `-`, `_` and `.`, and each part begins and ends with a letter or digit",
            ));
        }
        Ok(Self { repository: repository.to_owned(), tag, digest })
    }

    /// The registry's host.
    pub(crate) fn registry(&self) -> &str {
        split_registry(&self.repository).0.unwrap_or(DEFAULT_REGISTRY)
    }

    /// The tag; `latest` if the name has neither tag nor digest.
    pub(crate) fn tag_or_latest(&self) -> &str {
        self.tag.as_deref().unwrap_or("latest")
    }

    /// Whether both are the same image, whichever parts of the name people leave out.
    pub(crate) fn is_same_image(&self, other: &Self) -> bool {
        let whole = |name: &Self| {
            let path = split_registry(&name.repository).1.to_owned();
            let official = name.registry() == DEFAULT_REGISTRY && !path.contains('/');
            (name.registry().to_owned(), if official { format!("library/{path}") } else { path })
        };
        whole(self) == whole(other) && self.tag_or_latest() == other.tag_or_latest()
    }

    /// The same name with its tag written out, unless it has a digest.
    pub(crate) fn complete(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some("latest".to_owned());
        }
        self
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// The registry that a host belongs to: Docker's own has several.
pub(crate) fn hub_host(host: &str) -> &str {
    match host {
        "registry-1.docker.io" | "index.docker.io" => DEFAULT_REGISTRY,
        host => host,
    }
}

/// Refuses what is neither a name nor an id of an image.
pub(crate) fn check_image(text: &str) -> Result<(), CallError> {
    if is_digest(text) || (text.len() >= 12 && text.len() <= 64 && text.chars().all(|c| c.is_ascii_hexdigit())) {
        return Ok(());
    }
    Reference::parse(text).map(drop)
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()))
}

/// Whether it is a host with or without a port, and nothing that a path would take for a step up.
fn is_host(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_alphanumeric() || "[]".contains(c);
    text.starts_with(outer)
        && text.ends_with(outer)
        && !text.contains("..")
        && text.chars().all(|c| outer(c) || ".-:".contains(c))
}

/// The first part is a registry if it looks like a host: with a dot, a port, or `localhost`.
fn split_registry(repository: &str) -> (Option<&str>, &str) {
    match repository.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
        _ => (None, repository),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_apart() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, repository, tag, of_digest, registry) in [
            ("app", "app", None, None, "docker.io"),
            ("team/app:1", "team/app", Some("1"), None, "docker.io"),
            ("localhost:5000/app", "localhost:5000/app", None, None, "localhost:5000"),
            ("localhost:5000/team/app:1.2-rc_1", "localhost:5000/team/app", Some("1.2-rc_1"), None, "localhost:5000"),
            (&format!("r.example/app@{digest}"), "r.example/app", None, Some(digest.as_str()), "r.example"),
            (&format!("r.example/app:1@{digest}"), "r.example/app", Some("1"), Some(digest.as_str()), "r.example"),
        ] {
            let found = Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (found.repository.as_str(), found.tag.as_deref(), found.digest.as_deref(), found.registry()),
                (repository, tag, of_digest, registry),
                "{text}"
            );
            assert_eq!(found.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_would_be_another_request() {
        for text in [
            "",
            "..",
            "./x",
            "a../x",
            "../containers/x",
            "app/../x",
            "app?x=1",
            "app#x",
            "App",
            "app:",
            "app:a/b:",
            "app@sha256:12",
            "a b",
            "app%2f..",
            "/app",
            "app/",
            "http://r.example/app",
        ] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ids_are_images_too() {
        assert!(check_image(&format!("sha256:{}", "0".repeat(64))).is_ok());
        assert!(check_image("0123456789ab").is_ok());
        assert!(check_image("../x").is_err());
    }

    #[test]
    fn the_tag_is_latest_when_there_is_none() {
        assert_eq!(Reference::parse("app").map(|name| name.complete().to_string()), Ok("app:latest".into()));
    }
}
