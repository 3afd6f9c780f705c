//! A value as far as it is known before anything runs.

use serde_json::Value;

use super::{Node, Part, Template};

impl Template {
    /// The value with `${...}` where it has holes, and the JSON pointers (RFC 6901) of these places.
    pub fn sketch(&self) -> (Value, Vec<String>) {
        let mut unknown = Vec::new();
        let value = self.0.sketch(&mut String::new(), &mut unknown);
        (value, unknown)
    }
}

impl Node {
    fn sketch(&self, at: &mut String, unknown: &mut Vec<String>) -> Value {
        let mut within = |key: &str, value: &Self| {
            let length = at.len();
            at.push('/');
            at.push_str(&key.replace('~', "~0").replace('/', "~1"));
            let value = value.sketch(at, unknown);
            at.truncate(length);
            value
        };
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Integer(value) => Value::from(*value),
            Self::Float(value) => Value::from(*value),
            Self::Text(text) => Value::String(text.to_string()),
            Self::Hole(hole) => {
                unknown.push(at.clone());
                Value::String(format!("${{{hole}}}"))
            }
            Self::Mixed(parts) => {
                unknown.push(at.clone());
                let piece = |part: &Part| match part {
                    Part::Text(piece) => piece.to_string(),
                    Part::Hole(hole) => format!("${{{hole}}}"),
                };
                Value::String(parts.iter().map(piece).collect())
            }
            Self::List(items) => {
                Value::Array(items.iter().enumerate().map(|(at, item)| within(&at.to_string(), item)).collect())
            }
            Self::Object(entries) => {
                Value::Object(entries.iter().map(|(key, value)| (key.to_string(), within(key, value))).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use crate::description::OutputKind;
    use crate::template::{OutputRef, Part};

    use super::*;

    #[test]
    fn holes_stand_as_written_and_their_places_are_told() {
        let hole = OutputRef {
            stage: "s".into(),
            step: "t".into(),
            index: 0,
            output: "o".into(),
            kind: OutputKind::Number,
            default: None,
        };
        let mixed = Node::Mixed(Box::new([Part::Text("v".into()), Part::Hole(hole.clone())]));
        let list = Node::List(Box::new([Node::Integer(1), Node::Hole(Box::new(hole))]));
        let all =
            Node::Object(Box::new([("a/b~".into(), mixed), ("list".into(), list), ("c".into(), Node::Bool(true))]));
        let (value, unknown) = Template(Arc::new(all)).sketch();
        let told = "${stages.s.steps.t.outputs.o}";
        assert_eq!(value, json!({ "a/b~": format!("v{told}"), "list": [1, told], "c": true }));
        assert_eq!(unknown, ["/a~1b~0", "/list/1"]);
    }
}
