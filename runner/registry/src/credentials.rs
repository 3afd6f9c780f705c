//! Logins, where `docker login` left them: in `config.json`, or with the helper program that it names.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;
use serde_json::Value as Json;

use crate::error::{RegistryError, plain};

/// Under which key Docker keeps the login of its own registry.
const DOCKER_IO: &str = "https://index.docker.io/v1/";
/// What a helper says of a registry that it has no login for. Docker goes by this text, too.
const NOT_KEPT: &str = "credentials not found in native keychain";
/// How long a helper may take. One that asks somebody would wait for ever.
const HELPER: Duration = Duration::from_secs(30);

/// As whom to ask, and how to tell people.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) auth: RegistryAuth,
    pub(crate) words: String,
}

/// The login for a registry; nobody's if there is none.
pub(crate) async fn find(folder: Option<&Path>, registry: &str) -> Result<Login, RegistryError> {
    let anonymous = |words: String| Ok(Login { auth: RegistryAuth::Anonymous, words });
    let Some(path) = folder.map(|folder| folder.join("config.json")) else {
        return anonymous(
            "there is no login, and neither DOCKER_CONFIG nor HOME says where to look for one".to_owned(),
        );
    };
    let shown = path.display().to_string();
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return anonymous(format!("there is no login: {shown} is not there"));
        }
        Err(error) => return Err(unusable(registry, format!("{shown}: {error}"), "make the file readable")),
    };
    let key = if registry == "docker.io" { DOCKER_IO } else { registry }.to_owned();
    let found = ask(move || docker_credential::get_credential_from_reader(&*as_docker_reads(&text), &key)).await;
    let Some(found) = found else {
        let reason = format!("the program that {shown} leaves it to has not answered for {} seconds", HELPER.as_secs());
        return Err(unusable(registry, reason, "see whether it waits for a person"));
    };
    match found {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            let words = format!("the login of `{}` from {shown} is not accepted for it", plain(&user));
            Ok(Login { auth: RegistryAuth::Basic(user, password), words })
        }
        Ok(DockerCredential::IdentityToken(_)) => Err(unusable(
            registry,
            format!("{shown} has an identity token for it, which Windlass cannot exchange"),
            &format!("log in with a user and a password or access token: docker login {registry}"),
        )),
        Err(CredentialRetrievalError::NoCredentialConfigured) => anonymous(format!("{shown} has no login for it")),
        Err(CredentialRetrievalError::HelperFailure { stdout, .. }) if stdout.trim() == NOT_KEPT => {
            anonymous(format!("the program that {shown} leaves logins to has none for it"))
        }
        Err(error) => Err(refused(registry, &shown, error)),
    }
}

/// The file without helpers of no name, which to Docker are none.
fn as_docker_reads(text: &[u8]) -> Cow<'_, [u8]> {
    let Ok(Json::Object(mut config)) = serde_json::from_slice(text) else { return Cow::Borrowed(text) };
    let named = |helper: &Json| helper != "";
    config.retain(|key, value| key != "credsStore" || named(value));
    if let Some(Json::Object(helpers)) = config.get_mut("credHelpers") {
        helpers.retain(|_, helper| named(helper));
    }
    serde_json::to_vec(&config).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Asks on a thread of its own: a helper is a process, and one that hangs must not hold the end of ours.
async fn ask<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("docker-credential".to_owned()).spawn(move || answer.send(work())).ok()?;
    tokio::time::timeout(HELPER, answered).await.ok()?.ok()
}

fn refused(registry: &str, shown: &str, error: CredentialRetrievalError) -> RegistryError {
    let login = format!("docker login {registry}");
    match error {
        CredentialRetrievalError::HelperFailure { helper, stdout, stderr } => {
            let said = plain(&format!("{stdout} {stderr}"));
            unusable(registry, format!("`{helper}`, to which {shown} leaves it, failed: {said}"), &login)
        }
        CredentialRetrievalError::HelperCommunicationError => unusable(
            registry,
            format!("the program to which {shown} leaves it cannot be run"),
            "install the `docker-credential-...` program that the file names, or take `credsStore` out of it",
        ),
        CredentialRetrievalError::MalformedHelperResponse => {
            unusable(registry, format!("the program to which {shown} leaves it answered with no login"), &login)
        }
        CredentialRetrievalError::ConfigReadError => {
            unusable(registry, format!("{shown} is not the JSON that Docker writes"), "put the file right")
        }
        other => unusable(registry, format!("{shown}: {other}"), &login),
    }
}

fn unusable(registry: &str, reason: String, help: &str) -> RegistryError {
    RegistryError::Login { registry: registry.to_owned(), reason, help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn with(config: &str, registry: &str) -> Result<Login, RegistryError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        find(Some(folder.path()), registry).await
    }

    #[tokio::test]
    async fn what_docker_login_wrote_is_used() {
        // `ada:hunter:2`, as Docker writes it.
        let config = r#"{"auths":{"localhost:5001":{"auth":"YWRhOmh1bnRlcjoy"},"https://index.docker.io/v1/":{"auth":"YWRhOmh1bnRlcjoy"}}}"#;
        for registry in ["localhost:5001", "docker.io"] {
            let login = with(config, registry).await.unwrap();
            assert_eq!(login.auth, RegistryAuth::Basic("ada".into(), "hunter:2".into()), "{registry}");
            assert!(login.words.contains("`ada`") && !login.words.contains("hunter"), "{}", login.words);
        }
        let unnamed =
            r#"{"credsStore":"","credHelpers":{"localhost:5001":""},"auths":{"localhost:5001":{"auth":"YWRhOng="}}}"#;
        assert_eq!(with(unnamed, "localhost:5001").await.unwrap().auth, RegistryAuth::Basic("ada".into(), "x".into()));
        assert_eq!(with(config, "elsewhere:1").await.unwrap().auth, RegistryAuth::Anonymous);
        assert_eq!(find(None, "localhost:5001").await.unwrap().auth, RegistryAuth::Anonymous);
    }

    #[tokio::test]
    async fn a_login_that_cannot_be_used_is_told() {
        for (config, part) in [
            ("{", "not the JSON"),
            (r#"{"auths":{"a.example":{"identitytoken":"secret-token"}}}"#, "identity token"),
            (r#"{"credsStore":"windlass-has-no-such-helper"}"#, "cannot be run"),
        ] {
            let error = with(config, "a.example").await.unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert!(error.help().is_some() && !error.to_string().contains("secret-token"));
        }
    }
}
