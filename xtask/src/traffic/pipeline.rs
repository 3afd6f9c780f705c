//! The pipelines of the scenarios.

use super::load::Shape;
use super::options::Driver;
use std::fmt::Write as _;

/// How a revision takes over from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    Recreate,
    Rolling,
    BlueGreen,
    Canary,
    Ring,
}

impl Strategy {
    pub(super) const ALL: [Self; 5] = [Self::Recreate, Self::Rolling, Self::BlueGreen, Self::Canary, Self::Ring];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Recreate => "recreate",
            Self::Rolling => "rolling",
            Self::BlueGreen => "blue-green",
            Self::Canary => "canary",
            Self::Ring => "ring",
        }
    }

    /// The services in the router: each ring is one.
    pub(super) fn services(self, name: &str) -> impl Iterator<Item = String> {
        let rings: &[&str] = if self == Self::Ring { &RINGS } else { &[""] };
        rings.iter().map(move |ring| if ring.is_empty() { name.to_owned() } else { format!("{name}-{ring}") })
    }

    /// The hosts under which its services can be reached.
    pub(super) fn hosts(self) -> &'static [&'static str] {
        if self == Self::Ring { &["inner.test", "outer.test"] } else { Shape::USUAL.hosts }
    }
}

/// A delivery of one revision.
#[derive(Debug, Clone)]
pub(super) struct Delivery<'a> {
    pub(super) strategy: Strategy,
    pub(super) revision: &'a str,
    /// The image's tag, which says how it behaves.
    pub(super) image: &'a str,
    /// The steps of a canary: weight, and the pause after it.
    pub(super) steps: &'a [(u8, &'a str)],
    /// Metrics that judge it, as inline tables of TOML.
    pub(super) analysis: &'a [&'a str],
}

/// How long old requests get to finish.
pub(super) const DRAIN_S: u64 = 3;
pub(super) const REPLICAS: u64 = 3;
/// How long new containers get to become well.
pub(super) const DEADLINE_S: u64 = 10;
/// How long a revision is judged that has all of the traffic.
const BAKE: &str = "4s";
/// The rings, each the first part of its host.
pub(super) const RINGS: [&str; 2] = ["inner", "outer"];

impl<'a> Delivery<'a> {
    /// Of a revision that behaves.
    pub(super) fn of(strategy: Strategy, revision: &'a str) -> Self {
        Self { strategy, revision, image: "v1", steps: &[(5, "1s"), (25, "1s"), (50, "1s")], analysis: &[] }
    }

    /// The text of pipeline.toml.
    pub(super) fn pipeline(&self, name: &str, repository: &str, driver: Driver) -> String {
        let Self { strategy, revision, image, steps, analysis } = self;
        let mut text = format!(
            "[pipeline]\nname = \"{name}\"\n\n[stages.deliver]\n[[stages.deliver.steps]]\nname = \"deploy\"\n\
             uses = \"builtin:deploy\"\nwith.service = \"{name}\"\nwith.image = \"{repository}:{image}\"\n\
             with.revision = \"{revision}\"\nwith.strategy = \"{}\"\nwith.replicas = {REPLICAS}\nwith.port = 8080\n\
             with.env = {{ VERSION = \"{revision}\" }}\nwith.drain = \"{DRAIN_S}s\"\nwith.keep-previous = 1\n\
             with.health = {{ http = \"/health\", interval = \"100ms\", timeout = \"1s\", deadline = \"{DEADLINE_S}s\" }}\n",
            strategy.name()
        );
        match strategy {
            Strategy::Recreate | Strategy::BlueGreen => {}
            Strategy::Rolling => text.push_str("with.rolling = { max-surge = 1, max-unavailable = 1 }\n"),
            Strategy::Canary => {
                let steps = steps.iter().map(|(weight, pause)| format!("{{ weight = {weight}, pause = \"{pause}\" }}"));
                let _ = writeln!(text, "with.canary = {{ steps = [{}] }}", steps.collect::<Vec<_>>().join(", "));
            }
            Strategy::Ring => {
                let bake = if analysis.is_empty() { "1s" } else { BAKE };
                let ring = |name: &&str| {
                    // With HAProxy its configuration says which requests are whose.
                    let route = match driver {
                        Driver::Router => format!("host = \"{name}.test\""),
                        Driver::Haproxy => "path = \"/\"".to_owned(),
                    };
                    format!("{{ name = \"{name}\", routes = [{{ {route} }}], bake = \"{bake}\" }}")
                };
                let _ = writeln!(text, "with.rings = [{}]", RINGS.iter().map(ring).collect::<Vec<_>>().join(", "));
            }
        }
        if !analysis.is_empty() {
            let _ = writeln!(text, "with.analysis = {{ metrics = [{}] }}", analysis.join(", "));
            // A canary judges in its pauses.
            if !matches!(strategy, Strategy::Canary | Strategy::Ring) {
                let _ = writeln!(text, "with.bake = \"{BAKE}\"");
            }
        }
        let services = strategy.services(name).map(|service| format!("\"{service}\"")).collect::<Vec<_>>().join(", ");
        let downtime = if *strategy == Strategy::Recreate { services.as_str() } else { "" };
        let _ = writeln!(
            text,
            "grants = {{ docker = {{ run = [\"{repository}\"], containers = [\"{name}-*\"] }}, \
             traffic = {{ services = [{services}], downtime = [{downtime}] }}, health = [\"{name}-*\"], approval = true }}"
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strategy_has_its_settings() {
        for strategy in Strategy::ALL {
            let text = Delivery::of(strategy, "v2").pipeline("shop", "repository", Driver::Router);
            assert!(text.contains(&format!("with.strategy = \"{}\"", strategy.name())), "{text}");
            assert_eq!(text.contains("with.canary = { steps = [{ weight = 5, "), strategy == Strategy::Canary);
        }
    }
}
