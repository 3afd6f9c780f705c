//! The pipeline of one step for a plugin alone, written from the command line.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};
use windlass_pipeline::{Document, Problems, Source};

use crate::error::CliError;
use crate::toml::{key, string, value};

/// What the command line says.
pub(super) struct Asked<'a> {
    /// The plugin, as a pipeline names it.
    pub(super) plugin: &'a str,
    pub(super) with: &'a str,
    pub(super) grants: &'a [String],
    pub(super) variables: &'a [String],
    pub(super) secrets: &'a [String],
    pub(super) timeout: Option<&'a str>,
    pub(super) environment: Option<&'a str>,
}

/// Writes the pipeline.
pub(super) fn generate(asked: &Asked<'_>) -> Result<String, CliError> {
    let with = with(asked.with)?;
    let grants = grants(asked.grants)?;
    let pairs = |of: &[String], option: &str, example: &str| {
        of.iter().map(|text| pair(text, option, example)).collect::<Result<Vec<_>, _>>()
    };
    let variables = pairs(asked.variables, "--variable", "LEVEL=debug")?;
    let secrets = pairs(asked.secrets, "--secret", "token=env:TOKEN")?;
    let mut text = String::from("[pipeline]\n");
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    line(format!("name = {}", string(&name(asked.plugin))));
    if !secrets.is_empty() {
        line("\n[secrets]".to_owned());
        for (name, place) in &secrets {
            let (kind, place) = place.split_once(':').unwrap_or_default();
            if !matches!(kind, "env" | "file") || place.is_empty() {
                return Err(CliError::usage(
                    format!("`--secret {name}=...` does not say where the secret is"),
                    format!("write `--secret {name}=env:VARIABLE` or `--secret {name}=file:PATH`"),
                ));
            }
            line(format!("{} = {{ {kind} = {} }}", key(name), string(place)));
        }
    }
    if let Some(environment) = asked.environment {
        line(format!("\n[environments.{}]", key(environment)));
    }
    line("\n[stages.run]\n\n[[stages.run.steps]]".to_owned());
    line(format!("uses = {}", string(&file_or_builtin(asked.plugin))));
    if let Some(timeout) = asked.timeout {
        line(format!("timeout = {}", string(timeout)));
    }
    for (heading, table) in [("with", &with), ("grants", &grants)] {
        table_of(&mut line, heading, table.iter().map(|(name, of)| (name, value(of))));
    }
    table_of(&mut line, "env", variables.iter().map(|(name, of)| (name, string(of))));
    Ok(text)
}

/// `[stages.run.steps.HEADING]`, unless there is nothing to say.
fn table_of<'a>(line: &mut impl FnMut(String), heading: &str, entries: impl Iterator<Item = (&'a String, String)>) {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        line(format!("\n[stages.run.steps.{heading}]"));
    }
    for (name, of) in entries {
        line(format!("{} = {of}", key(name)));
    }
}

/// A file without a slash would be taken for the name of a plugin if it does not end with `.wasm`.
fn file_or_builtin(plugin: &str) -> String {
    let is_clear = plugin.starts_with("builtin:") || plugin.contains('/') || plugin.ends_with(".wasm");
    if is_clear { plugin.to_owned() } else { format!("./{plugin}") }
}

/// What the run is called: like its plugin.
fn name(plugin: &str) -> String {
    let last = plugin.rsplit('/').next().unwrap_or(plugin);
    let last = last.strip_prefix("builtin:").unwrap_or(last);
    let last = last.strip_suffix(".wasm").unwrap_or(last).to_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name: String = last.chars().map(|c| if fits(c) { c } else { '-' }).take(60).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "plugin".to_owned() } else { name.to_owned() }
}

fn with(text: &str) -> Result<Map<String, Json>, CliError> {
    match serde_json::from_str(text) {
        Ok(Json::Object(fields)) => match null_in(&fields) {
            None => Ok(fields),
            Some(path) => Err(CliError::usage(
                format!("`{path}` of `--with` is null, and a pipeline has no word for nothing"),
                "leave it out",
            )),
        },
        Ok(_) => {
            Err(CliError::usage("`--with` is not a JSON object", "write it like `--with '{\"name\": \"world\"}'`"))
        }
        Err(error) => Err(CliError::usage(
            format!("`--with` is not JSON: {error}"),
            "write it like `--with '{\"name\": \"world\"}'`, in single quotes",
        )),
    }
}

/// The path of a value that TOML could not say.
fn null_in(fields: &Map<String, Json>) -> Option<String> {
    fn of(path: &str, value: &Json) -> Option<String> {
        match value {
            Json::Null => Some(path.to_owned()),
            Json::Array(items) => items.iter().enumerate().find_map(|(at, item)| of(&format!("{path}[{at}]"), item)),
            Json::Object(fields) => fields.iter().find_map(|(name, value)| of(&format!("{path}.{name}"), value)),
            _ => None,
        }
    }
    fields.iter().find_map(|(name, value)| of(name, value))
}

/// The grants of all options together: tables and lists of the same name are joined.
fn grants(said: &[String]) -> Result<Map<String, Json>, CliError> {
    let mut all = Json::Object(Map::new());
    for text in said {
        let mut problems = Problems::default();
        let document = Document::read(Source { name: "--grant".to_owned(), text: text.clone() }, &mut problems);
        if problems.any() {
            return Err(CliError::Pipeline(vec![problems.finish(document.source())], Vec::new()));
        }
        join(&mut all, document.root().json());
    }
    let Json::Object(all) = all else { return Ok(Map::new()) };
    Ok(all)
}

fn join(all: &mut Json, more: Json) {
    match (all, more) {
        (Json::Object(all), Json::Object(more)) => {
            for (name, of) in more {
                join(all.entry(name).or_insert(Json::Null), of);
            }
        }
        (Json::Array(all), Json::Array(more)) => all.extend(more),
        (all, more) => *all = more,
    }
}

fn pair(text: &str, option: &str, example: &str) -> Result<(String, String), CliError> {
    match text.split_once('=') {
        Some((name, of)) if !name.is_empty() => Ok((name.to_owned(), of.to_owned())),
        _ => Err(CliError::usage(
            format!("`{option} {text}` has no name and value"),
            format!("write it like `{option} {example}`"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use windlass_pipeline::parse;

    use super::*;

    const NOTHING: Asked<'_> = Asked {
        plugin: "builtin:image",
        with: "{}",
        grants: &[],
        variables: &[],
        secrets: &[],
        timeout: None,
        environment: None,
    };

    fn texts(of: &[&str]) -> Vec<String> {
        of.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn what_is_said_becomes_a_pipeline() {
        let grants =
            texts(&["http = [\"GET http://a/**\"]", "docker.run.images = [\"a\"]", "http = [\"GET http://b/**\"]"]);
        let (variables, secrets) = (texts(&["A=x=${git.sha}"]), texts(&["token=env:TOKEN"]));
        let asked = Asked {
            plugin: "./My Plugin.wasm",
            with: r#"{"name": "é ${x}", "n": 1}"#,
            grants: &grants,
            variables: &variables,
            secrets: &secrets,
            timeout: Some("5s"),
            environment: Some("staging"),
        };
        let text = generate(&asked).unwrap();
        parse(&Source { name: "x".to_owned(), text: text.clone() }).unwrap();
        insta::assert_snapshot!(text, @r#"
        [pipeline]
        name = "my-plugin"

        [secrets]
        token = { env = "TOKEN" }

        [environments.staging]

        [stages.run]

        [[stages.run.steps]]
        uses = "./My Plugin.wasm"
        timeout = "5s"

        [stages.run.steps.with]
        n = 1
        name = "é $${x}"

        [stages.run.steps.grants]
        docker = { run = { images = ["a"] } }
        http = ["GET http://a/**", "GET http://b/**"]

        [stages.run.steps.env]
        A = "x=$${git.sha}"
        "#);
    }

    #[test]
    fn what_means_nothing_is_told() {
        let told = |asked: Asked<'_>| generate(&asked).unwrap_err().to_string();
        assert!(told(Asked { with: "{", ..NOTHING }).contains("`--with` is not JSON"));
        assert!(told(Asked { with: "[]", ..NOTHING }).contains("is not a JSON object"));
        for (with, path) in [(r#"{"a": null}"#, "`a`"), (r#"{"a": [1, {"b": null}]}"#, "`a[1].b`")] {
            assert!(told(Asked { with, ..NOTHING }).contains(&format!("{path} of `--with` is null")));
        }
        assert!(told(Asked { grants: &texts(&["http = ["]), ..NOTHING }).contains("--grant has 1 error"));
        assert!(told(Asked { secrets: &texts(&["a=b"]), ..NOTHING }).contains("does not say where"));
        assert!(told(Asked { variables: &texts(&["a"]), ..NOTHING }).contains("no name and value"));
    }
}
