//! Arguments and answers of calls as people read them. Programs get the JSON as it is.

mod traffic;

use serde_json::Value;

pub(crate) use traffic::percent;

/// The arguments of a call: `reference: "localhost:5000/a", password: secret registry`. What is not
/// given is left out.
pub fn arguments(function: &str, text: &str) -> String {
    let value = serde_json::from_str(text);
    if let Some(said) = value.as_ref().ok().and_then(|value| traffic::arguments(function, value)) {
        return said;
    }
    match value {
        Ok(Value::Object(fields)) => {
            let said = fields.iter().filter(|(_, value)| !is_absent(value)).map(|(name, value)| field(name, value));
            said.collect::<Vec<_>>().join(", ")
        }
        Ok(value) => phrase(&value),
        Err(_) => text.to_owned(),
    }
}

/// What a call is about, for those whose arguments are few words.
pub(crate) fn about(function: &str, args: &str) -> Option<String> {
    if !function.starts_with("traffic.") {
        return None;
    }
    traffic::arguments(function, &serde_json::from_str(args).ok()?)
}

/// The answer to a call: `{digest: "sha256:..."}`, `done`, or `not-found: there is no such image`.
pub(crate) fn answer(function: &str, text: &str) -> String {
    let Ok(Value::Object(answer)) = serde_json::from_str(text) else { return text.to_owned() };
    if let Some(said) = answer.get("ok").and_then(|ok| traffic::answer(function, ok)) {
        return said;
    }
    match (answer.get("ok"), answer.get("err")) {
        (Some(Value::Null), _) => "done".to_owned(),
        (Some(Value::Object(fields)), _) if fields.is_empty() => "done".to_owned(),
        (Some(value), _) => phrase(value),
        (None, Some(Value::Object(error))) if error.len() == 1 => match error.iter().next() {
            Some((kind, Value::String(message))) => format!("{kind}: {message}"),
            Some((kind, value)) => format!("{kind}: {}", phrase(value)),
            None => text.to_owned(),
        },
        (None, Some(value)) => phrase(value),
        (None, None) => text.to_owned(),
    }
}

fn field(name: &str, value: &Value) -> String {
    format!("{name}: {}", phrase(value))
}

fn phrase(value: &Value) -> String {
    match value {
        Value::Object(fields) => match (fields.len(), fields.get("secret"), fields.get("plain")) {
            // A value that may be secret stands for itself, or names the secret.
            (1, Some(Value::String(name)), _) => format!("secret {name}"),
            (1, _, Some(plain)) => phrase(plain),
            _ => {
                let said = fields.iter().filter(|(_, value)| !is_absent(value)).map(|(name, value)| field(name, value));
                format!("{{{}}}", said.collect::<Vec<_>>().join(", "))
            }
        },
        Value::Array(items) => format!("[{}]", items.iter().map(phrase).collect::<Vec<_>>().join(", ")),
        value => value.to_string(),
    }
}

/// What a plugin did not give.
fn is_absent(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_read_as_a_person_would_write_them() {
        for (json, text) in [
            ("{}", ""),
            (r#"{"reference":"a:1","timeout-ms":null,"tags":[]}"#, r#"reference: "a:1""#),
            (r#"{"env":[{"name":"T","value":{"secret":"token"}}]}"#, r#"env: [{name: "T", value: secret token}]"#),
            (r#"{"value":{"plain":"x"},"n":3}"#, r#"n: 3, value: "x""#),
            ("not json", "not json"),
        ] {
            assert_eq!(arguments("docker.push", json), text);
        }
    }

    #[test]
    fn answers_say_how_it_went() {
        for (json, text) in [
            (r#"{"ok":null}"#, "done"),
            (r#"{"ok":{"digest":"sha256:1"}}"#, r#"{digest: "sha256:1"}"#),
            (r#"{"err":{"denied":"add `x`"}}"#, "denied: add `x`"),
            (r#"{"err":"timeout"}"#, r#""timeout""#),
            ("[]", "[]"),
        ] {
            assert_eq!(answer("docker.push", json), text);
        }
    }
}
