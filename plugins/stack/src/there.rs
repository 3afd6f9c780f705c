//! What is there already of a stack, and whether it is what the stack wants.

use std::collections::BTreeMap;

use windlass_plugin::docker::{self, Container, ContainerSpec, ContainerState, HealthState, Lifetime};
use windlass_plugin::{Failure, OrFail, Pair, bail};

use crate::stack::{Service, Stack};
use crate::with::Recreate;

/// The label with the name of the stack that a container belongs to.
const STACK: &str = "stack.name";
/// The label with a digest of what a container was made from.
const CONFIG: &str = "stack.config";

/// What is to become of a service.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    /// There is none: it is made.
    Make,
    /// What is there is not what is wanted: it goes first.
    Replace(&'static str),
    /// What is there is left alone.
    Leave(Box<Container>),
}

/// The containers of this pipeline by their names.
///
/// # Errors
/// Docker does not say.
pub(crate) fn look() -> Result<BTreeMap<String, Container>, Failure> {
    let all = docker::list().or_fail("look at the containers of this pipeline")?;
    Ok(all
        .into_iter()
        .filter(|container| !container.name.is_empty())
        .map(|found| (found.name.clone(), found))
        .collect())
}

/// Whether a container belongs to the stack of this name.
pub(crate) fn is_of(container: &Container, stack: &str) -> bool {
    label(container, STACK) == Some(stack)
}

/// Services of a stack that it no longer has.
pub(crate) fn orphans<'t>(
    there: &'t BTreeMap<String, Container>,
    stack: &Stack,
    name: &str,
) -> impl Iterator<Item = &'t str> {
    let known = |found: &Container| stack.services.iter().any(|service| service.name == found.name);
    there.values().filter(move |found| is_of(found, name) && !known(found)).map(|found| found.name.as_str())
}

/// Marks a container as one of this stack, made from exactly this.
///
/// # Errors
/// One of the labels is taken.
pub(crate) fn mark(service: &mut Service, stack: &str, lifetime: Lifetime) -> Result<(), Failure> {
    if let Some(taken) = service.spec.labels.iter().find(|label| [STACK, CONFIG].contains(&&*label.name)) {
        bail!("services.{}.labels: the label `{}` is one that this plugin sets itself", service.name, taken.name);
    }
    let config = digest(&service.spec, lifetime);
    service.spec.labels.extend([Pair::new(STACK, stack), Pair::new(CONFIG, config)]);
    Ok(())
}

/// What is to become of a service, when this container has its name. `image` is the id of the image that it is to run.
///
/// # Errors
/// The name is taken by something that is not of this stack.
pub(crate) fn plan(
    service: &Service,
    stack: &str,
    found: Option<&Container>,
    image: &str,
    recreate: Recreate,
) -> Result<Plan, Failure> {
    let Some(found) = found else { return Ok(Plan::Make) };
    if !is_of(found, stack) {
        return Err(Failure::new(format!(
            "services.{}: this pipeline has a container of this name already, made in run {}, which is not of the stack `{stack}`",
            service.name, found.run
        ))
        .hint("remove it with the step that made it, or give the service another name"));
    }
    let wanted = service.spec.labels.iter().find(|label| label.name == CONFIG).map(|label| label.value.as_str());
    Ok(match recreate {
        Recreate::Always => Plan::Replace("all services are to be replaced"),
        _ if found.state != ContainerState::Running => Plan::Replace("it does not run"),
        Recreate::Never => Plan::Leave(Box::new(found.clone())),
        Recreate::Changed if label(found, CONFIG) != wanted => Plan::Replace("its settings have changed"),
        Recreate::Changed if found.image_id != image => Plan::Replace("its image has changed"),
        Recreate::Changed if found.health == HealthState::Unhealthy => Plan::Replace("it is not healthy"),
        Recreate::Changed => Plan::Leave(Box::new(found.clone())),
    })
}

fn label<'c>(container: &'c Container, name: &str) -> Option<&'c str> {
    container.labels.iter().find(|label| label.name == name).map(|label| label.value.as_str())
}

/// FNV-1a of everything that a container is made from. It has to tell a change, not to withstand anybody; secrets are
/// in it by their names.
fn digest(spec: &ContainerSpec, lifetime: Lifetime) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in format!("{spec:?} {lifetime:?}").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        let mut service = Service {
            name: "web".to_owned(),
            spec: ContainerSpec::new("i"),
            pull: false,
            check: None,
            needs: Vec::new(),
        };
        mark(&mut service, "shop", Lifetime::Kept).unwrap();
        service
    }

    fn container(labels: Vec<Pair>) -> Container {
        Container {
            name: "web".to_owned(),
            id: "c".to_owned(),
            image: "i".to_owned(),
            image_id: "sha256:1".to_owned(),
            state: ContainerState::Running,
            health: HealthState::None,
            exit_code: None,
            oom_killed: false,
            ports: Vec::new(),
            addresses: Vec::new(),
            labels,
            run: "r1".to_owned(),
            started: String::new(),
        }
    }

    #[test]
    fn what_did_not_change_is_left_alone() {
        let service = service();
        let found = container(service.spec.labels.clone());
        let plan = |found: &Container, image, recreate| plan(&service, "shop", Some(found), image, recreate).unwrap();
        assert_eq!(plan(&found, "sha256:1", Recreate::Changed), Plan::Leave(Box::new(found.clone())));
        assert_eq!(plan(&found, "sha256:2", Recreate::Changed), Plan::Replace("its image has changed"));
        assert_eq!(plan(&found, "sha256:2", Recreate::Never), Plan::Leave(Box::new(found.clone())));
        assert_eq!(plan(&found, "sha256:1", Recreate::Always), Plan::Replace("all services are to be replaced"));
        let ended = Container { state: ContainerState::Exited, ..found.clone() };
        assert_eq!(plan(&ended, "sha256:1", Recreate::Never), Plan::Replace("it does not run"));
        let ill = Container { health: HealthState::Unhealthy, ..found.clone() };
        assert_eq!(plan(&ill, "sha256:1", Recreate::Changed), Plan::Replace("it is not healthy"));
        let other = container(vec![Pair::new(STACK, "shop"), Pair::new(CONFIG, "0")]);
        assert_eq!(plan(&other, "sha256:1", Recreate::Changed), Plan::Replace("its settings have changed"));
    }

    #[test]
    fn what_is_not_of_the_stack_is_not_touched() {
        let service = service();
        for labels in [Vec::new(), vec![Pair::new(STACK, "other")]] {
            let error = plan(&service, "shop", Some(&container(labels)), "sha256:1", Recreate::Always).unwrap_err();
            assert!(error.message().starts_with("services.web: this pipeline has a container of this name"), "{error}");
        }
        assert_eq!(plan(&service, "shop", None, "sha256:1", Recreate::Changed).unwrap(), Plan::Make);
        let mut taken =
            Service { spec: ContainerSpec { labels: vec![Pair::new(CONFIG, "x")], ..service.spec.clone() }, ..service };
        assert!(mark(&mut taken, "shop", Lifetime::Kept).unwrap_err().message().contains("services.web.labels"));
    }

    #[test]
    fn every_setting_counts() {
        let spec = ContainerSpec::new("i");
        let digests = [
            digest(&spec, Lifetime::Run),
            digest(&spec, Lifetime::Kept),
            digest(&ContainerSpec { user: Some("1".to_owned()), ..spec.clone() }, Lifetime::Run),
            digest(&ContainerSpec { read_only_root: true, ..spec.clone() }, Lifetime::Run),
            digest(&ContainerSpec { command: Some(Vec::new()), ..spec }, Lifetime::Run),
        ];
        let all: std::collections::BTreeSet<_> = digests.iter().collect();
        assert_eq!(all.len(), digests.len());
    }

    #[test]
    fn services_that_are_gone_from_the_stack_are_known() {
        let of = |name: &str, stack: &str| {
            (name.to_owned(), Container { name: name.to_owned(), ..container(vec![Pair::new(STACK, stack)]) })
        };
        let there = BTreeMap::from([of("old", "shop"), of("web", "shop"), of("theirs", "other")]);
        let stack = Stack { services: vec![service()], ..Stack::default() };
        assert_eq!(orphans(&there, &stack, "shop").collect::<Vec<_>>(), ["old"]);
    }
}
