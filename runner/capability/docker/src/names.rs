//! What things are called in Docker, and the labels by which they are found again.

use std::collections::HashMap;

use windlass_gate::api::Pair;
use windlass_gate::api::docker::Lifetime;
use windlass_gate::{Authority, Call, CallError};

/// What every label of Windlass begins with; no plugin can set one.
const PREFIX: &str = "windlass.";
/// The run that made it.
pub(crate) const RUN: &str = "windlass.run";
/// The pipeline that made it.
pub(crate) const PIPELINE: &str = "windlass.pipeline";
/// The environment that it belongs to; empty for none.
pub(crate) const ENVIRONMENT: &str = "windlass.environment";
/// The step that made it, `stage/step`.
pub(crate) const STEP: &str = "windlass.step";
/// The identity of the call that made it.
pub(crate) const CALL: &str = "windlass.call";
/// Its name in the pipeline.
pub(crate) const NAME: &str = "windlass.name";
/// How long it stays: `run` or `kept`.
pub(crate) const LIFETIME: &str = "windlass.lifetime";
/// The router of the run that made it: requests may come from there, whichever router a later run has.
pub(crate) const ROUTER: &str = "windlass.router";

/// The longest name that a pipeline may give. Names are also host names, which end there.
const LONGEST: usize = 63;

/// The labels of what this call makes.
pub(crate) fn labels(call: &Call, name: &str, lifetime: &Lifetime) -> HashMap<String, String> {
    let step = match &call.authority {
        Authority::Host => "host".to_owned(),
        Authority::Step(step) => format!("{}/{}", step.stage, step.step),
    };
    let lifetime = match lifetime {
        Lifetime::Run => "run",
        Lifetime::Kept => "kept",
    };
    [
        (RUN, call.run.run.clone()),
        (PIPELINE, call.run.pipeline.clone()),
        (ENVIRONMENT, call.environment.as_deref().unwrap_or_default().to_owned()),
        (STEP, step),
        (CALL, call.identity()),
        (NAME, name.to_owned()),
        (LIFETIME, lifetime.to_owned()),
    ]
    .into_iter()
    .map(|(label, value)| (label.to_owned(), value))
    .collect()
}

/// A container's name: that of the call, so that the daemon refuses to make it twice.
pub(crate) fn container(call: &Call) -> String {
    format!("windlass-{}", call.identity())
}

/// The name of a network or volume: that of the pipeline and environment, whose runs share it.
pub(crate) fn shared(call: &Call, name: &str) -> String {
    shared_by(&call.run.pipeline, call.environment.as_deref(), name)
}

/// The same, for whoever knows it from the record.
pub fn shared_by(pipeline: &str, environment: Option<&str>, name: &str) -> String {
    let fitting: String =
        pipeline.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' }).collect();
    match environment {
        // Neither a pipeline nor an environment has a dot in its name.
        Some(environment) => format!("windlass-{fitting}.{environment}-{name}"),
        None => format!("windlass-{fitting}-{name}"),
    }
}

/// Filters for what this pipeline made in this environment, of this name if one is given.
pub(crate) fn made_by(call: &Call, name: Option<&str>) -> HashMap<String, Vec<String>> {
    let environment = call.environment.as_deref().unwrap_or_default();
    let mut labels = vec![format!("{PIPELINE}={}", call.run.pipeline), format!("{ENVIRONMENT}={environment}")];
    labels.extend(name.map(|name| format!("{NAME}={name}")));
    HashMap::from([("label".to_owned(), labels)])
}

/// Whether something with these labels is this pipeline's thing of this name in this environment.
pub(crate) fn is_ours(labels: &HashMap<String, String>, call: &Call, name: &str) -> bool {
    let is = |label: &str, value: &str| labels.get(label).is_some_and(|found| found == value);
    is(PIPELINE, &call.run.pipeline)
        && is(ENVIRONMENT, call.environment.as_deref().unwrap_or_default())
        && is(NAME, name)
}

/// Refuses a name that Docker would refuse, or take for something else.
pub(crate) fn check(kind: &str, name: &str) -> Result<(), CallError> {
    let fits = name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if fits {
        return Ok(());
    }
    Err(CallError::Invalid(format!(
        "`{name}` cannot be the name of a {kind}: a name has 1 to {LONGEST} letters, digits, `-`, `_` and `.`, and begins with a letter or digit"
    )))
}

/// Refuses an id that could be anything but an id in the path of a request.
pub(crate) fn check_id(id: &str) -> Result<(), CallError> {
    if !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) && id != "." && id != ".." {
        return Ok(());
    }
    Err(CallError::Invalid(format!("`{id}` is not an id of Docker")))
}

/// Adds a plugin's labels, none of which may be one of ours.
pub(crate) fn extend(labels: &mut HashMap<String, String>, pairs: &[Pair]) -> Result<(), CallError> {
    for Pair { name, value } in pairs {
        if name.is_empty() || name.starts_with(PREFIX) {
            return Err(CallError::Invalid(format!(
                "the label `{name}` cannot be set: labels that begin with `{PREFIX}` are Windlass's own, and a label has a name"
            )));
        }
        labels.insert(name.clone(), value.clone());
    }
    Ok(())
}

/// Labels as a plugin sees them: in order, and without ours but for a router that is not this run's.
pub(crate) fn visible(labels: HashMap<String, String>, router: Option<&str>) -> Vec<Pair> {
    let shown = |name: &str, value: &str| match name {
        ROUTER => router != Some(value),
        _ => !name.starts_with(PREFIX),
    };
    let mut pairs: Vec<_> = labels
        .into_iter()
        .filter(|(name, value)| shown(name, value))
        .map(|(name, value)| Pair { name, value })
        .collect();
    pairs.sort_by(|a, b| a.name.cmp(&b.name));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_something_else_are_refused() {
        for name in ["", "-x", ".", "../x", "a/b", "a b", "ä", &"x".repeat(64)] {
            assert!(check("container", name).is_err(), "{name}");
        }
        for name in ["db", "db-1", "a.b_c", "1"] {
            assert!(check("container", name).is_ok(), "{name}");
        }
    }

    #[test]
    fn ids_stay_within_their_part_of_a_path() {
        for id in ["", ".", "..", "a/b", "a?b", "a%2fb", "../images/x"] {
            assert!(check_id(id).is_err(), "{id}");
        }
        assert!(check_id("4f3c0ffee").is_ok());
    }

    #[test]
    fn our_labels_are_ours() {
        let mut labels = HashMap::new();
        let pair = |name: &str| Pair { name: name.into(), value: "x".into() };
        assert!(extend(&mut labels, &[pair("windlass.run")]).is_err());
        assert!(extend(&mut labels, &[pair("team")]).is_ok());
        labels.insert(RUN.into(), "abc".into());
        assert_eq!(visible(labels, None), [pair("team")]);
    }

    #[test]
    fn a_plugin_sees_that_a_container_is_behind_another_router() {
        let labels = || HashMap::from([(ROUTER.to_owned(), "/a".to_owned()), (RUN.to_owned(), "abc".to_owned())]);
        assert_eq!(visible(labels(), Some("/a")), []);
        let other = [Pair { name: ROUTER.into(), value: "/a".into() }];
        assert_eq!(visible(labels(), Some("/b")), other);
        assert_eq!(visible(labels(), None), other);
    }

    #[test]
    fn a_shared_name_is_one_that_docker_takes() {
        assert_eq!(shared_by("store front/ä", None, "db"), "windlass-store-front---db");
        assert_eq!(shared_by("shop", Some("staging"), "db"), "windlass-shop.staging-db");
    }
}
