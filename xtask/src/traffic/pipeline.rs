//! The pipelines of the scenarios.

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
const REPLICAS: u32 = 3;

impl<'a> Delivery<'a> {
    /// Of a revision that behaves.
    pub(super) fn of(strategy: Strategy, revision: &'a str) -> Self {
        Self { strategy, revision, image: "v1", steps: &[(5, "1s"), (25, "1s"), (50, "1s")], analysis: &[] }
    }

    /// The text of pipeline.toml.
    pub(super) fn pipeline(&self, name: &str, repository: &str) -> String {
        let Self { strategy, revision, image, steps, analysis } = self;
        let mut text = format!(
            "[pipeline]\nname = \"{name}\"\n\n[stages.deliver]\n[[stages.deliver.steps]]\nname = \"deploy\"\n\
             uses = \"builtin:deploy\"\nwith.service = \"{name}\"\nwith.image = \"{repository}:{image}\"\n\
             with.revision = \"{revision}\"\nwith.strategy = \"{}\"\nwith.replicas = {REPLICAS}\nwith.port = 8080\n\
             with.env = {{ VERSION = \"{revision}\" }}\nwith.routes = [{{ path = \"/\" }}]\nwith.drain = \"{DRAIN_S}s\"\n\
             with.keep-previous = 1\n\
             with.health = {{ http = \"/health\", interval = \"100ms\", timeout = \"1s\", deadline = \"10s\" }}\n",
            strategy.name()
        );
        let settings = match strategy {
            Strategy::Recreate | Strategy::BlueGreen => String::new(),
            Strategy::Rolling => "with.rolling = { max-surge = 1, max-unavailable = 1 }\n".to_owned(),
            Strategy::Canary => {
                let steps = steps.iter().map(|(weight, pause)| format!("{{ weight = {weight}, pause = \"{pause}\" }}"));
                format!("with.canary = {{ steps = [{}] }}\n", steps.collect::<Vec<_>>().join(", "))
            }
            Strategy::Ring => {
                "with.rings = [{ name = \"inner\", bake = \"1s\" }, { name = \"outer\", bake = \"1s\" }]\n".to_owned()
            }
        };
        text.push_str(&settings);
        if !analysis.is_empty() {
            let _ = writeln!(text, "with.analysis = {{ metrics = [{}] }}", analysis.join(", "));
        }
        let _ = writeln!(
            text,
            "grants = {{ docker = {{ run = [\"{repository}\"], containers = [\"{name}-*\"] }}, traffic = [\"{name}\"], \
             health = [\"{name}-*\"], approval = true }}"
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
            let text = Delivery::of(strategy, "v2").pipeline("shop", "repository");
            assert!(text.contains(&format!("with.strategy = \"{}\"", strategy.name())), "{text}");
            assert_eq!(text.contains("with.canary = { steps = [{ weight = 5, "), strategy == Strategy::Canary);
        }
    }
}
