//! What to write into `pipeline.toml` so that something is allowed.

use super::Demand;
use super::vocabulary::{self, Kind, Verb};
use crate::suggest::toml_string;

/// For a demand that was denied.
pub(super) fn denial(demand: &Demand<'_>, stage: &str, step: &str) -> String {
    let Some(row) = vocabulary::verb(demand.capability, demand.verb) else {
        return format!("no grant can allow `{} {}`", demand.capability, demand.verb);
    };
    let resource = match row.kind {
        Kind::Request => format!("{} {}", demand.verb, without_query(&demand.resource)),
        Kind::Repository => super::pattern::repository_of(&demand.resource).to_owned(),
        Kind::Target if demand.resource.contains("://") => without_query(&demand.resource).to_owned(),
        _ => demand.resource.clone().into_owned(),
    };
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

/// The whole grant of a capability, as `docker = { push = ["..."] }`, with the examples of the vocabulary.
pub(crate) fn example(capability: &str) -> Option<String> {
    let row = vocabulary::verbs(capability).next()?;
    let (what, _) = entry(row, &toml_string(row.example));
    Some(match row.keys {
        [] => format!("{capability} = [{what}]"),
        _ => format!("{capability} = {{ {what} }}"),
    })
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
