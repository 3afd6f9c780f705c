//! Values that may be secret: a plugin passes a secret's name on, and never holds the secret itself.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use crate::bindings::windlass::value::value::{NamedValue, Pair, Value};

impl Value {
    /// The text, unless it is a secret.
    pub fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Secret(_) => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl NamedValue {
    /// A name with a value.
    pub fn new(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Pair {
    /// A name with plain text.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A map of `with`, as `env = { LEVEL = "debug", TOKEN = { secret = "token" } }`, in the form of the contract.
pub fn named<N: Into<String>, V: Into<Value>>(map: impl IntoIterator<Item = (N, V)>) -> Vec<NamedValue> {
    map.into_iter().map(|(name, value)| NamedValue::new(name, value)).collect()
}

/// A map of `with`, as `labels = { team = "web" }`, in the form of the contract.
pub fn pairs<N: Into<String>, V: Into<String>>(map: impl IntoIterator<Item = (N, V)>) -> Vec<Pair> {
    map.into_iter().map(|(name, value)| Pair::new(name, value)).collect()
}

/// In `with`, text stands for itself and `{ secret = "name" }` for a secret.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, or `{ secret = \"name\" }`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Plain(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut secret = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "secret" => secret = Some(map.next_value()?),
                        _ => return Err(de::Error::unknown_field(&key, &["secret"])),
                    }
                }
                secret.map(Value::Secret).ok_or_else(|| de::Error::missing_field("secret"))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => serializer.serialize_str(text),
            Self::Secret(name) => serializer.collect_map([("secret", name)]),
        }
    }
}

impl JsonSchema for Value {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // One schema rather than a choice of two: what is wrong with a table is then said of the table. The
        // keywords for objects do not concern strings.
        let mut schema = Schema::try_from(secret_schema()).unwrap_or_default();
        schema.insert("type".to_owned(), serde_json::json!(["string", "object"]));
        schema
    }
}

/// The schema of `{ secret = "name" }`.
pub(crate) fn secret_schema() -> serde_json::Value {
    serde_json::json!({
        "type": "object",
        "properties": {
            "secret": { "type": "string", "minLength": 1, "description": "The name of a secret in `[secrets]`; `grants.secrets` has to list it." }
        },
        "required": ["secret"],
        "additionalProperties": false
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn text_and_secrets() {
        let map: BTreeMap<String, Value> = serde_json::from_str(r#"{"A":"x","B":{"secret":"token"}}"#).unwrap();
        assert_eq!(named(map), [NamedValue::new("A", "x"), NamedValue::new("B", Value::Secret("token".to_owned()))]);
        for bad in ["1", "{}", r#"{"secret":"a","more":1}"#, r#"{"secrets":"a"}"#] {
            assert!(serde_json::from_str::<Value>(bad).is_err(), "{bad}");
        }
    }
}
