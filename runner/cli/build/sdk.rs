//! Embeds what `windlass plugin new` writes: the SDK of each language with its templates, and the contract.
//!
//! All files stand in one compressed piece, one behind the other, and a table says where each of them is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::{LEVEL, generate, variable};

/// What is built or fetched, and what is no part of a project.
const SKIPPED: &[&str] = &["target", "node_modules", "__pycache__", "CHANGELOG.md", "clippy.toml", "tests", "released"];
/// What is taken of the SDK of a language; of the one for Rust, the crates as well.
const TAKEN: &[&str] = &["README.md", "sdk", "templates"];
const TAKEN_OF_RUST: &[&str] = &["Cargo.toml", "README.md", "src", "macros", "templates"];

/// Writes the table `sdk.rs` and the piece `sdk.zst`.
pub(crate) fn embed() -> Result<(), String> {
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../..");
    let sdks = root.join("plugin-sdk");
    println!("cargo::rerun-if-changed={}", sdks.display());
    let mut files = Vec::new();
    for language in listed(&sdks)? {
        let name = name_of(&language);
        let taken = if name == "rust" { TAKEN_OF_RUST } else { TAKEN };
        for part in taken.iter().map(|part| language.join(part)).filter(|part| part.exists()) {
            add(&part, &format!("{name}/{}", name_of(&part)), &mut files)?;
        }
    }
    add(&root.join("wit"), "wit", &mut files)?;
    let plugins = root.join("plugins");
    let workspace = read(&plugins.join("Cargo.toml"))?;
    for (name, bytes) in files.iter_mut().filter(|(name, _)| is_crate_of_ours(name)) {
        let manifest = String::from_utf8(std::mem::take(bytes)).map_err(|error| format!("{name}: {error}"))?;
        *bytes = standing_alone(&manifest, &workspace).map_err(|why| format!("{name}: {why}"))?.into_bytes();
    }
    // The versions that the first-party plugins are tested with; cargo takes out what a project has no use for.
    files.push(("rust/Cargo.lock".to_owned(), read(&plugins.join("Cargo.lock"))?.into_bytes()));
    files.sort();

    let mut table = String::from("&[\n");
    let mut all = Vec::new();
    for (name, bytes) in &files {
        let _ = writeln!(table, "({name:?}, {}..{}),", all.len(), all.len() + bytes.len());
        all.extend_from_slice(bytes);
    }
    table.push(']');
    let failed = |error: io::Error| format!("cannot embed the SDKs: {error}");
    let packed = zstd::bulk::compress(&all, LEVEL).map_err(failed)?;
    fs::write(PathBuf::from(variable("OUT_DIR")?).join("sdk.zst"), packed).map_err(failed)?;
    generate("sdk.rs", &format!("({}, {table})", all.len()))
}

/// Adds a file, or what is in a folder.
fn add(path: &Path, name: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", path.display());
    if path.is_dir() {
        for inner in listed(path)? {
            add(&inner, &format!("{name}/{}", name_of(&inner)), files)?;
        }
        return Ok(());
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot embed {}: {error}", path.display()))?;
    files.push((name.to_owned(), bytes));
    Ok(())
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: io::Error| format!("cannot list {}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // The contract is embedded once, not once for each link to it.
        if !SKIPPED.contains(&&*name_of(&path)) && !path.is_symlink() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<String, String> {
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Whether a file is the manifest of a crate that is a member of our own workspace.
fn is_crate_of_ours(name: &str) -> bool {
    name.starts_with("rust/") && !name.contains("/templates/") && name.ends_with("/Cargo.toml")
}

/// A manifest without what it has from its workspace: where that says `x.workspace = true`, the workspace's own line
/// for `x` is put in its place.
fn standing_alone(manifest: &str, workspace: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let inherited = line.trim_end().strip_suffix(".workspace = true").map(str::trim);
        if section == "[lints]" || line.starts_with("workspace = ") {
            continue;
        }
        let Some(key) = inherited else {
            let _ = writeln!(text, "{line}");
            continue;
        };
        let from = if section == "[package]" { "[workspace.package]" } else { "[workspace.dependencies]" };
        let own = workspace.lines().skip_while(|line| *line != from).skip(1).take_while(|line| !line.starts_with('['));
        let mut own = own.filter(|line| line.split_once('=').is_some_and(|(name, _)| name.trim() == key));
        let found = own.next().ok_or_else(|| format!("the workspace says nothing about `{key}`"))?;
        let _ = writeln!(text, "{found}");
    }
    Ok(text)
}
