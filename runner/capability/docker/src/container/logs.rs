//! A container's log.

use std::time::Duration;

use bollard::query_parameters::LogsOptionsBuilder;
use windlass_gate::api::docker::{LogQuery, Output};
use windlass_gate::{Call, CallError};

use super::find::find_existing;
use super::output::Pump;
use crate::connect::Engine;
use crate::tail::last_lines;

/// Writes the log into that of the step, and gives its end.
pub(crate) async fn logs(engine: &Engine, call: &Call, query: &LogQuery) -> Result<Output, CallError> {
    let LogQuery { container: name, tail, since, follow_ms } = query;
    let id = find_existing(engine, call, name).await?.id;
    let mut options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(*follow_ms > 0);
    if let Some(lines) = tail {
        options = options.tail(&lines.to_string());
    }
    if let Some(since) = since {
        let since = i32::try_from(*since).map_err(|_| {
            CallError::Invalid(format!("`since` is {since}, which is not a time in seconds since the Unix epoch"))
        })?;
        options = options.since(since);
    }
    let mut pump = Pump::new(Some(&call.log));
    let reading = pump.run(engine.api.logs(&id, Some(options.build())));
    let read = if *follow_ms > 0 {
        // What a container prints just before its end can be lost here with old daemons; who wants all of it asks
        // again without following.
        // Time running out is how following ends.
        tokio::time::timeout(Duration::from_millis(*follow_ms), reading).await.unwrap_or(Ok(()))
    } else {
        reading.await
    };
    read.map_err(|error| engine.fault(format_args!("cannot read the log of container `{name}`"), error))?;
    Ok(pump.finish())
}

/// The last lines that a container printed, for an error message; empty if they cannot be read.
pub(crate) async fn last_log_lines(engine: &Engine, id: &str, count: u32) -> String {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&count.to_string()).build();
    let mut pump = Pump::new(None);
    let _ = pump.run(engine.api.logs(id, Some(options))).await;
    let output = pump.finish();
    last_lines(&format!("{}\n{}", output.stdout_tail, output.stderr_tail), count as usize)
}
