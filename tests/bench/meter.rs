//! Makes as many calls as it is told to.

use windlass_plugin::metrics::Metric;
use windlass_plugin::prelude::*;

/// What a step gives to the plugin.
#[with]
struct With {
    /// How many lines to log.
    log: u32,
    /// How many measurements to record.
    emit: u32,
}

/// Makes as many calls as it is told to.
#[plugin]
fn meter(with: With) -> Result {
    for _ in 0..with.log {
        info!("a line of the log");
    }
    for number in 0..with.emit {
        Metric::new("meter", f64::from(number), "1").emit();
    }
    Ok(())
}
