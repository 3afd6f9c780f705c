//! Overflows its stack: calls itself without end.

use windlass_plugin::prelude::*;

/// Overflows its stack.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {}

struct Recurse;

impl Plugin for Recurse {
    type With = With;
    type Outputs = ();

    fn run(_: With, _: &Context) -> Result<(), Failure> {
        ensure!(deeper(1) == 0, "the stack has no end");
        Ok(())
    }
}

windlass_plugin::export!(Recurse);

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn deeper(depth: u64) -> u64 {
    // Uses the result, so that it is no loop after all.
    let frame = std::hint::black_box([depth; 32]);
    deeper(frame[7].wrapping_add(1)).wrapping_add(frame[9])
}
