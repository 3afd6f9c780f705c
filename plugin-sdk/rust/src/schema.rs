//! JSON Schemas as Windlass wants them: flat, and without what TOML cannot say.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value as Json};

/// The schema of a type, draft 2020-12.
pub(crate) fn of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // The name of a Rust type means nothing to the person who writes a pipeline.
    schema.remove("title");
    Tidy.transform(&mut schema);
    schema
}

/// Takes away what `Option` and integers bring along: TOML has no null, and formats as `uint16` are no
/// formats of JSON Schema. Makes one list of a choice of constants, so that an error can name the nearest.
struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        if let Some(Json::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        if let Some(Json::Array(choices)) = object.get_mut("enum") {
            choices.retain(|choice| !choice.is_null());
        }
        constants(object);
        if object.get("default").is_some_and(Json::is_null) {
            object.remove("default");
        }
        if object.get("format").and_then(Json::as_str).is_some_and(|format| NUMBERS.contains(&format)) {
            object.remove("format");
        }
        if let Some(Json::Array(choices)) = object.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            if choices.len() == 1 {
                let only = choices.pop();
                object.remove("anyOf");
                if let Some(Json::Object(only)) = only {
                    merge(object, only);
                }
            }
        }
    }
}

/// What stands beside the choice, as the description of the field, goes first. Only what constants mean is added.
fn merge(object: &mut Map<String, Json>, only: Map<String, Json>) {
    let constants = only.contains_key("enum");
    for (key, value) in only {
        match (object.get_mut(&key), &value) {
            (Some(Json::String(text)), Json::String(more)) if constants && key == "description" => {
                text.push('\n');
                text.push_str(more);
            }
            (Some(_), _) => {}
            (None, _) => {
                object.insert(key, value);
            }
        }
    }
}

/// `oneOf` with a described constant each becomes an `enum`; what each means goes to the description.
fn constants(object: &mut Map<String, Json>) {
    let Some(Json::Array(choices)) = object.get("oneOf") else { return };
    let Some(names) = choices.iter().map(|choice| choice.get("const")?.as_str()).collect::<Option<Vec<_>>>() else {
        return;
    };
    let mut description = object.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
    for (name, choice) in names.iter().zip(choices) {
        if let Some(text) = choice.get("description").and_then(Json::as_str) {
            description.push_str(if description.is_empty() { "" } else { "\n" });
            description.push_str(&format!("- `{name}`: {text}"));
        }
    }
    let names: Vec<Json> = names.into_iter().map(Json::from).collect();
    object.remove("oneOf");
    object.insert("type".to_owned(), "string".into());
    object.insert("enum".to_owned(), names.into());
    if !description.is_empty() {
        object.insert("description".to_owned(), description.into());
    }
}

const NUMBERS: &[&str] =
    &["int8", "int16", "int32", "int64", "int", "uint8", "uint16", "uint32", "uint64", "uint", "float", "double"];
