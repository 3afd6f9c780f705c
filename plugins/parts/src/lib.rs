//! What the first-party plugins share: the parts of `with` that look the same everywhere, and how they tell of
//! containers.

mod containers;
mod health;
mod mounts;
mod policy;
mod ports;
mod settings;
mod tell;
mod up;

pub use containers::{create_network, join_networks, not_made, run_or_pull};
pub use health::{Check, Health};
pub use mounts::{Mount, create_volume, create_volumes, volumes_of};
pub use policy::{Statuses, policy};
pub use ports::PublishedPort;
pub use settings::Restart;
pub use tell::{last_lines, shell_words, tail_of};
pub use up::{not_up, remove, settle, words};

use windlass_plugin::{Failure, bail};

/// Processors as people write them, in thousandths.
///
/// # Errors
/// It is not above zero, or there are more than any machine has.
pub fn cpu_millis(processors: f64) -> Result<u32, Failure> {
    if !(processors > 0.0 && processors <= 4096.0) {
        bail!("`cpu = {processors}` is not a number of processors: write `0.5` or `2`");
    }
    // Rounded up, so that no positive number becomes "none".
    Ok((processors * 1000.0).ceil() as u32)
}
