//! What a container uses at the moment.

use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt as _;
use windlass_gate::api::docker::Usage;
use windlass_gate::{Call, CallError};

use super::find::find_existing;
use crate::connect::Engine;

/// Page cache that the kernel gives back when memory is short, by cgroup v1's name and v2's.
const RECLAIMABLE: [&str; 2] = ["total_inactive_file", "inactive_file"];

/// One look.
pub(crate) async fn stats(engine: &Engine, call: &Call, name: &str) -> Result<Usage, CallError> {
    let found = find_existing(engine, call, name).await?;
    if !found.running {
        return Err(CallError::Conflict(format!(
            "container `{name}` does not run, so it uses nothing; look at it with `docker.inspect`"
        )));
    }
    // Without `one_shot` the daemon takes a second look first, one second later.
    let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
    let what = || format!("cannot see what container `{name}` uses");
    let seen = match engine.api.stats(&found.id, Some(options)).next().await {
        Some(seen) => seen.map_err(|error| engine.fault(what(), error))?,
        None => return Err(CallError::Other(format!("{}: the Docker daemon gave no answer", what()))),
    };
    let memory = seen.memory_stats.unwrap_or_default();
    let reclaimable = memory
        .stats
        .as_ref()
        .and_then(|stats| RECLAIMABLE.iter().find_map(|name| stats.get(*name)))
        .copied()
        .unwrap_or_default();
    let networks = seen.networks.unwrap_or_default();
    Ok(Usage {
        cpu_time_us: seen
            .cpu_stats
            .and_then(|cpu| cpu.cpu_usage)
            .and_then(|usage| usage.total_usage)
            .unwrap_or_default()
            / 1_000,
        memory: memory.usage.unwrap_or_default().saturating_sub(reclaimable),
        memory_limit: memory.limit.unwrap_or_default(),
        received: networks.values().filter_map(|network| network.rx_bytes).sum(),
        sent: networks.values().filter_map(|network| network.tx_bytes).sum(),
        processes: seen.pids_stats.and_then(|pids| pids.current).unwrap_or_default(),
    })
}
