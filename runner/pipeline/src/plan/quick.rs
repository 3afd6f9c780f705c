//! A quick look whether a value fits a schema, for the schemas that plugins have in practice.
//!
//! The full validator needs a millisecond and 5 MB before it can say anything, half of what a small run takes
//! altogether. Nearly every `with` fits, and this sees it without: [`fits`] is right whenever it says yes. For all else
//! (a value that does not fit, a keyword that is not known here) the full validator decides, and makes the report.

use std::cell::Cell;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::description::OutputKind;
use crate::template::Node;

/// Schemas may refer to themselves without end.
const MAX_DEPTH: u32 = 64;

/// And may take a long time before that: so many schemas are looked at for one value.
const MAX_LOOKS: u32 = 200_000;

/// Whether the value surely fits.
pub(super) fn fits<I: Instance>(schema: &Value, value: &I) -> bool {
    let left = Cell::new(MAX_LOOKS);
    let verdict = Look { root: schema, depth: 0, left: &left }.at(schema, value);
    matches!(verdict, Verdict::Yes | Verdict::Assumed)
}

/// Whether the schema has only what is known here, in the right form.
pub(super) fn understands(schema: &Value) -> bool {
    let Value::Object(keys) = schema else { return schema.is_boolean() };
    keys.iter().all(|(key, value)| {
        let list = || value.as_array().map(Vec::as_slice).unwrap_or_default();
        match key.as_str() {
            "$schema" => value == "https://json-schema.org/draft/2020-12/schema",
            "$comment" | "title" | "description" | "format" | "pattern" => value.is_string(),
            "default" | "examples" | "deprecated" | "readOnly" | "writeOnly" | "const" => true,
            "$ref" => value.as_str().is_some_and(|to| to == "#" || to.starts_with("#/")),
            "type" => {
                let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
                known(value) || (!list().is_empty() && list().iter().all(known))
            }
            "$defs" | "properties" => value.as_object().is_some_and(|map| map.values().all(understands)),
            "items" | "additionalProperties" | "not" | "if" | "then" | "else" => understands(value),
            "allOf" | "anyOf" | "oneOf" => !list().is_empty() && list().iter().all(understands),
            "enum" => !list().is_empty(),
            "required" => value.is_array() && list().iter().all(Value::is_string),
            "dependentRequired" => value.as_object().is_some_and(|map| {
                map.values().all(|names| names.as_array().is_some_and(|names| names.iter().all(Value::is_string)))
            }),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => value.is_u64(),
            _ => false,
        }
    })
}

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];

/// What can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Yes,
    /// It depends on the output of a step, which the engine checks when it is there.
    Assumed,
    /// Not known here.
    Unsure,
    No,
}

use Verdict::{Assumed, No, Unsure, Yes};

impl From<bool> for Verdict {
    fn from(good: bool) -> Self {
        if good { Yes } else { No }
    }
}

impl Verdict {
    fn and(self, other: impl FnOnce() -> Self) -> Self {
        if self == No {
            return No;
        }
        match (self, other()) {
            (_, No) => No,
            (Unsure, _) | (_, Unsure) => Unsure,
            (Assumed, _) | (_, Assumed) => Assumed,
            (_, Yes) => Yes,
        }
    }

    fn not(self) -> Self {
        match self {
            Yes => No,
            No => Yes,
            other => other,
        }
    }
}

/// A value to look at: of a template, or a filled one.
pub(super) trait Instance: Sized {
    fn shape(&self) -> Shape<'_, Self>;
    /// The entries of an object; none for anything else.
    fn entries(&self) -> impl Iterator<Item = (&str, &Self)>;
}

pub(super) enum Shape<'a, I> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    /// A number that is neither.
    Number,
    Text(&'a str),
    List(&'a [I]),
    Object,
    /// Not known yet; of this type, if that is known.
    Open(Option<OutputKind>),
}

impl Instance for Node {
    fn shape(&self) -> Shape<'_, Self> {
        match self {
            Self::Null => Shape::Open(None),
            Self::Bool(value) => Shape::Bool(*value),
            Self::Integer(value) => Shape::Integer(*value),
            Self::Float(value) => Shape::Float(*value),
            Self::Text(text) => Shape::Text(text),
            Self::Hole(hole) => Shape::Open((hole.kind != OutputKind::Any).then_some(hole.kind)),
            Self::Mixed(_) => Shape::Open(Some(OutputKind::String)),
            Self::List(items) => Shape::List(items),
            Self::Object(_) => Shape::Object,
        }
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let entries: &[(Arc<str>, Self)] = if let Self::Object(entries) = self { entries } else { &[] };
        entries.iter().map(|(key, value)| (&**key, value))
    }
}

impl Instance for Value {
    fn shape(&self) -> Shape<'_, Self> {
        match self {
            Self::Null => Shape::Null,
            Self::Bool(value) => Shape::Bool(*value),
            Self::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => Shape::Integer(value),
                (None, Some(value)) if number.is_f64() => Shape::Float(value),
                _ => Shape::Number,
            },
            Self::String(text) => Shape::Text(text),
            Self::Array(items) => Shape::List(items),
            Self::Object(_) => Shape::Object,
        }
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }
}

#[derive(Clone, Copy)]
struct Look<'s> {
    root: &'s Value,
    depth: u32,
    left: &'s Cell<u32>,
}

impl Look<'_> {
    fn at<I: Instance>(self, schema: &Value, value: &I) -> Verdict {
        let keys = match schema {
            Value::Bool(good) => return (*good).into(),
            Value::Object(keys) if self.depth < MAX_DEPTH && self.left.get() > 0 => keys,
            _ => return Unsure,
        };
        self.left.set(self.left.get() - 1);
        let deeper = Self { depth: self.depth + 1, ..self };
        let mut verdict = Yes;
        for (key, argument) in keys {
            verdict = verdict.and(|| deeper.keyword(keys, key, argument, value));
            if verdict == No {
                break;
            }
        }
        verdict
    }

    fn keyword<I: Instance>(self, keys: &Map<String, Value>, key: &str, argument: &Value, value: &I) -> Verdict {
        let list = || argument.as_array().map(Vec::as_slice).unwrap_or_default();
        let shape = value.shape();
        match (key, &shape) {
            ("$schema" | "$comment" | "$defs" | "title" | "description" | "format" | "then" | "else", _) => Yes,
            ("default" | "examples" | "deprecated" | "readOnly" | "writeOnly", _) => Yes,
            ("type", _) => match argument {
                Value::String(name) => is_type(name, &shape),
                _ => list()
                    .iter()
                    .fold(No, |found, name| either(found, is_type(name.as_str().unwrap_or_default(), &shape))),
            },
            ("$ref", _) => match argument.as_str().and_then(|to| to.strip_prefix('#')) {
                Some(pointer) if !pointer.contains('%') => match self.root.pointer(pointer) {
                    Some(schema) => self.at(schema, value),
                    None => Unsure,
                },
                _ => Unsure,
            },
            ("allOf", _) => list().iter().fold(Yes, |found, schema| found.and(|| self.at(schema, value))),
            ("anyOf", _) => list().iter().fold(No, |found, schema| either(found, self.at(schema, value))),
            ("oneOf", _) => {
                let found: Vec<Verdict> = list().iter().map(|schema| self.at(schema, value)).collect();
                match found.iter().filter(|one| **one == Yes).count() {
                    _ if found.contains(&Unsure) => Unsure,
                    0 | 1 if found.contains(&Assumed) => Assumed,
                    count => (count == 1).into(),
                }
            }
            ("not", _) => self.at(argument, value).not(),
            ("if", _) => match self.at(argument, value) {
                Yes => keys.get("then").map_or(Yes, |schema| self.at(schema, value)),
                No => keys.get("else").map_or(Yes, |schema| self.at(schema, value)),
                other => other,
            },
            // Everything but its type is left open.
            (_, Shape::Open(_)) => Assumed,
            ("enum", _) => list().iter().fold(No, |found, option| either(found, equals(option, &shape))),
            ("const", _) => equals(argument, &shape),
            ("minLength" | "maxLength", Shape::Text(text)) => counted(key, argument, text.chars().count()),
            ("minItems" | "maxItems", Shape::List(items)) => counted(key, argument, items.len()),
            ("minProperties" | "maxProperties", Shape::Object) => counted(key, argument, value.entries().count()),
            ("pattern", Shape::Text(text)) => pattern(argument.as_str().unwrap_or_default(), text),
            (
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum",
                Shape::Integer(_) | Shape::Float(_) | Shape::Number,
            ) => compared(key, argument, &shape),
            ("required", Shape::Object) => {
                list().iter().all(|name| name.as_str().is_some_and(|name| has(value, name))).into()
            }
            ("dependentRequired", Shape::Object) => argument
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| has(value, name))
                .flat_map(|(_, names)| names.as_array().into_iter().flatten())
                .all(|name| name.as_str().is_some_and(|name| has(value, name)))
                .into(),
            ("properties", Shape::Object) => value
                .entries()
                .filter_map(|(name, value)| Some((argument.get(name)?, value)))
                .fold(Yes, |found, (schema, value)| found.and(|| self.at(schema, value))),
            ("additionalProperties", Shape::Object) => {
                let known = keys.get("properties").and_then(Value::as_object);
                let others = value.entries().filter(|(name, _)| !known.is_some_and(|known| known.contains_key(*name)));
                others.fold(Yes, |found, (_, value)| found.and(|| self.at(argument, value)))
            }
            ("items", Shape::List(items)) => {
                items.iter().fold(Yes, |found, item| found.and(|| self.at(argument, item)))
            }
            // Keywords that say nothing of a value of this type.
            (
                "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "pattern",
                _,
            )
            | ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "required" | "dependentRequired", _)
            | ("properties" | "additionalProperties" | "items", _) => Yes,
            _ => Unsure,
        }
    }
}

fn either(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (Yes, _) | (_, Yes) => Yes,
        (Assumed, _) | (_, Assumed) => Assumed,
        (Unsure, _) | (_, Unsure) => Unsure,
        (No, No) => No,
    }
}

fn has<I: Instance>(value: &I, name: &str) -> bool {
    value.entries().any(|(key, _)| key == name)
}

fn is_type<I>(name: &str, shape: &Shape<'_, I>) -> Verdict {
    let kind = match shape {
        Shape::Open(None | Some(OutputKind::Any)) => return Assumed,
        Shape::Open(Some(OutputKind::Number)) if name == "integer" => return Assumed,
        Shape::Number => return Unsure,
        Shape::Float(value) => return (name == "number" || (name == "integer" && value.fract() == 0.0)).into(),
        Shape::Integer(_) => return (name == "number" || name == "integer").into(),
        Shape::Null => "null",
        Shape::Bool(_) | Shape::Open(Some(OutputKind::Bool)) => "boolean",
        Shape::Text(_) | Shape::Open(Some(OutputKind::String)) => "string",
        Shape::List(_) | Shape::Open(Some(OutputKind::List)) => "array",
        Shape::Object | Shape::Open(Some(OutputKind::Object)) => "object",
        Shape::Open(Some(OutputKind::Number)) => "number",
    };
    (name == kind).into()
}

fn equals<I>(option: &Value, shape: &Shape<'_, I>) -> Verdict {
    match (option, shape) {
        (Value::Null, Shape::Null) => Yes,
        (Value::Bool(a), Shape::Bool(b)) => (a == b).into(),
        (Value::String(a), Shape::Text(b)) => (a == b).into(),
        (Value::Number(a), Shape::Integer(b)) if a.is_i64() => (a.as_i64() == Some(*b)).into(),
        (Value::Number(_), Shape::Integer(_) | Shape::Float(_) | Shape::Number) => Unsure,
        (Value::Array(_), Shape::List(_)) | (Value::Object(_), Shape::Object) => Unsure,
        _ => No,
    }
}

fn counted(key: &str, bound: &Value, count: usize) -> Verdict {
    let Some(bound) = bound.as_u64() else { return Unsure };
    if key.starts_with("min") { (count as u64 >= bound).into() } else { (count as u64 <= bound).into() }
}

fn compared<I>(key: &str, bound: &Value, shape: &Shape<'_, I>) -> Verdict {
    // Whole numbers compare exactly; others are left to the validator.
    let (Some(bound), Shape::Integer(value)) = (bound.as_i64(), shape) else { return Unsure };
    let good = match key {
        "minimum" => *value >= bound,
        "maximum" => *value <= bound,
        "exclusiveMinimum" => *value > bound,
        _ => *value < bound,
    };
    good.into()
}

/// `^text`, the commonest pattern of all.
fn pattern(pattern: &str, text: &str) -> Verdict {
    match pattern.strip_prefix('^') {
        Some(start) if start.bytes().all(|c| c.is_ascii_alphanumeric() || b"/_-:@ ".contains(&c)) => {
            text.starts_with(start).into()
        }
        _ => Unsure,
    }
}

#[cfg(test)]
mod tests;
