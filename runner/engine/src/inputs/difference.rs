//! What has changed in a folder, by name.

use std::collections::BTreeSet;

use crate::inputs::tree::Tree;

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path in the folder; bytes that are no text as `%` and two digits.
    pub path: String,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// It is something else, or has other content.
    Changed,
}

pub(super) fn between(old: &Tree, new: &Tree) -> Vec<Change> {
    let paths: BTreeSet<&String> = old.entries.keys().chain(new.entries.keys()).collect();
    let change = |path: &String| {
        let kind = match (old.entries.get(path), new.entries.get(path)) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            (Some(old), Some(new)) if old != new => ChangeKind::Changed,
            _ => return None,
        };
        Some(Change { path: path.clone(), kind })
    };
    paths.into_iter().filter_map(change).collect()
}
