//! Builds the guests: the first-party plugins and the guests of the tests.

use super::wasm::{GuestCompiler, TARGET};
use crate::bytes::write_if_changed;
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::ui;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Builds both guest workspaces, as far as they are there.
pub(crate) fn build(context: &Context, compiler: &GuestCompiler) -> Result<()> {
    for (workspace, name, to) in
        [("plugins", "plugins", context.plugins()), ("tests/guests", "tests", context.test_guests())]
    {
        if let Some(folder) = context.workspace(workspace) {
            let target = context.target.join(format!("guests/{name}-{}", compiler.key));
            let built = build_workspace(compiler, &folder, &target, &flags(context, &target)?)?;
            let changed = publish(&built, &to)?;
            ui::note(&format!("{workspace}: {} components, {changed} new in {}", built.len(), to.display()));
        }
    }
    Ok(())
}

/// Builds one workspace and gives its components by name.
fn build_workspace(
    compiler: &GuestCompiler,
    folder: &Path,
    target: &Path,
    flags: &str,
) -> Result<BTreeMap<String, PathBuf>> {
    let mut built = BTreeMap::new();
    let status = compiler
        .cargo(folder)
        .args(["build", "--release", "--target", TARGET, "--message-format=json-render-diagnostics", "--target-dir"])
        .arg(target)
        // The runner's flags (coverage, sanitizers) mean nothing to guests.
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .env_remove("CARGO_BUILD_TARGET")
        .lines(|line| built.extend(components(line)))?;
    if status.success() {
        return Ok(built);
    }
    Err(Failure::new(format!("the guests of {} do not build (see above)", folder.display())))
}

/// Panics tell where they are. That must not be where this machine has its folders, which is nobody's business and no part
/// of a plugin's digest. Of several that fit, the compiler takes the last.
fn flags(context: &Context, target: &Path) -> Result<String> {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let mut known: Vec<(PathBuf, &str)> = cargo.into_iter().map(|folder| (folder, "/cargo")).collect();
    known.extend([(context.root.clone(), "/windlass"), (target.to_owned(), "/target")]);
    let mut flags = Vec::new();
    for (folder, name) in known {
        let folder = folder.to_str().doing(|| format!("name {}, whose name is no text", folder.display()))?;
        flags.push(format!("--remap-path-prefix={folder}={name}"));
    }
    Ok(flags.join("\x1f"))
}

/// The components in one of cargo's messages.
fn components(message: &str) -> Vec<(String, PathBuf)> {
    let Ok(message) = serde_json::from_str::<serde_json::Value>(message) else {
        return Vec::new();
    };
    let files = message["filenames"].as_array().into_iter().flatten().filter_map(|f| f.as_str());
    files
        .map(PathBuf::from)
        .filter(|file| file.extension().is_some_and(|e| e == "wasm"))
        // `deps/` holds the same files under hashed names.
        .filter(|file| file.parent().is_some_and(|p| !p.ends_with("deps")))
        .filter_map(|file| Some((file.file_stem()?.to_str()?.replace('_', "-"), file)))
        .collect()
}

/// Copies what changed, and removes what is no longer built: the runner embeds all it finds.
fn publish(built: &BTreeMap<String, PathBuf>, to: &Path) -> Result<usize> {
    let mut changed = 0;
    fs::create_dir_all(to).doing(|| format!("create {}", to.display()))?;
    for (name, file) in built {
        let bytes = fs::read(file).doing(|| format!("read {}", file.display()))?;
        changed += usize::from(write_if_changed(&to.join(format!("{name}.wasm")), &bytes)?);
    }
    for entry in fs::read_dir(to).doing(|| format!("list {}", to.display()))?.flatten() {
        let path = entry.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|e| e == "wasm") && !built.contains_key(&stem) {
            fs::remove_file(&path).doing(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_of_a_message() {
        let message = r#"{"reason":"compiler-artifact","filenames":
            ["/t/wasm32-wasip2/release/http_check.wasm","/t/wasm32-wasip2/release/deps/x.wasm","/t/libx.rlib"]}"#;
        let expected = PathBuf::from("/t/wasm32-wasip2/release/http_check.wasm");
        assert_eq!(components(message), [("http-check".to_owned(), expected)]);
        assert_eq!(components("warning: text"), []);
    }
}
