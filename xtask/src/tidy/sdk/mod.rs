//! What the SDKs of JavaScript and Python know of the contract is written from `wit/`, and held against it here: each
//! interface with its documentation, and a table of its types by which values are brought into the contract's form. So are
//! the cases of the conformance suite, and the reference in `docs/`.

mod cases;
mod contract;
mod javascript;
mod names;
mod python;
mod reference;

use super::Finding;
use crate::failure::{Doing, Result};
use std::fs;
use std::path::Path;

/// The first line of each file, after the mark of a comment.
const WRITTEN: &str = "Written by `cargo xtask tidy --bless` from wit/. Do not edit.";

/// A file that is written, and what belongs in it.
struct Written {
    path: String,
    text: String,
}

/// Holds the files against `wit/`; `bless` writes them.
pub(super) fn check(root: &Path, bless: bool) -> Result<Vec<Finding>> {
    let contract::Contract { imported: interfaces, exported } = contract::read(&root.join("wit"))?;
    let mut files = javascript::write(&interfaces);
    files.extend(python::write(&interfaces));
    files.extend(cases::write(root, &interfaces)?);
    files.push(reference::write(root, &interfaces, &exported)?);
    let mut findings = Vec::new();
    for Written { path, text } in files {
        let file = root.join(&path);
        if fs::read_to_string(&file).is_ok_and(|present| present == text) {
            continue;
        }
        if bless {
            let folder = file.parent().unwrap_or(root);
            fs::create_dir_all(folder).and_then(|()| fs::write(&file, text)).doing(|| format!("write {path}"))?;
            crate::ui::note(&format!("{path} is written anew"));
        } else {
            findings.push(Finding::new(path, "is not what wit/ says: run `cargo xtask tidy --bless`"));
        }
    }
    Ok(findings)
}
