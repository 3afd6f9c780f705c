//! Logs a gibibyte, or as much as is asked for, and then succeeds.

use std::io::Write as _;

use windlass_plugin::prelude::*;

/// Logs a gibibyte, or as much as is asked for, and then succeeds.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {
    /// How much to log.
    size: Option<Size>,
    /// Which way.
    #[serde(default)]
    through: Through,
}

/// The ways into a step's log.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Through {
    /// The contract's `log`.
    #[default]
    Log,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

#[derive(Serialize, JsonSchema)]
struct Outputs {
    /// How many bytes it wrote.
    written: u64,
}

struct Chatter;

impl Plugin for Chatter {
    type With = With;
    type Outputs = Outputs;

    fn run(with: With, _: &Context) -> Result<Outputs, Failure> {
        let wanted = with.size.map_or(1 << 30, Size::bytes);
        let line = "x".repeat(4095);
        let mut written = 0;
        while written < wanted {
            match with.through {
                Through::Log => info!("{line}"),
                Through::Stdout => writeln!(std::io::stdout(), "{line}")?,
                Through::Stderr => writeln!(std::io::stderr(), "{line}")?,
            }
            written += line.len() as u64 + 1;
        }
        Ok(Outputs { written })
    }
}

windlass_plugin::export!(Chatter);
