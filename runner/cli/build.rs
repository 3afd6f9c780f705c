//! Embeds the first-party plugins, compressed, with their digests, and what new plugins are written from, so that
//! `windlass` is one file.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a build script reads the plugins and writes generated code"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest as _, Sha256};

#[path = "build/sdk.rs"]
mod sdk;

/// Without these there is no Windlass.
const NEEDED: &[&str] = &["command", "deploy", "http-check", "image", "service", "stack"];
/// Small matters here: a plugin is unpacked once per machine and version, then its compiled code is cached.
const LEVEL: i32 = 19;

fn main() {
    println!("cargo::rerun-if-env-changed=WINDLASS_PLUGINS_DIR");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
    if let Err(why) = embed().and_then(|()| interfaces()).and_then(|()| sdk::embed()) {
        println!("cargo::error={why}");
    }
}

fn embed() -> Result<(), String> {
    let folder = folder()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let out = PathBuf::from(variable("OUT_DIR")?);
    let plugins = plugins(&folder)?;
    let mut table = String::from("&[\n");
    for (name, path) in &plugins {
        println!("cargo::rerun-if-changed={}", path.display());
        let failed = |error: io::Error| format!("cannot embed {}: {error}", path.display());
        let bytes = fs::read(path).map_err(failed)?;
        let packed = out.join(format!("{name}.wasm.zst"));
        fs::write(&packed, zstd::bulk::compress(&bytes, LEVEL).map_err(failed)?).map_err(failed)?;
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
        let size = bytes.len();
        let _ = writeln!(
            table,
            "Builtin {{ name: {name:?}, digest: {digest:?}, size: {size}, packed: include_bytes!({packed:?}) }},"
        );
    }
    table.push(']');
    generate("builtins.rs", &table)
}

/// The versions of the interfaces that plugins are built against: a run is pinned to them.
fn interfaces() -> Result<(), String> {
    let world = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../../wit/plugin.wit");
    println!("cargo::rerun-if-changed={}", world.display());
    let text = fs::read_to_string(&world).map_err(|error| format!("cannot read {}: {error}", world.display()))?;
    let mut table = String::from("&[\n");
    for line in text.lines().map(str::trim) {
        let item = line.strip_prefix("import ").or_else(|| line.strip_prefix("export "));
        if let Some((interface, version)) = item.and_then(|item| item.trim_end_matches(';').split_once('@'))
            && let Some((package, _)) = interface.split_once('/')
        {
            let _ = writeln!(table, "({package:?}, {version:?}),");
        }
    }
    table.push(']');
    generate("interfaces.rs", &table)
}

fn generate(name: &str, text: &str) -> Result<(), String> {
    let file = PathBuf::from(variable("OUT_DIR")?).join(name);
    fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Where `cargo xtask setup` leaves the plugins: beneath cargo's target folder.
fn folder() -> Result<PathBuf, String> {
    if let Some(folder) = env::var_os("WINDLASS_PLUGINS_DIR") {
        return Ok(folder.into());
    }
    let workspace = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../..");
    let mut targets = Vec::new();
    if let Some(target) = env::var_os("CARGO_TARGET_DIR") {
        // A relative one is relative to where cargo was started: the workspace, as a rule.
        targets.push(workspace.join(target));
    }
    // A configuration file may move the target folder, too, and this script's output is always beneath it:
    // `<target>/[<triple>/]<profile>/build/<crate>/out`.
    let out = PathBuf::from(variable("OUT_DIR")?);
    targets.extend(out.ancestors().skip(4).take(2).map(Path::to_owned));
    targets.push(workspace.join("target"));
    let folders: Vec<PathBuf> = targets.into_iter().map(|target| target.join("plugins")).collect();
    match folders.iter().find(|folder| folder.is_dir()) {
        Some(folder) => Ok(folder.clone()),
        None => Err(missing(&format!("there is no folder {}", folders[0].display()))),
    }
}

/// The plugins in the folder by name, in order.
fn plugins(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let listed =
        fs::read_dir(folder).map_err(|error| missing(&format!("{} cannot be read: {error}", folder.display())))?;
    let mut plugins = Vec::new();
    for entry in listed {
        let path = entry.map_err(|error| format!("cannot list {}: {error}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "wasm")
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
        {
            plugins.push((name.to_owned(), path));
        }
    }
    plugins.sort();
    let absent: Vec<&str> =
        NEEDED.iter().copied().filter(|name| !plugins.iter().any(|(known, _)| known == name)).collect();
    if absent.is_empty() {
        Ok(plugins)
    } else {
        Err(missing(&format!("{} has no {}.wasm", folder.display(), absent.join(".wasm, no "))))
    }
}

fn missing(why: &str) -> String {
    format!(
        "the first-party plugins are not built ({why}): run `cargo xtask setup` first, or set WINDLASS_PLUGINS_DIR to a folder that has them"
    )
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("cargo sets {name}, but: {error}"))
}
