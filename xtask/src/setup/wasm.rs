//! A Rust compiler that can build guests: wasm32-wasip2 with its standard library.

use super::debian;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::proc::{Cmd, on_path};
use crate::ui;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The target of every guest.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// The compiler for guests.
pub(crate) struct GuestCompiler {
    /// Its path; `None` stands for the plain `rustc`.
    pub(crate) rustc: Option<PathBuf>,
    /// What it is, for the names of target folders: cargo does not notice by itself when a
    /// standard library is rebuilt under the same compiler.
    pub(crate) key: String,
}

impl GuestCompiler {
    /// Finds one or makes one, the quickest way first.
    pub(crate) fn ensure(context: &Context) -> Result<Self> {
        let forced = match std::env::var("WINDLASS_GUEST_STD").as_deref() {
            Err(_) | Ok("") => false,
            Ok("debian") => true,
            Ok(other) => {
                return Err(Failure::new(format!("WINDLASS_GUEST_STD={other} means nothing: unset it, or say debian")));
            }
        };
        if !forced && has_std(Path::new("rustc")) {
            return Self::plain();
        }
        if let Some(found) = debian::existing(context) {
            return Self::sysroot(found);
        }
        if !forced && rustup_adds_it() {
            return Self::plain();
        }
        let _lock = context.lock("wasm-sysroot", "making the standard library for guests")?;
        match debian::existing(context) {
            Some(found) => Self::sysroot(found),
            None => Self::sysroot(debian::make(context)?),
        }
    }

    fn plain() -> Result<Self> {
        let version = Cmd::new("rustc").arg("-vV").output()?;
        Ok(Self { rustc: None, key: crate::bytes::short_key(&[&version]) })
    }

    fn sysroot(folder: PathBuf) -> Result<Self> {
        ui::note(&format!("guests are built with {}", folder.display()));
        let key = crate::bytes::short_key(&[&folder.to_string_lossy()]);
        Ok(Self { rustc: Some(folder.join("bin/rustc")), key })
    }

    /// A cargo that builds for guests.
    pub(crate) fn cargo(&self, folder: &Path) -> Cmd {
        let cargo = Cmd::new("cargo").dir(folder);
        match &self.rustc {
            Some(rustc) => cargo.env("RUSTC", rustc),
            None => cargo,
        }
    }
}

/// Does this compiler have the standard library of the guests' target?
pub(super) fn has_std(rustc: &Path) -> bool {
    let folder = Cmd::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let Ok(entries) = folder.map(|f| std::fs::read_dir(f.trim())) else {
        return false;
    };
    entries.into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}

/// The ordinary way, quick to succeed or to fail: on a machine that cannot reach rustup's server
/// it must not hold up the other way.
fn rustup_adds_it() -> bool {
    if !on_path("rustup") {
        return false;
    }
    ui::note(&format!("rustup target add {TARGET}"));
    let added = Cmd::new("rustup").args(["target", "add", TARGET]).limit(Duration::from_secs(20)).output();
    if let Err(why) = &added {
        ui::note(&format!("rustup cannot: {}", why.to_string().lines().last().unwrap_or_default()));
    }
    added.is_ok() && has_std(Path::new("rustc"))
}
