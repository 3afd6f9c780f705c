//! The cases of the conformance suite: what a plugin in any language has to do with each function of the contract.
//!
//! What is passed to a function stands in `tests/conformance/calls.json`, since a host looks closely at it. What comes
//! back is made from its type: once with all that there can be, once with as little as possible, and each error once.

use super::contract::{Function, Interface, Kind, Ty};
use super::{WRITTEN, Written};
use crate::failure::{Doing, Failure, Result};
use serde_json::{Map, Value as Json, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const CALLS: &str = "tests/conformance/calls.json";
const FOLDER: &str = "tests/conformance/cases";

/// The case of each function.
pub(super) fn write(root: &Path, interfaces: &[Interface]) -> Result<Vec<Written>> {
    let text = fs::read_to_string(root.join(CALLS)).doing(|| format!("read {CALLS}"))?;
    let calls: Json = serde_json::from_str(&text).doing(|| format!("read {CALLS}"))?;
    let mut files = Vec::new();
    for interface in interfaces {
        for function in &interface.functions {
            let name = format!("{}.{}", interface.name, function.name);
            let Some(call) = calls["calls"].get(&name) else {
                return Err(Failure::new(format!("{CALLS} has no call of {name}: write one, with every argument")));
            };
            let suite = Suite { interfaces, interface, function, name: &name, call, calls: &calls };
            files.push(Written { path: format!("{FOLDER}/{name}.toml"), text: suite.case() });
        }
    }
    Ok(files)
}

/// The case of one function.
struct Suite<'a> {
    interfaces: &'a [Interface],
    interface: &'a Interface,
    function: &'a Function,
    name: &'a str,
    call: &'a Json,
    calls: &'a Json,
}

/// One call of the plugin: what the host is asked because of it, and what the plugin gets.
struct Asked {
    args: Json,
    host: Vec<(String, Option<Json>, Json)>,
    told: Json,
}

impl Suite<'_> {
    fn case(&self) -> String {
        let args = match self.call["args"]["spec"].as_str() {
            Some("SPEC") => with_entry(&self.call["args"], "spec", &self.calls["spec"]),
            _ => self.call["args"].clone(),
        };
        let asked = self.asked(&args);
        let mut text = format!("# {}\n", WRITTEN.replace("wit/.", "wit/ and calls.json."));
        let _ = writeln!(text, "name = \"{}\"\n", self.name);
        let _ = writeln!(
            text,
            "[given]\nsecrets = [\"token\"]\nfiles = {{ \"data/a\" = \"a\", Dockerfile = \"FROM scratch\" }}\n"
        );
        let _ = writeln!(text, "[step]\nuses = \"../conformance.wasm\"\ngrants = {}", toml(&self.calls["grants"]));
        for Asked { args, .. } in &asked {
            let _ = writeln!(text, "\n[[step.with.calls]]\nfunction = \"{}\"\nargs = {}", self.name, toml(args));
        }
        for (function, args, answer) in asked.iter().flat_map(|asked| &asked.host) {
            let _ = writeln!(text, "\n[[calls]]\nfunction = \"{function}\"");
            if let Some(args) = args {
                let _ = writeln!(text, "args = {}", toml(&bytes(args, function)));
            }
            if *answer != json!({ "ok": null }) {
                let _ = writeln!(text, "answer = {}", toml(&bytes(answer, function)));
            }
        }
        let answers: Vec<Json> = asked.into_iter().map(|asked| asked.told).collect();
        let _ = writeln!(text, "\n[expect]\nmatch = \"partial\"");
        if let Some(line) = self.call["log"].as_str() {
            let _ = writeln!(text, "log = [{line:?}]");
        }
        if !self.call["metric"].is_null() {
            let _ = writeln!(text, "metrics = [{}]", toml(&self.call["metric"]));
        }
        let _ = writeln!(text, "outputs = {{ answers = {} }}", toml(&Json::from(answers)));
        text
    }

    fn asked(&self, args: &Json) -> Vec<Asked> {
        // What the gate sees to alone is answered by it.
        if matches!(self.interface.name.as_str(), "log" | "metrics" | "timer") {
            return vec![Asked { args: args.clone(), host: Vec::new(), told: json!({ "ok": null }) }];
        }
        let mut asked = match self.call["made-of"].as_array() {
            Some(parts) => vec![self.composed(args, parts, &self.call["answer"])],
            None => {
                // Nothing is as little as nothing.
                let answers = if self.function.answer.is_some() { vec![true, false] } else { vec![true] };
                let answers = answers.into_iter().map(|full| json!({ "ok": self.answer(full) }));
                let call = |answer: Json| {
                    let host = vec![(self.name.to_owned(), Some(args.clone()), answer.clone())];
                    Asked { args: args.clone(), host, told: answer }
                };
                answers.map(call).collect()
            }
        };
        for more in self.call["more"].as_array().into_iter().flatten() {
            let parts = more["made-of"].as_array();
            asked.push(self.composed(&more["args"], parts.map_or(&[], Vec::as_slice), &more["answer"]));
        }
        if self.function.fails && self.call["errors"] != false {
            let first = self.call["made-of"][0]["function"].as_str().unwrap_or(self.name);
            for case in self.errors() {
                let answer = json!({ "err": { case: format!("{case}: grüße ✓ 字") } });
                let host = vec![(first.to_owned(), None, answer.clone())];
                asked.push(Asked { args: args.clone(), host, told: answer });
            }
        }
        asked
    }

    /// A call for which the host makes others.
    fn composed(&self, args: &Json, parts: &[Json], answer: &Json) -> Asked {
        let meant = |answer: &Json| match answer.as_str() {
            Some("FULL") => self.answer(true),
            Some("NO-DEPLOY") => self.no_deploy(),
            _ => answer.clone(),
        };
        let host = parts.iter().map(|part| {
            let function = part["function"].as_str().unwrap_or_default().to_owned();
            (function, None, json!({ "ok": meant(&part["answer"]) }))
        });
        Asked { args: args.clone(), host: host.collect(), told: json!({ "ok": meant(answer) }) }
    }

    fn errors(&self) -> Vec<&str> {
        let error = self.interface.types.iter().find(|named| named.name == "error");
        match error.map(|error| &error.kind) {
            Some(Kind::Variant(cases)) => cases.iter().map(|case| case.name.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// An answer with all that there can be, or with as little as possible.
    fn answer(&self, full: bool) -> Json {
        self.function.answer.as_ref().map_or(Json::Null, |ty| self.sample(ty, self.name, full))
    }

    /// What the router says of a service that nobody deploys.
    fn no_deploy(&self) -> Json {
        self.sample(&Ty::Named("traffic.state".to_owned()), "state", false)
    }

    fn sample(&self, ty: &Ty, place: &str, full: bool) -> Json {
        match ty {
            Ty::Bool => json!(full),
            Ty::Integer(_) if !full => json!(0),
            Ty::Integer("u8") => json!(u8::MAX),
            Ty::Integer("u16") => json!(u16::MAX),
            Ty::Integer("u32") => json!(u32::MAX),
            Ty::Integer("s32") => json!(i32::MIN),
            // The largest number that JSON carries in every language.
            Ty::Integer("s64") => json!(-((1_i64 << 53) - 1)),
            Ty::Integer(_) => json!((1_u64 << 53) - 1),
            Ty::Float => json!(if full { -0.25 } else { 0.0 }),
            Ty::String => json!(if full { format!("{place}: grüße ✓ 字 \u{1F980}") } else { String::new() }),
            Ty::Option(_) if !full => Json::Null,
            Ty::Option(inner) => self.sample(inner, place, full),
            Ty::List(_) if ty.is_bytes() => json!(if full { "grüße ✓ 字" } else { "" }),
            Ty::List(_) if !full => json!([]),
            Ty::List(inner) => json!([self.sample(inner, place, full), self.sample(inner, place, false)]),
            Ty::Named(name) => {
                let found = name.split_once('.').and_then(|(interface, name)| {
                    let interface = self.interfaces.iter().find(|candidate| candidate.name == interface)?;
                    interface.types.iter().find(|candidate| candidate.name == name)
                });
                match found.map(|named| &named.kind) {
                    Some(Kind::Record(fields)) => {
                        let fields = fields.iter();
                        let entries =
                            fields.map(|field| (field.name.clone(), self.sample(&field.ty, &field.name, full)));
                        Json::Object(entries.collect())
                    }
                    Some(Kind::Enum(cases)) => {
                        let case = if full { cases.last() } else { cases.first() };
                        json!(case.map(|case| &case.name))
                    }
                    _ => Json::Null,
                }
            }
        }
    }
}

fn with_entry(object: &Json, key: &str, value: &Json) -> Json {
    let mut entries = object.as_object().cloned().unwrap_or_default();
    entries.insert(key.to_owned(), value.clone());
    Json::Object(entries)
}

/// Text that is bytes to the host is marked as such in a case.
fn bytes(value: &Json, function: &str) -> Json {
    let marked = |key: &str| {
        matches!((function, key), ("artifacts.put", "content") | ("artifacts.get", "ok") | ("http.send", "body"))
    };
    match value {
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| match value {
                Json::String(text) if marked(key) => (key.clone(), json!({ "text": text })),
                _ => (key.clone(), bytes(value, function)),
            });
            Json::Object(entries.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// JSON as TOML, on one line. What is null is left out.
fn toml(value: &Json) -> String {
    match value {
        Json::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Json::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            let entries: Vec<String> = entries.map(|(key, value)| format!("{} = {}", bare(key), toml(value))).collect();
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
        }
        other => other.to_string(),
    }
}

fn bare(key: &str) -> String {
    let is_bare = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_bare { key.to_owned() } else { format!("{key:?}") }
}
