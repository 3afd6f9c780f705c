//! Every function of the contract, by its name and with its arguments as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use windlass_plugin::Failure;

use crate::bytes::Bytes;

/// The bindings, with serde on every type.
mod bindings {
    #![allow(missing_docs, dead_code, clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

use bindings::windlass::approval::approval;
use bindings::windlass::artifacts::artifacts;
use bindings::windlass::docker::docker;
use bindings::windlass::health::health;
use bindings::windlass::http::http;
use bindings::windlass::log::log;
use bindings::windlass::metrics::metrics;
use bindings::windlass::metrics::query;
use bindings::windlass::process::process;
use bindings::windlass::timer::timer;
use bindings::windlass::traffic::traffic;

/// What comes back from a call, as the journal writes it.
trait Answer {
    fn json(self) -> Result<Json, serde_json::Error>;
}

impl Answer for () {
    fn json(self) -> Result<Json, serde_json::Error> {
        Ok(json!({ "ok": null }))
    }
}

impl<T: Serialize, E: Serialize> Answer for Result<T, E> {
    fn json(self) -> Result<Json, serde_json::Error> {
        Ok(match self {
            Ok(answer) => json!({ "ok": serde_json::to_value(answer)? }),
            Err(error) => json!({ "err": serde_json::to_value(error)? }),
        })
    }
}

/// Takes an argument out of the call. One that is left out is null, which only optional ones accept.
fn take<T: DeserializeOwned>(args: &mut Map<String, Json>, name: &str) -> Result<T, String> {
    let name = name.replace('_', "-");
    let value = args.remove(&name).unwrap_or_default();
    serde_json::from_value(value).map_err(|error| format!("argument `{name}`: {error}"))
}

macro_rules! calls {
    ($($function:literal ($($arg:ident: $type:ty),*) $call:expr;)*) => {
        fn dispatch(function: &str, args: &mut Map<String, Json>) -> Result<Json, String> {
            match function {
                $($function => {
                    $(let $arg: $type = take(args, stringify!($arg))?;)*
                    if let Some(name) = args.keys().next() {
                        return Err(format!("there is no argument `{name}`"));
                    }
                    Answer::json($call).map_err(|error| error.to_string())
                })*
                _ => Err("there is no such function".to_owned()),
            }
        }

        #[cfg(test)]
        const CALLS: &[&str] = &[$($function),*];
    };
}

calls! {
    "approval.wait" (message: String) approval::wait(&message);
    "artifacts.put" (name: String, content: Bytes) artifacts::put(&name, &content.0);
    "artifacts.get" (name: String) artifacts::get(&name).map(Bytes);
    "artifacts.list" () artifacts::list();
    "docker.build" (spec: docker::BuildSpec) docker::build(&spec);
    "docker.tag" (image: String, reference: String) docker::tag(&image, &reference);
    "docker.push" (reference: String, credentials: Option<docker::Credentials>) docker::push(&reference, credentials.as_ref());
    "docker.pull" (reference: String, credentials: Option<docker::Credentials>, platform: Option<String>)
        docker::pull(&reference, credentials.as_ref(), platform.as_deref());
    "docker.inspect-image" (reference: String) docker::inspect_image(&reference);
    "docker.list-images" (repository: String) docker::list_images(&repository);
    "docker.run" (spec: docker::ContainerSpec, timeout_ms: Option<u64>) docker::run(&spec, timeout_ms);
    "docker.start" (name: String, spec: docker::ContainerSpec, lifetime: Option<docker::Lifetime>)
        docker::start(&name, &spec, lifetime.unwrap_or_default());
    "docker.exec" (spec: docker::ExecSpec) docker::exec(&spec);
    "docker.inspect" (container: String) docker::inspect(&container);
    "docker.list" () docker::list();
    "docker.logs" (query: docker::LogQuery) docker::logs(&query);
    "docker.stats" (container: String) docker::stats(&container);
    "docker.wait-healthy" (container: String, timeout_ms: u64) docker::wait_healthy(&container, timeout_ms);
    "docker.start-again" (container: String) docker::start_again(&container);
    "docker.stop" (container: String, grace_ms: u64) docker::stop(&container, grace_ms);
    "docker.remove" (container: String, force: bool) docker::remove(&container, force);
    "docker.create-network" (name: String, internal: bool, lifetime: Option<docker::Lifetime>)
        docker::create_network(&name, internal, lifetime.unwrap_or_default());
    "docker.remove-network" (name: String) docker::remove_network(&name);
    "docker.create-volume" (name: String, lifetime: Option<docker::Lifetime>) docker::create_volume(&name, lifetime.unwrap_or_default());
    "docker.remove-volume" (name: String) docker::remove_volume(&name);
    "health.check" (target: health::Target, timeout_ms: u64) health::check(&target, timeout_ms);
    "health.wait" (target: health::Target, policy: health::Policy) health::wait(&target, policy);
    "http.send" (request: http::Request) http::send(&request);
    "log.log" (level: log::Level, message: String) log::log(level, &message);
    "metrics.emit" (metric: metrics::Metric) metrics::emit(&metric);
    "process.run" (command: process::Command) process::run(&command);
    "query.prometheus" (url: String, expression: String, timeout_ms: u64) query::prometheus(&url, &expression, timeout_ms);
    "timer.sleep" (milliseconds: u64) timer::sleep(milliseconds);
    "traffic.read" (service: String) traffic::read(&service);
    "traffic.begin" (deployment: traffic::Deployment) traffic::begin(&deployment);
    "traffic.set-replicas" (service: String, revision: String, replicas: Vec<traffic::Replica>)
        traffic::set_replicas(&service, &revision, &replicas);
    "traffic.shift" (service: String, weights: Vec<traffic::Split>) traffic::shift(&service, &weights);
    "traffic.hold" (service: String, limit_ms: u64) traffic::hold(&service, limit_ms);
    "traffic.release" (service: String) traffic::release(&service);
    "traffic.drain" (service: String, revision: String, container: Option<String>, limit_ms: u64)
        traffic::drain(&service, &revision, container.as_deref(), limit_ms);
    "traffic.take-down" (service: String) traffic::take_down(&service);
    "traffic.commit" (service: String) traffic::commit(&service);
    "traffic.abort" (service: String, drain_ms: u64) traffic::abort(&service, drain_ms);
    "traffic.retire" (service: String, revision: String) traffic::retire(&service, &revision);
    "traffic.finish" (service: String) traffic::finish(&service);
    "traffic.measure" (service: String, from_ms: Option<u64>, last_ms: u64) traffic::measure(&service, from_ms, last_ms);
    "traffic.judge" (service: String, judgement: traffic::Judgement) traffic::judge(&service, &judgement);
}

/// Makes a call.
///
/// # Errors
/// There is no such function, or its arguments are not of their types. An error of the call itself is an answer.
pub(crate) fn call(function: &str, mut args: Map<String, Json>) -> Result<Json, Failure> {
    dispatch(function, &mut args).map_err(|error| Failure::new(format!("{function}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    include!(concat!(env!("OUT_DIR"), "/functions.rs"));

    #[test]
    fn every_function_of_the_contract_can_be_called() {
        let mut contract = FUNCTIONS.to_vec();
        let mut calls = CALLS.to_vec();
        contract.sort_unstable();
        calls.sort_unstable();
        assert_eq!(calls, contract);
    }

    #[test]
    fn arguments_are_written_as_in_wit() {
        let spec = r#"{
            "image": "i", "env": [{ "name": "A", "value": { "secret": "s" } }], "no-network": true,
            "mounts": [{ "source": { "tmpfs": 4096 }, "target": "/t" }], "restart": { "on-failure": 3 },
            "ports": [{ "container": 80 }]
        }"#;
        let spec: docker::ContainerSpec = serde_json::from_str(spec).unwrap();
        assert!(matches!(spec.restart, docker::Restart::OnFailure(3)) && spec.no_network && !spec.read_only_root);
        assert!(serde_json::from_str::<docker::ContainerSpec>(r#"{"image":"i","privileged":true}"#).is_err());
        let request: http::Request =
            serde_json::from_str(r#"{"method":"POST","url":"u","redirects":0,"body":"x"}"#).unwrap();
        assert_eq!(request.body.as_deref(), Some(&b"x"[..]));
        let error = Err::<(), _>(docker::Error::NotFound("gone".to_owned()));
        assert_eq!(error.json().unwrap(), json!({ "err": { "not-found": "gone" } }));
        assert!(call("docker.tag", Map::new()).unwrap_err().message().contains("argument `image`"));
        assert!(call("docker.fly", Map::new()).unwrap_err().message().contains("no such function"));
    }
}
