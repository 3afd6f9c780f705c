//! What a plugin's instance carries: its session, its WASI context, its limits.

use rand_chacha::ChaCha20Rng;
use serde_json::Value as Json;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use windlass_gate::{Function, Interrupt, Session};

use crate::clocks::{self, Clock};
use crate::contract::Plugin;
use crate::files::{self, Files};
use crate::limits::Limiter;
use crate::{poll, random};

/// What a plugin's instance carries.
pub(crate) struct State {
    /// Absent while the plugin describes itself: then nothing is granted.
    pub(crate) session: Option<Session>,
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) limiter: Limiter,
    /// Seeded when first asked for.
    pub(crate) random: Option<ChaCha20Rng>,
    pub(crate) clock: Clock,
    pub(crate) files: Files,
    /// Why the host ended the step, if it did.
    pub(crate) interrupt: Option<Interrupt>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl State {
    /// What the session saw; without a session (`describe`) time stands still and chance is fixed.
    pub(crate) fn observe(&mut self, function: Function, see: impl FnOnce() -> Json) -> wasmtime::Result<Option<Json>> {
        let Some(session) = self.session.as_mut() else { return Ok(None) };
        let seen = session.observe(function, see);
        seen.map(Some).map_err(|interrupt| self.interrupted(interrupt))
    }

    /// What was seen here when the attempt ran before, as far as its record goes.
    pub(crate) fn played(&mut self, function: Function) -> wasmtime::Result<Option<Json>> {
        let Some(session) = self.session.as_mut() else { return Ok(None) };
        let seen = session.played(function);
        seen.map_err(|interrupt| self.interrupted(interrupt))
    }

    /// Ends the instance, and keeps the reason.
    pub(crate) fn interrupted(&mut self, interrupt: Interrupt) -> wasmtime::Error {
        let message = interrupt.to_string();
        self.interrupt = Some(interrupt);
        wasmtime::Error::msg(message)
    }
}

/// Everything that a plugin may import.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    clocks::replace(linker)?;
    random::replace(linker)?;
    poll::replace(linker)?;
    files::replace(linker)?;
    linker.allow_shadowing(false);
    Plugin::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}
