//! What each call demands of the grants, read from its arguments.

use crate::api::{Value, artifacts, docker, files, http, process, query, traffic};
use crate::{InDoubt, Kind, Need, Want};

fn want(capability: &'static str, verb: &'static str, resource: impl Into<String>) -> Want {
    Want { capability, verb: verb.into(), resource: resource.into() }
}

fn need(capability: &'static str, verb: &'static str, resource: impl Into<String>) -> Need {
    Need { any_of: vec![want(capability, verb, resource)], owned_as: None }
}

fn secrets<'a>(values: impl IntoIterator<Item = &'a Value>) -> impl Iterator<Item = Need> {
    values.into_iter().filter_map(|value| match value {
        Value::Secret(name) => Some(need("secrets", "use", name.clone())),
        Value::Plain(_) => None,
    })
}

/// The key under which a session remembers what it made.
pub(crate) fn owned(kind: &str, name: &str) -> String {
    format!("{kind}:{name}")
}

pub(crate) fn nothing<O>(_: O) -> Vec<Need> {
    Vec::new()
}

/// Waiting for a person.
pub(crate) fn approval_wait(_: crate::api::approval::Wait) -> Vec<Need> {
    vec![need("approval", "wait", "true")]
}

/// Met by no grant: only the host itself calls these.
pub(crate) fn host_only<O>(_: O) -> Vec<Need> {
    vec![Need { any_of: Vec::new(), owned_as: None }]
}

fn image(reference: String, verbs: &[&'static str]) -> Need {
    Need {
        owned_as: Some(owned("image", &reference)),
        any_of: verbs.iter().map(|verb| want("docker", verb, reference.clone())).collect(),
    }
}

fn credentials(credentials: Option<&docker::Credentials>) -> impl Iterator<Item = Need> {
    secrets(credentials.map(|credentials| &credentials.password))
}

pub(crate) fn docker_build(args: docker::Build) -> Vec<Need> {
    let mut needs: Vec<_> = secrets(args.spec.secrets.iter().map(|secret| &secret.value)).collect();
    needs.push(need("docker", "build", args.spec.context));
    needs.extend(args.spec.tags.into_iter().map(|tag| need("docker", "tag", tag)));
    needs
}

pub(crate) fn docker_tag(args: docker::Tag) -> Vec<Need> {
    vec![image(args.image, &["tag", "push", "pull", "run"]), need("docker", "tag", args.reference)]
}

pub(crate) fn docker_push(args: docker::Push) -> Vec<Need> {
    let mut needs: Vec<_> = credentials(args.credentials.as_ref()).collect();
    needs.push(need("docker", "push", args.reference));
    needs
}

pub(crate) fn docker_pull(args: docker::Pull) -> Vec<Need> {
    let mut needs: Vec<_> = credentials(args.credentials.as_ref()).collect();
    needs.push(need("docker", "pull", args.reference));
    needs
}

pub(crate) fn docker_inspect_image(args: docker::InspectImage) -> Vec<Need> {
    vec![image(args.reference, &["pull", "run", "push", "tag"])]
}

pub(crate) fn docker_list_images(args: docker::ListImages) -> Vec<Need> {
    vec![image(args.repository, &["pull", "run", "push", "tag"])]
}

pub(crate) fn docker_create(args: docker::Create) -> Vec<Need> {
    let spec = args.spec;
    let mut needs: Vec<_> = secrets(spec.env.iter().map(|variable| &variable.value)).collect();
    needs.push(image(spec.image, &["run"]));
    for mount in spec.mounts {
        match mount.source {
            docker::MountSource::Folder(folder) if mount.writable => needs.push(need("docker", "mount-write", folder)),
            docker::MountSource::Folder(folder) => needs.push(need("docker", "mount", folder)),
            docker::MountSource::Volume(name) => needs.push(named("volume", name)),
            docker::MountSource::Tmpfs(_) => {}
        }
    }
    needs.extend(spec.networks.into_iter().map(|name| named("network", name)));
    for port in spec.ports {
        let address = port.address.unwrap_or_else(|| "127.0.0.1".to_owned());
        // A free port of the loopback interface collides with nobody and is seen by nobody else.
        if port.host.is_some() || address != "127.0.0.1" {
            let host = if address.contains(':') { format!("[{address}]") } else { address };
            needs.push(need("docker", "port", format!("{host}:{}", port.host.unwrap_or(0))));
        }
    }
    needs
}

fn named(kind: &'static str, name: String) -> Need {
    Need { owned_as: Some(owned(kind, &name)), any_of: vec![want("docker", kind, name)] }
}

/// Docker's own ids reach a plugin only as answers; a call by id is for what the session itself made.
fn made_here(id: &str) -> Need {
    Need { any_of: Vec::new(), owned_as: Some(owned("id", id)) }
}

pub(crate) fn docker_start_created(args: docker::StartCreated) -> Vec<Need> {
    vec![made_here(&args.id)]
}

pub(crate) fn docker_wait(args: docker::Wait) -> Vec<Need> {
    vec![made_here(&args.id)]
}

pub(crate) fn docker_remove_created(args: docker::RemoveCreated) -> Vec<Need> {
    vec![made_here(&args.id)]
}

pub(crate) fn docker_exec_create(args: docker::ExecCreate) -> Vec<Need> {
    let mut needs: Vec<_> = secrets(args.spec.env.iter().map(|variable| &variable.value)).collect();
    needs.push(named("container", args.spec.container));
    needs
}

pub(crate) fn docker_exec_start(args: docker::ExecStart) -> Vec<Need> {
    vec![made_here(&args.id)]
}

pub(crate) fn docker_inspect(args: docker::Inspect) -> Vec<Need> {
    vec![named("container", args.container)]
}

/// Listing shows only what the same pipeline made; any Docker grant that has to do with containers is enough.
pub(crate) fn docker_list(_: docker::List) -> Vec<Need> {
    vec![Need { any_of: vec![want("docker", "", "")], owned_as: None }]
}

pub(crate) fn docker_logs(args: docker::Logs) -> Vec<Need> {
    vec![named("container", args.query.container)]
}

pub(crate) fn docker_stats(args: docker::Stats) -> Vec<Need> {
    vec![named("container", args.container)]
}

pub(crate) fn docker_wait_healthy(args: docker::WaitHealthy) -> Vec<Need> {
    vec![named("container", args.container)]
}

pub(crate) fn docker_start_again(args: docker::StartAgain) -> Vec<Need> {
    vec![named("container", args.container)]
}

pub(crate) fn docker_stop(args: docker::Stop) -> Vec<Need> {
    vec![named("container", args.container)]
}

pub(crate) fn docker_remove(args: docker::Remove) -> Vec<Need> {
    vec![named("container", args.container)]
}

pub(crate) fn docker_create_network(args: docker::CreateNetwork) -> Vec<Need> {
    vec![need("docker", "network", args.name)]
}

pub(crate) fn docker_remove_network(args: docker::RemoveNetwork) -> Vec<Need> {
    vec![named("network", args.name)]
}

pub(crate) fn docker_create_volume(args: docker::CreateVolume) -> Vec<Need> {
    vec![need("docker", "volume", args.name)]
}

pub(crate) fn docker_remove_volume(args: docker::RemoveVolume) -> Vec<Need> {
    vec![named("volume", args.name)]
}

/// What the step itself started it may also check.
fn health(name: String) -> Need {
    Need { owned_as: Some(owned("container", &name)), any_of: vec![want("health", "check", name)] }
}

pub(crate) fn docker_locate(args: docker::Locate) -> Vec<Need> {
    vec![health(args.container)]
}

pub(crate) fn docker_probe_command(args: docker::ProbeCommand) -> Vec<Need> {
    vec![health(args.container)]
}

pub(crate) fn docker_probe_health(args: docker::ProbeHealth) -> Vec<Need> {
    vec![health(args.container)]
}

pub(crate) fn http_probe(args: http::Probe) -> Vec<Need> {
    vec![health(args.granted_as)]
}

pub(crate) fn http_probe_tcp(args: http::ProbeTcp) -> Vec<Need> {
    vec![health(args.granted_as)]
}

pub(crate) fn http_send(args: http::Send) -> Vec<Need> {
    let request = args.request;
    let mut needs: Vec<_> = secrets(request.headers.iter().map(|header| &header.value)).collect();
    needs.push(Need {
        any_of: vec![Want { capability: "http", verb: request.method.into(), resource: request.url }],
        owned_as: None,
    });
    needs
}

/// A request that changes nothing is a record; one that may be repeated is repeated.
pub(crate) fn http_kind(args: &str) -> Option<Kind> {
    let args: http::Send = serde_json::from_str(args).ok()?;
    match args.request.method.as_str() {
        "GET" | "HEAD" | "OPTIONS" => Some(Kind::Record),
        "PUT" | "DELETE" => Some(Kind::Effect(InDoubt::Repeat)),
        _ => None,
    }
}

pub(crate) fn process_run(args: process::Run) -> Vec<Need> {
    let mut needs: Vec<_> = secrets(args.command.env.iter().map(|variable| &variable.value)).collect();
    needs.push(need("process", "run", args.command.program));
    needs
}

pub(crate) fn artifacts_put(args: artifacts::Put) -> Vec<Need> {
    vec![need("artifacts", "write", args.name)]
}

pub(crate) fn artifacts_get(args: artifacts::Get) -> Vec<Need> {
    vec![need("artifacts", "read", args.name)]
}

pub(crate) fn artifacts_list(_: artifacts::List) -> Vec<Need> {
    vec![Need { any_of: vec![want("artifacts", "", "")], owned_as: None }]
}

pub(crate) fn files_publish(args: files::Publish) -> Vec<Need> {
    vec![need("files", "write", args.folder)]
}

pub(crate) fn query_prometheus(args: query::Prometheus) -> Vec<Need> {
    vec![need("query", "ask", args.url)]
}

fn route(service: String) -> Vec<Need> {
    vec![need("traffic", "route", service)]
}

macro_rules! routes {
    ($($name:ident $args:ident;)*) => {$(
        pub(crate) fn $name(args: traffic::$args) -> Vec<Need> {
            route(args.service)
        }
    )*};
}

routes! {
    traffic_read Read;
    traffic_set_endpoints SetEndpoints;
    traffic_shift Shift;
    traffic_hold Hold;
    traffic_release Release;
    traffic_drain Drain;
    traffic_commit Commit;
    traffic_restore Restore;
    traffic_retire Retire;
    traffic_finish Finish;
    traffic_measure Measure;
    traffic_judge Judge;
}

/// Downtime is asked for by name, when the deploy begins and when it comes to it.
pub(crate) fn traffic_begin(args: traffic::Begin) -> Vec<Need> {
    let traffic::Deployment { service, downtime, .. } = args.deployment;
    let asked = downtime.then(|| need("traffic", "downtime", service.clone()));
    route(service).into_iter().chain(asked).collect()
}

pub(crate) fn traffic_take_down(args: traffic::TakeDown) -> Vec<Need> {
    vec![need("traffic", "downtime", args.service.clone()), need("traffic", "route", args.service)]
}
