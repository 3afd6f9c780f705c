//! Values of one type, or a diagnostic that says what was found instead.

use std::borrow::Cow;

use super::Reader;
use crate::diagnostic::codes;
use crate::suggest::{did_you_mean, quoted, toml_string};
use crate::tree::{Kind, NodeId};

/// The longest name of a stage or step. Names of containers and volumes are made of them.
pub(crate) const MAX_NAME: usize = 63;

impl<'s> Reader<'s> {
    /// Says that a value is of the wrong type. Nothing for one that could not be read: that was reported.
    pub(super) fn wrong_type(&mut self, at: NodeId, key: &str, expected: &str, help: Option<String>) {
        let found = self.doc.kind(at);
        if found != Kind::Broken {
            self.sink.error(codes::WRONG_TYPE, self.doc.span(at), |diagnostic| {
                diagnostic.message = format!("{} must be {expected}, found {}", quoted(key), found.word());
                diagnostic.expected(format!("expected {expected}"));
                diagnostic.help = help;
            });
        }
    }

    pub(super) fn unknown_key(&mut self, at: NodeId, key: &str, table: &str, known: &[&str]) {
        self.unknown_key_with(at, key, table, || did_you_mean(key, known.iter().copied()));
    }

    pub(super) fn unknown_key_with(
        &mut self,
        at: NodeId,
        key: &str,
        table: &str,
        help: impl FnOnce() -> Option<String>,
    ) {
        self.sink.error(codes::UNKNOWN_KEY, self.doc.key_span(at), |diagnostic| {
            diagnostic.message = format!("unknown key {} in {table}", quoted(key));
            diagnostic.help = help();
        });
    }

    pub(super) fn bad_value(&mut self, at: NodeId, message: String, help: impl Into<String>) {
        self.sink.error(codes::BAD_VALUE, self.doc.span(at), |diagnostic| {
            diagnostic.message = message;
            diagnostic.help(help);
        });
    }

    pub(super) fn missing_key(&mut self, table: NodeId, what: &str, key: &str, help: impl Into<String>) {
        self.sink.error(codes::MISSING_KEY, self.doc.key_span(table), |diagnostic| {
            diagnostic.message = format!("{what} has no {}", quoted(key));
            diagnostic.help(help);
        });
    }

    /// Whether it is a table.
    pub(super) fn table(&mut self, at: NodeId, key: &str, help: &str) -> bool {
        let good = self.doc.kind(at) == Kind::Table;
        if !good {
            self.wrong_type(at, key, "a table", Some(help.to_owned()));
        }
        good
    }

    pub(super) fn string(&mut self, at: NodeId, key: &str) -> Option<Cow<'s, str>> {
        let text = self.doc.string(at);
        if text.is_none() {
            let help = match self.doc.kind(at) {
                Kind::Integer | Kind::Float | Kind::Bool | Kind::DateTime => {
                    self.doc.whole_text(at).map(|raw| format!("put it in quotes: `{key} = {}`", toml_string(raw)))
                }
                _ => None,
            };
            self.wrong_type(at, key, "a string", help);
        }
        text
    }

    /// A string that says something.
    pub(super) fn filled(&mut self, at: NodeId, key: &str) -> Option<Cow<'s, str>> {
        let text = self.string(at, key)?;
        if text.trim().is_empty() {
            self.bad_value(at, format!("{} is empty", quoted(key)), "write something, or leave the key out");
            return None;
        }
        Some(text)
    }

    pub(super) fn boolean(&mut self, at: NodeId, key: &str) -> Option<bool> {
        let value = self.doc.boolean(at);
        if value.is_none() {
            let help = match self.doc.string(at).as_deref() {
                Some(text @ ("true" | "false")) => Some(format!("write it without quotes: `{key} = {text}`")),
                _ => None,
            };
            self.wrong_type(at, key, "true or false", help);
        }
        value
    }

    /// An integer of at least 1.
    pub(super) fn count(&mut self, at: NodeId, key: &str, most: u64) -> Option<u64> {
        let Some(value) = self.doc.integer(at) else {
            self.wrong_type(at, key, "an integer", None);
            return None;
        };
        match u64::try_from(value).ok().filter(|value| (1..=most).contains(value)) {
            Some(value) => Some(value),
            None => {
                let help = match most {
                    0..=1_000_000 => format!("write a number from 1 to {most}"),
                    _ => "write a number of at least 1".to_owned(),
                };
                self.bad_value(at, format!("{} cannot be {value}", quoted(key)), help);
                None
            }
        }
    }

    /// A name of a stage or step: what can be part of the name of a container.
    pub(super) fn check_name(&mut self, span: std::ops::Range<usize>, what: &str, name: &str) -> bool {
        if good_name(name) {
            return true;
        }
        self.sink.error(codes::BAD_NAME, span, |diagnostic| {
            if name.len() > MAX_NAME {
                diagnostic.message =
                    format!("the name of this {what} is too long: {} characters", name.chars().count());
                diagnostic.help(format!("names have at most {MAX_NAME} characters"));
                return;
            }
            let article = if what.starts_with('e') { "an" } else { "a" };
            diagnostic.message = format!("{} cannot be the name of {article} {what}", quoted(name));
            let rule = "names have lower-case letters, digits, `-` and `_`, and begin with a letter or digit";
            diagnostic.help(match repaired(name) {
                Some(better) => format!("{rule}: {}", quoted(&better)),
                None => rule.to_owned(),
            });
        });
        false
    }

    /// A name that `${...}` or `grants` can refer to: of a variable, a secret or a plugin.
    pub(super) fn check_word(&mut self, at: NodeId, what: &str, name: &str) -> bool {
        let good = good_word(name);
        if !good {
            self.sink.error(codes::BAD_NAME, self.doc.key_span(at), |diagnostic| {
                diagnostic.message = format!("{} cannot be the name of a {what}", quoted(name));
                diagnostic.help(format!("names have letters, digits, `-` and `_`, and at most {MAX_NAME} of them"));
            });
        }
        good
    }
}

/// Whether `${...}` or `grants` could refer to something by this name.
pub(crate) fn good_word(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

fn good_name(name: &str) -> bool {
    let small = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= MAX_NAME
        && name.bytes().next().is_some_and(small)
        && name.bytes().all(|c| small(c) || c == b'-' || c == b'_')
}

/// A good name that resembles this one.
pub(super) fn repaired(name: &str) -> Option<String> {
    let mut out = String::new();
    for c in name.chars().flat_map(char::to_lowercase).take(MAX_NAME) {
        match c {
            'a'..='z' | '0'..='9' | '_' if !(out.is_empty() && c == '_') => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    let out = out.trim_end_matches('-').to_owned();
    good_name(&out).then_some(out)
}
