//! The contract with plugins changes only with a word in its changelog: `wit/CHANGELOG.md` names
//! every WIT package's version with the digest of its files, and an edit changes the digest. What is
//! released of it only grows.

use super::Finding;
use crate::bytes::digest;
use crate::failure::{Doing, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const CHANGELOG: &str = "wit/CHANGELOG.md";

/// One WIT package: `windlass:step@0.1.0`, and what its files hash to.
#[derive(Debug, PartialEq, Eq)]
struct Package {
    id: String,
    file: String,
    digest: String,
}

pub(super) fn check(root: &Path, bless: bool) -> Result<Vec<Finding>> {
    let packages = packages(root)?;
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    let path = root.join(CHANGELOG);
    let Ok(changelog) = fs::read_to_string(&path) else {
        return Ok(vec![Finding::new(CHANGELOG, "the changelog of the WIT packages is missing: write one")]);
    };
    let (blessed, mut findings) = compare(&packages, &changelog, bless);
    if bless && blessed != changelog {
        fs::write(&path, blessed).doing(|| format!("write {CHANGELOG}"))?;
        crate::ui::note(&format!("{CHANGELOG}: the digests are recorded; see that the words tell of the change"));
    }
    let folders = packages.into_iter().map(|package| (package.id, package.file)).collect();
    findings.extend(super::released::check(root, &folders)?);
    Ok(findings)
}

/// What `--bless` writes, below the words.
const TABLE: &str =
    "## Digests\n\nWritten by `cargo xtask tidy --bless`; every edit of a package changes its digest.\n\n";

/// The changelog with the right digests, and what is wrong with the present one. The words must
/// name each package's version; the table at the end holds the digests of what they tell of.
fn compare(packages: &[Package], changelog: &str, bless: bool) -> (String, Vec<Finding>) {
    let (words, table) = changelog.split_once("## Digests").unwrap_or((changelog, ""));
    let mut findings = Vec::new();
    let mut blessed = format!("{}\n\n{TABLE}", words.trim_end());
    for package in packages {
        let line = format!("- `{}` sha256:{}\n", package.id, package.digest);
        if !words.lines().any(|l| names(l, &package.id)) {
            findings.push(Finding::new(
                &package.file,
                format!("{} is not in {CHANGELOG}: say there what is new in it", package.id),
            ));
        }
        if !bless && !table.contains(&line) {
            findings.push(Finding::new(
                CHANGELOG,
                format!(
                    "{} ({}) has changed: tell of it here, then run `cargo xtask tidy --bless`",
                    package.id, package.file
                ),
            ));
        }
        blessed.push_str(&line);
    }
    (blessed, findings)
}

/// Does the line name this very version, and not one that merely begins like it?
fn names(line: &str, id: &str) -> bool {
    line.match_indices(id).any(|(at, _)| {
        let next = line[at + id.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-' || c == '+')
            && !line[at + id.len()..].strip_prefix('.').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// The packages of `wit/`: the `.wit` files of one folder are one package.
fn packages(root: &Path) -> Result<Vec<Package>> {
    let mut folders: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let files = super::files(&root.join("wit")).into_iter().map(|f| Path::new("wit").join(f));
    let files = files.filter(|f| f.extension().is_some_and(|e| e == "wit"));
    // What was released never changes, and is looked after by itself.
    for file in files.filter(|f| !f.starts_with(super::released::CONTRACTS)) {
        folders.entry(file.parent().unwrap_or(Path::new("")).to_owned()).or_default().push(file);
    }
    let mut packages = Vec::new();
    for (folder, files) in folders {
        let mut texts = Vec::new();
        for file in &files {
            texts.push(fs::read_to_string(root.join(file)).doing(|| format!("read {}", file.display()))?);
        }
        let id = texts.iter().find_map(|t| package_id(t));
        let id = id.doing(|| format!("find the `package` line of {}", folder.display()))?;
        let digest = digest(texts.iter().map(|t| t.as_bytes()));
        packages.push(Package { id, file: folder.display().to_string(), digest });
    }
    Ok(packages)
}

fn package_id(text: &str) -> Option<String> {
    let line = text.lines().find_map(|l| l.trim().strip_prefix("package "))?;
    Some(line.trim().trim_end_matches([';', '{', ' ']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(digest: &str) -> Package {
        Package { id: "windlass:step@0.1.0".into(), file: "wit/deps/step".into(), digest: digest.into() }
    }

    #[test]
    fn a_change_needs_its_word() {
        let (blessed, findings) = compare(&[step("ab")], "# Changes\n\nwindlass:step@0.1.0: first.\n", true);
        assert_eq!(findings, []);
        assert_eq!(compare(&[step("ab")], &blessed, false), (blessed.clone(), vec![]), "as it was blessed");
        assert_eq!(compare(&[step("cd")], &blessed, false).1.len(), 1, "edited since");
        let (again, findings) = compare(&[step("cd")], &blessed, true);
        assert!(findings.is_empty() && again.contains("sha256:cd") && !again.contains("sha256:ab"));
    }

    #[test]
    fn bless_writes_no_words() {
        assert_eq!(compare(&[step("cd")], "windlass:step@0.1.0-rc and windlass:step@0.1.0.1\n", true).1.len(), 1);
        let (blessed, _) = compare(&[step("cd")], "# Changes\n", true);
        assert_eq!(compare(&[step("cd")], &blessed, false).1.len(), 1, "the table is not the words");
    }

    #[test]
    fn the_package_line() {
        assert_eq!(package_id("/// x\npackage windlass:log@0.1.0;\n").as_deref(), Some("windlass:log@0.1.0"));
        assert_eq!(package_id("interface x {}"), None);
    }
}
