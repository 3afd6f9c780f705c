//! Where things are: the workspace, cargo's target folder, the user's cache.

use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The folders every command works with.
pub(crate) struct Context {
    /// The root of the work tree.
    pub(crate) root: PathBuf,
    /// cargo's target folder, wherever CARGO_TARGET_DIR or a config file puts it.
    pub(crate) target: PathBuf,
    /// Windlass's own folder in the user's cache.
    pub(crate) cache: PathBuf,
    /// The folders of the root workspace's members.
    members: Vec<PathBuf>,
}

impl Context {
    /// Asks cargo, which knows every way in which the target folder can be moved.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .doing(|| "find the workspace above xtask".to_owned())?
            .to_owned();
        let answer = Cmd::new("cargo").args(["metadata", "--no-deps", "--format-version=1"]).dir(&root).output()?;
        let answer: serde_json::Value =
            serde_json::from_str(&answer).doing(|| "read the answer of `cargo metadata`".to_owned())?;
        let target = answer["target_directory"].as_str().doing(|| "find cargo's target folder".to_owned())?;
        let manifests = answer["packages"].as_array().into_iter().flatten();
        let members = manifests.filter_map(|p| Path::new(p["manifest_path"].as_str()?).parent().map(Path::to_owned));
        let members = members.collect();
        Ok(Self { root, target: target.into(), cache: cache()?, members })
    }

    /// The folder of this work tree with this name, if it is a cargo workspace.
    pub(crate) fn workspace(&self, name: &str) -> Option<PathBuf> {
        let folder = self.root.join(name);
        folder.join("Cargo.toml").is_file().then_some(folder)
    }

    /// The folders of the tree's other cargo workspaces: SDK, plugins, guests, examples. Fuzz
    /// targets are left out, since they need a nightly compiler, and templates are no crates yet.
    pub(crate) fn other_workspaces(&self) -> Result<Vec<PathBuf>> {
        let mut found: Vec<PathBuf> = Vec::new();
        for manifest in crate::tidy::files(&self.root).iter().filter(|f| f.ends_with("Cargo.toml")) {
            let folder = self.root.join(manifest.parent().unwrap_or(Path::new("")));
            let skipped = manifest.components().any(|c| c.as_os_str() == "fuzz" || c.as_os_str() == "templates")
                || self.members.contains(&folder)
                || found.iter().any(|above| folder.starts_with(above));
            if skipped {
                continue;
            }
            // A crate may belong to a workspace that does not lie above it.
            let root = Cmd::new("cargo")
                .args(["locate-project", "--workspace", "--message-format=plain"])
                .dir(&folder)
                .output()?;
            let root = Path::new(root.trim()).parent().unwrap_or(&folder).to_owned();
            if root != self.root && !found.contains(&root) {
                found.push(root);
            }
        }
        Ok(found)
    }

    /// Where the first-party plugins go for the runner's build to find.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.target.join("plugins")
    }

    /// Where the guests of the tests go.
    pub(crate) fn test_guests(&self) -> PathBuf {
        self.target.join("test-guests")
    }

    /// Takes a lock of this user, waiting for other `cargo xtask`s; it is free again when dropped.
    pub(crate) fn lock(&self, name: &str, why: &str) -> Result<File> {
        fs::create_dir_all(&self.cache).doing(|| format!("create {}", self.cache.display()))?;
        let path = self.cache.join(format!("{name}.lock"));
        let file = File::create(&path).doing(|| format!("open {}", path.display()))?;
        if file.try_lock().is_err() {
            crate::ui::note(&format!("waiting for another `cargo xtask`, which is {why} ({})", path.display()));
            file.lock().doing(|| format!("lock {}", path.display()))?;
        }
        Ok(file)
    }
}

fn cache() -> Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|base| base.join("windlass"))
        .ok_or_else(|| Failure::new("cannot find the user's cache folder: set HOME or XDG_CACHE_HOME"))
}

/// Is this a CI machine, where leaving something out would go unseen?
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|v| !v.is_empty() && v != "false" && v != "0")
}
