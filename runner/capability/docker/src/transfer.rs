//! Pushes and pulls images.

use hyper::Method;
use hyper::header::HeaderMap;
use url::form_urlencoded::Serializer;
use windlass_gate::api::docker::{Credentials, Pull, Push, Transferred};
use windlass_gate::{Call, CallError};

use crate::connect::{Engine, Event, Events, Silence, empty};
use crate::credentials::{self, Found};
use crate::fault;
use crate::progress::Layers;
use crate::reference::Reference;

/// Pushes an image to its registry.
pub(crate) async fn push(engine: &Engine, call: &Call, args: &Push) -> Result<Transferred, CallError> {
    let name = Reference::parse(&args.reference)?.complete();
    if name.digest.is_some() {
        return Err(CallError::Invalid(format!(
            "`{}` has a digest; push a name with a tag, and the answer has the digest",
            args.reference
        )));
    }
    let query = Serializer::new(String::new()).append_pair("tag", name.tag_or_latest()).finish();
    let path = format!("/images/{}/push?{query}", name.repository);
    transfer(engine, call, &name, args.credentials.as_ref(), &format!("cannot push `{name}`"), &path).await
}

/// Pulls an image from its registry.
pub(crate) async fn pull(engine: &Engine, call: &Call, args: &Pull) -> Result<Transferred, CallError> {
    let name = Reference::parse(&args.reference)?.complete();
    let path = {
        let mut query = Serializer::new(String::new());
        query.append_pair("fromImage", &name.repository);
        query.append_pair("tag", name.digest.as_deref().unwrap_or_else(|| name.tag_or_latest()));
        if let Some(platform) = &args.platform {
            query.append_pair("platform", platform);
        }
        format!("/images/create?{}", query.finish())
    };
    transfer(engine, call, &name, args.credentials.as_ref(), &format!("cannot pull `{name}`"), &path).await
}

async fn transfer(
    engine: &Engine,
    call: &Call,
    name: &Reference,
    given: Option<&Credentials>,
    what: &str,
    path: &str,
) -> Result<Transferred, CallError> {
    let registry = name.registry();
    let Found { login, hint } = credentials::find(&engine.config, call, registry, given)?;
    let mut headers = HeaderMap::new();
    // A push without this header is refused by the daemon, so nobody's login is sent as one.
    let (header, value) = credentials::header("x-registry-auth", &login.unwrap_or_default())?;
    headers.insert(header, value);

    let idle = engine.config.idle;
    let silent = || {
        CallError::TimedOut(format!(
            "{what}: nothing was heard of the registry {registry} for {idle:?}; it accepts connections but does not answer: look at it, or at what stands between the Docker daemon's machine and it"
        ))
    };
    let answer = match tokio::time::timeout(idle, engine.send(Method::POST, path, headers, empty())).await {
        Err(_) => return Err(silent()),
        Ok(Ok(answer)) => answer,
        Ok(Err(bollard::errors::Error::DockerResponseServerError { status_code, message })) => {
            return Err(match fault::registry(what, registry, &message, &hint) {
                CallError::Other(message) if status_code == 404 => CallError::NotFound(message),
                CallError::Other(message) if status_code == 400 => CallError::Invalid(message),
                error => error,
            });
        }
        Ok(Err(error)) => return Err(engine.fault(what, error)),
    };
    let mut events = Events::new(answer.into_body(), Some(idle));
    let mut layers = Layers::new(&call.log);
    let mut digest = None;
    loop {
        let event = match events.next().await {
            Ok(Some(event)) => event,
            Ok(None) => break,
            Err(Silence::Idle) => return Err(silent()),
            Err(Silence::Broken(error)) => {
                return Err(CallError::Unavailable(format!(
                    "{what}: the connection to the Docker daemon at {} broke: {error}",
                    engine.endpoint
                )));
            }
        };
        if let Some(failure) = event.failure() {
            return Err(fault::registry(what, registry, failure, &hint));
        }
        digest = digest_of(&event).or(digest);
        layers.see(&event);
    }
    layers.finish();
    let digest = match digest {
        Some(digest) => digest,
        None => known_digest(engine, name, what).await?,
    };
    Ok(Transferred { reference: name.to_string(), pinned: format!("{}@{digest}", name.repository), digest })
}

/// A push tells the digest in its last status or beside it, a pull in a status of its own.
fn digest_of(event: &Event) -> Option<String> {
    let beside = event.aux.as_ref().and_then(|aux| aux.get("Digest")).and_then(|digest| digest.as_str());
    let status = || {
        event
            .status
            .as_deref()
            .and_then(|status| status.split_once("igest: "))
            .and_then(|(_, rest)| rest.split_whitespace().next())
    };
    beside.or_else(status).filter(|digest| digest.starts_with("sha256:")).map(str::to_owned)
}

async fn known_digest(engine: &Engine, name: &Reference, what: &str) -> Result<String, CallError> {
    let image = engine.api.inspect_image(&name.to_string()).await.map_err(|error| engine.fault(what, error))?;
    let prefix = format!("{}@", name.repository);
    image.repo_digests.unwrap_or_default().iter().find_map(|digest| digest.strip_prefix(&prefix).map(str::to_owned)).ok_or_else(|| {
        CallError::Other(format!("{what}: it went through, but neither the registry nor the Docker daemon tells the digest; look with `docker image inspect {name}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_found_wherever_it_is() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for json in [
            format!(r#"{{"status":"1: digest: {digest} size: 528"}}"#),
            format!(r#"{{"status":"Digest: {digest}"}}"#),
            format!(r#"{{"progressDetail":{{}},"aux":{{"Tag":"1","Digest":"{digest}","Size":528}}}}"#),
        ] {
            let event: Event = serde_json::from_str(&json).expect("an event");
            assert_eq!(digest_of(&event).as_deref(), Some(digest.as_str()), "{json}");
        }
        assert_eq!(digest_of(&Event::default()), None);
    }
}
