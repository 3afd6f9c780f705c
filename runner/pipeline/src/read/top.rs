//! `[pipeline]`, `[vars]`, `[secrets]` and `[plugins]`.

use std::ops::Range;
use std::sync::Arc;

use super::references::Place;
use super::{Reader, uses};
use crate::description::PluginSource;
use crate::diagnostic::codes;
use crate::graph::Graph;
use crate::pipeline::Var;
use crate::plan::SecretSource;
use crate::suggest::{quoted, toml_string};
use crate::tree::{Kind, NodeId};

/// A name of `[plugins]`.
pub(super) struct Named {
    /// `None` when it could not be read, which was reported.
    pub(super) source: Option<PluginSource>,
    pub(super) place: NodeId,
}

impl Reader<'_> {
    pub(super) fn pipeline_table(&mut self, at: NodeId) {
        const KNOWN: &[&str] = &["description", "jobs", "name", "timeout"];
        if !self.table(at, "pipeline", "write `[pipeline]` and `name = \"...\"` beneath it") {
            return;
        }
        let doc = self.doc;
        let mut named = false;
        for child in doc.children(at) {
            match &*doc.key(child) {
                key @ "name" => {
                    named = true;
                    if let Some(name) = self.filled(child, key)
                        && self.check_name(doc.span(child), "pipeline", &name)
                    {
                        self.pipeline.name = name.into_owned();
                    }
                }
                key @ "description" => self.pipeline.description = self.string(child, key).map(Into::into),
                key @ "jobs" => self.pipeline.jobs = self.count(child, key, 1024).map(|jobs| jobs as u32),
                key @ "timeout" => self.pipeline.timeout = self.duration(child, key),
                other => self.unknown_key(child, other, "`[pipeline]`", KNOWN),
            }
        }
        if !named {
            self.missing_key(at, "`[pipeline]`", "name", "add `name = \"...\"`");
        }
    }

    pub(super) fn secrets_table(&mut self, at: NodeId) {
        if !self.table(at, "secrets", "write `[secrets]` and `NAME = { env = \"...\" }` beneath it") {
            return;
        }
        let doc = self.doc;
        for child in doc.children(at) {
            let name = doc.key(child);
            if !self.check_word(child, "secret", &name) {
                continue;
            }
            // Even one that cannot be read is known by its name, so that its grants are not errors, too.
            let source = self.secret(child, &name).unwrap_or(SecretSource::Env(String::new()));
            self.pipeline.secrets.insert(name.into_owned(), source);
        }
    }

    fn secret(&mut self, at: NodeId, name: &str) -> Option<SecretSource> {
        let doc = self.doc;
        let help = format!("write `{name} = {{ env = \"VARIABLE\" }}` or `{name} = {{ file = \"path\" }}`");
        if doc.kind(at) == Kind::String {
            self.sink.error(codes::WRONG_TYPE, doc.span(at), |diagnostic| {
                diagnostic.message = format!("secret {} must be a table that says where its value is", quoted(name));
                diagnostic.help(format!("the value itself never stands in this file; {help}"));
                diagnostic.concealed = true;
            });
            return None;
        }
        if !self.table(at, name, &help) {
            return None;
        }
        let mut source = None;
        let mut count = 0;
        for child in doc.children(at) {
            match &*doc.key(child) {
                key @ "env" => {
                    count += 1;
                    let variable = self.filled(child, key);
                    source = variable
                        .filter(|name| self.check_env_name(doc.span(child), name))
                        .map(|name| SecretSource::Env(name.into()));
                }
                key @ "file" => {
                    count += 1;
                    source = self.filled(child, key).map(|path| SecretSource::File(path.into()));
                }
                other => self.unknown_key(child, other, &format!("secret {}", quoted(name)), &["env", "file"]),
            }
        }
        if count != 1 && doc.children(at).count() == count {
            let problem = if count == 0 { "says not where its value is" } else { "has two places for its value" };
            self.sink.error(codes::BAD_VALUE, doc.key_span(at), |diagnostic| {
                diagnostic.message = format!("secret {} {problem}", quoted(name));
                diagnostic.help(help);
            });
        }
        source
    }

    pub(super) fn plugins_table(&mut self, at: NodeId) {
        if !self.table(at, "plugins", "write `[plugins]` and `NAME = \"builtin:image\"` beneath it") {
            return;
        }
        let doc = self.doc;
        for child in doc.children(at) {
            let name = doc.key(child);
            if self.check_word(child, "plugin", &name) {
                let (source, place) = self.plugin_source(child, &name);
                if let Some(source) = &source {
                    self.pipeline.plugin_names.insert(name.clone().into_owned(), source.clone());
                }
                self.names.insert(name, Named { source, place });
            }
        }
    }

    /// The source, and the value that says it.
    fn plugin_source(&mut self, at: NodeId, name: &str) -> (Option<PluginSource>, NodeId) {
        let doc = self.doc;
        const FORMS: &str = "a plugin is \"builtin:NAME\", { path = \"FILE.wasm\" } or { oci = \"REGISTRY/NAME:TAG\" }";
        match doc.kind(at) {
            Kind::String => {
                let text = doc.string(at).unwrap_or_default();
                let source = uses::read(&text);
                match &source {
                    Some(Err(problem)) => self.bad_value(at, problem.clone(), FORMS),
                    None => self.bad_value(
                        at,
                        format!("{} is no place of a plugin", quoted(&text)),
                        uses::help(&text, FORMS),
                    ),
                    Some(Ok(_)) => {}
                }
                (source.and_then(Result::ok), at)
            }
            Kind::Table => {
                let (keys, children): (Vec<NodeId>, Vec<NodeId>) =
                    doc.children(at).partition(|child| doc.key(*child) == "key");
                let [child] = children.as_slice() else {
                    self.sink.error(codes::BAD_VALUE, doc.key_span(at), |diagnostic| {
                        diagnostic.message =
                            format!("plugin {} must have exactly one of `path` and `oci`", quoted(name));
                        diagnostic.help(FORMS);
                    });
                    return (None, at);
                };
                let source = match &*doc.key(*child) {
                    key @ "path" => self.filled(*child, key).map(|path| uses::path(&path)),
                    key @ "oci" => self.filled(*child, key).map(|reference| uses::oci(&reference)),
                    other => {
                        self.unknown_key_with(*child, other, &format!("plugin {}", quoted(name)), || {
                            Some(FORMS.to_owned())
                        });
                        None
                    }
                };
                match source {
                    Some(Err(problem)) => {
                        self.bad_value(*child, problem, FORMS);
                        (None, *child)
                    }
                    source => {
                        let source = source.and_then(Result::ok);
                        if let (Some(source), [key]) = (&source, keys.as_slice()) {
                            self.plugin_key(*key, source, name);
                        }
                        (source, *child)
                    }
                }
            }
            _ => {
                self.wrong_type(at, name, "a string or a table", Some(FORMS.to_owned()));
                (None, at)
            }
        }
    }

    /// The public key with which a plugin has to be signed.
    fn plugin_key(&mut self, at: NodeId, source: &PluginSource, name: &str) {
        let Some(path) = self.filled(at, "key") else { return };
        if !matches!(source, PluginSource::Oci(_)) {
            let message = format!("plugin {} has a key, and comes from no registry", quoted(name));
            return self.bad_value(at, message, "signatures are kept in registries; leave the key out");
        }
        let path = path.into_owned();
        match self.pipeline.plugin_keys.get(source) {
            Some(known) if *known != path => {
                let message = format!("plugin {} has another key under another name", quoted(name));
                self.bad_value(at, message, "give both the same key");
            }
            _ => drop(self.pipeline.plugin_keys.insert(source.clone(), path)),
        }
    }

    pub(super) fn vars_table(&mut self, at: NodeId) {
        if !self.table(at, "vars", "write `[vars]` and `NAME = \"...\"` beneath it") {
            return;
        }
        let doc = self.doc;
        for child in doc.children(at) {
            let name = doc.key(child);
            if !self.check_word(child, "variable", &name) {
                continue;
            }
            let name: Arc<str> = name.into();
            self.pipeline.var_index.insert(name.clone(), self.pipeline.vars.len() as u32);
            self.pipeline.vars.push(Var { name, value: child });
        }
        for index in 0..self.pipeline.vars.len() {
            let Var { name, value } = &self.pipeline.vars[index];
            let (name, value) = (name.clone(), *value);
            let needs = self.var_value(&name, value);
            self.var_needs.push(needs);
        }
        let values = self.pipeline.vars.iter().map(|var| var.value).collect();
        self.pipeline.var_order = self.var_order(self.var_needs.clone(), values);
    }

    /// The value of a variable; gives the variables that it refers to.
    pub(super) fn var_value(&mut self, name: &str, value: NodeId) -> Vec<u32> {
        let doc = self.doc;
        let mut needs = Vec::new();
        match doc.kind(value) {
            Kind::String => {
                let text = doc.string(value).unwrap_or_default();
                self.check_text(value, &text, Place::Var, &mut needs);
            }
            Kind::Integer | Kind::Bool | Kind::Broken => {}
            Kind::Float if doc.float(value).is_some_and(f64::is_finite) => {}
            Kind::DateTime => {
                let raw = doc.whole_text(value).unwrap_or_default();
                let help = format!("put it in quotes: `{name} = {}`", toml_string(raw));
                self.wrong_type(value, name, "a string, a number or a boolean", Some(help));
            }
            _ => self.wrong_type(value, name, "a string, a number or a boolean", None),
        }
        needs
    }

    /// An order in which every variable comes after those that it refers to; none if they refer to each other, which
    /// is reported at these places.
    pub(super) fn var_order(&mut self, needs: Vec<Vec<u32>>, values: Vec<NodeId>) -> Vec<u32> {
        let doc = self.doc;
        let mut graph = Graph::new();
        needs.into_iter().for_each(|needs| graph.push(needs));
        match graph.order() {
            Ok(order) => order,
            Err(cycles) => {
                for cycle in &cycles {
                    let vars = &self.pipeline.vars;
                    let part =
                        |index: &u32| (vars[*index as usize].name.clone(), doc.key_span(values[*index as usize]));
                    let parts = cycle.iter().map(part).collect();
                    super::stages::report_cycle(&mut self.sink, "variables refer to each other", "refers to", parts);
                }
                Vec::new()
            }
        }
    }

    /// A name that an environment variable can have.
    pub(super) fn check_env_name(&mut self, span: Range<usize>, name: &str) -> bool {
        let good = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
        if !good {
            self.sink.error(codes::BAD_NAME, span, |diagnostic| {
                diagnostic.message = format!("{} cannot be the name of an environment variable", quoted(name));
                diagnostic.help("names have letters, digits and `_`, and begin with no digit");
            });
        }
        good
    }
}
