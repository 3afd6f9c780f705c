//! Traps when it is asked what it is.

use windlass_plugin::bindings::exports::windlass::step::step::{Description, Failure, Guest, Input, Outcome};

struct DescribeTrap;

impl Guest for DescribeTrap {
    fn describe() -> Description {
        panic!("this guest does not say what it is")
    }

    fn run(_: Input) -> Result<Outcome, Failure> {
        Ok(Outcome { summary: String::new(), outputs: Vec::new() })
    }
}

#[cfg(target_arch = "wasm32")]
windlass_plugin::bindings::export_step!(DescribeTrap with_types_in windlass_plugin::bindings);

#[cfg(not(target_arch = "wasm32"))]
const _: () = {
    let _ = (DescribeTrap::describe, DescribeTrap::run);
};
