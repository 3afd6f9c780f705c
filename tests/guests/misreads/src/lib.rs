//! Its schema takes anything for `count`, and it reads a number.

use windlass_plugin::prelude::*;

/// Its schema takes anything for `count`, and it reads a number.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {
    /// Anything, it says.
    #[schemars(with = "serde_json::Value")]
    count: u32,
}

struct Misreads;

impl Plugin for Misreads {
    type With = With;
    type Outputs = ();

    fn run(with: With, _: &Context) -> Result<(), Failure> {
        info!("{}", with.count);
        Ok(())
    }
}

windlass_plugin::export!(Misreads);
