//! Traps, in the way that is asked for.

use windlass_plugin::prelude::*;

/// Traps, in the way that is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {
    /// How.
    #[serde(default)]
    how: How,
}

/// How to trap.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum How {
    /// By a panic with a message on standard error.
    #[default]
    Panic,
    /// By `exit` of the WASI command line.
    Exit,
    /// By `abort`.
    Abort,
    /// By an index that is out of bounds.
    Index,
}

struct Trap;

impl Plugin for Trap {
    type With = With;
    type Outputs = ();

    fn run(with: With, _: &Context) -> Result<(), Failure> {
        match with.how {
            How::Panic => panic!("this guest panics on purpose"),
            How::Exit => std::process::exit(3),
            How::Abort => std::process::abort(),
            How::Index => {
                let none: Vec<u8> = Vec::new();
                bail!("got {}", none[std::hint::black_box(7)])
            }
        }
    }
}

windlass_plugin::export!(Trap);
