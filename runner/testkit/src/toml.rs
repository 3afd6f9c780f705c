//! Values as TOML that people like to read: short tables in braces, long ones with a header.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

/// What is longer than this does not stand on one line.
const WIDTH: usize = 90;

/// A table with its header, in this order. Nulls are left out: TOML has none.
pub(crate) fn table<'j>(out: &mut String, header: &str, entries: impl IntoIterator<Item = (&'j str, &'j Json)>) {
    let entries: Vec<(&str, &Json)> = entries.into_iter().filter(|(_, value)| !value.is_null()).collect();
    // A table of tables alone needs no header of its own, unless it is one of a list.
    let bare = header.starts_with("[[") || entries.iter().any(|(_, value)| !is_long_table(value));
    if bare || entries.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = writeln!(out, "{header}");
    }
    beneath(out, header.trim_matches(['[', ']']), entries);
}

fn beneath<'j>(out: &mut String, path: &str, entries: impl IntoIterator<Item = (&'j str, &'j Json)>) {
    let mut later = Vec::new();
    for (name, value) in entries.into_iter().filter(|(_, value)| !value.is_null()) {
        match value {
            Json::Object(deeper) if is_long_table(value) => later.push((name, deeper)),
            Json::Array(items) if inline(value).len() > WIDTH => {
                let items: String = items.iter().map(|item| format!("    {},\n", inline(item))).collect();
                let _ = writeln!(out, "{} = [\n{items}]", key(name));
            }
            Json::String(text) if text.trim_end().contains('\n') => {
                let _ = writeln!(out, "{} = \"\"\"\n{}\"\"\"", key(name), block(text));
            }
            value => {
                let _ = writeln!(out, "{} = {}", key(name), inline(value));
            }
        }
    }
    for (name, deeper) in later {
        table(out, &format!("[{path}.{}]", key(name)), borrowed(deeper));
    }
}

fn is_long_table(value: &Json) -> bool {
    value.as_object().is_some_and(|entries| !entries.is_empty()) && inline(value).len() > WIDTH
}

/// The entries as they are written.
pub(crate) fn borrowed(entries: &Map<String, Json>) -> impl Iterator<Item = (&str, &Json)> {
    entries.iter().map(|(name, value)| (name.as_str(), value))
}

/// A value on one line.
pub(crate) fn inline(value: &Json) -> String {
    match value {
        Json::Object(entries) => {
            let full = entries.iter().filter(|(_, value)| !value.is_null());
            let entries: Vec<String> = full.map(|(name, value)| format!("{} = {}", key(name), inline(value))).collect();
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
        }
        Json::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        // JSON's escapes are TOML's, too; but TOML also wants this one escaped.
        Json::String(_) => value.to_string().replace('\u{7f}', "\\u007f"),
        other => other.to_string(),
    }
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    if bare { name.to_owned() } else { inline(&name.into()) }
}

/// Text of several lines between `"""`.
fn block(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let quoted = inline(&line.into());
        quoted[1..quoted.len() - 1].to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use windlass_pipeline::{Document, Problems, Source};

    use super::*;

    fn read(text: &str) -> Json {
        let mut problems = Problems::default();
        let source = Source { name: "x".to_owned(), text: text.to_owned() };
        let document = Document::read(source.clone(), &mut problems);
        assert!(!problems.any(), "{}\n{text}", problems.finish(&source));
        document.root().json()
    }

    #[test]
    fn long_tables_get_a_header_and_short_ones_braces() {
        let long = "x".repeat(WIDTH);
        let value = json!({ "a": { "b": 1 }, "c": { "d": { "e": long }, "f": true }, "none": null });
        let mut text = String::new();
        table(&mut text, "[top]", borrowed(value.as_object().unwrap()));
        assert_eq!(text, format!("[top]\na = {{ b = 1 }}\n\n[top.c]\nf = true\n\n[top.c.d]\ne = \"{long}\"\n"));
    }

    fn values() -> impl Strategy<Value = Json> {
        let text = prop_oneof!["[ -~\n\t\u{7f}é\\\\\"]{0,12}", Just("a\\nb\nc\"\"\"".to_owned()), "[a-z]{95}"];
        let leaf = prop_oneof![
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            text.prop_map(Json::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                proptest::collection::btree_map("[a-z .\"]{1,6}", inner, 0..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in proptest::collection::btree_map("[a-z -]{1,5}", values(), 0..5)) {
            let value: Map<String, Json> = value.into_iter().collect();
            let mut text = String::new();
            table(&mut text, "[top]", borrowed(&value));
            prop_assert_eq!(&read(&text)["top"], &Json::Object(value), "{}", text);
        }
    }
}
