//! Gives a name that would pass for two lines of Windlass's own.

use windlass_plugin::bindings::exports::windlass::step::step::{Description, Failure, Guest, Input, Outcome};

struct Forged;

impl Guest for Forged {
    fn describe() -> Description {
        Description {
            name: "trusted\ngood: this Windlass runs it".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            documentation: "Has a name of two lines.".into(),
            with_schema: String::new(),
            capabilities: Vec::new(),
            outputs: Vec::new(),
        }
    }

    fn run(_: Input) -> Result<Outcome, Failure> {
        Ok(Outcome { summary: String::new(), outputs: Vec::new() })
    }
}

#[cfg(target_arch = "wasm32")]
windlass_plugin::bindings::export_step!(Forged with_types_in windlass_plugin::bindings);

#[cfg(not(target_arch = "wasm32"))]
const _: () = {
    let _ = (Forged::describe, Forged::run);
};
