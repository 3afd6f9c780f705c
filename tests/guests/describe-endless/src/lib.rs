//! Never says what it is: an endless loop in `describe`.

use windlass_plugin::bindings::exports::windlass::step::step::{Description, Failure, Guest, Input, Outcome};

struct DescribeEndless;

impl Guest for DescribeEndless {
    fn describe() -> Description {
        let mut count = 0_u64;
        loop {
            count = std::hint::black_box(count.wrapping_add(1));
        }
    }

    fn run(_: Input) -> Result<Outcome, Failure> {
        Ok(Outcome { summary: String::new(), outputs: Vec::new() })
    }
}

#[cfg(target_arch = "wasm32")]
windlass_plugin::bindings::export_step!(DescribeEndless with_types_in windlass_plugin::bindings);

#[cfg(not(target_arch = "wasm32"))]
const _: () = {
    let _ = (DescribeEndless::describe, DescribeEndless::run);
};
