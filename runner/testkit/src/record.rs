//! A case from a real run: what a step was given, the calls that it made, and what came of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value as Json, json};
use windlass_gate::{Function, Kind};
use windlass_journal::{FailureKind, JournalError, Reader, Record, RunSummary, Status, StepIndex};
use windlass_pipeline::grants::vocabulary;
use windlass_pipeline::{FillError, Grants, Plan, PlanStep, PluginSource};

use crate::made::{Made, MadeCall};
use crate::{shape, toml, value};

/// Why a step cannot be made into a case.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is no such step.
    #[error("the run has no step `{wanted}`; it has {}", known.join(", "))]
    NoStep {
        /// What was asked for.
        wanted: String,
        /// All of them, as `STAGE/STEP`.
        known: Vec<String>,
    },
    /// The step did not come to an end of its own.
    #[error("step `{0}` {1} in that run; a case can only expect what a step does up to an end of its own")]
    NotEnded(String, &'static str),
    /// A call of it has no answer that a case could give.
    #[error("call {1} of step `{0}` ({2}) has no answer in that run, and a case has to answer it")]
    NotAnswered(String, u32, &'static str),
    /// It made a call that a case cannot list.
    #[error("step `{0}` called {1}, which its plugin does not ask for; a case cannot list that call")]
    NotAsked(String, &'static str),
    /// An output that the step was given is not in the journal.
    #[error("what step `{0}` was given cannot be told: {1}")]
    Input(String, FillError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The text of a case that passes as long as the plugin does as it did. `beside` is the folder where the case will be.
///
/// # Errors
/// Why it cannot be made.
pub fn record(
    reader: &Reader,
    run: &RunSummary,
    plan: &Plan,
    workspace: &Path,
    beside: &Path,
    step: &str,
) -> Result<String, RecordError> {
    let label = |step: &PlanStep| format!("{}/{}", plan.stages[step.stage as usize].name, step.name);
    let Some((index, planned)) = (0..).zip(&plan.steps).find(|(_, planned)| label(planned) == step) else {
        let known = plan.steps.iter().map(label).collect();
        return Err(RecordError::NoStep { wanted: step.to_owned(), known });
    };
    let mut made = Made::of(reader, run, StepIndex(index))?;
    // What the host does on behalf of a step that begins anew is no call of its plugin.
    made.calls.retain(|call| !shape::is_hosts_own(call.function));
    match made.status {
        // Where the clock cuts in is chance, and sleeping takes no time in a case.
        Some(Status::Failed) if made.failure.as_ref().is_some_and(|it| it.kind == FailureKind::TimedOut) => {
            return Err(RecordError::NotEnded(step.to_owned(), "was cut short by a time limit"));
        }
        Some(Status::Succeeded | Status::Failed) => {}
        Some(Status::Cancelled) => return Err(RecordError::NotEnded(step.to_owned(), "was cancelled")),
        Some(Status::Skipped) | None => return Err(RecordError::NotEnded(step.to_owned(), "did not end")),
    }
    let name = toml::inline(&format!("{step} of {}", plan.name).into());
    let mut text = format!("# Recorded from run {} by `windlass plugin test --record`.\n", run.id);
    if planned.grants.of("files", "read").next().is_some() {
        text.push_str("# What the step read from granted folders is not in it: add it to `given.files`.\n");
    }
    let _ = writeln!(text, "name = {name}");
    given(&mut text, plan, planned, &made);
    let outputs = outputs(reader, run)?;
    let uses = match &plan.plugins[planned.plugin as usize] {
        PluginSource::Path(path) => relative(&workspace.join(path), beside),
        other => other.to_string(),
    };
    self::step(&mut text, planned, uses, &outputs).map_err(|error| RecordError::Input(step.to_owned(), error))?;
    for (call, times) in grouped(&made.calls) {
        if call.function.row().kind == Kind::Composite {
            return Err(RecordError::NotAsked(step.to_owned(), call.function.name()));
        }
        let Some(answer) = &call.answer else {
            return Err(RecordError::NotAnswered(step.to_owned(), call.ordinal, call.function.name()));
        };
        self::call(&mut text, call, answer, times);
    }
    expect(&mut text, &made);
    Ok(text)
}

/// The way from a folder to a file, as `uses` has it: a case and its plugin are moved together.
fn relative(file: &Path, from: &Path) -> String {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (file, from) = (real(file), real(from));
    let shared = file.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    if shared <= 1 {
        // They have no more in common than the root.
        return file.display().to_string();
    }
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let mut way: PathBuf = up.chain(file.components().skip(shared)).collect();
    if !way.starts_with("..") {
        way = Path::new(".").join(way);
    }
    way.display().to_string()
}

/// What every step of the run gave, by its index.
fn outputs(reader: &Reader, run: &RunSummary) -> Result<BTreeMap<u32, BTreeMap<String, Json>>, JournalError> {
    let mut found = BTreeMap::new();
    for entry in reader.entries(run, 0)? {
        if let Record::StepEnded { step, outputs, .. } = entry?.record {
            found.insert(step.0, outputs);
        }
    }
    Ok(found)
}

fn given(text: &mut String, plan: &Plan, step: &PlanStep, made: &Made) {
    let secrets: Vec<&str> = step.grants.of("secrets", "use").map(|rule| &*rule.text).collect();
    let entries = [
        ("pipeline", json!(plan.name)),
        ("stage", json!(plan.stages[step.stage as usize].name)),
        ("secrets", if secrets.is_empty() { Json::Null } else { json!(secrets) }),
        ("env", if made.env.is_empty() { Json::Null } else { json!(made.env) }),
    ];
    table(text, "[given]", &entries);
}

fn step(
    text: &mut String,
    step: &PlanStep,
    uses: String,
    outputs: &BTreeMap<u32, BTreeMap<String, Json>>,
) -> Result<(), FillError> {
    let mut lookup = |output: &windlass_pipeline::OutputRef| outputs.get(&output.index)?.get(&*output.output).cloned();
    let mut env = Map::new();
    for (name, value) in &step.env {
        let value = match value.fill(&mut lookup)? {
            Json::String(text) => text,
            other => other.to_string(),
        };
        env.insert(name.clone(), escaped(value.into()));
    }
    let entries = [
        ("name", json!(step.name)),
        ("uses", uses.into()),
        ("timeout", step.timeout.map_or(Json::Null, |limit| format!("{}ms", limit.as_millis()).into())),
        ("with", escaped(step.with.fill(&mut lookup)?)),
        ("env", if env.is_empty() { Json::Null } else { env.into() }),
        ("grants", grants(&step.grants)),
    ];
    table(text, "[step]", &entries);
    Ok(())
}

fn table(text: &mut String, header: &str, entries: &[(&str, Json)]) {
    toml::table(text, header, entries.iter().map(|(name, value)| (*name, value)));
}

/// The grants as a pipeline says them.
fn grants(grants: &Grants) -> Json {
    let mut all = Json::Object(Map::new());
    for rule in grants.rules() {
        let Some(row) = vocabulary::verb(rule.capability, rule.verb) else { continue };
        let mut place = &mut all[rule.capability];
        for key in row.keys {
            place = &mut place[*key];
        }
        let item = match row.kind {
            vocabulary::Kind::Request => format!("{} {}", rule.verb, rule.text),
            _ => rule.text.to_string(),
        };
        match place {
            Json::Array(items) => items.push(item.into()),
            other => *other = json!([item]),
        }
    }
    escaped(all)
}

/// Text as a pipeline has it, where `${` begins a reference.
fn escaped(value: Json) -> Json {
    match value {
        Json::String(text) => text.replace("${", "$${").into(),
        Json::Array(items) => Json::Array(items.into_iter().map(escaped).collect()),
        Json::Object(entries) => Json::Object(entries.into_iter().map(|(key, value)| (key, escaped(value))).collect()),
        other => other,
    }
}

/// The calls that a case lists; the same one several times in a row is one.
fn grouped(calls: &[MadeCall]) -> Vec<(&MadeCall, usize)> {
    let mut grouped: Vec<(&MadeCall, usize)> = Vec::new();
    for call in calls {
        if matches!(call.function, Function::TimerSleep | Function::FilesPublish) {
            continue;
        }
        match grouped.last_mut() {
            Some((last, times)) if last.is_like(call) => *times += 1,
            _ => grouped.push((call, 1)),
        }
    }
    grouped
}

fn call(text: &mut String, call: &MadeCall, answer: &Json, times: usize) {
    let readable = |value: &Json| {
        if shape::has_bytes(call.function) { value::decoded(value.clone()) } else { value.clone() }
    };
    let mut entries = vec![
        ("function", json!(call.function.name())),
        ("times", if times > 1 { json!(times) } else { Json::Null }),
        ("args", readable(&call.args)),
    ];
    // An answer without content has nothing to say.
    if !answer.as_object().is_some_and(Map::is_empty) {
        entries.push(("answer", readable(answer)));
    }
    table(text, "[[calls]]", &entries);
}

fn expect(text: &mut String, made: &Made) {
    let entries = match &made.failure {
        Some(failure) => vec![("failure", json!({ "kind": failure.kind, "message": failure.message }))],
        None => vec![
            ("outcome", json!("succeeded")),
            ("outputs", value::compact(Json::Object(made.outputs.clone().into_iter().collect()))),
        ],
    };
    table(text, "[expect]", &entries);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_plugin_is_told_from_the_case() {
        let told = |file: &str, from: &str| relative(Path::new(file), Path::new(from));
        assert_eq!(told("/none/p/x.wasm", "/none/p/cases"), "../x.wasm");
        assert_eq!(told("/none/p/x.wasm", "/none/p"), "./x.wasm");
        assert_eq!(told("/none/p/target/x.wasm", "/none/p/cases/more"), "../../target/x.wasm");
        assert_eq!(told("/none/p/x.wasm", "/else/where"), "/none/p/x.wasm");
    }
}
