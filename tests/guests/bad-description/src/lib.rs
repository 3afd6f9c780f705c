//! Describes itself with a schema that is JSON, but no JSON Schema.

use windlass_plugin::bindings::exports::windlass::step::step::{Description, Failure, Guest, Input, Outcome};

struct BadDescription;

impl Guest for BadDescription {
    fn describe() -> Description {
        Description {
            name: "bad-description".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            documentation: "Has a schema that is none.".into(),
            with_schema: r#"{"type":"tabel","properties":[]}"#.into(),
            capabilities: Vec::new(),
            outputs: Vec::new(),
        }
    }

    fn run(_: Input) -> Result<Outcome, Failure> {
        Ok(Outcome { summary: String::new(), outputs: Vec::new() })
    }
}

#[cfg(target_arch = "wasm32")]
windlass_plugin::bindings::export_step!(BadDescription with_types_in windlass_plugin::bindings);

#[cfg(not(target_arch = "wasm32"))]
const _: () = {
    let _ = (BadDescription::describe, BadDescription::run);
};
