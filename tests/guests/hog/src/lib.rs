//! Takes memory without end, and touches all of it.

use windlass_plugin::prelude::*;

/// Takes memory without end, and touches all of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {}

struct Hog;

impl Plugin for Hog {
    type With = With;
    type Outputs = ();

    fn run(_: With, _: &Context) -> Result<(), Failure> {
        let mut taken: Vec<Vec<u8>> = Vec::new();
        loop {
            taken.push(std::hint::black_box(vec![1; 1 << 20]));
        }
    }
}

windlass_plugin::export!(Hog);
