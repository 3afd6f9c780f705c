//! Writes TOML: for pipelines that are in no file.

use serde_json::Value as Json;

/// A key, in quotes where it needs them.
pub(crate) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    if bare { name.to_owned() } else { quoted(name) }
}

/// A text that stands for itself: `${` in it is no reference.
pub(crate) fn string(text: &str) -> String {
    quoted(&text.replace("${", "$${"))
}

/// A basic string of TOML. The escapes of JSON are among those of TOML, which wants one more.
fn quoted(text: &str) -> String {
    Json::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A value in one line. What TOML has no word for was nothing in the recorded file, either.
pub(crate) fn value(of: &Json) -> String {
    match of {
        Json::String(text) => string(text),
        Json::Array(items) => {
            let said = items.iter().filter(|of| !of.is_null()).map(value);
            format!("[{}]", said.collect::<Vec<_>>().join(", "))
        }
        Json::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Json::Object(fields) => {
            let fields = fields.iter().filter(|(_, of)| !of.is_null());
            let said = fields.map(|(name, of)| format!("{} = {}", key(name), value(of)));
            format!("{{ {} }}", said.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_stand_in_one_line() {
        let of = json!({ "a b": [1, null, "x"], "c": { "d": "${git.sha}" }, "e": {}, "f": null, "g": 1.5 });
        assert_eq!(value(&of), r#"{ "a b" = [1, "x"], c = { d = "$${git.sha}" }, e = {}, g = 1.5 }"#);
        assert_eq!(key("a-b_1"), "a-b_1");
    }
}
