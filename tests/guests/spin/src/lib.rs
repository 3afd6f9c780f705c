//! Never ends: an endless loop that calls nothing.

use windlass_plugin::prelude::*;

/// Never ends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {}

struct Spin;

impl Plugin for Spin {
    type With = With;
    type Outputs = ();

    fn run(_: With, _: &Context) -> Result<(), Failure> {
        let mut count = 0_u64;
        loop {
            // The optimiser must not find out that this leads nowhere.
            count = std::hint::black_box(count.wrapping_add(1));
        }
    }
}

windlass_plugin::export!(Spin);
