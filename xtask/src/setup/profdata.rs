//! LLVM's `llvm-profdata`, which makes a profile that the compiler can read of what a counting build has written.

use crate::failure::{Doing, Failure, Result};
use crate::proc::{Cmd, on_path};
use crate::ui;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The one of the compiler's own LLVM: another version does not read what its programs write.
pub(crate) fn llvm_profdata() -> Result<PathBuf> {
    let said = Cmd::new("rustc").args(["--print", "target-libdir"]).output()?;
    let libraries = Path::new(said.trim());
    let tools = libraries.parent().doing(|| format!("find the compiler's tools beside {}", libraries.display()))?;
    let tool = tools.join("bin/llvm-profdata");
    if tool.is_file() {
        return Ok(tool);
    }
    let add = ["component", "add", "llvm-tools"];
    if on_path("rustup") {
        ui::note(&format!("rustup {}", add.join(" ")));
        // Where its server cannot be reached, rustup tries for long.
        let added = Cmd::new("rustup").args(add).limit(Duration::from_secs(120)).output();
        if let Err(why) = added {
            ui::note(&format!("rustup cannot: {}", why.to_string().lines().last().unwrap_or_default()));
        }
    }
    if tool.is_file() {
        return Ok(tool);
    }
    Err(Failure::new(format!(
        "there is no {}: it comes with the compiler's component `llvm-tools`, which `rustup {}` installs where rustup can \
         download",
        tool.display(),
        add.join(" ")
    )))
}
