//! C: Debian's clang with its linker, and the C library of WASI.

use super::super::packages;
use super::Toolchain;
use crate::context::Context;
use crate::failure::Result;
use std::path::{Path, PathBuf};

/// The compiler's version is in the names; what it compiles against has one version in a Debian.
const PACKAGES: [&str; 4] = ["clang-19", "lld-19", "libclang-rt-19-dev-wasm32", "wasi-libc"];

pub(super) fn ensure(_: &Context) -> Result<Toolchain> {
    packages::ensure(
        &PACKAGES,
        "Plugins in C are built with clang 19 and wasi-libc (elsewhere, WASI_SDK_PATH names a release of \
         https://github.com/WebAssembly/wasi-sdk)",
    )?;
    Ok(Toolchain::default())
}

/// The compiler, as `windlass plugin build` finds it.
pub(crate) fn clang() -> PathBuf {
    let named = std::env::var_os("WASI_SDK_PATH").map(|sdk| Path::new(&sdk).join("bin/clang"));
    named.unwrap_or_else(|| PACKAGES[0].into())
}
