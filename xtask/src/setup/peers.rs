//! What Windlass is compared with by `cargo xtask bench`.

use super::packages;
use crate::failure::Result;
use crate::proc::on_path;

/// Ninja, whose start and whose steps are the cheapest there are.
pub(crate) fn ninja() -> Result<()> {
    if on_path("ninja") {
        return Ok(());
    }
    packages::ensure(&["ninja-build"], "The benchmarks compare with ninja, and it is not installed")
}

/// Docker's own command line.
pub(crate) fn docker_cli() -> Result<()> {
    if on_path("docker") {
        return Ok(());
    }
    packages::ensure(&["docker.io"], "The benchmarks compare with `docker run`, and it is not installed")
}
