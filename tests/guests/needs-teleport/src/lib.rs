//! Needs a capability that no Windlass has.

use windlass_plugin::bindings::exports::windlass::step::step::{
    CapabilityUse, Description, Failure, Guest, Input, Outcome,
};

struct NeedsTeleport;

impl Guest for NeedsTeleport {
    fn describe() -> Description {
        Description {
            name: "needs-teleport".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            documentation: "Needs a capability that there is not.".into(),
            with_schema: String::new(),
            capabilities: vec![CapabilityUse {
                name: "teleport".into(),
                required: true,
                reason: "to be there\n\ngood: this Windlass runs it".into(),
            }],
            outputs: Vec::new(),
        }
    }

    fn run(_: Input) -> Result<Outcome, Failure> {
        Ok(Outcome { summary: String::new(), outputs: Vec::new() })
    }
}

#[cfg(target_arch = "wasm32")]
windlass_plugin::bindings::export_step!(NeedsTeleport with_types_in windlass_plugin::bindings);

#[cfg(not(target_arch = "wasm32"))]
const _: () = {
    let _ = (NeedsTeleport::describe, NeedsTeleport::run);
};
