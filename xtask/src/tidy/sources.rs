//! Rules about single source files: they say what they are for, and stay small enough to read.

use super::Finding;
use crate::failure::{Doing, Result};
use std::path::{Path, PathBuf};

/// A file longer than this is several files.
const LINES: usize = 600;

pub(super) fn check(root: &Path, files: &[PathBuf]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "rs")) {
        let text = std::fs::read_to_string(root.join(file)).doing(|| format!("read {}", file.display()))?;
        findings.extend(one(file, &text));
    }
    Ok(findings)
}

fn one(file: &Path, text: &str) -> Vec<Finding> {
    let place = file.display().to_string();
    let mut findings = Vec::new();
    // Tests, benches, examples and build scripts are entered through their own names.
    let free = file.components().any(|c| ["tests", "benches", "examples"].iter().any(|f| c.as_os_str() == *f))
        || file.file_name().is_some_and(|n| n == "build.rs");
    if !free && !text.starts_with("//!") {
        findings.push(Finding::new(
            format!("{place}:1"),
            "a module opens with `//!` and a sentence on what it is for; here that is missing",
        ));
    }
    let lines = text.lines().count();
    if lines > LINES {
        findings.push(Finding::new(
            format!("{place}:{LINES}"),
            format!("the file has {lines} lines, over {LINES}: divide it by what its parts are for"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_says_what_it_is_for() {
        assert_eq!(one(Path::new("runner/gate/src/lib.rs"), "//! The gate.\n"), []);
        assert_eq!(one(Path::new("runner/gate/src/lib.rs"), "use x;\n").len(), 1);
        assert_eq!(one(Path::new("runner/gate/tests/a.rs"), "use x;\n"), []);
        assert_eq!(one(Path::new("runner/cli/build.rs"), "fn main() {}\n"), []);
    }

    #[test]
    fn a_file_has_an_end() {
        let text = format!("//! x\n{}", "\n".repeat(LINES));
        assert_eq!(one(Path::new("a/src/b.rs"), &text).len(), 1);
        assert_eq!(one(Path::new("a/tests/b.rs"), &text).len(), 1, "tests too");
    }
}
