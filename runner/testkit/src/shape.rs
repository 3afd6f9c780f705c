//! The forms of arguments and answers, by function: what a case says is checked when it is read.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use windlass_gate::api::{Operation, approval, artifacts, docker, files, http, process, query, timer, traffic};
use windlass_gate::{Function, Kind};

use crate::value;

macro_rules! shapes {
    ($($operation:ty),* $(,)?) => {
        /// What is wrong with these arguments of the function, if anything is.
        pub(crate) fn args(function: Function, args: &Json) -> Result<(), String> {
            $(if function == <$operation>::FUNCTION { return fits::<$operation>(args); })*
            Err(format!("{} is no function that a case can expect", function.name()))
        }

        /// What is wrong with this answer of the function, if anything is.
        pub(crate) fn answer(function: Function, answer: &Json) -> Result<(), String> {
            $(if function == <$operation>::FUNCTION { return fits::<<$operation as Operation>::Answer>(answer); })*
            Err(format!("{} is no function that a case can expect", function.name()))
        }

        #[cfg(test)]
        const KNOWN: &[Function] = &[$(<$operation>::FUNCTION),*];
    };
}

shapes! {
    docker::Build, docker::Tag, docker::Push, docker::Pull, docker::InspectImage, docker::ListImages, docker::Create,
    docker::StartCreated, docker::Wait, docker::RemoveCreated, docker::ExecCreate, docker::ExecStart, docker::Inspect,
    docker::List, docker::Logs, docker::Stats, docker::WaitHealthy, docker::StartAgain, docker::Stop, docker::Remove,
    docker::CreateNetwork, docker::RemoveNetwork, docker::CreateVolume, docker::RemoveVolume, docker::Locate,
    docker::ProbeCommand, docker::ProbeHealth, process::Run, http::Send, http::Probe, http::ProbeTcp, artifacts::Put,
    artifacts::Get, artifacts::List, files::Publish, timer::Sleep, approval::Wait, query::Prometheus,
    traffic::Read, traffic::Begin, traffic::SetEndpoints, traffic::Shift, traffic::Hold, traffic::Release,
    traffic::Drain, traffic::TakeDown, traffic::Commit, traffic::Restore, traffic::Retire, traffic::Finish,
    traffic::Measure, traffic::Judge,
}

/// Whether the value is of the type, without anything that the type does not know.
fn fits<T: DeserializeOwned + Serialize>(given: &Json) -> Result<(), String> {
    let decoded: T = serde_json::from_value(given.clone()).map_err(|error| error.to_string())?;
    let again = serde_json::to_value(&decoded).map_err(|error| error.to_string())?;
    match value::foreign(&value::compact(given.clone()), &again, String::new()) {
        Some(path) => Err(format!("unknown key `{path}`")),
        None => Ok(()),
    }
}

/// Whether a case can expect calls of the function.
pub(crate) fn listed(function: Function) -> bool {
    let row = function.row();
    row.kind != Kind::Composite && !is_unanswered(function) && !is_hosts_own(function)
}

/// Whether only the host calls it, when it cleans up.
pub(crate) fn is_hosts_own(function: Function) -> bool {
    matches!(
        function,
        Function::DockerLeftovers | Function::DockerSweep | Function::TrafficOpen | Function::TrafficPlaced
    )
}

/// Whether the gate or the sandbox sees to it alone: nothing stands behind it.
pub(crate) fn is_unanswered(function: Function) -> bool {
    matches!(function.row().capability, "wasi" | "log" | "metrics")
}

/// What the calls of a composite are, for people.
pub(crate) fn parts(composite: Function) -> &'static str {
    match composite {
        Function::DockerRun => "`docker.create`, `docker.start-created`, `docker.wait` and `docker.remove-created`",
        Function::DockerStart => "`docker.create`, `docker.start-created` and `docker.inspect`",
        Function::DockerExec => "`docker.exec-create` and `docker.exec-start`",
        Function::TrafficSetReplicas => "`docker.locate` for each container, and `traffic.set-endpoints`",
        Function::TrafficAbort => {
            "`traffic.read`, what it takes to start the previous revision again, `traffic.restore` and `traffic.drain`"
        }
        _ => {
            "`http.probe`, `http.probe-tcp`, `docker.locate`, `docker.probe-command` or `docker.probe-health`, one for \
             each attempt"
        }
    }
}

/// Whether bytes stand in its arguments or answer; a case may write them as `{ text = "..." }`.
pub(crate) fn has_bytes(function: Function) -> bool {
    matches!(function, Function::HttpSend | Function::ArtifactsPut | Function::ArtifactsGet)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_function_that_can_be_listed_has_a_form() {
        for function in Function::all() {
            assert_eq!(listed(function), KNOWN.contains(&function), "{}", function.name());
        }
    }

    #[test]
    fn what_is_missing_wrong_or_unknown_is_told() {
        let push = Function::DockerPush;
        assert_eq!(args(push, &json!({ "reference": "r/a:1" })), Ok(()));
        assert_eq!(args(push, &json!({})), Err("missing field `reference`".to_owned()));
        assert_eq!(args(push, &json!({ "reference": "r", "crd": 1 })), Err("unknown key `crd`".to_owned()));
        assert!(answer(push, &json!({ "reference": "r" })).unwrap_err().contains("digest"));
        assert_eq!(answer(Function::DockerStop, &Json::Null), Ok(()));
    }
}
