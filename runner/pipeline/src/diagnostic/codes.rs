//! The classes of mistakes. A name stays what it is: editors, CI annotations and documentation refer to it.

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $constant:ident = $name:literal;)+) => {
        $($(#[doc = $doc])+ pub const $constant: &str = $name;)+

        /// Every code with its meaning, for documentation and `windlass schema`.
        pub const ALL: &[(&str, &str)] = &[$(($name, concat!($($doc),+))),+];
    };
}

codes! {
    /// The file has more bytes than are read.
    TOO_LARGE = "too-large";
    /// The file is not UTF-8.
    ENCODING = "encoding";
    /// The text is not TOML.
    SYNTAX = "syntax";
    /// Values are nested too deeply.
    TOO_DEEP = "too-deep";
    /// A key or table stands twice.
    DUPLICATE_KEY = "duplicate-key";
    /// A key that Windlass does not know.
    UNKNOWN_KEY = "unknown-key";
    /// A key that must be there is not.
    MISSING_KEY = "missing-key";
    /// A value of another type than the key takes.
    WRONG_TYPE = "wrong-type";
    /// A value of the right type that means nothing here.
    BAD_VALUE = "bad-value";
    /// A name with characters that names cannot have, or too long.
    BAD_NAME = "bad-name";
    /// Two things of the same name.
    DUPLICATE_NAME = "duplicate-name";
    /// No stages, no steps, or nothing in the file at all.
    EMPTY = "empty";
    /// `uses` names a plugin that is not there.
    UNKNOWN_PLUGIN = "unknown-plugin";
    /// A plugin's own description is not usable.
    BAD_PLUGIN = "bad-plugin";
    /// `needs` names a stage that is not there.
    UNKNOWN_STAGE = "unknown-stage";
    /// An environment is named that is not there.
    UNKNOWN_ENVIRONMENT = "unknown-environment";
    /// Stages need each other in a circle.
    CYCLE = "cycle";
    /// `${...}` that cannot be read.
    BAD_REFERENCE = "bad-reference";
    /// `${...}` names something that is not there.
    UNKNOWN_REFERENCE = "unknown-reference";
    /// `${stages...}` names a step that is not sure to have run before.
    NOT_UPSTREAM = "not-upstream";
    /// `${stages...}` names a step that may fail without failing the pipeline, and gives no default.
    MAY_BE_MISSING = "may-be-missing";
    /// An environment variable or git fact is not there, and no default is given.
    MISSING_FACT = "missing-fact";
    /// A value that does not fit the schema of the plugin.
    BAD_WITH = "bad-with";
    /// A grant that Windlass does not know or that is not safe.
    BAD_GRANT = "bad-grant";
    /// The plugin needs a capability that the step does not grant.
    MISSING_GRANT = "missing-grant";
    /// The step grants what its plugin never asks for (a warning).
    UNUSED_GRANT = "unused-grant";
    /// Two steps that may run at the same time could write the same folder.
    WRITE_CONFLICT = "write-conflict";
    /// The plan was asked for with another text than the pipeline was read from.
    OTHER_SOURCE = "other-source";
}
