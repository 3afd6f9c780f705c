//! Rust: cargo makes the component, for the target `wasm32-wasip2`.

use std::path::Path;

use serde_json::Value as Json;

use super::programs::{ask, find, output, program};
use super::{Language, Need};
use crate::error::CliError;
use crate::files;
use crate::project::Project;

const TARGET: &str = "wasm32-wasip2";

/// Rust.
pub(super) struct Rust;

impl Language for Rust {
    fn parts(&self) -> Vec<(&'static str, &'static str)> {
        vec![
            ("rust/templates/project", ""),
            ("rust/Cargo.lock", "Cargo.lock"),
            ("rust/Cargo.toml", "windlass/rust/Cargo.toml"),
            ("rust/README.md", "windlass/rust/README.md"),
            ("rust/src", "windlass/rust/src"),
            ("rust/macros", "windlass/rust/macros"),
            ("wit", "windlass/rust/wit"),
        ]
    }

    fn taken(&self) -> &'static [&'static str] {
        &["windlass-plugin", "windlass-plugin-macros"]
    }

    fn needs(&self, project: &Project) -> Vec<Need> {
        let cargo = find("cargo").map(|path| path.display().to_string());
        let std = cargo.as_ref().and_then(|_| {
            let mut rustc = program("rustc", &project.folder);
            rustc.args(["--print", "target-libdir", "--target", TARGET]);
            ask(rustc).filter(|folder| Path::new(folder).is_dir())
        });
        vec![
            Need::new("cargo", cargo, "install Rust: https://rustup.rs"),
            Need::new("Rust's library for wasm32-wasip2", std, format!("rustup target add {TARGET}")),
        ]
    }

    fn build(&self, project: &Project) -> Result<Vec<u8>, CliError> {
        let folder = project.path(project.sources.first().map_or("", String::as_str));
        let mut cargo = program("cargo", &folder);
        // Only cargo knows where its target folder is.
        cargo.args(["build", "--release", "--target", TARGET, "--message-format=json-render-diagnostics"]);
        let told = output(cargo)?;
        let Some(file) = component(&told, &folder) else {
            return Err(CliError::usage(
                "cargo made no component",
                "the package needs a library with `crate-type = [\"cdylib\"]`",
            ));
        };
        files::read_plugin(Path::new(&file)).map_err(|why| CliError::usage(format!("cannot read {why}"), "build again"))
    }
}

/// The component among the artifacts that cargo tells of: the one of the package in this folder.
fn component(told: &str, folder: &Path) -> Option<String> {
    let manifest = folder.join("Cargo.toml").canonicalize().ok()?;
    let messages = told.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let own = messages.filter(|message| message["manifest_path"].as_str().is_some_and(|of| Path::new(of) == manifest));
    let mut files = own.filter_map(|message| {
        let files = message["filenames"].as_array()?.iter().filter_map(Json::as_str);
        files.filter(|file| Path::new(file).extension().is_some_and(|is| is == "wasm")).map(str::to_owned).next_back()
    });
    files.next_back()
}
