//! `--wait` and `--no-wait`: whether a process stays when there is nothing to do but to wait for people.

use std::io::IsTerminal as _;

use clap::Args;

use crate::environment;

/// The two flags.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WaitArg {
    /// Stay until somebody has decided about what waits for approval [default: on a terminal, unless CI is set]
    #[arg(long, overrides_with = "no_wait")]
    wait: bool,
    /// End with code 5 when there is nothing else to do; `windlass resume` goes on after the decision
    #[arg(long, overrides_with = "wait")]
    no_wait: bool,
}

impl WaitArg {
    /// Whether to stay.
    pub(crate) fn stays(self) -> bool {
        self.wait || (!self.no_wait && !environment::is_ci() && std::io::stdout().is_terminal())
    }
}
