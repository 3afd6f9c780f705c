//! JSON values as cases see them: nothing and null are the same, since TOML has no null.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

/// The value without nulls in its objects.
pub(crate) fn compact(value: Json) -> Json {
    match value {
        Json::Object(entries) => {
            let full = entries.into_iter().filter(|(_, value)| !value.is_null());
            Json::Object(full.map(|(key, value)| (key, compact(value))).collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(compact).collect()),
        other => other,
    }
}

/// Whether two values are the same, however their numbers are written.
pub(crate) fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| other.get(key).is_some_and(|it| same(value, it)))
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// The part of a value that another one speaks of. Lists of the same length are compared item by item.
pub(crate) fn part(value: &Json, of: &Json) -> Json {
    match (value, of) {
        (Json::Object(value), Json::Object(of)) => {
            let shared = of.iter().filter_map(|(key, of)| Some((key.clone(), part(value.get(key)?, of))));
            Json::Object(shared.collect())
        }
        (Json::Array(value), Json::Array(of)) if value.len() == of.len() => {
            Json::Array(value.iter().zip(of).map(|(value, of)| part(value, of)).collect())
        }
        _ => value.clone(),
    }
}

/// Where the first key stands that the other value does not have.
pub(crate) fn foreign(given: &Json, known: &Json, path: String) -> Option<String> {
    match (given, known) {
        (Json::Object(given), Json::Object(known)) => given.iter().find_map(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match known.get(key) {
                Some(known) => foreign(value, known, path),
                None => Some(path),
            }
        }),
        (Json::Array(given), Json::Array(known)) => given
            .iter()
            .zip(known)
            .enumerate()
            .find_map(|(at, (given, known))| foreign(given, known, format!("{path}[{at}]"))),
        _ => None,
    }
}

/// `{ text = "..." }` becomes the base64 in which the journal has bytes.
pub(crate) fn encoded(value: Json) -> Json {
    match value {
        Json::Object(entries) => match entries.get("text").and_then(Json::as_str) {
            Some(text) if entries.len() == 1 => STANDARD.encode(text).into(),
            _ => Json::Object(entries.into_iter().map(|(key, value)| (key, encoded(value))).collect()),
        },
        Json::Array(items) => Json::Array(items.into_iter().map(encoded).collect()),
        other => other,
    }
}

/// The other way: `body` and `content` become text, where they are text.
pub(crate) fn decoded(value: Json) -> Json {
    let Json::Object(entries) = value else { return value };
    let entries = entries.into_iter().map(|(key, value)| {
        let value = match value.as_str().filter(|_| key == "body" || key == "content").and_then(text_of) {
            Some(text) => text,
            None => decoded(value),
        };
        (key, value)
    });
    Json::Object(entries.collect())
}

/// Base64 of text as `{ text = "..." }`.
pub(crate) fn text_of(base64: &str) -> Option<Json> {
    let text = String::from_utf8(STANDARD.decode(base64).ok()?).ok()?;
    Some(Json::Object(Map::from_iter([("text".to_owned(), text.into())])))
}

/// For people: one key a line.
pub(crate) fn pretty(value: &Json) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_and_null_are_the_same() {
        let one = compact(json!({ "a": null, "b": [{ "c": null, "d": 1 }] }));
        assert!(same(&one, &json!({ "b": [{ "d": 1.0 }] })));
        assert!(!same(&one, &json!({ "b": [{ "d": 2 }] })));
        assert!(!same(&one, &json!({ "b": [] })));
    }

    #[test]
    fn a_part_is_what_the_other_speaks_of() {
        let value = json!({ "a": { "b": 1, "c": 2 }, "l": [{ "x": 1, "y": 2 }], "z": 0 });
        assert_eq!(
            part(&value, &json!({ "a": { "b": 9 }, "l": [{ "y": 2 }] })),
            json!({ "a": { "b": 1 }, "l": [{ "y": 2 }] })
        );
        assert_eq!(part(&value, &json!({ "l": [], "none": 1 })), json!({ "l": [{ "x": 1, "y": 2 }] }));
    }

    #[test]
    fn bytes_may_be_written_as_text() {
        let written = json!({ "body": { "text": "hé" }, "headers": [] });
        let encoded = encoded(written.clone());
        assert_eq!(encoded, json!({ "body": "aMOp", "headers": [] }));
        assert_eq!(decoded(encoded), written);
        assert_eq!(decoded(json!({ "body": "/w==" })), json!({ "body": "/w==" }), "what is no text stays");
    }
}
