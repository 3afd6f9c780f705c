//! Python: componentize-py brings the interpreter that plugins run in; the machine's own only fetches it.

use super::super::packages;
use super::{Toolchain, made_once};
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::{Cmd, on_path};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// The file in which the template pins its tools.
const REQUIREMENTS: &str = "plugin-sdk/python/templates/project/requirements.txt";
/// Those that pip writes name the folder that they were installed in, and this one is moved once it is whole.
const PROGRAM: &str = r#"#!/bin/sh
tools=$(dirname "$(dirname "$(readlink -f "$0")")")
exec python3 -c "import sys; sys.path.insert(0, sys.argv.pop(1)); from componentize_py import script; sys.exit(script())" \
    "$tools/lib" "$@"
"#;

pub(super) fn ensure(context: &Context) -> Result<Toolchain> {
    if !on_path("python3") {
        return Err(Failure::new(
            "plugins in Python are built with componentize-py, which python3 fetches, and that is not there: install it",
        ));
    }
    let file = context.root.join(REQUIREMENTS);
    let requirements = fs::read_to_string(&file).doing(|| format!("read {}", file.display()))?;
    let version = Cmd::new("python3").arg("--version").output()?;
    let folder = made_once(context, "python", &[&requirements, &version], |new| {
        if Cmd::new("python3").args(["-m", "pip", "--version"]).output().is_err() {
            // Debian has it in a package of its own.
            packages::ensure(&["python3-pip"], "python3 has no pip to install componentize-py with")?;
        }
        Cmd::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"])
            .arg("--target")
            .arg(new.join("lib"))
            .arg("-r")
            .arg(&file)
            .limit(Duration::from_secs(600))
            .hint("The tools for plugins in Python come from PyPI. Is it reachable?")
            .output()?;
        let program = new.join("bin/componentize-py");
        let written = fs::create_dir_all(new.join("bin"))
            .and_then(|()| fs::write(&program, PROGRAM))
            .and_then(|()| fs::set_permissions(&program, fs::Permissions::from_mode(0o755)));
        written.doing(|| format!("write {}", program.display()))
    })?;
    Ok(Toolchain { path: vec![folder.join("bin")], ..Toolchain::default() })
}
