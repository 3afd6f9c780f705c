//! `windlass:log`: straight into the step's log.

use windlass_journal::Stream;

use crate::contract::windlass::log::log::{Host, Level};
use crate::state::State;

impl Host for State {
    async fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let Some(session) = &self.session else { return Ok(()) };
        let log = session.log();
        match level {
            Level::Debug => log.line(Stream::Log, &format!("debug: {message}")),
            Level::Info => log.line(Stream::Log, &message),
            Level::Warn => log.line(Stream::Log, &format!("warning: {message}")),
            Level::Error => log.line(Stream::Log, &format!("error: {message}")),
        }
        Ok(())
    }
}
