//! Text to [`Case`]: everything that the file alone can tell is checked here, and told at once.

mod calls;
mod expect;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component, Path};

use windlass_pipeline::{Diagnostics, Document, Frame, Node, Problems, Source};

use crate::case::{Case, Given};

const CASE: &[&str] = &["calls", "expect", "given", "name", "order", "step"];
const GIVEN: &[&str] = &["env", "files", "pipeline", "secrets", "stage"];

/// Reads a case.
///
/// # Errors
/// Everything that is wrong with it. What is wrong with its step in the eyes of its plugin is seen when it is run.
pub fn read(source: Source) -> Result<Case, Diagnostics> {
    let mut problems = Problems::default();
    let document = Document::read(source, &mut problems);
    let mut reader = Reader { problems };
    let root = document.root();
    reader.unknown(root, "the case", CASE);
    let name = root.get("name").and_then(|name| reader.text(name, "name = \"builds and pushes\""));
    let given = root.get("given").map(|given| reader.given(given)).unwrap_or_default();
    let calls = reader.calls(root);
    let expect = reader.expect(root);
    let frame = Frame { pipeline: &given.pipeline, stage: &given.stage, secrets: &given.secrets };
    let pipeline = match root.get("step") {
        Some(step) if step.is_table() => Some(document.step(step, frame)),
        Some(other) => {
            reader.problems.wrong_type(other, "step", "a table", "[step]");
            None
        }
        None => {
            let help = "write `[step]` with `uses`, `with` and `grants`, as in a pipeline";
            reader.problems.missing_key(root, "the case", "step", help);
            None
        }
    };
    if let Some(pipeline) = &pipeline {
        reader.problems.absorb(pipeline);
    }
    let name = name.unwrap_or_else(|| stem(&document.source().name));
    match pipeline {
        Some(pipeline) if !reader.problems.any() => Ok(Case { name, pipeline, given, calls, expect, document }),
        _ => Err(reader.problems.finish(document.source())),
    }
}

/// A case without a name is called like its file.
fn stem(file: &str) -> String {
    Path::new(file).file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// Reads values of one type, or tells what was found instead.
pub(crate) struct Reader {
    pub(crate) problems: Problems,
}

impl Reader {
    fn unknown(&mut self, table: Node<'_>, place: &str, known: &[&str]) {
        for child in table.children().filter(|child| !known.contains(&&*child.key())) {
            self.problems.unknown_key(child, place, known);
        }
    }

    fn table(&mut self, at: Node<'_>, example: &str) -> bool {
        if !at.is_table() {
            self.problems.wrong_type(at, &at.key(), "a table", example);
        }
        at.is_table()
    }

    fn text(&mut self, at: Node<'_>, example: &str) -> Option<String> {
        let text = at.text().map(Cow::into_owned);
        if text.is_none() {
            self.problems.wrong_type(at, &at.key(), "a string", example);
        }
        text
    }

    fn texts(&mut self, at: Node<'_>, example: &str) -> Vec<String> {
        if !at.is_list() {
            self.problems.wrong_type(at, &at.key(), "a list of strings", example);
            return Vec::new();
        }
        at.children().filter_map(|item| self.text(item, example)).collect()
    }

    fn text_by_name(&mut self, at: Node<'_>, example: &str) -> BTreeMap<String, String> {
        if !self.table(at, example) {
            return BTreeMap::new();
        }
        let entries = at.children().map(|child| (child.key().into_owned(), self.text(child, example)));
        entries.filter_map(|(key, text)| Some((key, text?))).collect()
    }

    /// Paths within the workspace.
    fn files(&mut self, at: Node<'_>) -> BTreeMap<String, String> {
        for child in at.children() {
            let key = child.key();
            let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
            if key.is_empty() || !Path::new(&*key).components().all(inside) {
                let message = format!("`{key}` leads out of the workspace");
                self.problems.bad_value(child, message, "write a path like `src/main.c`, relative to the workspace");
            }
        }
        self.text_by_name(at, "files = { \"src/main.c\" = \"int main;\" }")
    }

    /// One of several words.
    fn word<T: Copy>(&mut self, at: Node<'_>, known: &[(&'static str, T)]) -> Option<T> {
        let example = format!("{} = \"{}\"", at.key(), known.first().map_or("", |(word, _)| word));
        let text = self.text(at, &example)?;
        let found = known.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let message = format!("`{}` cannot be `{text}`", at.key());
            self.problems.unknown_word(at, message, known.iter().map(|(word, _)| *word));
        }
        found.map(|(_, value)| *value)
    }

    fn given(&mut self, at: Node<'_>) -> Given {
        let mut given = Given::default();
        if !self.table(at, "given = { env = { HOME = \"/root\" } }") {
            return given;
        }
        self.unknown(at, "`given`", GIVEN);
        if let Some(name) = at.get("pipeline").and_then(|at| self.text(at, "pipeline = \"storefront\"")) {
            given.pipeline = name;
        }
        if let Some(name) = at.get("stage").and_then(|at| self.text(at, "stage = \"build\"")) {
            given.stage = name;
        }
        if let Some(env) = at.get("env") {
            given.env = self.text_by_name(env, "env = { HOME = \"/root\" }");
        }
        if let Some(secrets) = at.get("secrets") {
            given.secrets = self.texts(secrets, "secrets = [\"registry-token\"]");
        }
        if let Some(files) = at.get("files") {
            given.files = self.files(files);
        }
        given
    }
}
