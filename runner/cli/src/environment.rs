//! The host's environment, as data: only what is asked for leaves this module.

#![allow(clippy::disallowed_methods, reason = "the command line gathers the environment")]

use std::collections::BTreeMap;
use std::ffi::OsString;

/// The value of a variable.
pub(crate) fn value(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Whether this is a machine on which nobody looks on.
pub(crate) fn is_ci() -> bool {
    value("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// The variables that `wanted` wants. What is not UTF-8 has no place in a pipeline, a plan or a
/// journal, so it is left out.
pub(crate) fn select(mut wanted: impl FnMut(&str) -> bool) -> BTreeMap<String, String> {
    let pairs =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    pairs.filter(|(name, _)| wanted(name)).collect()
}

/// Those of the named variables that are set.
pub(crate) fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, String> {
    let set = |name: &str| Some((name.to_owned(), std::env::var_os(name)?.into_string().ok()?));
    names.into_iter().filter_map(set).collect()
}
