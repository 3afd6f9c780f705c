//! The releases of the contract, each with the digests of its two lists of files. The lists lie beside what they list:
//! whoever edits a released file could edit its list as well, or remove both, and only this tells.

use super::{CONTRACTS, PLUGINS, SUMS, versions};
use crate::failure::{Doing, Result};
use crate::tidy::Finding;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// This file, for whoever has to add a line to it.
pub(super) const FILE: &str = "xtask/src/tidy/released/list.rs";

/// A release: its version, and the SHA-256 of `SHA256SUMS` in its folder of contracts and in that of plugins.
#[derive(Debug)]
pub(super) struct Release<'t> {
    pub(super) version: &'t str,
    pub(super) contract: &'t str,
    pub(super) plugins: &'t str,
}

/// All releases, the oldest first. `cargo xtask compat --record VERSION` tells the line of a new one; none is ever
/// taken away.
pub(super) const RELEASES: &[Release<'_>] = &[Release {
    version: "0.1.0",
    contract: "7808b66d7e32dcea122ce0383d8394eaf283d52397c6c103232ce65bcd618178",
    plugins: "77c4289f62ffc8062179b9527da0bdf58c540df7cc303e5736bd0abba8fb592d",
}];

/// Whether each release is there with its own list of files, and nothing else as a release.
pub(super) fn listed(root: &Path, releases: &[Release<'_>]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for kind in [CONTRACTS, PLUGINS] {
        let there = versions(root, kind)?;
        for release in releases {
            let folder = Path::new(kind).join(release.version);
            let recorded = if kind == CONTRACTS { release.contract } else { release.plugins };
            let (file, what) = match sum(&root.join(&folder).join(SUMS)) {
                Ok(now) if now == recorded => continue,
                Ok(_) => (folder.join(SUMS), "is not the list of that release"),
                Err(_) if there.iter().any(|version| version == release.version) => (folder.join(SUMS), "is gone"),
                Err(_) => (folder, "is gone"),
            };
            let text = format!("{what} ({FILE} has it); what was released stays as it was: `git restore` it");
            findings.push(Finding::new(file.display().to_string(), text));
        }
        for version in there.iter().filter(|version| !releases.iter().any(|release| release.version == **version)) {
            let place = Path::new(kind).join(version).display().to_string();
            let text = match line(root, version) {
                Ok(line) => format!("is not among the releases; add this line to {FILE}: {line}"),
                Err(why) => format!("is not among the releases in {FILE}, and cannot be: {why}"),
            };
            findings.push(Finding::new(place, text));
        }
    }
    Ok(findings)
}

/// The line of a release that has been recorded.
pub(super) fn line(root: &Path, version: &str) -> Result<String> {
    let of = |kind: &str| sum(&root.join(kind).join(version).join(SUMS));
    let (contract, plugins) = (of(CONTRACTS)?, of(PLUGINS)?);
    Ok(format!("Release {{ version: \"{version}\", contract: \"{contract}\", plugins: \"{plugins}\" }},"))
}

/// The digest of a list of files.
fn sum(list: &Path) -> Result<String> {
    let bytes = fs::read(list).doing(|| format!("read {}", list.display()))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}
