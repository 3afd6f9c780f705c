//! The typed form of every call and answer, as the journal holds them: JSON with WIT's own names.
//!
//! The sandbox turns WIT values into this form and back; capabilities read it with these types.

pub mod approval;
pub mod artifacts;
pub mod docker;
pub mod files;
pub mod health;
pub mod http;
pub mod metrics;
pub mod process;
pub mod query;
pub mod timer;
pub mod traffic;

pub mod base64_bytes;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Function;

/// A call with the answer that belongs to it.
pub trait Operation: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its row in the table.
    const FUNCTION: Function;
    /// What comes back when it goes well.
    type Answer: Serialize + DeserializeOwned + Send + 'static;
}

/// Text that may be secret: the name stands for it until the effect happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// The text itself.
    Plain(String),
    /// The name of a secret.
    Secret(String),
}

/// A name with a value that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedValue {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// A name with plain text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The name.
    pub name: String,
    /// The text.
    pub value: String,
}

/// An answer without content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nothing;

impl Serialize for Nothing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Self)
    }
}

macro_rules! record {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
    )*};
}

macro_rules! choice {
    ($($(#[$meta:meta])* $name:ident { $($(#[$case_meta:meta])* $case:ident $(($type:ty))?,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$case_meta])* $case $(($type))?,)* }
    )*};
}

macro_rules! operation {
    ($($args:ty => $function:ident -> $answer:ty;)*) => {$(
        impl $crate::api::Operation for $args {
            const FUNCTION: $crate::Function = $crate::Function::$function;
            type Answer = $answer;
        }
    )*};
}
use {choice, operation, record};
