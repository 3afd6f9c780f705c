//! What a plugin says of itself, made from its types.

use schemars::Schema;
use serde_json::Value as Json;

use crate::bindings::exports::windlass::step::step::{CapabilityUse, Description, OutputSpec, OutputType};
use crate::{Plugin, schema};

/// The description of a plugin under this name and version.
///
/// [`export!`](crate::export!) takes both from the Cargo package. In a test it shows what people will see.
pub fn describe<P: Plugin>(name: &str, version: &str) -> Description {
    let mut with = schema::of::<P::With>();
    let own = with.remove("description");
    let documentation = match P::DOCUMENTATION {
        "" => own.as_ref().and_then(Json::as_str).unwrap_or_default(),
        text => without_heading(text),
    };
    let uses = P::USES.iter().map(|used| CapabilityUse {
        name: used.capability.name().to_owned(),
        required: used.required,
        reason: used.reason.to_owned(),
    });
    Description {
        name: name.to_owned(),
        version: version.to_owned(),
        documentation: documentation.trim().to_owned(),
        with_schema: Json::from(with).to_string(),
        capabilities: uses.collect(),
        outputs: outputs(&schema::of::<P::Outputs>()),
    }
}

fn without_heading(text: &str) -> &str {
    let text = text.trim_start();
    match text.strip_prefix("# ").and_then(|rest| rest.split_once('\n')) {
        Some((_, rest)) => rest,
        None => text,
    }
}

fn outputs(schema: &Schema) -> Vec<OutputSpec> {
    let properties = schema.get("properties").and_then(Json::as_object);
    let each = properties.into_iter().flatten().map(|(name, schema)| OutputSpec {
        name: name.clone(),
        type_: type_of(schema),
        documentation: schema.get("description").and_then(Json::as_str).unwrap_or_default().to_owned(),
    });
    each.collect()
}

/// The type of an output. A choice of constants is of the type of the first.
fn type_of(schema: &Json) -> OutputType {
    let choices = ["oneOf", "anyOf", "enum"].iter().find_map(|key| schema.get(*key)).and_then(Json::as_array);
    match schema.get("type").and_then(Json::as_str) {
        Some("string") => OutputType::String,
        Some("number" | "integer") => OutputType::Number,
        Some("boolean") => OutputType::Bool,
        Some("array") => OutputType::List,
        Some(_) => OutputType::Object,
        None => match choices.and_then(|choices| choices.first()) {
            Some(Json::String(_)) => OutputType::String,
            Some(first) if first.get("const").is_some_and(Json::is_string) => OutputType::String,
            Some(first @ Json::Object(_)) => type_of(first),
            _ => OutputType::Object,
        },
    }
}

/// The properties of `with`, and the outputs, that have no documentation, as `with.health.port`. For a test
/// that holds a plugin to documenting itself:
///
/// ```
/// # use windlass_plugin::prelude::*;
/// # #[derive(Deserialize, JsonSchema)] struct With {}
/// # struct Greet;
/// # impl Plugin for Greet {
/// #     type With = With; type Outputs = ();
/// #     fn run(_: With, _: &Context) -> Result<(), Failure> { Ok(()) }
/// # }
/// assert_eq!(windlass_plugin::undocumented::<Greet>(), [""; 0]);
/// ```
pub fn undocumented<P: Plugin>() -> Vec<String> {
    let mut found = Vec::new();
    bare(schema::of::<P::With>().as_value(), "with", &mut found);
    bare(schema::of::<P::Outputs>().as_value(), "outputs", &mut found);
    found
}

fn bare(schema: &Json, path: &str, found: &mut Vec<String>) {
    for (name, property) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        let path = format!("{path}.{name}");
        bare(property, &path, found);
        if property.get("description").is_none_or(|text| text.as_str().is_none_or(str::is_empty)) {
            found.push(path);
        }
    }
    if let Some(items) = schema.get("items") {
        bare(items, path, found);
    }
    for choice in ["oneOf", "anyOf", "allOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten() {
        bare(choice, path, found);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::prelude::*;

    /// Greets somebody.
    ///
    /// In many words.
    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct With {
        /// Whom to greet.
        whom: Strings,
        /// How long to wait.
        #[serde(default)]
        wait_for: Option<Duration>,
        /// How loud.
        loudness: Option<Loudness>,
        /// On which port.
        port: Option<u16>,
        env: BTreeMap<String, Value>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Loudness {
        /// In a whisper.
        Low,
        /// As a shout.
        High,
    }

    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    struct Outputs {
        /// What was said.
        said: String,
        how_often: Option<u32>,
        loudness: Loudness,
        names: Vec<String>,
        by_name: BTreeMap<String, u8>,
        all: bool,
    }

    struct Greet;

    impl Plugin for Greet {
        type With = With;
        type Outputs = Outputs;
        const USES: &[Use] = &[Use::optional(Capability::Http, "to greet far away")];

        fn run(_: With, _: &Context) -> Result<Outputs, Failure> {
            bail!("not here")
        }
    }

    #[test]
    fn documentation_and_capabilities() {
        let description = describe::<Greet>("greet", "1.2.3");
        assert_eq!(description.documentation, "Greets somebody.\n\nIn many words.");
        assert_eq!((description.capabilities[0].name.as_str(), description.capabilities[0].required), ("http", false));
        assert_eq!(without_heading("# greet\n\nGreets.\n").trim(), "Greets.");
        assert_eq!(
            undocumented::<Greet>(),
            ["with.env", "outputs.all", "outputs.by-name", "outputs.how-often", "outputs.names"]
        );
    }

    #[test]
    fn outputs_have_the_types_of_their_fields() {
        let description = describe::<Greet>("greet", "1.2.3");
        let types: Vec<_> = description.outputs.iter().map(|output| (output.name.as_str(), output.type_)).collect();
        assert_eq!(
            types,
            [
                ("all", OutputType::Bool),
                ("by-name", OutputType::Object),
                ("how-often", OutputType::Number),
                ("loudness", OutputType::String),
                ("names", OutputType::List),
                ("said", OutputType::String),
            ]
        );
        assert!(outputs(&schema::of::<()>()).is_empty());
    }

    #[test]
    fn the_schema_says_what_toml_can_say() {
        let description = describe::<Greet>("greet", "1.2.3");
        let schema: Json = serde_json::from_str(&description.with_schema).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], serde_json::json!(["whom", "env"]));
        assert_eq!(
            schema["properties"]["port"],
            serde_json::json!({
                "description": "On which port.", "type": "integer", "minimum": 0, "maximum": 65535
            })
        );
        let loudness = "How loud.\n- `low`: In a whisper.\n- `high`: As a shout.";
        assert_eq!(
            schema["properties"]["loudness"],
            serde_json::json!({ "description": loudness, "type": "string", "enum": ["low", "high"] })
        );
        assert!(!description.with_schema.contains("null"), "{}", description.with_schema);
        assert!(!description.with_schema.contains("$ref"), "{}", description.with_schema);
    }
}
