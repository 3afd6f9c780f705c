//! The patterns of grants. Each kind of thing is compared by its own rules, after both sides are brought to one form.
//!
//! The rule for all of them: when in doubt, no match. What cannot be read is never matched.

mod folder;
mod glob;
mod port;
mod repository;
mod url;

pub use folder::{Folder, STATE_FOLDER};
pub use port::Port;
pub use repository::Repository;
pub use url::UrlPattern;

pub(super) use repository::repository_of;

use super::vocabulary::Kind;

/// The longest pattern, in bytes: as long as a path of Linux.
const MAX_LENGTH: usize = 4096;

/// What a rule allows something to be done to.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// A folder and everything beneath.
    Folder(Folder),
    /// A repository of images.
    Repository(Repository),
    /// A port of the host, or a range.
    Port(Port),
    /// A name with `*`.
    Name(Box<str>),
    /// An exact text: a program, a secret.
    Exact(Box<str>),
    /// A URL.
    Url(Box<UrlPattern>),
}

/// Why a text is no pattern of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// What is wrong with it, after "the folder `x` " and the like.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl PatternError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

impl Pattern {
    /// Reads a pattern. For [`Kind::Request`] this is the part after the methods.
    ///
    /// # Errors
    ///
    /// When the text is no pattern of this kind, or one that would allow more than anyone should.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::new("is empty", "name what is granted"));
        }
        if text.len() > MAX_LENGTH {
            return Err(PatternError::new("is too long", format!("a grant has at most {MAX_LENGTH} bytes")));
        }
        if text.chars().any(char::is_control) {
            return Err(PatternError::new("has control characters", "remove them"));
        }
        Ok(match kind {
            Kind::Folder => Self::Folder(Folder::parse(text)?),
            Kind::Repository => Self::Repository(Repository::parse(text)?),
            Kind::Port => Self::Port(Port::parse(text)?),
            Kind::Request => Self::Url(Box::new(UrlPattern::parse(text, &["http", "https"])?)),
            Kind::Target if text.contains("://") => {
                Self::Url(Box::new(UrlPattern::parse(text, &["http", "https", "tcp"])?))
            }
            Kind::Name | Kind::Target => Self::Name(name(text, "_.-*")?),
            Kind::Artifact => Self::Name(artifact(text)?),
            Kind::Variable if text.bytes().all(|c| c == b'*') => {
                let help = "name the variables, or the beginning of their names: `CARGO_*`";
                return Err(PatternError::new("is every variable of the host", help));
            }
            Kind::Variable => Self::Name(name(text, "_*")?),
            Kind::Secret => Self::Exact(text.into()),
            Kind::Program => Self::Exact(program(text)?),
            Kind::Switch if text == "true" => Self::Exact(text.into()),
            Kind::Switch => return Err(PatternError::new("is not `true`", "write `true`, without quotes")),
        })
    }

    /// Whether the resource is covered.
    pub fn matches(&self, resource: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.matches(resource),
            Self::Repository(repository) => repository.matches(resource),
            Self::Port(port) => port.matches(resource),
            Self::Name(name) => glob::matches(name, resource, '/'),
            Self::Exact(text) => **text == *resource,
            Self::Url(url) => url.matches(resource),
        }
    }
}

fn name(text: &str, also: &str) -> Result<Box<str>, PatternError> {
    match text.chars().find(|c| !c.is_ascii_alphanumeric() && !also.contains(*c)) {
        None => Ok(text.into()),
        Some(bad) => Err(PatternError::new(
            format!("has the character {bad:?}, which such a name cannot have"),
            format!(
                "letters, digits and {} are possible",
                crate::suggest::listed(also.split("").filter(|c| !c.is_empty()))
            ),
        )),
    }
}

fn artifact(text: &str) -> Result<Box<str>, PatternError> {
    let bad = |part: &str| part.is_empty() || part == "." || part == "..";
    if text.contains('\\') || text.split('/').any(bad) {
        let help = "write it as `report` or `reports/*`, relative and without `.` and `..`";
        return Err(PatternError::new("is not the name of an artifact", help));
    }
    Ok(text.into())
}

fn program(text: &str) -> Result<Box<str>, PatternError> {
    if text.starts_with('/') {
        let plain =
            !text.ends_with('/') && !text.contains("//") && !text.split('/').any(|part| part == "." || part == "..");
        return if plain {
            Ok(text.into())
        } else {
            Err(PatternError::new("is not a plain path", "write the absolute path of the program"))
        };
    }
    if let Some((first, _)) = text.split_once(char::is_whitespace) {
        let help = format!("grant the program alone: `{first}`");
        return Err(PatternError::new("is a program with arguments", help));
    }
    if text.contains(['/', '\\']) || text == "." || text == ".." {
        let help = "write the name of a program, like `cargo`, or its absolute path";
        return Err(PatternError::new("is a relative path", help));
    }
    if text.contains('*') {
        return Err(PatternError::new("is a pattern", "name each program"));
    }
    Ok(text.into())
}
