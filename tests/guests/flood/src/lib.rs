//! Calls the host without end, or as often as is asked for.

use windlass_plugin::metrics::Metric;
use windlass_plugin::prelude::*;
use windlass_plugin::timer;

/// Calls the host without end, or as often as is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {
    /// What to call.
    #[serde(default)]
    call: Call,
    /// How often.
    times: Option<u64>,
}

/// The calls that need no grant.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Call {
    /// Records a measurement.
    #[default]
    Metric,
    /// Sleeps for no time.
    Timer,
    /// Logs a short line.
    Log,
    /// Looks at the clock.
    Clock,
}

struct Flood;

impl Plugin for Flood {
    type With = With;
    type Outputs = ();

    fn run(with: With, _: &Context) -> Result<(), Failure> {
        let times = with.times.unwrap_or(u64::MAX);
        for call in 0..times {
            match with.call {
                Call::Metric => Metric::new("flood", call as f64, "1").emit(),
                Call::Timer => timer::sleep(std::time::Duration::ZERO),
                Call::Log => info!("{call}"),
                Call::Clock => {
                    std::hint::black_box(std::time::SystemTime::now());
                }
            }
        }
        Ok(())
    }
}

windlass_plugin::export!(Flood);
