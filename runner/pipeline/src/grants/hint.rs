//! What to write into `pipeline.toml` so that something is allowed.

use super::vocabulary::{self, Kind, Verb};
use super::{Demand, Pattern};
use crate::suggest::{quoted, toml_string};

/// For a demand that was denied.
pub(super) fn denial(demand: &Demand<'_>, stage: &str, step: &str) -> String {
    if demand.resource.starts_with("sha256:") {
        return "name the image by its repository: an id does not tell which grant it comes under; push it first, and use the output `pinned`, or use the output `ref`".to_owned();
    }
    let Some(row) = vocabulary::verb(demand.capability, demand.verb) else {
        return format!("no grant can allow `{} {}`", demand.capability, demand.verb);
    };
    let resource = match row.kind {
        Kind::Request => format!("{} {}", demand.verb, without_query(&demand.resource)),
        Kind::Repository => super::pattern::repository_of(&demand.resource).to_owned(),
        Kind::Target if demand.resource.contains("://") => without_query(&demand.resource).to_owned(),
        _ => demand.resource.clone().into_owned(),
    };
    let pattern = if row.kind == Kind::Request { without_query(&demand.resource) } else { &resource };
    if let Err(error) = Pattern::parse(row.kind, pattern) {
        return format!("no grant can allow that: {} {}", quoted(pattern), error.message);
    }
    if row.kind == Kind::Switch {
        return format!("add `{} = true` to `grants` of step `{step}` in stage `{stage}`", row.capability);
    }
    let (what, table) = entry(row, &toml_string(&resource));
    format!("add `{what}` to `{table}` of step `{step}` in stage `{stage}`")
}

/// A line that grants the row with `value`, and the table that it goes into.
pub(crate) fn entry(row: &Verb, value: &str) -> (String, String) {
    let table = format!("grants.{}", row.capability);
    let what = match row.keys {
        [] => value.to_owned(),
        [key] => format!("{key} = [{value}]"),
        [outer, rest @ ..] => format!("{outer} = {{ {} = [{value}] }}", rest.join(".")),
    };
    (what, table)
}

/// A grant of a capability, as `process = ["cargo"]`, with the example of the vocabulary.
pub(crate) fn example(capability: &str) -> Option<String> {
    let row = vocabulary::verbs(capability).next()?;
    if row.kind == Kind::Switch {
        return Some(format!("{capability} = true"));
    }
    let (what, _) = entry(row, &toml_string(row.example));
    Some(match row.keys {
        [] => format!("{capability} = [{what}]"),
        _ => format!("{capability} = {{ {what} }}"),
    })
}

/// What to write for a capability of which nothing is granted: the grant, and what can go into it.
pub(crate) fn outline(capability: &str) -> Option<(String, String)> {
    let mut keys: Vec<&str> = vocabulary::verbs(capability).filter_map(|row| row.keys.first().copied()).collect();
    keys.dedup();
    match keys.as_slice() {
        [] => Some((example(capability)?, String::new())),
        keys => {
            let keys = crate::suggest::listed(keys.iter().copied());
            Some((format!("{capability} = {{ ... }}"), format!(", with what it may do: {keys}")))
        }
    }
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
