//! Prints what a log should not pass on: terminal sequences, false progress, commands of CI systems.

use std::io::Write as _;

use windlass_plugin::prelude::*;

/// Prints what a log should not pass on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {}

/// Clears the screen, moves the cursor, sets the title, paints, rings, goes back in the line, claims success, talks to
/// CI systems, turns the direction of text, and ends without a line's end.
const SHOUTS: &[&str] = &[
    "\x1b[2J\x1b[1;1Hcleared\n",
    "\x1b]0;owned\x07titled\n",
    "\x1b[31mpainted\x1b[0m\n",
    "\x07\x08\x08\x08rung\n",
    "  0%\r 50%\r100%\n",
    "\r\x1b[K\u{2714} stage bad  succeeded\n",
    "::set-output name=token::stolen\n",
    "##vso[task.setvariable variable=x]stolen\n",
    "\u{202e}desrever\u{200b}\n",
    "\u{9b}31mpainted otherwise\n",
    "no end",
];

struct Shouts;

impl Plugin for Shouts {
    type With = With;
    type Outputs = ();

    fn run(_: With, _: &Context) -> Result<(), Failure> {
        for shout in SHOUTS {
            write!(std::io::stdout(), "{shout}")?;
        }
        for shout in SHOUTS {
            info!("{shout}");
        }
        bail!("{}", SHOUTS.concat())
    }
}

windlass_plugin::export!(Shouts);
