//! Which plugin an error is about: where it comes from, its version, and which bytes exactly.

use std::fmt;

/// A plugin in words: `` plugin `tools/sizes.wasm` 1.2.0 (sha256:0123456789ab) ``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    name: Box<str>,
    /// Known once it has said what it is. Programs that know nothing of Windlass have none.
    version: Option<Box<str>>,
    digest: Box<str>,
}

impl Identity {
    /// One that has not said yet what it is.
    pub(crate) fn of(name: &str, digest: &str) -> Self {
        Self { name: name.into(), version: None, digest: digest.into() }
    }

    /// The same, of this version.
    pub(crate) fn versioned(self, version: &str) -> Self {
        // Its own words: they get no more room than a version needs.
        let version: String = version.chars().filter(|c| !c.is_control()).take(40).collect();
        Self { version: (!version.is_empty()).then(|| version.into()), ..self }
    }

    /// As `pipeline.toml` names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `sha256:...` of its bytes.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}`", self.name)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        // Twelve digits tell any two apart that a person will ever see.
        write!(f, " ({})", self.digest.get(.."sha256:".len() + 12).unwrap_or(&self.digest))
    }
}
