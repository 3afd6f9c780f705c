//! `cargo xtask compat`: what is kept of a release of the contract, so that its plugins run for ever.

use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::languages;
use crate::proc::Cmd;
use crate::setup::{build_guests, guest_envs};
use crate::tidy::released::{CONTRACTS, PLUGINS, freeze, present_version, to_list};
use crate::ui;
use std::fs;
use std::path::{Path, PathBuf};

/// Go's own case keeps its garbage collector busy for long: it tells of the runtime in the plugin, not of the host.
const WITHOUT_OWN: &[&str] = &["go"];

/// Records a release: `wit/released/VERSION` and `tests/compat/VERSION`. What is there already is never made again.
pub(crate) fn command(args: &[String]) -> Result<()> {
    let [record, version] = args else {
        return Err(Failure::new("say which version is released: `cargo xtask compat --record VERSION`"));
    };
    if record != "--record" {
        return Err(Failure::new(format!("`cargo xtask compat` takes no `{record}`")));
    }
    let context = Context::find()?;
    let root = &context.root;
    let present = present_version(root)?;
    if *version != present {
        return Err(Failure::new(format!("the world in wit/plugin.wit has version {present}, not {version}")));
    }
    let contract = root.join(CONTRACTS).join(version);
    let folder = root.join(PLUGINS).join(version);
    if let Some(there) = [&contract, &folder].into_iter().find(|folder| folder.exists()) {
        return Err(Failure::new(format!("{} is there: {version} was released, and stays as it is", there.display())));
    }
    build_guests(&context)?;
    let windlass = Cmd::new("cargo").dir(root).envs(&guest_envs(&context));
    windlass.args(["build", "-p", "windlass", "--bins"]).run()?;
    let plugins = languages::plugins(&context)?;

    copy_tree(&root.join("wit/plugin.wit"), &contract.join("plugin.wit"))?;
    copy_tree(&root.join("wit/deps"), &contract.join("deps"))?;
    copy_tree(&root.join("tests/conformance/cases"), &folder.join("cases"))?;
    for (language, plugin) in &plugins {
        if let Some(own) = languages::own_cases(root, language).filter(|_| !WITHOUT_OWN.contains(language)) {
            copy_tree(&own, &folder.join(language).join("cases"))?;
        }
        tell_of_places(&context, plugin)?;
        let packed = folder.join(format!("{language}.wasm.zst"));
        Cmd::new("zstd").args(["-19", "--quiet"]).arg(plugin).arg("-o").arg(&packed).run()?;
    }
    freeze(&contract)?;
    freeze(&folder)?;
    ui::note(&format!(
        "{} and {} are made: commit them, and tell of it in wit/CHANGELOG.md",
        contract.display(),
        folder.display()
    ));
    ui::note(&to_list(root, version)?);
    Ok(())
}

/// Copies a file, or a folder with all that is in it.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    let files = if from.is_dir() { crate::tidy::files(from) } else { vec![PathBuf::new()] };
    for file in files {
        let (from, to) = if from.is_dir() { (from.join(&file), to.join(&file)) } else { (from.into(), to.to_owned()) };
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).doing(|| format!("create {}", folder.display()))?;
        }
        let _ = fs::copy(&from, &to).doing(|| format!("copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

/// What is kept for ever should not tell where this machine has its folders; some tools leave that in all the same.
fn tell_of_places(context: &Context, plugin: &Path) -> Result<()> {
    let bytes = fs::read(plugin).doing(|| format!("read {}", plugin.display()))?;
    for place in [&context.root, &context.target, &context.cache] {
        let text = place.display().to_string();
        if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
            ui::warn(&format!("{} has the path {text} in it", plugin.display()));
        }
    }
    Ok(())
}
