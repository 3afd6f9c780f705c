//! `${VARIABLE}` in a compose file, from the step's `variables` and nowhere else.

use std::collections::BTreeMap;

use windlass_plugin::Value;

use super::problems::Problems;
use crate::yaml::{Node, Yaml};

/// The variables by their names.
pub(crate) type Variables = BTreeMap<String, Value>;

/// Puts the variables into every text beneath a node; keys stay as they are.
pub(crate) fn interpolate(node: &mut Node, place: &str, variables: &Variables, problems: &mut Problems) {
    match &mut node.value {
        Yaml::Text(text) if text.contains('$') => {
            if let Some(value) = problems.or_add(node.line, place, filled(text, variables)) {
                node.value = match value {
                    Value::Plain(text) => Yaml::Text(text),
                    Value::Secret(name) => Yaml::Secret(name),
                };
            }
        }
        Yaml::Null | Yaml::Text(_) | Yaml::Secret(_) => {}
        Yaml::List(list) => {
            for (index, item) in list.iter_mut().enumerate() {
                interpolate(item, &format!("{place}[{index}]"), variables, problems);
            }
        }
        Yaml::Map(map) => {
            for (key, item) in map {
                interpolate(item, &format!("{place}.{}", key.text), variables, problems);
            }
        }
    }
}

/// A text with the variables put in. A secret stands alone: nothing is made of it here.
pub(super) fn filled(text: &str, variables: &Variables) -> Result<Value, String> {
    if let Some(name) =
        text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).or_else(|| text.strip_prefix('$'))
        && let Some(secret @ Value::Secret(_)) = variables.get(name)
    {
        return Ok(secret.clone());
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            rest = after;
        } else if let Some(inner) = after.strip_prefix('{') {
            let end =
                closing(inner).ok_or_else(|| format!("`${{{inner}` has no `}}`; a `$` itself is written `$$`"))?;
            filled.push_str(&braced(&inner[..end], variables)?);
            rest = &inner[end + 1..];
        } else {
            let end = name_end(after);
            if end == 0 {
                return Err("a `$` without a name; a `$` itself is written `$$`".to_owned());
            }
            filled.push_str(plain(&after[..end], variables)?.ok_or_else(|| unset(&after[..end]))?);
            rest = &after[end..];
        }
    }
    filled.push_str(rest);
    Ok(Value::Plain(filled))
}

/// What stands in `${...}`: a name, and what to do when it is not set.
fn braced(inner: &str, variables: &Variables) -> Result<String, String> {
    let (name, operator) = inner.split_at(name_end(inner));
    if name.is_empty() {
        return Err(format!("`${{{inner}}}` has no name of a variable"));
    }
    let value = plain(name, variables)?;
    // With a colon an empty value counts as none.
    let (set, operator) = match operator.strip_prefix(':') {
        Some(operator) => (value.filter(|value| !value.is_empty()), operator),
        None => (value, operator),
    };
    let other = |text: &str| match filled(text, variables)? {
        Value::Plain(text) => Ok(text),
        Value::Secret(name) => Err(format!("the secret `{name}` cannot be a default; let the variable be the secret")),
    };
    match (operator.chars().next(), set) {
        (None, Some(value)) if inner == name => Ok(value.to_owned()),
        (None, None) if inner == name => Err(unset(name)),
        (Some('-' | '?'), Some(value)) => Ok(value.to_owned()),
        (Some('-'), None) => other(&operator[1..]),
        (Some('?'), None) => Err(match &operator[1..] {
            "" => unset(name),
            why => format!("{}: {why}", unset(name)),
        }),
        (Some('+'), Some(_)) => other(&operator[1..]),
        (Some('+'), None) => Ok(String::new()),
        _ => Err(format!(
            "`${{{inner}}}` is not one of `${{NAME}}`, `${{NAME:-default}}`, `${{NAME:?why}}` and `${{NAME:+other}}`"
        )),
    }
}

fn plain<'v>(name: &str, variables: &'v Variables) -> Result<Option<&'v str>, String> {
    match variables.get(name) {
        None => Ok(None),
        Some(Value::Plain(text)) => Ok(Some(text)),
        Some(Value::Secret(_)) => Err(format!(
            "the variable `{name}` is a secret, which can only be the whole value of an environment variable, as `{name}: ${{{name}}}`"
        )),
    }
}

fn unset(name: &str) -> String {
    format!(
        "the variable `{name}` is not set; give it a value in the step's `variables`, or a default here: `${{{name}:-default}}`"
    )
}

fn name_end(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Where the brace that is open closes; defaults may have variables of their own.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '{' if before == '$' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
        before = character;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<Value, String> {
        let variables = [("TAG", "1.2".into()), ("EMPTY", "".into()), ("TOKEN", Value::Secret("token".to_owned()))];
        filled(text, &variables.map(|(name, value)| (name.to_owned(), value)).into())
    }

    #[test]
    fn the_forms_of_compose() {
        for (text, told) in [
            ("web:${TAG}", "web:1.2"),
            ("web:$TAG-a", "web:1.2-a"),
            ("${TAG}${TAG}", "1.21.2"),
            ("${NONE:-x}", "x"),
            ("${NONE-x}", "x"),
            ("${EMPTY:-x}", "x"),
            ("[${EMPTY-x}]", "[]"),
            ("${NONE:-a${TAG}b}c", "a1.2bc"),
            ("${TAG:?why}", "1.2"),
            ("${TAG:+set}${NONE:+set}", "set"),
            ("$${TAG} costs $$5", "${TAG} costs $5"),
            ("}{", "}{"),
        ] {
            assert_eq!(fill(text), Ok(Value::Plain(told.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_not_set_or_not_a_variable_is_an_error() {
        assert!(fill("${NONE}").unwrap_err().starts_with("the variable `NONE` is not set"));
        assert!(fill("$NONE").unwrap_err().starts_with("the variable `NONE` is not set"));
        assert!(fill("${NONE:?say which}").unwrap_err().ends_with(": say which"));
        assert!(fill("${TAG").unwrap_err().contains("has no `}`"));
        assert!(fill("5 $").unwrap_err().contains("`$$`"));
        assert!(fill("$1").unwrap_err().contains("`$$`"));
        assert!(fill("${}").unwrap_err().contains("no name"));
        assert!(fill("${TAG/a/b}").unwrap_err().contains("is not one of"));
        assert!(fill("${TAG:}").unwrap_err().contains("is not one of"));
    }

    #[test]
    fn a_secret_stands_alone() {
        for text in ["${TOKEN}", "$TOKEN"] {
            assert_eq!(fill(text), Ok(Value::Secret("token".to_owned())));
        }
        assert!(fill("x${TOKEN}").unwrap_err().contains("is a secret"));
        assert!(fill("${TOKEN:-x}").unwrap_err().contains("is a secret"));
        assert!(fill("${NONE:-${TOKEN}}").unwrap_err().contains("secret"));
    }
}
