//! The scenarios: what is done under load, and what has to hold.

mod bad;
mod by_hand;
pub(super) mod daemon;
mod deliveries;
mod disturbed;
mod thin;

use super::harness::Harness;
use super::options::{Driver, Options};
use super::table::Row;
use crate::failure::Result;

/// With Windlass's own router.
const ROUTER: &[Driver] = &[Driver::Router];
const BOTH: &[Driver] = &Driver::BOTH;
const NEITHER: &[Driver] = &[];

/// What a scenario does.
type Act = Box<dyn Fn(&Harness, &Scenario, Driver) -> Result<Row>>;

/// One of them.
pub(super) struct Scenario {
    pub(super) name: String,
    /// The drivers that it makes sense for.
    drivers: &'static [Driver],
    /// Those with which it belongs to the sample.
    sample: &'static [Driver],
    act: Act,
}

impl Scenario {
    fn new(
        name: impl Into<String>,
        drivers: &'static [Driver],
        sample: &'static [Driver],
        act: impl Fn(&Harness, &Self, Driver) -> Result<Row> + 'static,
    ) -> Self {
        Self { name: name.into(), drivers, sample, act: Box::new(act) }
    }

    /// Does it.
    pub(super) fn run(&self, harness: &Harness, driver: Driver) -> Result<Row> {
        (self.act)(harness, self, driver)
    }
}

/// Those that are asked for, each with its driver.
pub(super) fn chosen(options: &Options) -> Vec<(Scenario, Driver)> {
    let mut chosen = Vec::new();
    for &driver in &options.drivers {
        let all = all().into_iter().filter(|scenario| scenario.drivers.contains(&driver));
        let all = all.filter(|scenario| !options.sample || scenario.sample.contains(&driver));
        let all = all.filter(|scenario| options.only.as_ref().is_none_or(|text| scenario.name.contains(text.as_str())));
        chosen.extend(all.map(|scenario| (scenario, driver)));
    }
    chosen
}

fn all() -> Vec<Scenario> {
    let mut all = by_hand::scenarios();
    all.extend(deliveries::scenarios());
    all.extend(bad::scenarios());
    all.extend(thin::scenarios());
    all.extend(disturbed::scenarios());
    all.extend(daemon::scenarios());
    all
}
