//! Rust: the compiler that builds the guests.

use super::super::wasm::GuestCompiler;
use super::Toolchain;
use crate::context::Context;
use crate::failure::Result;

pub(super) fn ensure(context: &Context) -> Result<Toolchain> {
    let compiler = GuestCompiler::ensure(context)?;
    let envs = compiler.rustc.iter().map(|rustc| ("RUSTC".to_owned(), rustc.display().to_string()));
    Ok(Toolchain { envs: envs.collect(), ..Toolchain::default() })
}
