//! Values with holes: everything is known when the plan is made, except the outputs of steps that have yet to run.

mod sketch;

use std::fmt;
use std::sync::Arc;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;
use thiserror::Error;

use crate::description::OutputKind;

/// A reference to an output of an earlier step.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputRef {
    /// The stage's name.
    pub stage: Arc<str>,
    /// The step's name within the stage.
    pub step: Arc<str>,
    /// The step's index in [`crate::Plan::steps`].
    pub index: u32,
    /// The output's name.
    pub output: Arc<str>,
    /// The type that the plugin declares for it.
    pub kind: OutputKind,
    /// What stands in when the step gave no such output.
    pub default: Option<Value>,
}

impl fmt::Display for OutputRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stages.{}.steps.{}.outputs.{}", self.stage, self.step, self.output)
    }
}

/// Why a template could not be filled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FillError {
    /// The step gave no such output, and the reference has no default.
    #[error("`${{{reference}}}`: the step `{step}` of stage `{stage}` did not give the output `{output}`")]
    Missing {
        /// The reference as written, without its braces.
        reference: String,
        /// The stage that was to give it.
        stage: String,
        /// The step that was to give it.
        step: String,
        /// The output.
        output: String,
    },
    /// A list or an object stands in the middle of a text.
    #[error("`${{{reference}}}` is {found}, which cannot stand inside a text")]
    NotText {
        /// The reference as written, without its braces.
        reference: String,
        /// What it is.
        found: &'static str,
    },
    /// The step gave a value of another type than its plugin declares.
    #[error("`${{{reference}}}` is {found}, but its plugin declares it as {expected}")]
    WrongKind {
        /// The reference as written, without its braces.
        reference: String,
        /// The declared type.
        expected: OutputKind,
        /// What it is.
        found: &'static str,
    },
}

/// A value with holes. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template(pub(crate) Arc<Node>);

/// One value of a template. Compact on purpose: a pipeline of 10,000 steps holds 10,000 of these trees, and a
/// `serde_json` map takes some 600 bytes for a single entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Node {
    #[default]
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Box<str>),
    /// A whole-string reference: it keeps its type.
    Hole(Box<OutputRef>),
    /// Text with references in it.
    Mixed(Box<[Part]>),
    List(Box<[Node]>),
    Object(Box<[(Arc<str>, Node)]>),
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Text(Box<str>),
    Hole(OutputRef),
}

/// What fills the holes.
pub type Lookup<'a> = dyn FnMut(&OutputRef) -> Option<Value> + 'a;

impl From<Value> for Template {
    /// A template without holes: text is taken as it is.
    fn from(value: Value) -> Self {
        Self(Arc::new(value.into()))
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Self::Integer(number),
                None => number.as_f64().map(Self::Float).unwrap_or_default(),
            },
            Value::String(text) => Self::Text(text.into()),
            Value::Array(items) => Self::List(items.into_iter().map(Into::into).collect()),
            Value::Object(entries) => {
                Self::Object(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
            }
        }
    }
}

impl Template {
    /// Whether there are no holes.
    pub fn is_static(&self) -> bool {
        self.0.is_static()
    }

    /// The value, with its holes filled by `lookup`.
    ///
    /// # Errors
    ///
    /// When an output is missing and has no default, is not of its declared type, or cannot stand inside a text.
    pub fn fill(&self, lookup: &mut Lookup<'_>) -> Result<Value, FillError> {
        self.0.fill(lookup)
    }

    /// Every reference to an output, in the order of the text.
    pub fn references(&self) -> Vec<&OutputRef> {
        let mut found = Vec::new();
        self.0.references(&mut found);
        found
    }
}

impl Node {
    pub(crate) fn is_static(&self) -> bool {
        match self {
            Self::Hole(_) | Self::Mixed(_) => false,
            Self::List(items) => items.iter().all(Self::is_static),
            Self::Object(entries) => entries.iter().all(|(_, value)| value.is_static()),
            _ => true,
        }
    }

    fn references<'a>(&'a self, found: &mut Vec<&'a OutputRef>) {
        match self {
            Self::Hole(hole) => found.push(hole),
            Self::Mixed(parts) => found.extend(parts.iter().filter_map(|part| match part {
                Part::Hole(hole) => Some(hole),
                Part::Text(_) => None,
            })),
            Self::List(items) => items.iter().for_each(|item| item.references(found)),
            Self::Object(entries) => entries.iter().for_each(|(_, value)| value.references(found)),
            _ => {}
        }
    }

    pub(crate) fn fill(&self, lookup: &mut Lookup<'_>) -> Result<Value, FillError> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Integer(value) => Value::from(*value),
            Self::Float(value) => Value::from(*value),
            Self::Text(text) => Value::String(text.to_string()),
            Self::Hole(hole) => resolve(hole, lookup)?,
            Self::Mixed(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(piece) => text.push_str(piece),
                        Part::Hole(hole) => push_text(&mut text, hole, &resolve(hole, lookup)?)?,
                    }
                }
                Value::String(text)
            }
            Self::List(items) => Value::Array(items.iter().map(|item| item.fill(lookup)).collect::<Result<_, _>>()?),
            Self::Object(entries) => {
                let filled = entries.iter().map(|(key, value)| Ok((key.to_string(), value.fill(lookup)?)));
                Value::Object(filled.collect::<Result<_, FillError>>()?)
            }
        })
    }
}

fn resolve(hole: &OutputRef, lookup: &mut Lookup<'_>) -> Result<Value, FillError> {
    let found = lookup(hole).or_else(|| hole.default.clone()).ok_or_else(|| FillError::Missing {
        reference: hole.to_string(),
        stage: hole.stage.to_string(),
        step: hole.step.to_string(),
        output: hole.output.to_string(),
    })?;
    if hole.kind.admits(&found) {
        return Ok(found);
    }
    Err(FillError::WrongKind { reference: hole.to_string(), expected: hole.kind, found: word(&found) })
}

fn push_text(text: &mut String, hole: &OutputRef, value: &Value) -> Result<(), FillError> {
    match value {
        Value::String(piece) => text.push_str(piece),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        other => return Err(FillError::NotText { reference: hole.to_string(), found: word(other) }),
    }
    Ok(())
}

/// What a value is, with its article.
pub(crate) fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Serialize for Template {
    /// As the value, with `${...}` where the holes are.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            // Escaped as in the file, so that it can be told from a hole.
            Self::Text(text) if text.contains("${") => serializer.serialize_str(&text.replace("${", "$${")),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Hole(hole) => serializer.collect_str(&format_args!("${{{hole}}}")),
            Self::Mixed(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(piece) => text.push_str(&piece.replace("${", "$${")),
                        Part::Hole(hole) => text.push_str(&format!("${{{hole}}}")),
                    }
                }
                serializer.serialize_str(&text)
            }
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(&**key, value))?;
                map.end()
            }
        }
    }
}
