//! What the host itself does, on standard error, with `--log`.

use tracing_subscriber::EnvFilter;

use crate::error::CliError;

/// Begins to print what passes the filter.
pub(crate) fn begin(filter: &str) -> Result<(), CliError> {
    let parsed = EnvFilter::try_new(filter).map_err(|error| {
        CliError::usage(
            format!("`--log {filter}` is no filter: {error}"),
            "write a level (`info`), or levels by module (`warn,windlass_engine=debug`)",
        )
    })?;
    tracing_subscriber::fmt().with_env_filter(parsed).with_ansi(false).with_writer(anstream::stderr).init();
    Ok(())
}
