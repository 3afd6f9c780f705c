//! Calls Docker, for which its description does not ask: denied, whatever the grants say.

use windlass_plugin::docker;
use windlass_plugin::prelude::*;

/// Calls Docker, for which its description does not ask.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {}

struct Lies;

impl Plugin for Lies {
    type With = With;
    type Outputs = ();

    fn run(_: With, _: &Context) -> Result<(), Failure> {
        let there = docker::list()?;
        bail!("Docker answered: {} containers", there.len())
    }
}

windlass_plugin::export!(Lies);
