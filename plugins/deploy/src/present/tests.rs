//! What is read out of the router's and Docker's answers.

use windlass_plugin::docker::{ContainerState, HealthState};
use windlass_plugin::traffic::ReplicaState;

use super::*;

fn replica(container: &str, ready: bool) -> ReplicaState {
    ReplicaState {
        container: container.to_owned(),
        id: format!("id-{container}"),
        port: 8080,
        address: "172.17.0.2:8080".to_owned(),
        ready,
        because: None,
        serving: ready,
        draining: false,
        in_flight: 0,
    }
}

fn revision(name: &str, weight: u32, endpoints: Vec<ReplicaState>) -> RevisionState {
    let replicas = u32::try_from(endpoints.len()).unwrap();
    RevisionState {
        name: name.to_owned(),
        weight,
        share: weight,
        cap: 10_000,
        ready: replicas,
        replicas,
        in_flight: 0,
        endpoints,
    }
}

fn state(current: Option<&str>, revisions: Vec<RevisionState>) -> State {
    State {
        service: "shop".to_owned(),
        generation: 1,
        current: current.map(str::to_owned),
        revisions,
        deployment: None,
        unserved: 0,
        listeners: vec!["0.0.0.0:8080".to_owned()],
    }
}

#[test]
fn the_previous_revision_is_the_one_that_serves() {
    let v1 = revision("v1", 10_000, vec![replica("shop-v1-1", true), replica("shop-v1-2", false)]);
    let state = state(Some("v1"), vec![revision("v0", 0, Vec::new()), v1]);
    let previous = previous(&state, "v2").unwrap();
    assert_eq!(previous.revision, "v1");
    assert_eq!(previous.before, Before { ready: 1, carry: 2 });
    // Those that are not ready go first.
    assert_eq!(previous.replicas[0].container, "shop-v1-2");
    assert!(super::previous(&state, "v1").is_none());
}

#[test]
fn without_a_current_one_it_is_the_one_with_traffic() {
    let declared = state(None, vec![revision("a", 4_000, Vec::new()), revision("b", 6_000, Vec::new())]);
    assert_eq!(previous(&declared, "v2").map(|p| p.revision), Some("b".to_owned()));
    assert!(previous(&state(None, Vec::new()), "v2").is_none());
}

fn container(name: &str, labels: &[(&str, &str)], state: ContainerState) -> Container {
    Container {
        name: name.to_owned(),
        id: format!("id-{name}"),
        image: "i".to_owned(),
        image_id: "sha256:i".to_owned(),
        state,
        health: HealthState::None,
        exit_code: None,
        oom_killed: false,
        ports: Vec::new(),
        addresses: Vec::new(),
        labels: labels.iter().map(|(name, value)| Pair::new(*name, *value)).collect(),
        run: "r".to_owned(),
        started: String::new(),
    }
}

#[test]
fn containers_are_known_by_their_labels() {
    let labels = [(SERVICE, "shop"), (REVISION, "v1"), (REPLICA, "2"), (AT, "17"), (SERVING, "{}")];
    let found = mine(&container("shop-v1-2", &labels, ContainerState::Running), "shop", &[]).unwrap();
    assert_eq!((found.replica, found.at, found.up, found.serving.as_deref()), (2, 17, true, Some("{}")));
    assert!(mine(&container("shop-v1-2", &labels, ContainerState::Running), "cart", &[]).is_none());
    assert!(mine(&container("db", &[], ContainerState::Running), "shop", &[]).is_none());
    assert!(!mine(&container("shop-v1-2", &labels, ContainerState::Exited), "shop", &[]).unwrap().up);
}

#[test]
fn a_container_behind_another_router_is_known_as_such() {
    let labels = [(SERVICE, "shop"), (REVISION, "v1"), ("windlass.router", "/srv/a")];
    let container = container("shop-v1-1", &labels, ContainerState::Running);
    assert_eq!(mine(&container, "shop", &[]).unwrap().elsewhere.as_deref(), Some("/srv/a"));
    // A router whose folder was moved still knows its containers.
    let known = revision("v1", 10_000, vec![replica("shop-v1-1", true)]);
    assert_eq!(mine(&container, "shop", &[known]).unwrap().elsewhere, None);
}

#[test]
fn the_one_that_served_last_is_kept_first_and_then_the_youngest() {
    let made = |revision: &str, at| Mine {
        name: format!("shop-{revision}-1"),
        revision: revision.to_owned(),
        replica: 1,
        at,
        up: false,
        serving: None,
        elsewhere: None,
    };
    let containers = [made("v1", 1), made("v2", 2), made("v3", 3), made("v4", 4)];
    let revisions = [revision("v0", 0, Vec::new())];
    let names = |last| old(&containers, &revisions, "v4", last).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(Some("v1")), ["v1", "v3", "v2", "v0"]);
    assert_eq!(names(None), ["v3", "v2", "v1", "v0"]);
}

#[test]
fn a_url_is_one_to_connect_to() {
    let state = state(None, Vec::new());
    assert_eq!(url(&state, &[]).as_deref(), Some("http://127.0.0.1:8080"));
    assert_eq!(url(&state, &["127.0.0.2:80".to_owned()]).as_deref(), Some("http://127.0.0.2:80"));
}
