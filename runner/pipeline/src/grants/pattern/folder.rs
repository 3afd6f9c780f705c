//! Folders: compared part by part after `.` and `..` are worked out, without looking at the disk.

use super::PatternError;

/// The folder with the runs' records, beside the pipeline. Nothing in it is ever granted.
pub const STATE_FOLDER: &str = ".windlass";

/// A folder and everything beneath it, the state folder excepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folder {
    absolute: bool,
    parts: Box<[Box<str>]>,
}

impl Folder {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        if text.contains('*') {
            let base = text.split('*').next().unwrap_or_default().rsplit_once('/').map_or(".", |(base, _)| base);
            let base = if base.is_empty() { "/" } else { base };
            return Err(PatternError::new(
                "is a pattern; folders are granted whole",
                format!("grant the folder: `{base}`"),
            ));
        }
        let Some((absolute, parts)) = normal(text) else {
            let help = "name a folder within the pipeline's own, or write an absolute path if it has to be outside";
            return Err(PatternError::new("leads out of the pipeline's folder", help));
        };
        if parts.iter().any(|part| part.eq_ignore_ascii_case(STATE_FOLDER)) {
            let help = "the records of runs stay out of reach of every step; name another folder";
            return Err(PatternError::new(format!("is inside `{STATE_FOLDER}`"), help));
        }
        if absolute && parts.is_empty() {
            return Err(PatternError::new("is the whole file system", "name the folders that the step needs"));
        }
        Ok(Self { absolute, parts: parts.into_iter().map(Into::into).collect() })
    }

    pub(super) fn matches(&self, resource: &str) -> bool {
        let Some((absolute, parts)) = normal(resource) else { return false };
        absolute == self.absolute
            && parts.len() >= self.parts.len()
            && self.parts.iter().zip(&parts).all(|(mine, theirs)| **mine == **theirs)
            && !parts.iter().any(|part| part.eq_ignore_ascii_case(STATE_FOLDER))
    }

    /// Whether it is written as an absolute path. Others are relative to the pipeline's folder.
    pub fn is_absolute(&self) -> bool {
        self.absolute
    }

    /// Its parts, from the pipeline's folder or from the root on; none for the pipeline's folder itself.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| &**part)
    }
}

impl std::fmt::Display for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.absolute {
            f.write_str("/")?;
        } else if self.parts.is_empty() {
            f.write_str(".")?;
        }
        f.write_str(&self.parts.join("/"))
    }
}

/// Whether the path is absolute, and its parts. `None` when it leads out of its own root or is no path at all.
fn normal(text: &str) -> Option<(bool, Vec<&str>)> {
    if text.is_empty() || text.contains('\0') {
        return None;
    }
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some((text.starts_with('/'), parts))
}

#[cfg(test)]
mod tests {
    use super::Folder;

    fn covers(folder: &str, resource: &str) -> bool {
        Folder::parse(folder).unwrap().matches(resource)
    }

    #[test]
    fn a_folder_covers_what_is_beneath_it() {
        assert!(covers("src", "src"));
        assert!(covers("./src/", "src/a/b.rs"));
        assert!(covers(".", "src/a.rs"));
        assert!(covers("a/../src", "src/x"));
        assert!(covers("/data", "/data/x"));
    }

    #[test]
    fn and_nothing_else() {
        assert!(!covers("src", "srcs/a"));
        assert!(!covers("src", "."));
        assert!(!covers("src", "src/../secret"));
        assert!(!covers(".", "../x"));
        assert!(!covers(".", "/etc"));
        assert!(!covers("/data", "data"));
        assert!(!covers(".", ".windlass/runs"));
        assert!(!covers(".", "sub/.Windlass/runs"));
        assert!(!covers(".", "a/../.windlass"));
    }

    #[test]
    fn unsafe_folders_are_refused() {
        for bad in ["..", "a/../../b", "/", "/a/..", "src/*.rs", ".windlass", "x/.WINDLASS/y"] {
            assert!(Folder::parse(bad).is_err(), "{bad}");
        }
    }
}
