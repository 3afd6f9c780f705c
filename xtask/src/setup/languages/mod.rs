//! What plugins in other languages are built with: each in a folder of its own in the user's cache, in the version that
//! the SDK is tested with. `cargo xtask setup` fetches them; without a network a machine does without.

mod c;
mod go;
mod javascript;
mod python;
mod rust;

pub(crate) use c::clang;

use crate::bytes::short_key;
use crate::context::Context;
use crate::failure::{Doing, Result};
use crate::ui;
use std::fs;
use std::path::{Path, PathBuf};

/// What a build in one language takes beside Windlass.
#[derive(Debug, Default)]
pub(crate) struct Toolchain {
    /// Folders of programs, to be found before any others.
    pub(crate) path: Vec<PathBuf>,
    /// What a project has to have in its folder: the name there, and where it is.
    pub(crate) links: Vec<(&'static str, PathBuf)>,
    /// Variables of its environment.
    pub(crate) envs: Vec<(String, String)>,
}

/// A language, and how its tools come to be there.
pub(crate) struct Language {
    /// As `windlass plugin new --lang` calls it.
    pub(crate) names: &'static [&'static str],
    ensure: fn(&Context) -> Result<Toolchain>,
    /// The SDK's own tests, which need no host: a command in the root of the work tree.
    pub(crate) tests: &'static [&'static str],
}

impl Language {
    /// Finds the tools or fetches them.
    pub(crate) fn ensure(&self, context: &Context) -> Result<Toolchain> {
        ui::part(&format!("tools for {}", self.names.join(" and ")), || (self.ensure)(context))
    }
}

/// All of them.
pub(crate) const LANGUAGES: &[Language] = &[
    // Those of Rust's SDK are run with the other workspaces'.
    Language { names: &["rust"], ensure: rust::ensure, tests: &[] },
    Language { names: &["js", "ts"], ensure: javascript::ensure, tests: &["node", "--test", "plugin-sdk/js/tests"] },
    Language {
        names: &["python"],
        ensure: python::ensure,
        tests: &["python3", "-B", "-m", "unittest", "discover", "plugin-sdk/python/tests"],
    },
    Language { names: &["c"], ensure: c::ensure, tests: &[] },
    Language { names: &["go"], ensure: go::ensure, tests: &["go", "-C", "plugin-sdk/go/sdk", "test", "./..."] },
];

/// A folder of the cache that is made once: under another name first, and renamed when it is whole. `recipe` is all that
/// it depends on.
fn made_once(
    context: &Context,
    name: &str,
    recipe: &[&str],
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let toolchains = context.cache.join("toolchains");
    let folder = toolchains.join(format!("{name}-{}", short_key(recipe)));
    if folder.is_dir() {
        return Ok(folder);
    }
    let _lock = context.lock(&format!("toolchain-{name}"), "fetching the same tools")?;
    if folder.is_dir() {
        return Ok(folder);
    }
    let new = toolchains.join(format!("{name}.{}.new", std::process::id()));
    fs::create_dir_all(&new).doing(|| format!("create {}", new.display()))?;
    let done =
        make(&new).and_then(|()| fs::rename(&new, &folder).doing(|| format!("move the tools to {}", folder.display())));
    if done.is_err() {
        // Half a toolchain is none.
        let _ = fs::remove_dir_all(&new);
    }
    done.map(|()| folder)
}
