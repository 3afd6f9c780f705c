//! Reads `grants` from the file, going by the vocabulary.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::vocabulary::{self, Kind as Thing, METHODS, VOCABULARY, Verb};
use super::{Pattern, Rule, hint};
use crate::diagnostic::{Sink, codes};
use crate::plan::SecretSource;
use crate::source::Lines;
use crate::suggest::{did_you_mean, listed, nearest, quoted, toml_string};
use crate::tree::{Doc, Kind, NodeId};

/// Fills the references of a string in, or says why not.
pub(crate) type Resolve<'a> = dyn FnMut(NodeId, &str, &mut Sink) -> Option<Filled> + 'a;

/// A string with its references filled in.
pub(crate) struct Filled {
    pub(crate) text: String,
    /// The same with facts left as they are.
    pub(crate) written: String,
}

/// What reading grants needs to know.
pub(crate) struct Context<'a, 's> {
    pub(crate) doc: Doc<'s>,
    /// The names that a grant of a secret can have; any, without it.
    pub(crate) secrets: Option<&'a BTreeMap<String, SecretSource>>,
    pub(crate) sink: &'a mut Sink,
    pub(crate) resolve: &'a mut Resolve<'a>,
    /// To place the rules. Without it, this is the check of the file: what can be told without facts is reported.
    /// With it, this is planning: only what depends on the facts is.
    pub(crate) places: Option<(&'a Lines, &'s str)>,
}

/// The rules of one step's `grants`, each with the string that it comes from.
pub(crate) fn rules(context: &mut Context<'_, '_>, grants: NodeId) -> Vec<(Rule, NodeId)> {
    let mut rules = Vec::new();
    let doc = context.doc;
    match doc.kind(grants) {
        Kind::Table => {}
        Kind::Broken => return rules,
        other => {
            context.wrong_type(grants, other, "`grants`", "a table", "grants = { docker = { push = [\"...\"] } }");
            return rules;
        }
    }
    for child in doc.children(grants) {
        let capability = doc.key(child);
        let rows: Vec<&'static Verb> = vocabulary::verbs(&capability).collect();
        if rows.is_empty() {
            context.unknown_capability(child, &capability);
        } else {
            context.level(child, &rows, 0, &mut rules);
        }
    }
    rules
}

impl Context<'_, '_> {
    fn checks(&self) -> bool {
        self.places.is_none()
    }

    fn unknown_capability(&mut self, at: NodeId, name: &str) {
        if !self.checks() {
            return;
        }
        self.sink.error(codes::BAD_GRANT, self.doc.key_span(at), |diagnostic| {
            diagnostic.message = format!("no capability is called {}", quoted(name));
            let help = if vocabulary::AMBIENT.contains(&name) {
                format!("every step has {}; no grant is needed", quoted(name))
            } else {
                match nearest(name, vocabulary::capabilities()) {
                    Some(near) => format!("did you mean {}?", quoted(near)),
                    None => match VOCABULARY.iter().find(|row| row.keys.first() == Some(&name)) {
                        Some(row) => {
                            format!("{} belongs into {}", quoted(name), quoted(&format!("grants.{}", row.capability)))
                        }
                        None => format!("there are {}", listed(vocabulary::capabilities())),
                    },
                }
            };
            diagnostic.help(help);
        });
    }

    fn wrong_type(&mut self, at: NodeId, found: Kind, what: &str, expected: &str, example: &str) {
        if !self.checks() {
            return;
        }
        self.sink.error(codes::WRONG_TYPE, self.doc.span(at), |diagnostic| {
            diagnostic.message = format!("{what} must be {expected}, found {}", found.word());
            diagnostic.expected(format!("expected {expected}"));
            diagnostic.help(format!("write it like `{example}`"));
        });
    }

    /// A capability (`depth` 0), or a table within it. `rows` are those that lie beneath.
    fn level(&mut self, at: NodeId, rows: &[&'static Verb], depth: usize, rules: &mut Vec<(Rule, NodeId)>) {
        let here: Vec<&'static Verb> = rows
            .iter()
            .copied()
            .filter(|row| row.keys.len() == depth || (row.short && row.keys.len() == depth + 1))
            .collect();
        let deeper = rows.iter().any(|row| row.keys.len() > depth);
        let doc = self.doc;
        if let [row] = rows
            && row.kind == Thing::Switch
        {
            return self.switch(at, row, rules);
        }
        match doc.kind(at) {
            Kind::Broken => {}
            Kind::Table if deeper => {
                for child in doc.children(at) {
                    let key = doc.key(child);
                    let beneath: Vec<_> =
                        rows.iter().copied().filter(|row| row.keys.get(depth) == Some(&&*key)).collect();
                    if beneath.is_empty() {
                        self.unknown_verb(child, &key, rows, depth);
                    } else {
                        self.level(child, &beneath, depth + 1, rules);
                    }
                }
            }
            Kind::Array if !here.is_empty() => {
                for item in doc.children(at) {
                    self.string(item, &here, rules);
                }
            }
            found => {
                let (Some(row), path) = (rows.first(), doc.key(at)) else { return };
                let list = !here.is_empty();
                let written = doc.string(at).map(|text| format!("{path} = [{}]", toml_string(&text)));
                let example = match written.filter(|_| list) {
                    Some(written) => written,
                    None if depth == 0 => hint::example(row.capability).unwrap_or_default(),
                    None => hint::entry(row, &toml_string(row.example)).0,
                };
                let expected = match (list, deeper) {
                    (true, true) => "a list of strings or a table",
                    (true, false) => "a list of strings",
                    _ => "a table",
                };
                self.wrong_type(at, found, &quoted(&path), expected, &example);
            }
        }
    }

    /// A capability that is granted or not.
    fn switch(&mut self, at: NodeId, row: &'static Verb, rules: &mut Vec<(Rule, NodeId)>) {
        match (self.doc.kind(at), self.doc.boolean(at)) {
            (Kind::Broken, _) | (_, Some(false)) => {}
            (_, Some(true)) => {
                let location = self.places.map(|(lines, text)| lines.location(text, self.doc.span(at).start));
                let rule = Rule {
                    capability: row.capability,
                    verb: row.verb,
                    pattern: Pattern::Exact("true".into()),
                    text: "true".into(),
                    written: None,
                    location: location.unwrap_or_default(),
                };
                rules.push((rule, at));
            }
            (found, None) => {
                let example = format!("{} = true", row.capability);
                self.wrong_type(at, found, &quoted(row.capability), "true or false", &example);
            }
        }
    }

    fn unknown_verb(&mut self, at: NodeId, key: &str, rows: &[&'static Verb], depth: usize) {
        if !self.checks() {
            return;
        }
        let Some(row) = rows.first() else { return };
        let mut known: Vec<&str> = rows.iter().filter_map(|row| row.keys.get(depth).copied()).collect();
        known.dedup();
        let mut table = format!("grants.{}", row.capability);
        row.keys.iter().take(depth).for_each(|key| {
            table.push('.');
            table.push_str(key);
        });
        self.sink.error(codes::BAD_GRANT, self.doc.key_span(at), |diagnostic| {
            diagnostic.message = format!("{} has no key {}", quoted(&table), quoted(key));
            let deeper = rows.iter().find(|row| row.keys.get(depth + 1) == Some(&key));
            diagnostic.help = match deeper {
                Some(row) => {
                    Some(format!("{} belongs into {}", quoted(key), quoted(&format!("{table}.{}", row.keys[depth]))))
                }
                None => did_you_mean(key, known.iter().copied()),
            };
        });
    }

    /// One string of a list. `rows` differ in the verb only.
    fn string(&mut self, at: NodeId, rows: &[&'static Verb], rules: &mut Vec<(Rule, NodeId)>) {
        let Some(row) = rows.first() else { return };
        let Some(raw) = self.doc.string(at) else {
            let found = self.doc.kind(at);
            if found != Kind::Broken {
                let example = toml_string(row.example);
                self.wrong_type(at, found, &format!("an entry of `{}`", row.path()), "a string", &example);
            }
            return;
        };
        let plain = crate::text::is_plain(&raw);
        let (text, written): (Cow<'_, str>, _) = if plain {
            (raw.clone(), None)
        } else {
            match (self.resolve)(at, &raw, self.sink) {
                Some(filled) => (filled.text.into(), Some(filled.written)),
                None => return,
            }
        };
        // What depends on no facts was reported by the check of the file.
        let report = self.checks() == plain;
        let (methods, target) = match row.kind {
            Thing::Request => match request(&text) {
                Ok(request) => request,
                Err((problem, help)) => return self.bad(report, at, &text, &problem, help),
            },
            _ => (vec![""], &*text),
        };
        if row.kind == Thing::Secret
            && let Some(secrets) = self.secrets.filter(|secrets| !secrets.contains_key(target))
        {
            let help = did_you_mean(target, secrets.keys().map(String::as_str))
                .unwrap_or_else(|| format!("add `{target} = {{ env = \"...\" }}` to `[secrets]`"));
            return self.bad(report, at, target, "is no name of `[secrets]`", help);
        }
        let pattern = match Pattern::parse(row.kind, target) {
            Ok(pattern) => pattern,
            Err(error) => return self.bad(report, at, target, &error.message, error.help),
        };
        let location = self.places.map(|(lines, text)| lines.location(text, self.doc.span(at).start));
        let written = written.map(|written| match row.kind {
            // Methods that come from a fact cannot be told from the rest.
            Thing::Request => request(&written).map_or(written.clone(), |(_, target)| target.to_owned()),
            _ => written,
        });
        let written: Option<Box<str>> = written.filter(|written| written != target).map(Into::into);
        for method in methods {
            for row in rows {
                let rule = Rule {
                    capability: row.capability,
                    verb: if method.is_empty() { row.verb } else { method },
                    pattern: pattern.clone(),
                    text: target.into(),
                    written: written.clone(),
                    location: location.unwrap_or_default(),
                };
                rules.push((rule, at));
            }
        }
    }

    fn bad(&mut self, report: bool, at: NodeId, text: &str, problem: &str, help: String) {
        if report {
            self.sink.error(codes::BAD_GRANT, self.doc.span(at), |diagnostic| {
                diagnostic.message = format!("{} {problem}", quoted(text));
                diagnostic.help(help);
            });
        }
    }
}

/// `GET,HEAD https://...`: the methods and the rest, or what is wrong and what helps.
fn request(text: &str) -> Result<(Vec<&'static str>, &str), (String, String)> {
    let Some((methods, target)) = text.split_once(' ') else {
        let help = format!("name the methods before the URL: {}", quoted(&format!("GET {text}")));
        return Err(("names no HTTP method".to_owned(), help));
    };
    let mut known = Vec::new();
    for method in methods.split(',') {
        match METHODS.iter().find(|known| **known == method) {
            Some(method) => known.push(*method),
            None => {
                let help = did_you_mean(method, METHODS.iter().copied()).unwrap_or_default();
                return Err((format!("has {}, which is no HTTP method", quoted(method)), help));
            }
        }
    }
    Ok((known, target.trim_start()))
}
