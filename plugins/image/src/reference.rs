//! Names of images.

use windlass_plugin::{Failure, bail};

/// A name with its tag: `latest` is what Docker means when there is none.
///
/// # Errors
/// It is empty, or pinned where a tag has to be.
pub(crate) fn with_tag(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    if name.is_empty() || name.contains(char::is_whitespace) {
        bail!("`{name}` is no name of an image");
    }
    if name.contains('@') {
        bail!("`{name}` names a digest; give it a tag, as `repository:tag`");
    }
    // A colon before the last slash belongs to the registry's port.
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, "")) => bail!("`{name}` has an empty tag"),
        Some(_) => Ok(name.to_owned()),
        None => Ok(format!("{name}:latest")),
    }
}

/// All of them with their tags, none twice.
///
/// # Errors
/// As for one.
pub(crate) fn with_tags(names: &[String]) -> Result<Vec<String>, Failure> {
    let mut tags = Vec::with_capacity(names.len());
    for name in names {
        let tag = with_tag(name)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_filled_in() {
        assert_eq!(with_tag("localhost:5000/a").unwrap(), "localhost:5000/a:latest");
        assert_eq!(with_tag("a:1").unwrap(), "a:1");
        for bad in ["", "a b", "a:", "a@sha256:00"] {
            assert!(with_tag(bad).is_err(), "{bad}");
        }
        let names = ["a".to_owned(), "a:latest".to_owned(), "a:1".to_owned()];
        assert_eq!(with_tags(&names).unwrap(), ["a:latest", "a:1"]);
    }
}
