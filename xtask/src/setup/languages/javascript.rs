//! JavaScript and TypeScript: Node.js is the machine's own, and npm fetches the rest as the lock of the SDK pins it.

use super::{Toolchain, made_once};
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::{Cmd, on_path};
use std::fs;
use std::time::Duration;

/// The first version of Node.js that the tools run on.
const OLDEST: u32 = 20;
/// The tools by name and version, and what each of their packages hashes to.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

pub(super) fn ensure(context: &Context) -> Result<Toolchain> {
    node()?;
    let pinned = context.root.join("plugin-sdk/js/toolchain");
    let texts = FILES.map(|file| {
        let path = pinned.join(file);
        fs::read_to_string(&path).doing(|| format!("read {}", path.display()))
    });
    let [manifest, lock] = texts;
    let (manifest, lock) = (manifest?, lock?);
    let folder = made_once(context, "js", &[&manifest, &lock], |new| {
        for (file, text) in FILES.iter().zip([&manifest, &lock]) {
            fs::write(new.join(file), text).doing(|| format!("write {}", new.join(file).display()))?;
        }
        // No package of these needs a script to be whole, so none runs.
        Cmd::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .dir(new)
            .limit(Duration::from_secs(600))
            .hint("The tools for plugins in JavaScript come from npm's registry. Is it reachable?")
            .output()
            .map(drop)
    })?;
    Ok(Toolchain { links: vec![("node_modules", folder.join("node_modules"))], ..Toolchain::default() })
}

fn node() -> Result<()> {
    const GET: &str = "install Node.js 20 or newer with its npm (https://nodejs.org)";
    if !on_path("node") || !on_path("npm") {
        return Err(Failure::new(format!("plugins in JavaScript are built with Node.js, which is not there: {GET}")));
    }
    let version = Cmd::new("node").arg("--version").output()?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|number| number.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(()),
        _ => Err(Failure::new(format!("Node.js {} is too old to build plugins with: {GET}", version.trim()))),
    }
}
