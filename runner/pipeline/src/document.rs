//! Other TOML files than pipelines, read with the same care: values with their places, and everything that is wrong at
//! once. A file that holds a step of a pipeline, as a test case does, has it read by the rules of a pipeline.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use crate::diagnostic::{Diagnostics, Sink, codes};
use crate::pipeline::Pipeline;
use crate::source::Source;
use crate::suggest::{did_you_mean, quoted};
use crate::tree::{self, Doc, Kind, NodeId, Tree};

/// A TOML file that was read.
#[derive(Debug)]
pub struct Document {
    source: Source,
    tree: Tree,
}

/// What the step of a file lacks to be a pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// The stage's name.
    pub stage: &'a str,
    /// The secrets that grants may name.
    pub secrets: &'a [String],
}

impl Document {
    /// Reads a file. What is no TOML is left out, and told.
    pub fn read(source: Source, problems: &mut Problems) -> Self {
        let tree = tree::build(&source.text, &mut problems.0);
        Self { source, tree }
    }

    /// The file's text and name.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The whole file, a table.
    pub fn root(&self) -> Node<'_> {
        Node { doc: Doc::new(&self.tree, &self.source.text), at: NodeId::ROOT }
    }

    /// A pipeline of one stage whose one step stands here, written as in a pipeline. Its places are those of this file,
    /// and what is wrong with it comes out of [`crate::plan`].
    pub fn step(&self, step: Node<'_>, frame: Frame<'_>) -> Pipeline {
        crate::read::step(&self.source.text, self.tree.clone(), step.at, frame)
    }
}

/// A value of the file, with its place.
#[derive(Clone, Copy, Debug)]
pub struct Node<'d> {
    doc: Doc<'d>,
    at: NodeId,
}

impl<'d> Node<'d> {
    /// Its key; empty for one of a list.
    pub fn key(self) -> Cow<'d, str> {
        self.doc.key(self.at)
    }

    /// What a table or a list holds, in the order of the file.
    pub fn children(self) -> impl Iterator<Item = Self> + use<'d> {
        self.doc.children(self.at).map(move |at| Self { at, ..self })
    }

    /// The value of a key of a table.
    pub fn get(self, key: &str) -> Option<Self> {
        self.doc.get(self.at, key).map(|at| Self { at, ..self })
    }

    /// Whether it is a table.
    pub fn is_table(self) -> bool {
        self.doc.kind(self.at) == Kind::Table
    }

    /// Whether it is a list.
    pub fn is_list(self) -> bool {
        self.doc.kind(self.at) == Kind::Array
    }

    /// The text of a string.
    pub fn text(self) -> Option<Cow<'d, str>> {
        self.doc.string(self.at)
    }

    /// An integer.
    pub fn integer(self) -> Option<i64> {
        self.doc.integer(self.at)
    }

    /// A number.
    pub fn number(self) -> Option<f64> {
        self.doc.float(self.at).or_else(|| self.doc.integer(self.at).map(|number| number as f64))
    }

    /// The value as JSON; a date, infinity and what cannot be read are null.
    pub fn json(self) -> Json {
        match self.doc.kind(self.at) {
            Kind::Broken | Kind::DateTime => Json::Null,
            Kind::String => self.text().map_or(Json::Null, |text| text.into_owned().into()),
            Kind::Integer => self.integer().map_or(Json::Null, Into::into),
            Kind::Float => self.doc.float(self.at).map_or(Json::Null, Into::into),
            Kind::Bool => self.doc.boolean(self.at).map_or(Json::Null, Into::into),
            Kind::Array => Json::Array(self.children().map(Self::json).collect()),
            Kind::Table => {
                let entries = self.children().map(|child| (child.key().into_owned(), child.json()));
                Json::Object(entries.collect::<Map<_, _>>())
            }
        }
    }
}

/// What is wrong with a file, as far as it was looked at.
#[derive(Debug, Default)]
pub struct Problems(Sink);

impl Problems {
    /// A key that is not among those that are known here.
    pub fn unknown_key(&mut self, at: Node<'_>, place: &str, known: &[&str]) {
        self.0.error(codes::UNKNOWN_KEY, at.doc.key_span(at.at), |diagnostic| {
            diagnostic.message = format!("unknown key {} in {place}", quoted(&at.key()));
            diagnostic.help = did_you_mean(&at.key(), known.iter().copied());
        });
    }

    /// A value of another type than the key takes. Nothing for one that could not be read: that was told.
    pub fn wrong_type(&mut self, at: Node<'_>, key: &str, expected: &str, example: &str) {
        let found = at.doc.kind(at.at);
        if found != Kind::Broken {
            self.0.error(codes::WRONG_TYPE, at.doc.span(at.at), |diagnostic| {
                diagnostic.message = format!("{} must be {expected}, found {}", quoted(key), found.word());
                diagnostic.expected(format!("expected {expected}"));
                diagnostic.help(format!("write it like `{example}`"));
            });
        }
    }

    /// A value of the right type that means nothing here.
    pub fn bad_value(&mut self, at: Node<'_>, message: impl Into<String>, help: impl Into<String>) {
        self.0.error(codes::BAD_VALUE, at.doc.span(at.at), |diagnostic| {
            diagnostic.message = message.into();
            diagnostic.help(help);
        });
    }

    /// A word that is none of those that are known here.
    pub fn unknown_word<'k>(
        &mut self,
        at: Node<'_>,
        message: impl Into<String>,
        known: impl IntoIterator<Item = &'k str, IntoIter: Clone>,
    ) {
        let help = did_you_mean(&at.text().unwrap_or_default(), known);
        self.0.error(codes::BAD_VALUE, at.doc.span(at.at), |diagnostic| {
            diagnostic.message = message.into();
            diagnostic.help = help;
        });
    }

    /// A table without a key that it must have.
    pub fn missing_key(&mut self, table: Node<'_>, what: &str, key: &str, help: impl Into<String>) {
        let place = if table.at == NodeId::ROOT { 0..0 } else { table.doc.key_span(table.at) };
        self.0.error(codes::MISSING_KEY, place, |diagnostic| {
            diagnostic.message = format!("{what} has no {}", quoted(key));
            diagnostic.help(help);
        });
    }

    /// Whether anything is wrong.
    pub fn any(&self) -> bool {
        self.0.has_errors()
    }

    /// Adds what is wrong with a step of this file.
    pub fn absorb(&mut self, pipeline: &Pipeline) {
        self.0.absorb(pipeline.found.clone());
    }

    /// All of it, by place.
    pub fn finish(self, source: &Source) -> Diagnostics {
        self.0.finish(source)
    }
}
