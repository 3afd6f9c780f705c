//! A plugin's project: the folder with `windlass-plugin.toml`, and what that file says.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use windlass_pipeline::{Document, Node, Problems, Source};

use crate::error::CliError;
use crate::files;
use crate::toolchain::Lang;

/// The file that makes a folder a project.
pub(crate) const FILE: &str = "windlass-plugin.toml";
const KEYS: &[&str] = &["flags", "language", "name", "output", "source", "version"];

/// A project.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its folder, absolute.
    pub(crate) folder: PathBuf,
    /// The plugin's name.
    pub(crate) name: String,
    /// The plugin's version, where the source does not say it.
    pub(crate) version: Option<String>,
    /// What it is written in.
    pub(crate) language: Lang,
    /// Where a build begins, relative to the folder: what that is depends on the language.
    pub(crate) sources: Vec<String>,
    /// What else the compiler is told: of C only, where no other file of the project says such things.
    pub(crate) flags: Vec<String>,
    /// The component to make, relative to the folder.
    pub(crate) output: String,
}

impl Project {
    /// Reads the file of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, CliError> {
        let file = folder.join(FILE);
        let source = files::read_project(&file)?;
        // Tools run in the folder, where a path that is relative to another means something else.
        let folder = folder.canonicalize().map_err(|error| CliError::file(folder, &error, None))?;
        parse(&folder, source).map_err(|found| CliError::Pipeline(vec![*found], Vec::new()))
    }

    /// A path of the project.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }
}

fn parse(folder: &Path, source: Source) -> Result<Project, Box<windlass_pipeline::Diagnostics>> {
    let mut problems = Problems::default();
    let document = Document::read(source, &mut problems);
    let root = document.root();
    for child in root.children().filter(|child| !KEYS.contains(&&*child.key())) {
        problems.unknown_key(child, "the project", KEYS);
    }
    let name = text(root, "name", "name = \"sizes\"", &mut problems);
    let version = text(root, "version", "version = \"0.1.0\"", &mut problems);
    let output = text(root, "output", "output = \"sizes.wasm\"", &mut problems);
    let language = text(root, "language", "language = \"rust\"", &mut problems);
    for (key, value) in [("name", &name), ("language", &language)] {
        if value.is_none() && root.get(key).is_none() {
            problems.missing_key(root, "the project", key, format!("write `{key} = ...` at its beginning"));
        }
    }
    let known = || Lang::value_variants().iter().map(|lang| lang.name());
    let found = language.as_deref().and_then(|name| Lang::value_variants().iter().find(|lang| lang.name() == name));
    if let (Some(name), None, Some(at)) = (&language, found, root.get("language")) {
        problems.unknown_word(at, format!("no SDK is for language `{name}`"), known());
    }
    if let (Some(name), Some(at)) = (&name, root.get("name"))
        && let Err(why) = check_name(name)
    {
        problems.bad_value(at, why, "write lower-case letters, digits and `-`, as in `image-sizes`");
    }
    let sources = texts(root, "source", "source = [\"plugin.c\", \"more.c\"]", &mut problems);
    let flags = texts(root, "flags", "flags = [\"-g\"]", &mut problems);
    if let (Some(language), Some(at)) = (found.filter(|language| **language != Lang::C), root.get("flags")) {
        let why = format!("`flags` are for a compiler of C, and the language is `{}`", language.name());
        problems.bad_value(at, why, "say it where that language's own tools look");
    }
    match (name, found) {
        (Some(name), Some(language)) if !problems.any() => Ok(Project {
            folder: folder.to_owned(),
            output: output.unwrap_or_else(|| format!("{name}.wasm")),
            name,
            version,
            language: *language,
            sources,
            flags,
        }),
        _ => Err(Box::new(problems.finish(document.source()))),
    }
}

fn text(root: Node<'_>, key: &str, example: &str, problems: &mut Problems) -> Option<String> {
    let at = root.get(key)?;
    let text = at.text();
    if text.is_none() {
        problems.wrong_type(at, key, "a string", example);
    }
    text.map(Into::into)
}

/// One text, or a list of them.
fn texts(root: Node<'_>, key: &str, example: &str, problems: &mut Problems) -> Vec<String> {
    let Some(at) = root.get(key) else { return Vec::new() };
    if let Some(one) = at.text() {
        return vec![one.into()];
    }
    let all: Vec<Option<String>> = at.children().map(|item| item.text().map(Into::into)).collect();
    if !at.is_list() || all.iter().any(Option::is_none) {
        problems.wrong_type(at, key, "a string, or a list of strings", example);
    }
    all.into_iter().flatten().collect()
}

/// Whether a plugin can be called so: its name is a file's, a package's and a step's.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_letter = |c: char| c.is_ascii_lowercase();
    let inside = |c: char| is_letter(c) || c.is_ascii_digit() || c == '-';
    let bad = if name.is_empty() {
        "a plugin needs a name"
    } else if name.len() > 64 {
        "it has more than 64 characters"
    } else if !name.starts_with(is_letter) {
        "it does not begin with a lower-case letter"
    } else if !name.chars().all(inside) {
        "it has other characters than lower-case letters, digits and `-`"
    } else if name.ends_with('-') || name.contains("--") {
        "it has a `-` that stands between nothing"
    } else {
        return Ok(());
    };
    Err(format!("`{name}` cannot be a plugin's name: {bad}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Project, String> {
        let source = Source { name: FILE.to_owned(), text: text.to_owned() };
        parse(Path::new("x"), source).map_err(|found| found.to_string())
    }

    #[test]
    fn a_project_says_what_it_is() {
        let project = read("name = \"sizes\"\nlanguage = \"c\"\nsource = [\"a.c\", \"b.c\"]\n").unwrap();
        assert_eq!((project.output.as_str(), project.language), ("sizes.wasm", Lang::C));
        assert_eq!(project.sources, ["a.c", "b.c"]);
        assert_eq!(project.path("a.c"), Path::new("x/a.c"));
        let flags = |language: &str| read(&format!("name = \"a\"\nlanguage = \"{language}\"\nflags = [\"-g\"]\n"));
        assert_eq!(flags("c").unwrap().flags, ["-g"]);
        assert!(flags("go").unwrap_err().contains("`flags` are for a compiler of C"));
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let told = read("naem = \"sizes\"\nlanguage = \"rusty\"\nsource = 1\n").unwrap_err();
        for wanted in
            ["unknown key `naem`", "`name`", "no SDK is for language `rusty`", "did you mean `rust`", "source"]
        {
            assert!(told.contains(wanted), "{wanted}: {told}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(check_name("image-sizes2"), Ok(()));
        for bad in ["", "-a", "a-", "a--b", "A", "1a", "a_b", "../a", "é"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
