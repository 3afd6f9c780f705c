//! Ends itself when it is asked what it is.

use windlass_plugin::bindings::exports::windlass::step::step::{Description, Failure, Guest, Input, Outcome};

struct DescribeExit;

impl Guest for DescribeExit {
    fn describe() -> Description {
        std::process::exit(3)
    }

    fn run(_: Input) -> Result<Outcome, Failure> {
        Ok(Outcome { summary: String::new(), outputs: Vec::new() })
    }
}

#[cfg(target_arch = "wasm32")]
windlass_plugin::bindings::export_step!(DescribeExit with_types_in windlass_plugin::bindings);

#[cfg(not(target_arch = "wasm32"))]
const _: () = {
    let _ = (DescribeExit::describe, DescribeExit::run);
};
