//! Where a plugin was when it trapped, for its author.

use std::fmt::Write as _;

use wasmtime::{FrameInfo, FrameSymbol, WasmBacktrace};

/// The outermost frame of what Rust does to panic. The frames inside of it are the same in every panic.
const PANIC: &str = "rust_begin_unwind";

/// The functions, innermost first, as far as the plugin carries their names; with files and lines as far as it has those.
pub(crate) fn told(backtrace: &WasmBacktrace) -> String {
    let frames = backtrace.frames();
    let own = frames.iter().rposition(|frame| name(frame).is_some_and(|name| name.ends_with(PANIC)));
    let mut told = "it was here:".to_owned();
    for (number, frame) in frames[own.map_or(0, |panic| panic + 1)..].iter().enumerate() {
        let function = || name(frame).unwrap_or_else(|| unnamed(frame));
        if frame.symbols().is_empty() {
            let _ = write!(told, "\n{number:4}: {}", function());
        }
        // What was inlined into the function comes before it.
        for (depth, symbol) in frame.symbols().iter().enumerate() {
            let called = symbol.name().map_or_else(function, plain);
            let _ = match depth {
                0 => write!(told, "\n{number:4}: {called}"),
                _ => write!(told, "\n      {called}"),
            };
            place(symbol, &mut told);
        }
    }
    told
}

fn name(frame: &FrameInfo) -> Option<String> {
    frame.func_name().map(plain)
}

/// The name as its author wrote it.
fn plain(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

fn unnamed(frame: &FrameInfo) -> String {
    let offset = frame.module_offset().map(|offset| format!(" at {offset:#x}")).unwrap_or_default();
    format!("function {}{offset}", frame.func_index())
}

fn place(symbol: &FrameSymbol, told: &mut String) {
    let Some(file) = symbol.file() else { return };
    let _ = write!(told, "\n        at {file}");
    for number in [symbol.line(), symbol.column()].into_iter().flatten() {
        let _ = write!(told, ":{number}");
    }
}
