//! Progress of layers, condensed: a line when a layer is done, and one now and then between.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use windlass_gate::StepLog;
use windlass_journal::Stream;

use crate::connect::Event;

/// How often a transfer that goes on says how far it is.
const EVERY: Duration = Duration::from_secs(10);

/// What the daemon says of a layer that is over.
const DONE: [&str; 6] =
    ["Pushed", "Pull complete", "Already exists", "Layer already exists", "Mounted from", "Download complete"];

/// The layers of one transfer.
pub(crate) struct Layers<'a> {
    log: &'a StepLog,
    layers: BTreeMap<String, Layer>,
    told: Instant,
}

#[derive(Default)]
struct Layer {
    current: i64,
    total: i64,
    done: bool,
}

impl<'a> Layers<'a> {
    pub(crate) fn new(log: &'a StepLog) -> Self {
        Self { log, layers: BTreeMap::new(), told: Instant::now() }
    }

    /// Takes an event.
    pub(crate) fn see(&mut self, event: &Event) {
        let Some(status) = event.status.as_deref() else { return };
        let Some(id) = event.id.as_deref() else {
            self.log.line(Stream::Progress, status);
            return;
        };
        let is_done = DONE.iter().any(|done| status.starts_with(done));
        // The first word about a pull has the tag where layers have their id.
        if status.starts_with("Pulling from") {
            self.log.line(Stream::Progress, &format!("{id}: {status}"));
            return;
        }
        let layer = self.layers.entry(id.to_owned()).or_default();
        if let Some(progress) = event.progress {
            layer.current = progress.current.unwrap_or(layer.current);
            layer.total = progress.total.unwrap_or(layer.total).max(layer.current);
        }
        if is_done && !layer.done && !status.starts_with("Download complete") {
            layer.done = true;
            layer.current = layer.total;
            let size = if layer.total > 0 { format!(" ({})", bytes(layer.total)) } else { String::new() };
            self.log.line(Stream::Progress, &format!("{id}: {status}{size}"));
        }
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            self.tell();
        }
    }

    /// It is over.
    pub(crate) fn finish(&self) {
        if self.layers.values().any(|layer| !layer.done) {
            self.tell();
        }
    }

    fn tell(&self) {
        let done = self.layers.values().filter(|layer| layer.done).count();
        let current = self.layers.values().map(|layer| layer.current).sum();
        let total = self.layers.values().map(|layer| layer.total).sum();
        self.log.line(
            Stream::Progress,
            &format!("{done} of {} layers, {} of {}", self.layers.len(), bytes(current), bytes(total)),
        );
    }
}

/// Bytes as Docker's tools show them.
pub(crate) fn bytes(count: i64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_people_say_them() {
        assert_eq!(
            [bytes(0), bytes(999), bytes(1000), bytes(12_345_678), bytes(4_000_000_000_000)],
            ["0 B", "999 B", "1.0 kB", "12.3 MB", "4.0 TB"]
        );
    }
}
