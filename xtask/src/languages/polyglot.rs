//! `examples/polyglot`: a pipeline with a step in each language, built from its sources, run, and proved.

use super::hook::Hook;
use super::project::{Project, copy};
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::setup::{LANGUAGES, Toolchain, clang};
use crate::ui;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The languages, and what the plugin in each is called.
const PLUGINS: [(&str, &str); 6] = [
    ("go", "changes"),
    ("rust", "version"),
    ("c", "checksums"),
    ("python", "notes"),
    ("ts", "page"),
    ("js", "announce"),
];

/// Builds all of it in a folder of its own, and runs it: live, as a replay, and offline.
pub(crate) fn run(context: &Context, program: &Path) -> Result<()> {
    let example = Example {
        context,
        program,
        source: context.root.join("examples/polyglot"),
        folder: context.target.join("polyglot"),
    };
    example.copy()?;
    for (language, name) in PLUGINS {
        let tools = tools(context, language)?;
        let told = ui::part(&format!("`{name}`, in {language}"), || example.build(&tools, language, name))?;
        ui::note(&format!("{} bytes", told["size"]));
    }
    ui::part("`proofread`, for WASI", || example.proofread())?;

    let hook = Hook::listen()?;
    let url = hook.url.clone();
    example.windlass("windlass run", &["run"], &url)?;
    let outputs = example.outputs()?;
    example.prove(&outputs, hook.told())?;
    // The web hook is gone, and nobody else has been asked for anything.
    example.windlass("windlass replay", &["replay"], &url)?;
    example.windlass("windlass run --offline", &["run", "--offline", "--quiet"], &url)?;
    if example.outputs()? != outputs {
        return Err(Failure::new("the run from the record alone has other outputs than the one that it repeats"));
    }
    ui::note(&format!("all of it is in {}", example.folder.display()));
    Ok(())
}

/// The tools for a language.
fn tools(context: &Context, name: &str) -> Result<Toolchain> {
    let language = LANGUAGES.iter().find(|language| language.names.contains(&name));
    language.doing(|| format!("find the tools for {name}"))?.ensure(context)
}

struct Example<'a> {
    context: &'a Context,
    program: &'a Path,
    source: PathBuf,
    folder: PathBuf,
}

impl Example<'_> {
    /// Everything but the plugins' projects, in a fresh folder.
    fn copy(&self) -> Result<()> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).doing(|| format!("remove {}", self.folder.display()))?;
        }
        for part in ["app", "changes"] {
            copy(&self.source.join(part), &self.folder.join(part))?;
        }
        let (from, to) = (self.source.join("pipeline.toml"), self.folder.join("pipeline.toml"));
        fs::copy(&from, &to).map(drop).doing(|| format!("copy {}", from.display()))
    }

    /// Builds a plugin, and gives what `windlass plugin build` says of it.
    fn build(&self, tools: &Toolchain, language: &str, name: &str) -> Result<Json> {
        let (source, folder) = (self.source.join("plugins").join(language), self.folder.join("plugins").join(language));
        let project = if language == "rust" {
            // It has its SDK from this work tree, as the first-party plugins do.
            fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
            Project::at(self.context, self.program, tools, &source, folder.join(format!("{name}.wasm")))
        } else {
            let project = Project::new(self.context, self.program, tools, &folder, language, name)?;
            project.replace(&source)?;
            project
        };
        let told = project.build()?;
        serde_json::from_str(&told).doing(|| format!("read what the build of `{name}` says"))
    }

    /// Compiles the program that knows nothing of Windlass.
    fn proofread(&self) -> Result<()> {
        let folder = self.folder.join("tools");
        fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
        Cmd::new(clang())
            .args(["--target=wasm32-wasi", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(folder.join("proofread.wasm"))
            .arg(self.source.join("tools/proofread.c"))
            .output()
            .map(drop)
    }

    /// `windlass` where the pipeline is.
    fn windlass(&self, title: &str, args: &[&str], webhook: &str) -> Result<()> {
        ui::heading(title);
        self.command(args).env("RELEASE_WEBHOOK", webhook).run()
    }

    fn command(&self, args: &[&str]) -> Cmd {
        // The examples have no `pipeline.lock`, which is wanted where CI is set.
        Cmd::new(self.program).args(args).dir(&self.folder).env_remove("CI")
    }

    /// What the steps of the newest run have given, by `STAGE/STEP`.
    fn outputs(&self) -> Result<BTreeMap<String, Json>> {
        let shown = self.command(&["show", "--format", "json"]).output()?;
        let shown: Json = serde_json::from_str(&shown).doing(|| "read what `windlass show` says".to_owned())?;
        let stages = shown["stages"].as_array().into_iter().flatten();
        let steps = stages.flat_map(|stage| stage["steps"].as_array().into_iter().flatten());
        Ok(steps.map(|step| (step["path"].as_str().unwrap_or_default().to_owned(), step["outputs"].clone())).collect())
    }

    /// Holds against each other what the languages have made of the same release, and against what is known of it here.
    fn prove(&self, outputs: &BTreeMap<String, Json>, told: Option<String>) -> Result<()> {
        let output = |step: &str, name: &str| outputs.get(step).map_or(Json::Null, |all| all[name].clone());
        let read = |name: &str| {
            let path = self.folder.join(name);
            fs::read_to_string(&path).doing(|| format!("read {}", path.display()))
        };
        let changes = output("version/changes", "changes");
        same("issues of the changes", &numbers(&changes, "issue"), &[41, 43, 44, 47])?;
        let version = output("version/next", "version");
        same("next version", &version, &Json::from("1.5.0"))?;

        let mut sums = String::new();
        for name in ["harbours.csv", "tides.sh"] {
            let bytes = read(&format!("app/{name}"))?;
            sums.push_str(&format!("{}  app/{name}\n", hex::encode(Sha256::digest(&bytes))));
        }
        same("dist/SHA256SUMS", &read("dist/SHA256SUMS")?, &sums)?;

        let notes = output("write/notes", "text");
        let words = notes.as_str().unwrap_or_default().split_whitespace().count();
        same("number of words", &output("write/proofread", "words"), &Json::from(words))?;
        let page = read("dist/index.html")?;
        let first = sums.split(' ').next().unwrap_or_default();
        let wanted = ["<h1>Tides 1.5.0</h1>", "<code>00:30</code>", "<em>Å</em>", "comes from &amp; how old", first];
        if let Some(missing) = wanted.iter().find(|text| !page.contains(**text)) {
            return Err(Failure::new(format!("dist/index.html has no `{missing}`:\n{page}")));
        }

        same("announcement", &output("announce/announce", "announced"), &Json::Bool(true))?;
        let told = told.doing(|| "find what the web hook was told".to_owned())?;
        let told: Json = serde_json::from_str(&told).doing(|| format!("read what the web hook was told: {told}"))?;
        let headline = output("write/notes", "headline");
        let news = serde_json::json!({ "version": version, "headline": headline, "page": "dist/index.html" });
        same("news", &told, &news)?;
        println!("\nthe web hook was told: {told}\n\n{page}");
        Ok(())
    }
}

/// A number of each item of a list.
fn numbers(list: &Json, key: &str) -> Vec<u64> {
    list.as_array().into_iter().flatten().filter_map(|item| item[key].as_u64()).collect()
}

fn same<A: PartialEq<B> + std::fmt::Debug, B: std::fmt::Debug + ?Sized>(what: &str, is: &A, wanted: &B) -> Result<()> {
    if is == wanted { Ok(()) } else { Err(Failure::new(format!("the {what}: {is:?}, and not {wanted:?}"))) }
}
