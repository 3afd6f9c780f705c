//! What the host is told about Docker: by environment variables, and by nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use windlass_gate::api::docker::Builder;

/// For how long a push or pull may be silent before it counts as hung. A registry that accepts the
/// connection and then says nothing would otherwise hold a step for ever.
const IDLE: Duration = Duration::from_secs(60);

/// For how long a daemon may give no sign of life before calls that wait for it are given up. Long
/// enough for one that is restarted, or whose machine is very busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// How to find the daemon and the registries' credentials. Nothing is read from the disk and
/// nothing is connected before the first call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerConfig {
    /// `DOCKER_HOST`: the daemon's address.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`: the name of a context of Docker's own command line.
    pub context: Option<String>,
    /// `DOCKER_CONFIG`, else `~/.docker`: where `config.json` and contexts are.
    pub config_folder: Option<PathBuf>,
    /// `DOCKER_CERT_PATH`: the folder with `ca.pem`, `cert.pem` and `key.pem`.
    pub certificates: Option<PathBuf>,
    /// `DOCKER_TLS_VERIFY`: whether a `tcp://` address is spoken to over TLS. A certificate is
    /// always verified, also when only `DOCKER_CERT_PATH` is set.
    pub tls: bool,
    /// `DOCKER_BUILDKIT`: which builder to use. BuildKit where the daemon has it, if absent.
    pub builder: Option<Builder>,
    /// The router that services of this run are behind, as WINDLASS_ROUTER names it: containers say so in a label.
    pub router: Option<String>,
    /// For how long a push or pull may be silent. (A build may: a compiler says nothing for long.)
    pub idle: Duration,
    /// For how long the daemon may give no sign of life while a call waits for it. A connection that
    /// is cut without a word (a machine that is gone, a tunnel that hangs) would otherwise hold a
    /// step for ever.
    pub patience: Duration,
}

impl DockerConfig {
    /// Reads the variables that Docker's own tools read.
    pub fn from_env(env: &BTreeMap<String, String>) -> Self {
        let set = |name: &str| env.get(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        Self {
            host: set("DOCKER_HOST").cloned(),
            context: set("DOCKER_CONTEXT").cloned(),
            config_folder: path("DOCKER_CONFIG").or_else(|| path("HOME").map(|home| home.join(".docker"))),
            certificates: path("DOCKER_CERT_PATH"),
            tls: set("DOCKER_TLS_VERIFY").is_some(),
            builder: set("DOCKER_BUILDKIT").map(|value| match value.as_str() {
                "0" | "false" => Builder::Classic,
                _ => Builder::Buildkit,
            }),
            router: None,
            idle: IDLE,
            patience: PATIENCE,
        }
    }

    /// The daemon at this address, and no credentials.
    pub fn at(host: impl Into<String>) -> Self {
        let mut config = Self::from_env(&BTreeMap::new());
        config.host = Some(host.into());
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> DockerConfig {
        DockerConfig::from_env(&vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn empty_variables_count_as_absent() {
        assert_eq!(config(&[("DOCKER_HOST", ""), ("DOCKER_CONTEXT", ""), ("DOCKER_TLS_VERIFY", "")]), config(&[]));
    }

    #[test]
    fn the_config_folder_is_the_one_of_dockers_tools() {
        assert_eq!(config(&[("HOME", "/home/ada")]).config_folder, Some("/home/ada/.docker".into()));
        assert_eq!(
            config(&[("HOME", "/home/ada"), ("DOCKER_CONFIG", "/etc/docker-cli")]).config_folder,
            Some("/etc/docker-cli".into())
        );
        assert_eq!(config(&[]).config_folder, None);
    }

    #[test]
    fn the_builder_is_chosen_by_dockers_own_variable() {
        assert_eq!(config(&[]).builder, None);
        assert_eq!(config(&[("DOCKER_BUILDKIT", "0")]).builder, Some(Builder::Classic));
        assert_eq!(config(&[("DOCKER_BUILDKIT", "1")]).builder, Some(Builder::Buildkit));
    }
}
