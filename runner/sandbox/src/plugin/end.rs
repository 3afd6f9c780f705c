//! Why an instance ended without an answer, in words.

use wasmtime::{FrameInfo, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;
use windlass_gate::Interrupt;
use windlass_journal::{Failure, FailureKind, Stream};

use super::{DESCRIBE, MAX_CALL, Plugin};
use crate::backtrace;
use crate::limits::Limits;
use crate::state::State;
use crate::stdio::Tail;

/// The failure of a step whose instance broke off. Where it was goes into the log, with lines if the plugin carries them.
pub(super) fn broken(plugin: &Plugin, error: &wasmtime::Error, state: &State, limits: &Limits) -> Failure {
    // Where the host ended it, the plugin's own place says nothing.
    if let (Some(session), Some(backtrace), None) =
        (&state.session, error.downcast_ref::<WasmBacktrace>(), &state.interrupt)
    {
        session.log().line(Stream::Log, &backtrace::told(backtrace));
    }
    let mut failure = why(error, state, limits);
    failure.message = format!("{}: {}", plugin.identity(), failure.message);
    failure
}

/// Why an instance ended that runs for no step, and what it said last: there is no log.
pub(super) fn unanswered(error: &wasmtime::Error, state: &State, said: &Tail) -> String {
    let why = why(error, state, &DESCRIBE).message;
    format!("{why}{}", said.told("standard error").unwrap_or_default())
}

/// Why it ended.
pub(super) fn why(error: &wasmtime::Error, state: &State, limits: &Limits) -> Failure {
    let plugin = |message: String, hint: Option<&str>| Failure {
        kind: FailureKind::Plugin,
        message,
        hint: hint.map(str::to_owned),
    };
    match &state.interrupt {
        Some(interrupt @ Interrupt::Journal(_)) => {
            return Failure { kind: FailureKind::Host, message: interrupt.to_string(), hint: None };
        }
        Some(interrupt @ (Interrupt::Diverged(_) | Interrupt::RecordEnded(_))) => {
            return Failure { kind: FailureKind::Failed, message: interrupt.to_string(), hint: None };
        }
        Some(interrupt) => return plugin(interrupt.to_string(), None),
        None => {}
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return plugin(format!("it ended itself with exit code {} instead of returning", exit.0), None);
    }
    if state.limiter.refused_memory {
        return plugin(
            format!("it ran out of memory: the limit is {} MiB", limits.memory >> 20),
            Some("raise `limits.memory` of the step if it really needs more"),
        );
    }
    if state.limiter.refused_table {
        return plugin(
            format!("a table grew over the limit of {} elements", limits.table_elements),
            Some("raise `limits.table` of the step if it really needs more"),
        );
    }
    // Wasmtime has no public type for it.
    if error.root_cause().to_string().contains("fuel allocated for hostcalls") {
        return plugin(
            format!("it passed more than {} MiB to the host at once, or got as much", MAX_CALL >> 20),
            Some("hand over large things as files or artifacts, and give outputs that say where they are"),
        );
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => plugin(
            format!("it computed for too long: its {} units of fuel are used up", limits.fuel),
            Some("raise `limits.fuel` of the step if it is not in an endless loop"),
        ),
        Some(Trap::StackOverflow) => plugin("its stack overflowed; it recurses too deep".to_owned(), None),
        // Compiled languages keep a stack of their own in memory, and overflow it first.
        Some(Trap::MemoryOutOfBounds) if recursed(error) => {
            plugin("its stack overflowed; it recurses too deep".to_owned(), None)
        }
        Some(Trap::UnreachableCodeReached) => {
            let log = if state.session.is_some() { "; its log has what it said" } else { "" };
            plugin(format!("it panicked or aborted{log}"), None)
        }
        Some(trap) => plugin(format!("it trapped: {trap}"), None),
        None => plugin(format!("{error:#}"), None),
    }
}

/// Whether the innermost frames are all of one function.
fn recursed(error: &wasmtime::Error) -> bool {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return false };
    let mut functions = backtrace.frames().iter().map(FrameInfo::func_index);
    let first = functions.next();
    backtrace.frames().len() > 10 && functions.take(10).all(|function| Some(function) == first)
}
