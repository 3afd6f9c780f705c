//! The rules of the house that no compiler knows: what `cargo xtask tidy` finds, it explains.

mod crates;
pub(crate) mod released;
mod sdk;
mod sources;
mod wit;

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::ui;
use std::path::{Path, PathBuf};

/// One broken rule: where, and what to do.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    place: String,
    text: String,
}

impl Finding {
    fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

/// `cargo xtask tidy`: all findings at once.
pub(crate) fn command(bless: bool) -> Result<()> {
    check(&Context::find()?, bless)
}

/// Checks the whole work tree.
pub(crate) fn check(context: &Context, bless: bool) -> Result<()> {
    let root = &context.root;
    let files = files(root);
    let mut findings = sources::check(root, &files)?;
    findings.extend(crates::check(root, &files)?);
    findings.extend(wit::check(root, bless)?);
    // What the SDKs cannot be written from may be what was found above.
    findings.extend(sdk::check(root, bless).unwrap_or_else(|why| vec![Finding::new("plugin-sdk", why.to_string())]));
    if findings.is_empty() {
        ui::note(&format!("{} files are in order", files.len()));
        return Ok(());
    }
    for finding in &findings {
        eprintln!("{}: {}", finding.place, finding.text);
    }
    Err(Failure::new(format!("{} rules are broken (see above)", findings.len())))
}

/// All files of the work tree, relative to it, without what is built or fetched.
pub(crate) fn files(root: &Path) -> Vec<PathBuf> {
    const SKIP: [&str; 4] = ["target", "node_modules", ".git", ".windlass"];
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() && !SKIP.iter().any(|s| entry.file_name() == *s) {
                folders.push(entry.path());
            } else if kind.is_file()
                && let Ok(path) = entry.path().strip_prefix(root)
            {
                found.push(path.to_owned());
            }
        }
    }
    found.sort();
    found
}
