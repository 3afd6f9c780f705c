//! The guests' standard library from Debian's packages, for machines where rustup cannot
//! download: Debian has the compiler's sources, so the library is built once and laid out as a
//! sysroot in the user's cache.
//!
//! The folder's name holds a key of the compiler and of this very file, so a change of either
//! makes a new one. It is made under another name and renamed when it is whole.

use super::packages;
use super::wasm::{TARGET, has_std};
use crate::bytes::short_key;
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::ui;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const RECIPE: &str = include_str!("debian.rs");
/// `rustc-web` is Debian's newest compiler; the plain `rustc` package can be years older.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"];
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const RUSTLIB: &str = "/usr/lib/rustlib";
const WASI_LIBC: &str = "/usr/lib/wasm32-wasi";
const HOST: &str = "x86_64-unknown-linux-gnu";
/// The linker is not among Debian's packages; it comes from the toolchain that builds the runner.
const LINKERS: [&str; 2] = ["wasm-component-ld", "rust-lld"];

fn place(context: &Context) -> Option<PathBuf> {
    let version = Cmd::new(RUSTC).arg("-vV").output().ok()?;
    Some(context.cache.join(format!("wasm-sysroot-{}", short_key(&[&version, RECIPE]))))
}

/// The sysroot made earlier, if it is still good: the linkers in it are links to a toolchain that
/// may have been removed since.
pub(super) fn existing(context: &Context) -> Option<PathBuf> {
    let folder = place(context).filter(|f| f.is_dir())?;
    let linkers = LINKERS.iter().all(|l| folder.join(format!("lib/rustlib/{HOST}/bin/{l}")).exists());
    (linkers && has_std(&folder.join("bin/rustc"))).then_some(folder)
}

/// Makes the sysroot.
pub(super) fn make(context: &Context) -> Result<PathBuf> {
    packages::ensure(
        &PACKAGES,
        "The standard library of wasm32-wasip2 is needed to build plugins: `rustup target add wasm32-wasip2` \
         installs it, where rustup can download",
    )?;
    let folder = place(context).doing(|| format!("run {RUSTC}, which the package rustc-web has just installed"))?;
    let linkers = linkers()?;
    let temp = context.cache.join(format!("wasm-sysroot.{}", std::process::id()));
    let _remove = Remove(temp.clone());
    let build = temp.join("build");
    let new = temp.join("sysroot");
    ui::note("building the standard library of wasm32-wasip2, once (about a minute)");
    build_std(&build)?;
    lay_out(&new, &folder, &build.join(format!("target/{TARGET}/release/deps")), &linkers)?;
    // Somebody may hold a broken one under this name (a linker that has gone): it is replaced.
    if folder.exists() {
        fs::remove_dir_all(&folder).doing(|| format!("remove {}", folder.display()))?;
    }
    fs::rename(&new, &folder).doing(|| format!("move the sysroot to {}", folder.display()))?;
    try_it(&folder.join("bin/rustc"), &temp).inspect_err(|_| {
        // A sysroot that does not work must not be found by the next run.
        let _ = fs::remove_dir_all(&folder);
    })?;
    Ok(folder)
}

fn linkers() -> Result<Vec<PathBuf>> {
    let sysroot = Cmd::new("rustc").args(["--print", "sysroot"]).output()?;
    let folder = Path::new(sysroot.trim()).join(format!("lib/rustlib/{HOST}/bin"));
    let found: Vec<PathBuf> = LINKERS.iter().map(|l| folder.join(l)).filter(|l| l.is_file()).collect();
    if found.len() == LINKERS.len() {
        return Ok(found);
    }
    Err(Failure::new(format!(
        "the guests' linkers ({}) are not in {}: they come with rustup's toolchain for {HOST}. Install Rust with \
         rustup, and let `rustup target add {TARGET}` do the rest.",
        LINKERS.join(" and "),
        folder.display()
    )))
}

/// Builds std as a dependency of an empty crate.
fn build_std(folder: &Path) -> Result<()> {
    let manifest = "[package]\nname = \"windlass-empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n";
    fs::create_dir_all(folder.join("src"))
        .and_then(|()| fs::write(folder.join("Cargo.toml"), manifest))
        .and_then(|()| fs::write(folder.join("src/lib.rs"), "#![no_std]\n"))
        .doing(|| format!("write {}", folder.display()))?;
    Cmd::new(CARGO)
        .args(["build", "--release", "--target", TARGET, "-Z", "build-std=std,panic_abort,test"])
        .dir(folder)
        .env("RUSTC", RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        // Guests with `lto = true` need the bitcode of std as well.
        .env("RUSTFLAGS", "-C embed-bitcode=yes")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .output()
        .map(drop)
}

/// Lays out `new` so that it works under the name `last`.
fn lay_out(new: &Path, last: &Path, built: &Path, linkers: &[PathBuf]) -> Result<()> {
    let host = new.join(format!("lib/rustlib/{HOST}"));
    let wasm = new.join(format!("lib/rustlib/{TARGET}/lib"));
    let work = || -> std::io::Result<()> {
        for folder in [&new.join("bin"), &host.join("bin"), &wasm.join("self-contained")] {
            fs::create_dir_all(folder)?;
        }
        // A script and not a link: a compiler finds its sysroot by its real path.
        let wrapper = format!("#!/bin/sh\nexec {RUSTC} --sysroot '{}' \"$@\"\n", last.display());
        fs::write(new.join("bin/rustc"), wrapper)?;
        fs::set_permissions(new.join("bin/rustc"), fs::Permissions::from_mode(0o755))?;
        symlink(format!("{RUSTLIB}/{HOST}/lib"), host.join("lib"))?;
        symlink(format!("{RUSTLIB}/src"), new.join("lib/rustlib/src"))?;
        for linker in linkers {
            symlink(linker, host.join("bin").join(linker.file_name().unwrap_or_default()))?;
        }
        for entry in fs::read_dir(built)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".rlib") && !name.starts_with("libwindlass_empty") {
                fs::copy(&path, wasm.join(name))?;
            }
        }
        for entry in fs::read_dir(WASI_LIBC)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name == "libc.a" || (name.starts_with("crt1") && name.ends_with(".o")) {
                fs::copy(&path, wasm.join("self-contained").join(name))?;
            }
        }
        Ok(())
    };
    work().doing(|| format!("lay out the sysroot in {}", new.display()))
}

/// Compiles and links a program that uses files, arguments and maps: what a guest needs of std.
/// (`std::net` does not link against this C library; sockets are closed to plugins anyway.)
fn try_it(rustc: &Path, temp: &Path) -> Result<()> {
    let source = temp.join("try.rs");
    let program = "fn main() { let m: std::collections::HashMap<_, _> = std::env::args().map(|a| (a, 1)).collect(); \
                   println!(\"{m:?} {:?} {:?}\", std::fs::read(\"x\"), std::time::Instant::now()); }";
    fs::write(&source, program).doing(|| format!("write {}", source.display()))?;
    Cmd::new(rustc)
        .args(["--edition=2024", "-O", "-Clto=fat", "--target", TARGET, "-o"])
        .arg(temp.join("try.wasm"))
        .arg(&source)
        .hint("The new standard library for guests does not work; it has been removed.")
        .output()
        .map(drop)
}

/// Removes a folder when dropped, also when something fails on the way.
struct Remove(PathBuf);

impl Drop for Remove {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
