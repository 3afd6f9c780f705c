//! What a plugin's instance carries: its session, its WASI context, its limits.

use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use windlass_gate::{Interrupt, Session};

use crate::clocks;
use crate::contract::Plugin;
use crate::limits::Limiter;

/// What a plugin's instance carries.
pub(crate) struct State {
    /// Absent while the plugin describes itself: then nothing is granted.
    pub(crate) session: Option<Session>,
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) limiter: Limiter,
    /// Seeded when first asked for.
    pub(crate) random: Option<ChaCha20Rng>,
    pub(crate) started: Instant,
    /// Why the host ended the step, if it did.
    pub(crate) interrupt: Option<Interrupt>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Everything that a plugin may import.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    clocks::replace(linker)?;
    Plugin::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}
