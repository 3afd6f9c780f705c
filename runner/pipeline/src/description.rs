//! Plugins as the planner sees them: where they come from, and what they say about themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::grants::vocabulary;
use crate::suggest::hidden;

/// The plugins that are part of Windlass, without their `builtin:`. Only for suggestions ("`image` is built in; write
/// `builtin:image`"): whether a plugin exists is decided by the descriptions that the planner is given.
pub const BUILTINS: &[&str] = &["command", "deploy", "http-check", "image", "service", "stack"];

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum PluginSource {
    /// Part of Windlass, by its name.
    Builtin(String),
    /// A component file, relative to the pipeline's folder unless absolute.
    Path(String),
    /// A component in a registry, by its reference without `oci:`.
    Oci(String),
}

impl fmt::Display for PluginSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "builtin:{name}"),
            Self::Path(path) => f.write_str(path),
            Self::Oci(reference) => write!(f, "oci:{reference}"),
        }
    }
}

impl From<PluginSource> for String {
    fn from(source: PluginSource) -> Self {
        source.to_string()
    }
}

impl From<String> for PluginSource {
    fn from(text: String) -> Self {
        match text.split_once(':') {
            Some(("builtin", name)) => Self::Builtin(name.to_owned()),
            Some(("oci", reference)) => Self::Oci(reference.to_owned()),
            _ => Self::Path(text),
        }
    }
}

impl FromStr for PluginSource {
    type Err = std::convert::Infallible;

    /// Reads what `Display` writes: anything that is neither `builtin:` nor `oci:` is a path.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.to_owned().into())
    }
}

/// How many bytes a name in a description can have: one that fills lines could be read as something else.
const MAX_NAME: usize = 100;

/// What a plugin says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Description {
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// What it does, in Markdown.
    pub documentation: String,
    /// The JSON Schema of `with`.
    pub with_schema: serde_json::Value,
    /// The capabilities that it requires or can use.
    pub capabilities: Vec<CapabilityUse>,
    /// The values that it hands to later steps.
    pub outputs: Vec<OutputSpec>,
}

impl Description {
    /// The output of this name.
    pub fn output(&self, name: &str) -> Option<&OutputSpec> {
        let named = self.outputs.iter().find(|output| output.name == name);
        named.or_else(|| self.outputs.iter().find(|output| output.is_any_name()))
    }

    /// How the plugin uses this capability, if at all.
    pub fn capability(&self, name: &str) -> Option<&CapabilityUse> {
        self.capabilities.iter().find(|used| used.capability == name)
    }

    /// The capabilities that the plugin asks for and this version of Windlass does not have.
    pub fn unknown_capabilities(&self) -> impl Iterator<Item = &CapabilityUse> {
        self.capabilities.iter().filter(|used| {
            let name = used.capability.as_str();
            !vocabulary::AMBIENT.contains(&name) && vocabulary::capabilities().all(|known| known != name)
        })
    }

    /// The schema of `with` for people, in several lines. A string in it cannot move a terminal's cursor or turn its text.
    pub fn schema_text(&self) -> String {
        let text = serde_json::to_string_pretty(&self.with_schema).unwrap_or_default();
        if !text.contains(|character| character != '\n' && hidden(character)) {
            return text;
        }
        let mut shown = String::with_capacity(text.len());
        for character in text.chars() {
            if character == '\n' || !hidden(character) {
                shown.push(character);
            } else {
                // As JSON writes it: two units for what one cannot hold.
                for unit in character.encode_utf16(&mut [0; 2]) {
                    shown.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        shown
    }

    /// The description as it may be shown to people, who decide by it what to grant: no text of it can pass for
    /// something that Windlass itself says.
    ///
    /// # Errors
    ///
    /// If a name would be read as something else than it is.
    pub fn vetted(mut self) -> Result<Self, String> {
        if self.name.trim().is_empty() {
            return Err("it gives no name".to_owned());
        }
        let capabilities = self.capabilities.iter().map(|used| ("capability", &used.capability));
        let outputs = self.outputs.iter().map(|output| ("output", &output.name));
        let names = [("name", &self.name), ("version", &self.version)].into_iter().chain(capabilities).chain(outputs);
        for (what, name) in names {
            if name.chars().any(hidden) {
                return Err(format!("its {what} {name:?} has characters that cannot be seen, or that move others"));
            }
            if name.len() > MAX_NAME {
                return Err(format!("its {what} has {} bytes, and {MAX_NAME} are the most", name.len()));
            }
        }
        for used in &mut self.capabilities {
            used.reason = line(&used.reason);
        }
        for output in &mut self.outputs {
            output.documentation = line(&output.documentation);
        }
        self.documentation.retain(|character| matches!(character, '\n' | '\t') || !hidden(character));
        Ok(self)
    }
}

/// A text in one line.
fn line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || hidden(c)).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// One capability that a plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CapabilityUse {
    /// Its name, as in `grants`.
    pub capability: String,
    /// Without a grant the plugin cannot work, so a plan without one is refused.
    pub required: bool,
    /// What for, in words for the person who grants it.
    pub reason: String,
}

/// One value that a plugin hands to later steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OutputSpec {
    /// Its name in `${stages.S.steps.T.outputs.NAME}`.
    pub name: String,
    /// Its type.
    pub kind: OutputKind,
    /// What it is.
    pub documentation: String,
}

impl OutputSpec {
    /// The name of an output, of [`OutputKind::Any`], that stands for every other one.
    pub const ANY_NAME: &str = "*";

    fn is_any_name(&self) -> bool {
        self.kind == OutputKind::Any && self.name == Self::ANY_NAME
    }
}

/// The type of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// Text.
    String,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A list of values.
    List,
    /// Values by name.
    Object,
    /// Whatever it turns out to be. No plugin can say this; of a program that knows nothing of Windlass, the host does.
    Any,
}

impl OutputKind {
    /// The word in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::List => "list",
            Self::Object => "object",
            Self::Any => "any",
        }
    }

    /// Whether a value is of this type.
    pub fn admits(self, value: &serde_json::Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Bool => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Any => true,
        }
    }
}

impl fmt::Display for OutputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The descriptions of a pipeline's plugins, which the caller loads before planning.
pub type Descriptions = BTreeMap<PluginSource, Arc<Description>>;

/// What the planner may know about the world. All of it is data: planning the same pipeline with the same facts gives
/// the same plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// The run's id, `${run.id}`.
    pub run_id: String,
    /// The environment variables that the pipeline asks for (see [`crate::Pipeline::env_names`]), `${env.NAME}`.
    pub env: BTreeMap<String, String>,
    /// `sha`, `short`, `branch`, `tag` and `dirty` ("true" or "false"), as far as they are known, `${git.short}`.
    pub git: BTreeMap<String, String>,
    /// The absolute path of the pipeline's folder, `${run.workspace}`.
    pub workspace: String,
    /// The environment of the stages that name none, if one was asked for.
    pub environment: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(name: &str, version: &str, capability: &str, reason: &str) -> Description {
        Description {
            name: name.to_owned(),
            version: version.to_owned(),
            documentation: "One.\n\tTwo\u{1b}[2J\u{202e}.".to_owned(),
            with_schema: serde_json::json!({}),
            capabilities: vec![CapabilityUse {
                capability: capability.to_owned(),
                required: true,
                reason: reason.to_owned(),
            }],
            outputs: Vec::new(),
        }
    }

    #[test]
    fn no_text_passes_for_something_that_windlass_says() {
        let vetted = description("shop", "1.0", "http", "to ask\n\ngood:\u{1b}[1m fine \u{202e}").vetted().unwrap();
        assert_eq!(vetted.capabilities[0].reason, "to ask good: [1m fine");
        assert_eq!(vetted.documentation, "One.\n\tTwo[2J.");
        for (name, version, capability, part) in [
            ("trusted\ngood: verified", "1", "http", r#"its name "trusted\ngood: verified" has"#),
            ("shop", "1\r2", "http", "its version"),
            ("shop", "1", "ht\u{200b}tp", "its capability"),
            (" ", "1", "http", "it gives no name"),
            (&"a".repeat(101), "1", "http", "its name has 101 bytes"),
        ] {
            let problem = description(name, version, capability, "").vetted().unwrap_err();
            assert!(problem.starts_with(part), "{problem}");
        }
        let mut odd = description("shop", "", "http", "");
        odd.outputs.push(OutputSpec { name: "o\nut".into(), kind: OutputKind::String, documentation: String::new() });
        assert!(odd.vetted().unwrap_err().starts_with("its output"));
    }

    #[test]
    fn a_schema_is_shown_as_the_json_that_it_is() {
        let mut odd = description("shop", "1", "http", "");
        odd.with_schema = serde_json::json!({ "description": "a\u{9b}2J \u{202e} \u{e0041} \u{e9}" });
        let text = odd.schema_text();
        assert!(text.contains(r"a\u009b2J \u202e \udb40\udc41 é"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), odd.with_schema);
    }

    #[test]
    fn capabilities_of_another_version_are_found() {
        let unknown = |name| description("shop", "1", name, "").unknown_capabilities().count();
        assert_eq!((unknown("http"), unknown("timer"), unknown("teleport")), (0, 0, 1));
    }
}
