//! The settings that every container has, the same in each plugin that makes some.

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::docker;

/// When Docker starts a container again by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Never.
    #[default]
    No,
    /// When it fails.
    OnFailure,
    /// Until it is stopped.
    UnlessStopped,
    /// Always.
    Always,
}

impl From<Restart> for docker::Restart {
    fn from(restart: Restart) -> Self {
        match restart {
            Restart::No => Self::No,
            Restart::OnFailure => Self::OnFailure(0),
            Restart::UnlessStopped => Self::UnlessStopped,
            Restart::Always => Self::Always,
        }
    }
}

/// Declares the type of a table of `with` that describes a container: the fields that are given, and those that every
/// container has.
///
/// A macro, because serde takes no `deny_unknown_fields` beside `flatten`: a misspelt key would be passed over.
#[macro_export]
macro_rules! container_settings {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident { $($own:tt)* }) => {
        #[derive(Debug, ::serde::Deserialize, ::schemars::JsonSchema)]
        $(#[$meta])*
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        $visibility struct $name {
            $($own)*
            /// Whether to pull the image when the daemon does not have it. Needs a grant in `docker.pull`.
            #[serde(default)]
            pub(crate) pull: bool,
            /// Replaces the image's command.
            pub(crate) command: Option<Vec<String>>,
            /// Replaces the image's entry point.
            pub(crate) entrypoint: Option<Vec<String>>,
            /// Environment variables: text, or `{ secret = "name" }`.
            #[serde(default)]
            pub(crate) env: ::std::collections::BTreeMap<String, ::windlass_plugin::Value>,
            /// Ports to publish: `8080` on a free port of the host's loopback interface, `"80:8080"` on port 80 of it,
            /// `"0.0.0.0:80:8080"` on all interfaces; the last two need a grant in `docker.run.ports`.
            #[serde(default)]
            pub(crate) ports: Vec<$crate::PublishedPort>,
            /// Networks to join; made if they are not there. Needs grants in `docker.networks`.
            #[serde(default)]
            pub(crate) networks: Vec<String>,
            /// Names by which others on those networks reach it, beside `name`.
            #[serde(default)]
            pub(crate) aliases: Vec<String>,
            /// Volumes, folders and memory that it sees.
            #[serde(default)]
            pub(crate) mounts: Vec<$crate::Mount>,
            /// Most memory; 1 GiB if left out.
            pub(crate) memory: Option<::windlass_plugin::with::Size>,
            /// Most processors, as `0.5`; 2 if left out.
            pub(crate) cpu: Option<f64>,
            /// Most processes and threads; 1,024 if left out.
            pub(crate) processes: Option<u32>,
            /// Whether the root file system is read-only.
            #[serde(default)]
            pub(crate) read_only_root: bool,
            /// When Docker starts it again by itself.
            #[serde(default)]
            pub(crate) restart: $crate::Restart,
            /// The user, as `1000:1000`; the image's own if left out.
            pub(crate) user: Option<String>,
            /// The working directory; the image's own if left out.
            pub(crate) working_directory: Option<String>,
            /// Labels, beside those of Windlass.
            #[serde(default)]
            pub(crate) labels: ::std::collections::BTreeMap<String, String>,
            /// When it counts as started. Without it, it does as soon as it runs and does not exit at once.
            pub(crate) health: Option<$crate::Health>,
        }

        impl $name {
            /// The container of this name in the form of the contract.
            pub(crate) fn spec(
                &self,
                name: &str,
                image: &str,
            ) -> ::core::result::Result<::windlass_plugin::docker::ContainerSpec, ::windlass_plugin::Failure> {
                let mut aliases = self.aliases.clone();
                if !self.networks.is_empty() && !aliases.iter().any(|alias| alias == name) {
                    aliases.push(name.to_owned());
                }
                Ok(::windlass_plugin::docker::ContainerSpec {
                    command: self.command.clone(),
                    entrypoint: self.entrypoint.clone(),
                    env: ::windlass_plugin::named(self.env.clone()),
                    user: self.user.clone(),
                    working_directory: self.working_directory.clone(),
                    labels: ::windlass_plugin::pairs(self.labels.clone()),
                    ports: self.ports.iter().map(|port| port.0.clone()).collect(),
                    mounts: self.mounts.iter().map($crate::Mount::of_contract).collect::<Result<_, _>>()?,
                    networks: self.networks.clone(),
                    aliases,
                    memory: self.memory.map(|size| size.bytes()),
                    cpu_millis: self.cpu.map($crate::cpu_millis).transpose()?,
                    processes: self.processes,
                    read_only_root: self.read_only_root,
                    restart: self.restart.into(),
                    ..::windlass_plugin::docker::ContainerSpec::new(image)
                })
            }
        }
    };
}
