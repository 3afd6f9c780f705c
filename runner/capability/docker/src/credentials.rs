//! How to log in at registries: what the call gives, else what `docker login` left in `config.json`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use windlass_gate::api::docker::Credentials;
use windlass_gate::{Call, CallError};

use crate::DockerConfig;
use crate::reference::hub_host;

/// Under which key Docker keeps the credentials of its own registry.
const DOCKER_IO: &str = "https://index.docker.io/v1/";

/// A login, in the form that the daemon takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Login {
    pub(crate) username: String,
    password: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    identitytoken: String,
    serveraddress: String,
}

impl Login {
    /// A login by user and password.
    pub(crate) fn new(username: &str, password: &str, registry: &str) -> Self {
        Self {
            username: username.to_owned(),
            password: password.to_owned(),
            identitytoken: String::new(),
            serveraddress: registry.to_owned(),
        }
    }

    /// The password, or the token that stands for it.
    pub(crate) fn secret(&self) -> &str {
        if self.identitytoken.is_empty() { &self.password } else { &self.identitytoken }
    }
}

/// What is known of logging in at one registry.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) login: Option<Login>,
    /// What to tell people when it is not accepted.
    pub(crate) hint: String,
}

#[derive(Debug, Default, Deserialize)]
struct ConfigFile {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
    #[serde(rename = "credHelpers", default)]
    helpers: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    identitytoken: String,
}

/// The login for a registry.
pub(crate) fn find(
    config: &DockerConfig,
    call: &Call,
    registry: &str,
    given: Option<&Credentials>,
) -> Result<Found, CallError> {
    if let Some(given) = given {
        let password = call.run.secrets.reveal(&given.password)?;
        let login = Login::new(&given.username, &password, registry);
        return Ok(Found {
            login: Some(login),
            hint: format!("the step gives the user `{}`; check that name and its password", given.username),
        });
    }
    let (file, path) = read(config);
    let login = file
        .auths
        .iter()
        .find(|(key, _)| host_of(key) == host_of(registry))
        .and_then(|(key, entry)| decode(key, entry));
    let hint = match (&login, file.helpers.get(registry).or(file.store.as_ref())) {
        (Some(login), _) => format!(
            "the login is that of `{}` in {path}; log in again with `docker login {registry}`, or give the step `credentials`",
            login.username
        ),
        (None, Some(helper)) => format!(
            "{path} leaves its login to the program `docker-credential-{helper}`, which is not run; give the step `credentials` with a secret"
        ),
        (None, None) => format!(
            "there is no login for it in {path}; use `docker login {registry}`, or give the step `credentials` with a secret"
        ),
    };
    Ok(Found { login, hint })
}

/// Every login that `config.json` has, for builds, whose base images may come from anywhere.
pub(crate) fn all(config: &DockerConfig) -> BTreeMap<String, Login> {
    read(config)
        .0
        .auths
        .iter()
        .filter_map(|(key, entry)| decode(key, entry).map(|login| (key.clone(), login)))
        .collect()
}

/// The login for a host as a builder names it.
pub(crate) fn for_host<'a>(logins: &'a BTreeMap<String, Login>, host: &str) -> Option<&'a Login> {
    logins.iter().find(|(key, _)| host_of(key) == host_of(host)).map(|(_, login)| login)
}

/// A header that carries logins.
pub(crate) fn header(name: &'static str, content: &impl Serialize) -> Result<(HeaderName, HeaderValue), CallError> {
    let wrong = |error: &dyn std::fmt::Display| CallError::Other(format!("the registry login cannot be sent: {error}"));
    let json = serde_json::to_vec(content).map_err(|error| wrong(&error))?;
    let mut value = HeaderValue::from_str(&URL_SAFE.encode(json)).map_err(|error| wrong(&error))?;
    value.set_sensitive(true);
    Ok((HeaderName::from_static(name), value))
}

fn read(config: &DockerConfig) -> (ConfigFile, String) {
    let Some(file) = config.config_folder.as_ref().map(|folder| folder.join("config.json")) else {
        return (ConfigFile::default(), "Docker's config.json".to_owned());
    };
    // Without the file nobody is logged in; a broken one shows in the hint when a login is missed.
    let content = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    (content, file.display().to_string())
}

fn decode(key: &str, entry: &Entry) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(entry.auth.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Login {
        username: username.to_owned(),
        password: password.trim_end_matches('\0').to_owned(),
        identitytoken: entry.identitytoken.clone(),
        serveraddress: key.to_owned(),
    })
}

/// The host of a key such as `https://index.docker.io/v1/`; Docker's own registry has several.
fn host_of(key: &str) -> &str {
    let host = key.trim_start_matches("https://").trim_start_matches("http://").split('/').next().unwrap_or_default();
    match hub_host(host) {
        "docker.io" => DOCKER_IO,
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> (tempfile::TempDir, DockerConfig) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("config.json"), text).expect("written");
        let mut config = DockerConfig::at("unix:///x");
        config.config_folder = Some(folder.path().to_owned());
        (folder, config)
    }

    #[test]
    fn plain_entries_are_read() {
        let auth = STANDARD.encode("ada:hunter:2");
        let (_folder, config) = config(&format!(
            r#"{{"auths":{{"localhost:5001":{{"auth":"{auth}"}},"https://index.docker.io/v1/":{{"auth":"{auth}"}},"empty":{{}}}}}}"#
        ));
        let all = all(&config);
        assert_eq!(all.len(), 2);
        let login = for_host(&all, "localhost:5001").expect("there");
        assert_eq!((login.username.as_str(), login.password.as_str()), ("ada", "hunter:2"));
        assert!(for_host(&all, "registry-1.docker.io").is_some());
        assert!(for_host(&all, "other").is_none());
    }

    #[test]
    fn a_missing_or_broken_file_is_nobody_logged_in() {
        let (_folder, config) = config("{");
        assert!(all(&config).is_empty());
        assert!(all(&DockerConfig::at("unix:///x")).is_empty());
    }
}
