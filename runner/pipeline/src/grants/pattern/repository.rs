//! Repositories of images, in the one form that Docker makes of every way to write them.

use super::{PatternError, glob};

/// A repository (`localhost:5000/storefront`), one of its tags, or every repository beneath a path (`.../*`, `.../**`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The full name, with registry: `docker.io/library/nginx`. May end in `/*` or `/**`.
    name: Box<str>,
    tag: Option<Box<str>>,
    digest: Option<Box<str>>,
}

struct Reference<'a> {
    name: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl Repository {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        // Docker takes the port of a lone registry for a tag, and nobody means that.
        let host = text.split(':').next().unwrap_or_default();
        if is_registry(text) && text.contains(':') && (host == "localhost" || host.contains('.')) {
            let help = format!("name the repository, as in `{text}/storefront`; `{text}/**` is all of them");
            return Err(PatternError::new("is a registry without a repository", help));
        }
        let reference = split(text);
        let base = reference.name.strip_suffix("/**").or_else(|| reference.name.strip_suffix("/*"));
        if base.unwrap_or(reference.name).contains('*') {
            let help = "a `*` can only be the last part, after a registry or a path: `localhost:5000/team/*`; `**` takes any depth";
            return Err(PatternError::new("is not a pattern that repositories can have", help));
        }
        if base.is_some() && (reference.tag.is_some() || reference.digest.is_some()) {
            return Err(PatternError::new("is a pattern with a tag", "name the repository, or leave the tag out"));
        }
        let name = match base {
            // The registry alone stands before the star: nothing of Docker Hub's short forms applies.
            Some(base) if !base.contains('/') && is_registry(base) => Some(base.to_owned()),
            Some(base) => normal(base, true),
            None => normal(reference.name, false),
        };
        let Some(mut name) = name else {
            let help = "write it as `registry:port/path/name`, with lower-case letters; a tag may follow as `:tag`";
            return Err(PatternError::new("is not the name of a repository", help));
        };
        if let Some(base) = base {
            name.push_str(&reference.name[base.len()..]);
        }
        if reference.tag.is_some_and(|tag| !is_tag(tag)) || reference.digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(PatternError::new(
                "has a tag or digest that no image can have",
                "write `name:tag`, or the name alone",
            ));
        }
        let (tag, digest) = (reference.tag.map(Into::into), reference.digest.map(Into::into));
        Ok(Self { name: name.into(), tag, digest })
    }

    /// A rule without a tag covers the whole repository. One with a tag covers that tag as long as no digest is given
    /// along with it: Docker goes by the digest then and does not look at the tag.
    pub(super) fn matches(&self, resource: &str) -> bool {
        let reference = split(resource);
        // An image's id says nothing of the repository that it is from.
        if reference.name.contains('*') || reference.name == "sha256" {
            return false;
        }
        let Some(name) = normal(reference.name, false) else { return false };
        if reference.tag.is_some_and(|tag| !is_tag(tag)) || reference.digest.is_some_and(|digest| !is_digest(digest)) {
            return false;
        }
        let limited = match (&self.tag, &self.digest) {
            (_, Some(digest)) => reference.digest == Some(digest),
            (Some(tag), None) => reference.digest.is_none() && reference.tag.unwrap_or("latest") == &**tag,
            (None, None) => true,
        };
        limited && glob::matches(&self.name, &name, '/')
    }

    /// Whether it is not limited to a tag or a digest.
    pub(crate) fn has_all_tags(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// The name with its registry, as it is compared.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The repository of an image reference as written, without tag and digest.
pub(crate) fn repository_of(reference: &str) -> &str {
    split(reference).name
}

fn split(text: &str) -> Reference<'_> {
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    // A colon belongs to a tag only after the last slash; before it, to a registry's port.
    let tail = rest.rfind('/').map_or(0, |slash| slash + 1);
    match rest[tail..].find(':') {
        Some(colon) => {
            let (name, tag) = rest.split_at(tail + colon);
            Reference { name, tag: Some(&tag[1..]), digest }
        }
        None => Reference { name: rest, tag: None, digest },
    }
}

fn is_registry(part: &str) -> bool {
    let (host, port) = part.split_once(':').map_or((part, None), |(host, port)| (host, Some(port)));
    let looks = part.contains('.') || port.is_some() || host == "localhost";
    let good = |c: u8| c.is_ascii_alphanumeric() || c == b'.' || c == b'-';
    looks
        && !host.is_empty()
        && host.bytes().all(good)
        && port.is_none_or(|port| !port.is_empty() && port.len() <= 5 && port.bytes().all(|c| c.is_ascii_digit()))
}

/// The name with its registry. A `prefix` (of a pattern) is not completed by Docker Hub's `library/`.
fn normal(name: &str, prefix: bool) -> Option<String> {
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => (first, rest),
        _ => ("docker.io", name),
    };
    let registry = registry.to_ascii_lowercase();
    let registry = if registry == "index.docker.io" { "docker.io" } else { registry.as_str() };
    if !path.split('/').all(is_component) {
        return None;
    }
    let library = if registry == "docker.io" && !prefix && !path.contains('/') { "library/" } else { "" };
    Some(format!("{registry}/{library}{path}"))
}

fn is_component(part: &str) -> bool {
    let edge = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let bytes = part.as_bytes();
    edge(bytes.first().copied())
        && edge(bytes.last().copied())
        && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c))
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(|c| c.is_ascii_alphanumeric() || b"_.-".contains(&c))
}

fn is_digest(digest: &str) -> bool {
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
mod tests {
    use super::{Repository, repository_of};

    fn covers(grant: &str, resource: &str) -> bool {
        Repository::parse(grant).unwrap().matches(resource)
    }

    fn digest() -> String {
        format!("sha256:{}", "a".repeat(64))
    }

    #[test]
    fn a_repository_covers_its_tags_and_digests() {
        assert!(covers("localhost:5000/storefront", "localhost:5000/storefront"));
        assert!(covers("localhost:5000/storefront", "localhost:5000/storefront:v1"));
        assert!(covers("localhost:5000/storefront", &format!("localhost:5000/storefront:v1@{}", digest())));
        assert!(!covers("localhost:5000/storefront", "localhost:5000/storefront2"));
        assert!(!covers("localhost:5000/storefront", "localhost:5001/storefront"));
        assert!(!covers("localhost:5000/storefront", "localhost:5000/storefront/evil"));
        assert!(!covers("localhost:5000/storefront", "storefront"));
    }

    #[test]
    fn a_tag_limits_and_a_digest_beside_it_is_not_covered() {
        assert!(covers("app:1.2", "app:1.2"));
        assert!(!covers("app:1.2", "app:1.3"));
        assert!(!covers("app:1.2", "app"));
        assert!(covers("app:latest", "app"));
        assert!(!covers("app:1.2", &format!("app:1.2@{}", digest())));
        assert!(covers(&format!("app@{}", digest()), &format!("app:1.2@{}", digest())));
    }

    #[test]
    fn docker_hub_has_many_names() {
        assert!(covers("nginx", "docker.io/library/nginx:1"));
        assert!(covers("docker.io/library/nginx", "nginx"));
        assert!(covers("index.docker.io/library/nginx", "nginx"));
        assert!(covers("team/app", "docker.io/team/app"));
        assert!(!covers("nginx", "evil.example/library/nginx"));
        assert!(!covers("docker.io/nginx", "docker.io/team/nginx"));
    }

    #[test]
    fn stars_at_the_end() {
        assert!(covers("localhost:5000/*", "localhost:5000/app:1"));
        assert!(!covers("localhost:5000/*", "localhost:5000/team/app"));
        assert!(covers("localhost:5000/**", "localhost:5000/team/app"));
        assert!(covers("team/*", "docker.io/team/app"));
        assert!(!covers("team/*", "localhost:5000/team/app"));
        assert!(!covers("localhost:5000/team/*", "localhost:5000/team"));
        assert!(!covers("localhost:5000/**", "localhost:5000/**"));
    }

    #[test]
    fn what_is_no_repository_is_refused() {
        for bad in [
            "*",
            "**",
            "a*b",
            "localhost:5000/a*",
            "App",
            "a//b",
            "/a",
            "a/",
            "a b",
            "app:",
            "x/*:1",
            "app@sha256:1",
            "-a",
            "a/../b",
            "localhost:5000",
            "registry.example:443",
        ] {
            assert!(Repository::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_repository_of_a_reference() {
        assert_eq!(repository_of("localhost:5000/a:b"), "localhost:5000/a");
        assert_eq!(repository_of("localhost:5000/a"), "localhost:5000/a");
    }
}
