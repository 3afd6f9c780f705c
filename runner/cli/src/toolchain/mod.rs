//! The languages in which plugins are written, and how each is built with its own tools.

mod core_module;
mod go;
mod javascript;
mod native;
mod programs;
mod python;
mod rust;

use clap::ValueEnum;

use crate::error::CliError;
use crate::project::Project;

/// A language for which there is an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// Rust
    Rust,
    /// JavaScript
    Js,
    /// TypeScript
    Ts,
    /// Python
    Python,
    /// C
    C,
    /// Go
    Go,
}

impl Lang {
    /// As the command line and a project call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Ts => "ts",
            Self::Python => "python",
            Self::C => "c",
            Self::Go => "go",
        }
    }

    /// As people call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Js => "JavaScript",
            Self::Ts => "TypeScript",
            Self::Python => "Python",
            Self::C => "C",
            Self::Go => "Go",
        }
    }

    /// How to go about it.
    pub(crate) fn language(self) -> &'static dyn Language {
        match self {
            Self::Rust => &rust::Rust,
            Self::Js => &javascript::JavaScript { template: "js/templates/project" },
            Self::Ts => &javascript::JavaScript { template: "js/templates/typescript" },
            Self::Python => &python::Python,
            Self::C => &native::C,
            Self::Go => &go::Go,
        }
    }
}

/// What differs from language to language.
pub(crate) trait Language {
    /// What a project is made of: folders or files of [`crate::sdk::Sdk`], and where in the project they go.
    /// The first is the template, in whose files the plugin's name is filled in.
    fn parts(&self) -> Vec<(&'static str, &'static str)>;

    /// Names that a plugin in this language cannot have: packages on which the template's project depends. The
    /// language's tools cannot tell a package from a dependency of the same name.
    fn taken(&self) -> &'static [&'static str] {
        &[]
    }

    /// The programs and libraries that a build takes.
    fn needs(&self, project: &Project) -> Vec<Need>;

    /// What to do with a new project before it can be built, as the words of a command line.
    fn before(&self) -> Option<&'static str> {
        None
    }

    /// Makes the component.
    fn build(&self, project: &Project) -> Result<Vec<u8>, CliError>;
}

/// Something that has to be there for a build.
#[derive(Debug)]
pub(crate) struct Need {
    /// What it is.
    pub(crate) what: &'static str,
    /// Where it was found.
    pub(crate) found: Option<String>,
    /// How to get it.
    pub(crate) get: String,
    /// Whether it is fetched into the project itself, so that a new one cannot have it yet.
    pub(crate) in_project: bool,
}

impl Need {
    /// A need with what was found of it.
    pub(crate) fn new(what: &'static str, found: Option<String>, get: impl Into<String>) -> Self {
        Self { what, found, get: get.into(), in_project: false }
    }

    /// The same, of something that is fetched into the project itself.
    fn in_project(self) -> Self {
        Self { in_project: true, ..self }
    }
}

/// Builds a project, once everything is there that it takes.
pub(crate) fn build(project: &Project) -> Result<Vec<u8>, CliError> {
    let language = project.language.language();
    let missing: Vec<Need> = language.needs(project).into_iter().filter(|need| need.found.is_none()).collect();
    if missing.is_empty() {
        return language.build(project);
    }
    let names: Vec<&str> = missing.iter().map(|need| need.what).collect();
    let get: Vec<&str> = missing.iter().map(|need| need.get.as_str()).collect();
    let what = match names.len() {
        1 => format!("{} is not there", names[0]),
        _ => format!("{} are not there", names.join(" and ")),
    };
    Err(CliError::machine(format!("`{}` cannot be built: {what}", project.name), get.join("\n")))
}
