//! The contexts of Docker's own command line: named addresses beneath `~/.docker/contexts`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use windlass_gate::CallError;

/// What a context says about the daemon.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) host: String,
    /// The folder with its certificates, if it has any.
    pub(super) certificates: Option<PathBuf>,
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", default)]
    endpoints: BTreeMap<String, MetaEndpoint>,
}

#[derive(Deserialize)]
struct MetaEndpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

/// The context that `config.json` names, if it exists and names one.
pub(super) fn current(file: &Path) -> Result<Option<String>, CallError> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(file, &error)),
    };
    let config: ConfigFile = serde_json::from_slice(&text).map_err(|error| unreadable(file, &error))?;
    Ok(config.current_context.filter(|name| !name.is_empty()))
}

/// The context of this name.
pub(super) fn read(folder: &Path, name: &str) -> Result<Context, CallError> {
    let digest = hex::encode(Sha256::digest(name));
    let file = folder.join("contexts/meta").join(&digest).join("meta.json");
    let text = match std::fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CallError::Unavailable(format!(
                "there is no Docker context `{name}` ({} does not exist); `docker context ls` lists those there are, or set DOCKER_HOST",
                file.display()
            )));
        }
        Err(error) => return Err(unreadable(&file, &error)),
    };
    let meta: Meta = serde_json::from_slice(&text).map_err(|error| unreadable(&file, &error))?;
    let endpoint = meta.endpoints.get("docker");
    let Some(host) = endpoint.and_then(|endpoint| endpoint.host.clone()).filter(|host| !host.is_empty()) else {
        return Err(CallError::Unavailable(format!(
            "the Docker context `{name}` ({}) has no address of a Docker daemon; set DOCKER_HOST",
            file.display()
        )));
    };
    if endpoint.is_some_and(|endpoint| endpoint.skip_tls_verify) {
        return Err(CallError::Unavailable(format!(
            "the Docker context `{name}` ({}) turns the verification of certificates off, which is not supported; give the context the daemon's CA (`docker context update {name} --docker host={host},ca=...`)",
            file.display()
        )));
    }
    let certificates = folder.join("contexts/tls").join(digest).join("docker");
    Ok(Context { host, certificates: certificates.is_dir().then_some(certificates) })
}

fn unreadable(file: &Path, error: &dyn std::error::Error) -> CallError {
    CallError::Unavailable(format!(
        "cannot find out where Docker is: {} cannot be read: {error}; repair it, or set DOCKER_HOST",
        file.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::{Address, Endpoint};
    use super::*;
    use crate::DockerConfig;

    /// A folder as Docker's command line leaves it behind after `docker context create remote`.
    fn folder(meta: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let digest = hex::encode(Sha256::digest("remote"));
        let at = folder.path().join("contexts/meta").join(digest);
        std::fs::create_dir_all(&at).expect("made");
        std::fs::write(at.join("meta.json"), meta).expect("written");
        std::fs::write(folder.path().join("config.json"), r#"{"auths":{},"currentContext":"remote"}"#)
            .expect("written");
        folder
    }

    fn config(folder: &Path) -> DockerConfig {
        let mut config = DockerConfig::at("");
        config.host = None;
        config.config_folder = Some(folder.to_owned());
        config
    }

    const META: &str =
        r#"{"Name":"remote","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://build:2375","SkipTLSVerify":false}}}"#;

    #[test]
    fn the_current_context_is_used() {
        let folder = folder(META);
        let endpoint = Endpoint::resolve(&config(folder.path())).expect("found");
        assert_eq!(endpoint.address, Address::Tcp { host: "build".into(), port: 2375 });
        assert!(
            endpoint.origin.contains("context `remote`") && endpoint.origin.contains("config.json"),
            "{}",
            endpoint.origin
        );
    }

    #[test]
    fn docker_context_goes_before_the_current_one() {
        let folder = folder(META);
        let mut config = config(folder.path());
        config.context = Some("default".to_owned());
        assert!(matches!(Endpoint::resolve(&config), Ok(Endpoint { address: Address::Unix(_), .. })));
        config.context = Some("gone".to_owned());
        let error = Endpoint::resolve(&config).expect_err("no such context");
        assert!(error.message().contains("no Docker context `gone`"), "{error}");
    }

    #[test]
    fn certificates_of_the_context_are_used() {
        let folder = folder(META);
        let certificates =
            folder.path().join("contexts/tls").join(hex::encode(Sha256::digest("remote"))).join("docker");
        std::fs::create_dir_all(&certificates).expect("made");
        let endpoint = Endpoint::resolve(&config(folder.path())).expect("found");
        assert_eq!(endpoint.address, Address::Tls { host: "build".into(), port: 2375, certificates });
    }

    #[test]
    fn verification_is_never_off() {
        let folder = folder(&META.replace("\"SkipTLSVerify\":false", "\"SkipTLSVerify\":true"));
        let error = Endpoint::resolve(&config(folder.path())).expect_err("refused");
        assert!(error.message().contains("verification"), "{error}");
    }

    #[test]
    fn a_broken_file_is_named() {
        let folder = folder("{");
        let error = Endpoint::resolve(&config(folder.path())).expect_err("broken");
        assert!(error.message().contains("meta.json"), "{error}");
    }
}
