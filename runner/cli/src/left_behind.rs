//! What a run has made in Docker and not yet removed, as far as its journal knows.
//!
//! Asked only when nobody will remove it: a run is ended at once, or forgotten. Nobody keeps account
//! of it before.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;
use windlass_capability_docker::shared_name;
use windlass_journal::{CallId, Journal, JournalError, Reader, Record, RunSummary, StageIndex, StepIndex};

/// The names of the containers. A journal that cannot be read knows of none.
pub(crate) fn containers(state: &Path, run: &str) -> Vec<String> {
    let read = || {
        let reader = Journal::open(state)?;
        of(&reader, &reader.resolve(Some(run))?)
    };
    let things: Vec<Thing> = read().unwrap_or_default();
    things.into_iter().filter(|thing| thing.kind == Kind::Container).map(|thing| thing.name).collect()
}

/// All that is left of a run.
pub(crate) fn of(reader: &Reader, run: &RunSummary) -> Result<Vec<Thing>, JournalError> {
    let mut known = Known::default();
    for entry in reader.entries(run, 0)? {
        known.note(entry?.record);
    }
    Ok(known.things(run))
}

/// Something in Docker, by the name that it has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    kind: Kind,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Container,
    Network,
    Volume,
}

impl Thing {
    /// The name of a container; nothing if it is something else.
    pub(crate) fn container(&self) -> Option<&str> {
        (self.kind == Kind::Container).then_some(&*self.name)
    }

    /// How a person removes it.
    pub(crate) fn removed_by(&self) -> String {
        let command = match self.kind {
            Kind::Container => "docker rm -f",
            Kind::Network => "docker network rm",
            Kind::Volume => "docker volume rm",
        };
        format!("{command} {}", self.name)
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Container => "container",
            Kind::Network => "network",
            Kind::Volume => "volume",
        };
        write!(f, "{kind} {}", self.name)
    }
}

/// What a call makes.
fn makes(function: &str) -> Option<Kind> {
    match function {
        "docker.create" => Some(Kind::Container),
        "docker.create-network" => Some(Kind::Network),
        "docker.create-volume" => Some(Kind::Volume),
        _ => None,
    }
}

/// The name of an environment; nothing for none.
type Environment = Option<Arc<str>>;

/// Something that was made, or was being made.
struct Made {
    call: CallId,
    kind: Kind,
    /// The environment that it belongs to, if it does.
    environment: Environment,
    /// Its name in the pipeline, if it has one.
    name: Option<String>,
    /// Docker's id, once it is known.
    id: Option<String>,
}

impl Made {
    fn is_called(&self, kind: Kind, environment: &Environment, name: &Json) -> bool {
        (self.kind, &self.environment) == (kind, environment)
            && self.name.is_some()
            && self.name.as_deref() == name.as_str()
    }
}

#[derive(Default)]
struct Known {
    /// Calls under way that make or remove something, with their arguments.
    calls: HashMap<CallId, (String, Json)>,
    made: Vec<Made>,
    stages: HashMap<StageIndex, Environment>,
    steps: HashMap<StepIndex, Environment>,
    /// The run has another run's answers, and makes nothing.
    offline: bool,
}

impl Known {
    fn note(&mut self, record: Record) {
        match record {
            Record::RunStarted(started) => self.offline = started.flags.offline.is_some(),
            Record::StageStarted { stage, environment, .. } => drop(self.stages.insert(stage, environment)),
            Record::StepStarted { step, stage, .. } => {
                self.steps.insert(step, self.stages.get(&stage).cloned().flatten());
            }
            Record::CallStarted { call, function, args, .. } => self.begun(call, &function, &args),
            Record::CallEnded { call, answer } => {
                let Some((function, args)) = self.calls.remove(&call) else { return };
                let answer: Json = serde_json::from_str(&answer).unwrap_or_default();
                match (makes(&function), answer.get("ok")) {
                    (Some(_), None) => self.made.retain(|made| made.call != call),
                    (Some(_), Some(ok)) => {
                        if let Some(made) = self.made.iter_mut().find(|made| made.call == call) {
                            made.id = ok["id"].as_str().map(str::to_owned);
                        }
                    }
                    (None, Some(_)) => self.removed(call, &function, &args),
                    (None, None) => {}
                }
            }
            _ => {}
        }
    }

    fn begun(&mut self, call: CallId, function: &str, args: &str) {
        let removes = ["docker.remove-created", "docker.remove", "docker.remove-network", "docker.remove-volume"];
        let kind = makes(function);
        if kind.is_none() && function != "docker.sweep" && !removes.contains(&function) {
            return;
        }
        let args: Json = serde_json::from_str(args).unwrap_or_default();
        // After a crash, a call may begin again.
        if let Some(kind) = kind.filter(|_| !self.made.iter().any(|made| made.call == call)) {
            let name = args["name"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
            let environment = self.environment(call);
            self.made.push(Made { call, kind, environment, name, id: None });
        }
        self.calls.insert(call, (function.to_owned(), args));
    }

    fn environment(&self, call: CallId) -> Environment {
        self.steps.get(&call.step).cloned().flatten()
    }

    fn removed(&mut self, call: CallId, function: &str, args: &Json) {
        let environment = &self.environment(call);
        let gone = |made: &Made| match function {
            "docker.remove" => made.is_called(Kind::Container, environment, &args["container"]),
            "docker.remove-network" => made.is_called(Kind::Network, environment, &args["name"]),
            "docker.remove-volume" => made.is_called(Kind::Volume, environment, &args["name"]),
            "docker.sweep" => {
                let leftover = &args["leftover"];
                let kind = match leftover["kind"].as_str() {
                    Some("network") => Kind::Network,
                    Some("volume") => Kind::Volume,
                    _ => Kind::Container,
                };
                match &made.id {
                    Some(id) => Some(id.as_str()) == leftover["id"].as_str(),
                    // The host sweeps whatever the run made.
                    None => made.is_called(kind, &made.environment, &leftover["name"]),
                }
            }
            _ => made.id.is_some() && made.id.as_deref() == args["id"].as_str(),
        };
        self.made.retain(|made| !gone(made));
    }

    /// A container is called after the call that made it, the rest after the pipeline.
    fn things(self, run: &RunSummary) -> Vec<Thing> {
        let mut things = Vec::new();
        for Made { call, kind, environment, name, .. } in self.made.into_iter().filter(|_| !self.offline) {
            let CallId { step, attempt, ordinal } = call;
            let name = match (kind, name, step) {
                (Kind::Network | Kind::Volume, Some(name), _) => {
                    shared_name(&run.pipeline, environment.as_deref(), &name)
                }
                (_, _, StepIndex::HOST) => format!("windlass-{}-host-{attempt}-{ordinal}", run.id),
                (_, _, StepIndex(step)) => format!("windlass-{}-{step}-{attempt}-{ordinal}", run.id),
            };
            let thing = Thing { kind, name };
            if !things.contains(&thing) {
                things.push(thing);
            }
        }
        things
    }
}

#[cfg(test)]
mod tests {
    use windlass_journal::{RunFlags, RunStarted, WriterOptions};

    use super::*;

    fn call(ordinal: u32) -> CallId {
        CallId { step: StepIndex(2), attempt: 1, ordinal }
    }

    /// What is left of a run with these calls.
    fn left(offline: Option<&str>, calls: &[(u32, &str, &str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let started = RunStarted {
            run: "rrrrrrrrrr".to_owned(),
            pipeline: "my shop".to_owned(),
            file: "pipeline.toml".to_owned(),
            workspace: "/".to_owned(),
            source: "".into(),
            facts: Default::default(),
            plugins: Vec::new(),
            versions: Default::default(),
            stages: 1,
            steps: 3,
            flags: RunFlags { offline: offline.map(str::to_owned), ..RunFlags::default() },
        };
        let writer =
            Journal::open_or_create(folder.path()).unwrap().start_run(WriterOptions::default(), started).unwrap();
        for (ordinal, function, args, answer) in calls {
            writer.append(Record::CallStarted {
                call: call(*ordinal),
                function: (*function).into(),
                args: (*args).into(),
                grant: None,
            });
            if !answer.is_empty() {
                writer.append(Record::CallEnded { call: call(*ordinal), answer: (*answer).into() });
            }
        }
        drop(writer);
        let reader = Journal::open(folder.path()).unwrap();
        let run = reader.resolve(None).unwrap();
        of(&reader, &run).unwrap().iter().map(Thing::to_string).collect()
    }

    const MADE: (u32, &str, &str, &str) = (0, "docker.create", r#"{"name":"web"}"#, r#"{"ok":{"id":"a"}}"#);

    #[test]
    fn what_was_made_and_not_removed_is_named() {
        let under_way = (1, "docker.create", r#"{"name":""}"#, "");
        let refused = (2, "docker.create", r#"{"name":"x"}"#, r#"{"err":{"conflict":"x"}}"#);
        let network = (3, "docker.create-network", r#"{"name":"back"}"#, r#"{"ok":null}"#);
        let volume = (4, "docker.create-volume", r#"{"name":"data"}"#, r#"{"ok":null}"#);
        let again = (5, "docker.create-volume", r#"{"name":"data"}"#, r#"{"ok":null}"#);
        let calls = [MADE, under_way, under_way, refused, network, volume, again];
        assert_eq!(
            left(None, &calls),
            [
                "container windlass-rrrrrrrrrr-2-1-0",
                "container windlass-rrrrrrrrrr-2-1-1",
                "network windlass-my-shop-back",
                "volume windlass-my-shop-data",
            ]
        );
        assert_eq!(left(Some("ssssssssss"), &calls), [""; 0]);
    }

    #[test]
    fn what_was_removed_is_not() {
        let by_name = (1, "docker.remove", r#"{"container":"web"}"#, r#"{"ok":null}"#);
        let by_id = (1, "docker.remove-created", r#"{"id":"a"}"#, r#"{"ok":null}"#);
        let swept = (1, "docker.sweep", r#"{"leftover":{"kind":"container","id":"a","name":"web"}}"#, r#"{"ok":null}"#);
        let in_vain = (1, "docker.remove-created", r#"{"id":"a"}"#, r#"{"err":{"other":"no"}}"#);
        for gone in [by_name, by_id, swept] {
            assert_eq!(left(None, &[MADE, gone]), [""; 0]);
        }
        assert_eq!(left(None, &[MADE, in_vain]).len(), 1);
        for kind in ["network", "volume"] {
            let (create, remove) = (format!("docker.create-{kind}"), format!("docker.remove-{kind}"));
            let made = (1, create.as_str(), r#"{"name":"web"}"#, r#"{"ok":null}"#);
            let leftover = format!(r#"{{"leftover":{{"kind":"{kind}","id":"n","name":"web"}}}}"#);
            let removed = (2, remove.as_str(), r#"{"name":"web"}"#, r#"{"ok":null}"#);
            let swept = (2, "docker.sweep", leftover.as_str(), r#"{"ok":null}"#);
            for gone in [removed, swept] {
                assert_eq!(left(None, &[MADE, made, gone]), ["container windlass-rrrrrrrrrr-2-1-0"]);
            }
        }
    }
}
