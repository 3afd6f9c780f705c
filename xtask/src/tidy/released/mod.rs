//! What was released stays: the contract that plugins are compiled against may only grow, and what was recorded at a
//! release is never touched again.
//!
//! `wit/released/VERSION` has the contract as it was when that version of its world `plugin` was released, and
//! `tests/compat/VERSION` has plugins that were compiled against it. Which versions there are stands in `list.rs`.

mod compare;
mod list;
mod shape;
#[cfg(test)]
mod tests;

use super::Finding;
use crate::failure::{Doing, Failure, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The released contracts.
pub(crate) const CONTRACTS: &str = "wit/released";
/// The plugins that were compiled against them.
pub(crate) const PLUGINS: &str = "tests/compat";
/// The digests of a released folder's files, as `sha256sum` writes and reads them.
const SUMS: &str = "SHA256SUMS";

/// `packages` has the folder of each package of the present contract.
pub(super) fn check(root: &Path, packages: &BTreeMap<String, String>) -> Result<Vec<Finding>> {
    let mut findings = list::listed(root, list::RELEASES)?;
    for kind in [CONTRACTS, PLUGINS] {
        for version in versions(root, kind)? {
            findings.extend(frozen(root, &Path::new(kind).join(version))?);
        }
    }
    let present = shape::read(&root.join("wit"))?;
    for version in versions(root, CONTRACTS)? {
        let released = shape::read(&root.join(CONTRACTS).join(version))?;
        for broken in compare::broken(&released, &present) {
            let folder = broken.package.as_ref().and_then(|package| packages.get(package));
            let finding = Finding::new(folder.map_or("wit", String::as_str), broken.text);
            // Two releases may have had the same.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    Ok(findings)
}

/// The version of the present contract as a whole: that of its world.
pub(crate) fn present_version(root: &Path) -> Result<String> {
    let present = shape::read(&root.join("wit"))?;
    let worlds = present.0.values().filter(|package| package.worlds.contains_key("plugin"));
    let newest = worlds.filter_map(|package| package.name.version.clone()).max();
    newest.map(|version| version.to_string()).doing(|| "find the version of the world `plugin`".to_owned())
}

/// The versions that a folder has something of, in order of their names.
fn versions(root: &Path, kind: &str) -> Result<Vec<String>> {
    let folder = root.join(kind);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).doing(|| format!("list {kind}"))? {
        let entry = entry.doing(|| format!("list {kind}"))?;
        if entry.path().is_dir() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a released folder is as it was released.
fn frozen(root: &Path, folder: &Path) -> Result<Vec<Finding>> {
    let list = root.join(folder).join(SUMS);
    let Ok(recorded) = fs::read_to_string(&list) else {
        let text = format!("{SUMS} is missing; `cargo xtask compat --record VERSION` writes it with a release");
        return Ok(vec![Finding::new(folder.display().to_string(), text)]);
    };
    let recorded: BTreeMap<&str, &str> =
        recorded.lines().filter_map(|line| line.split_once("  ")).map(|(sum, file)| (file, sum)).collect();
    let there = sums(&root.join(folder))?;
    let mut findings = Vec::new();
    let mut finding = |file: &str, what: &str| {
        let place = folder.join(file).display().to_string();
        findings.push(Finding::new(place, format!("{what}; what was released stays as it was: `git restore` it")));
    };
    for (file, sum) in &recorded {
        match there.get(*file) {
            Some(now) if now == sum => {}
            Some(_) => finding(file, "is not what was released"),
            None => finding(file, "is gone"),
        }
    }
    for file in there.keys().filter(|file| !recorded.contains_key(file.as_str())) {
        finding(file, "was not released with the others");
    }
    Ok(findings)
}

/// Freezes a folder: writes down what its files are.
pub(crate) fn freeze(folder: &Path) -> Result<()> {
    let mut text = String::new();
    for (file, sum) in sums(folder)? {
        let _ = writeln!(text, "{sum}  {file}");
    }
    let list = folder.join(SUMS);
    fs::write(&list, text).doing(|| format!("write {}", list.display()))
}

/// What to do with a release that has been recorded, for it to be one.
pub(crate) fn to_list(root: &Path, version: &str) -> Result<String> {
    Ok(format!("add it to the releases in {}:\n    {}", list::FILE, list::line(root, version)?))
}

/// The digests of a folder's files.
fn sums(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut sums = BTreeMap::new();
    let files: Vec<PathBuf> = super::files(folder).into_iter().filter(|file| file.as_os_str() != SUMS).collect();
    for file in files {
        let bytes = fs::read(folder.join(&file)).doing(|| format!("read {}", file.display()))?;
        let name = file.to_str().ok_or_else(|| Failure::new(format!("{} is no name", file.display())))?;
        sums.insert(name.to_owned(), hex::encode(Sha256::digest(bytes)));
    }
    Ok(sums)
}
