//! A secret, and nothing but a secret.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::Value;

/// A secret by its name, written as `{ secret = "name" }`. Plain text is refused: the type for what should
/// never stand in a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The name of a secret in `[secrets]`.
    #[serde(rename = "secret")]
    pub name: String,
}

impl From<Secret> for Value {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret.name)
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::try_from(crate::value::secret_schema()).unwrap_or_default()
    }
}
