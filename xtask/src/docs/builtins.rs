//! The reference of the first-party plugins, from what `windlass plugin inspect` says of each.

use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::ui;
use serde_json::Value as Json;
use std::fmt::Write as _;
use std::fs;

const FILE: &str = "docs/reference/plugins.md";

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask reference` from what the plugins say of themselves. Do not edit. -->

# The built-in plugins

They are in `windlass` itself: `uses = \"builtin:NAME\"`. `windlass plugin inspect NAME` shows the same, with the whole JSON
Schema of `with`. Keys in bold have to be there; `a.b` is the key `b` in the table `a`, `a[]` an entry of the list `a`, and
`a.*` any key of `a`.
";

/// Holds the file against the plugins; with `bless` it is written.
pub(crate) fn check(context: &Context, bless: bool) -> Result<()> {
    let text = write(context)?;
    let file = context.root.join(FILE);
    if fs::read_to_string(&file).is_ok_and(|present| present == text) {
        return Ok(());
    }
    if !bless {
        return Err(Failure::new(format!("{FILE} is not what the plugins say: run `cargo xtask reference`")));
    }
    let folder = file.parent().unwrap_or(&context.root);
    fs::create_dir_all(folder).and_then(|()| fs::write(&file, text)).doing(|| format!("write {FILE}"))?;
    ui::note(&format!("{FILE} is written anew"));
    Ok(())
}

fn write(context: &Context) -> Result<String> {
    let program = context.target.join("debug/windlass");
    let mut text = INTRODUCTION.to_owned();
    for name in names(context)? {
        let answer = Cmd::new(&program).args(["plugin", "inspect", "--format", "json"]).arg(format!("builtin:{name}"));
        let answer: Json = serde_json::from_str(&answer.output()?).doing(|| format!("read what {name} says"))?;
        tell(&mut text, &answer["description"]);
    }
    Ok(text)
}

/// Those that have cases of their own; the others are libraries.
fn names(context: &Context) -> Result<Vec<String>> {
    let plugins = context.root.join("plugins");
    let listing = || format!("list {}", plugins.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&plugins).doing(listing)? {
        let entry = entry.doing(listing)?;
        if entry.path().join("cases").is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn tell(text: &mut String, plugin: &Json) {
    let word = |of: &Json, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    // Links in it begin at the plugin's own folder, and its headlines at the top.
    let documentation = word(plugin, "documentation").replace("](../../docs/", "](../").replace("\n## ", "\n### ");
    let _ = writeln!(text, "\n## {}\n\n{}\n", word(plugin, "name"), documentation.trim_end());
    for used in plugin["capabilities"].as_array().into_iter().flatten() {
        let how = if used["required"] == true { "Requires" } else { "Can use" };
        let _ = writeln!(text, "- {how} `{}` {}.", word(used, "capability"), word(used, "reason"));
    }
    let _ = writeln!(text, "\n| `with` | type | default | |\n| --- | --- | --- | --- |");
    keys(text, "", &plugin["with-schema"]);
    let _ = writeln!(text, "\n| output | type | |\n| --- | --- | --- |");
    for output in plugin["outputs"].as_array().into_iter().flatten() {
        let (name, kind) = (word(output, "name"), word(output, "kind"));
        let _ = writeln!(text, "| `{name}` | {kind} | {} |", cell(&word(output, "documentation")));
    }
}

/// A row for each key of the schema, and for those of the tables in it.
fn keys(text: &mut String, above: &str, schema: &Json) {
    let required = schema["required"].as_array();
    for (name, of) in schema["properties"].as_object().into_iter().flatten() {
        let key = format!("{above}{name}");
        let is_required = required.is_some_and(|names| names.iter().any(|one| one == name));
        row(text, &key, is_required, of);
    }
    let any = &schema["additionalProperties"];
    if any.get("properties").is_some() {
        keys(text, &format!("{above}*."), any);
    }
}

fn row(text: &mut String, key: &str, is_required: bool, of: &Json) {
    let shown = if is_required { format!("**`{key}`**") } else { format!("`{key}`") };
    let default = of.get("default").filter(|default| !default.is_null());
    let default = default.map(|default| format!("`{default}`")).unwrap_or_default();
    let docs = of["description"].as_str().unwrap_or_default();
    let _ = writeln!(text, "| {shown} | {} | {default} | {} |", kind(of), cell(docs));
    for form in forms(of) {
        keys(text, &format!("{key}."), form);
        keys(text, &format!("{key}[]."), &form["items"]);
        for item in forms(&form["items"]).into_iter().filter(|item| *item != &form["items"]) {
            keys(text, &format!("{key}[]."), item);
        }
    }
}

/// The forms that a value may have; it alone if it has one.
fn forms(of: &Json) -> Vec<&Json> {
    let several = of["oneOf"].as_array().or_else(|| of["anyOf"].as_array());
    several.map_or_else(|| vec![of], |forms| forms.iter().collect())
}

/// The type in words.
fn kind(of: &Json) -> String {
    if let Some(values) = of["enum"].as_array() {
        return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(value) = of.get("const") {
        return format!("`{value}`");
    }
    let forms = forms(of);
    if forms.len() > 1 {
        let mut kinds: Vec<String> = forms.into_iter().map(kind).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    let types = match &of["type"] {
        Json::String(one) => vec![one.as_str()],
        Json::Array(several) => several.iter().filter_map(Json::as_str).collect(),
        _ => return "anything".to_owned(),
    };
    let types = types.into_iter().filter(|one| *one != "null").map(|one| match one {
        "array" if of["items"].is_object() => format!("list of {}", kind(&of["items"])),
        "array" => "list".to_owned(),
        "object" if of["additionalProperties"].is_object() => format!("table of {}", kind(&of["additionalProperties"])),
        "object" => "table".to_owned(),
        other => other.to_owned(),
    });
    types.collect::<Vec<_>>().join(" or ")
}

/// Text for a cell of a table: one line, whose lists go on in it.
fn cell(docs: &str) -> String {
    let lines: Vec<&str> = docs.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ").replace(" - `", "<br>`").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_key_has_its_row() {
        let schema = json!({
            "required": ["a"],
            "properties": {
                "a": { "type": ["string", "null"], "description": "One\nof | two.\n- `x`: ex" },
                "b": { "type": "array", "items": { "oneOf": [
                    { "type": "string" },
                    { "type": "object", "properties": { "c": { "type": "integer", "default": 3 } } },
                ] } },
                "d": { "type": "object", "additionalProperties": { "enum": ["x", "y"] } },
            },
        });
        let mut text = String::new();
        keys(&mut text, "", &schema);
        let rows = "| **`a`** | string |  | One of \\| two.<br>`x`: ex |\n| `b` | list of string or table |  |  |\n\
                    | `b[].c` | integer | `3` |  |\n| `d` | table of `\"x\"`, `\"y\"` |  |  |\n";
        assert_eq!(text, rows);
    }
}
