//! A stack that is written in `pipeline.toml`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use windlass_plugin::{Failure, OrFail, bail};
use windlass_plugin_parts::volumes_of;

use crate::stack::{Condition, DEFAULT_NETWORK, Need, Service, Stack};

windlass_plugin_parts::container_settings! {
    /// A service: one container.
    pub(crate) struct ServiceTable {
        /// The image to run: a name, a pinned name or an id. Needs a grant in `docker.run`.
        pub(crate) image: String,
        /// The services that have to be there before: `["db"]`, each healthy if it has a check, or with conditions,
        /// `{ db = "healthy", cache = "started" }`.
        #[serde(default)]
        pub(crate) depends_on: DependsOn,
    }
}

/// What is particular about a network.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NetworkTable {
    /// Whether it has no way to the outside.
    #[serde(default)]
    internal: bool,
}

/// The stack of `services` and `networks`.
///
/// # Errors
/// A service is not as it can be, or needs one that is not there; with its name and key.
pub(crate) fn read(
    services: &BTreeMap<String, ServiceTable>,
    networks: &BTreeMap<String, NetworkTable>,
) -> Result<Stack, Failure> {
    let mut stack = Stack::default();
    for (name, table) in services {
        let mut spec = table.spec(name, &table.image).or_fail_with(|| format!("services.{name}"))?;
        if spec.networks.is_empty() {
            spec.networks.push(DEFAULT_NETWORK.to_owned());
        }
        for network in &spec.networks {
            let internal = networks.get(network).is_some_and(|network| network.internal);
            stack.networks.insert(network.clone(), internal);
        }
        stack.volumes.extend(volumes_of(&table.mounts).map(str::to_owned));
        let check = table.health.as_ref().map(|health| health.check(name)).transpose();
        let check = check.or_fail_with(|| format!("services.{name}"))?;
        stack.services.push(Service {
            name: name.clone(),
            spec,
            pull: table.pull,
            check,
            needs: table.depends_on.0.clone(),
        });
    }
    if let Some(unused) = networks.keys().find(|network| !stack.networks.contains_key(*network)) {
        bail!("networks.{unused}: no service joins this network; name it in `networks` of one, or take it out");
    }
    stack.ordered("depends-on")
}

/// The services that one needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DependsOn(Vec<Need>);

impl<'de> Deserialize<'de> for DependsOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = DependsOn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of services, or a table of services with \"started\" or \"healthy\"")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<DependsOn, A::Error> {
                let mut needs = Vec::new();
                while let Some(service) = list.next_element()? {
                    needs.push(Need { service, condition: Condition::Ready });
                }
                Ok(DependsOn(needs))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DependsOn, A::Error> {
                let mut needs = Vec::new();
                while let Some((service, condition)) = map.next_entry::<String, String>()? {
                    let condition = match &*condition {
                        "started" => Condition::Started,
                        "healthy" => Condition::Healthy,
                        other => return Err(de::Error::unknown_variant(other, &["started", "healthy"])),
                    };
                    needs.push(Need { service, condition });
                }
                Ok(DependsOn(needs))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for DependsOn {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DependsOn".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // One schema rather than a choice of two: what is wrong is then said of the list or table itself.
        json_schema!({
            "type": ["array", "object"],
            "items": { "type": "string" },
            "additionalProperties": { "type": "string", "enum": ["started", "healthy"] },
            "examples": [["db"], { "db": "healthy" }]
        })
    }
}

#[cfg(test)]
mod tests {
    use windlass_plugin::docker::Mount;
    use windlass_plugin::health::{Policy, Target};

    use super::*;
    use crate::with::With;

    fn stack(text: &str) -> Result<Stack, String> {
        let with: With = serde_json::from_str(text).map_err(|error| error.to_string())?;
        read(&with.services.unwrap_or_default(), &with.networks).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_table() {
        let stack = stack(
            r#"{
                "services": {
                    "web": { "image": "web", "ports": [80], "networks": ["back"], "depends-on": { "db": "healthy" } },
                    "db": { "image": "db", "networks": ["back"], "mounts": [{ "volume": "data", "target": "/data" }],
                            "health": { "tcp": 5432 }, "pull": true },
                    "lone": { "image": "lone", "depends-on": ["db"] }
                },
                "networks": { "back": { "internal": true } }
            }"#,
        )
        .unwrap();
        let names: Vec<_> = stack.services.iter().map(|service| &*service.name).collect();
        assert_eq!(names, ["db", "lone", "web"]);
        let [db, lone, web] = &*stack.services else { panic!("three services") };
        assert_eq!(db.check, Some((Target::tcp("db", 5432), Policy::default())));
        assert_eq!((db.pull, &*db.spec.mounts), (true, &[Mount::volume("data", "/data").writable()][..]));
        assert_eq!(lone.needs, [Need { service: "db".to_owned(), condition: Condition::Ready }]);
        assert_eq!(lone.spec.networks, ["default"]);
        assert_eq!(web.needs, [Need { service: "db".to_owned(), condition: Condition::Healthy }]);
        assert_eq!(stack.networks, [("back".to_owned(), true), ("default".to_owned(), false)].into());
        assert_eq!(stack.volumes, ["data".to_owned()].into());
        assert_eq!(stack.wants_check("db"), Some("web"));
        assert_eq!(stack.wants_check("lone"), None);
    }

    #[test]
    fn mistakes_name_the_service_and_the_key() {
        for (text, told) in [
            (r#"{"services":{"web":{"image":"i","cpu":0}}}"#, "services.web: `cpu = 0` is not a number of processors"),
            (r#"{"services":{"web":{"image":"i","health":{}}}}"#, "services.web: `health` says nothing to check"),
            (
                r#"{"services":{"web":{"image":"i","depends-on":["db"]}}}"#,
                "services.web.depends-on: there is no service `db`",
            ),
            (r#"{"services":{"web":{"image":"i","depends-on":{"db":"up"}}}}"#, "unknown variant `up`"),
            (r#"{"services":{"web":{"image":"i","build":"."}}}"#, "unknown field `build`"),
            (
                r#"{"services":{"web":{"image":"i"}},"networks":{"back":{}}}"#,
                "networks.back: no service joins this network",
            ),
        ] {
            let error = stack(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
