//! Gives an output of 100 MB, or of the size that is asked for.

use windlass_plugin::prelude::*;

/// Gives an output of 100 MB, or of the size that is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {
    /// The size of the output.
    size: Option<Size>,
}

#[derive(Serialize, JsonSchema)]
struct Outputs {
    /// The same letter over and over.
    big: String,
}

struct BigOutput;

impl Plugin for BigOutput {
    type With = With;
    type Outputs = Outputs;

    fn run(with: With, _: &Context) -> Result<Outputs, Failure> {
        let size = with.size.map_or(100_000_000, |size| size.bytes() as usize);
        Ok(Outputs { big: "x".repeat(size) })
    }
}

windlass_plugin::export!(BigOutput);
