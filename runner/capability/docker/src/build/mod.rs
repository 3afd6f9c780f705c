//! Builds images: packs the context, has one of the daemon's builders work on it, tells how it went.

mod buildkit;
mod classic;
mod context;
mod dockerfile;
mod dockerignore;
mod failure;
mod output;
mod proto;
mod session;
mod trace;

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value as Json;
use url::form_urlencoded::Serializer;
use windlass_gate::api::Pair;
use windlass_gate::api::docker::{BuildSpec, Builder, Built};
use windlass_gate::{Call, CallError};

use crate::connect::Engine;
use crate::reference::Reference;
use context::Context;
use dockerfile::Dockerfile;

/// What is the same for both builders.
struct Order<'a> {
    engine: &'a Engine,
    call: &'a Call,
    spec: &'a BuildSpec,
    context: Context,
    dockerfile: Dockerfile,
}

/// Builds an image.
pub(crate) async fn build(engine: &Engine, call: &Call, spec: &BuildSpec) -> Result<Built, CallError> {
    for tag in &spec.tags {
        if Reference::parse(tag)?.digest.is_some() {
            return Err(CallError::Invalid(format!(
                "`{tag}` has a digest, which an image has by its content and cannot be given"
            )));
        }
    }
    let context = Context::open(call, &engine.endpoint, &spec.context, spec.dockerfile.as_deref())?;
    let dockerfile = Dockerfile::parse(context.dockerfile_shown(), context.dockerfile_text());
    let order = Order { engine, call, spec, context, dockerfile };
    let id = match engine.builder {
        Builder::Buildkit => buildkit::build(&order).await?,
        Builder::Classic => classic::build(&order).await?,
    };
    Ok(Built { id, tags: spec.tags.clone(), builder: engine.builder.clone() })
}

impl Order<'_> {
    /// The query that both builders understand.
    fn query(&self) -> Serializer<'static, String> {
        let spec = self.spec;
        let mut query = Serializer::new(String::new());
        query.append_pair("dockerfile", self.context.dockerfile_name());
        for tag in &spec.tags {
            query.append_pair("t", tag);
        }
        query.append_pair("buildargs", &object(&spec.args));
        query.append_pair("labels", &object(&spec.labels));
        for (name, value) in [("target", &spec.target), ("platform", &spec.platform)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        // Intermediate containers go, also those of a failed step.
        for (name, on) in [("nocache", spec.no_cache), ("pull", spec.pull), ("rm", true), ("forcerm", true)] {
            if on {
                query.append_pair(name, "1");
            }
        }
        query
    }

    fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"))])
    }

    /// What failed, for the beginning of an error.
    fn what(&self) -> String {
        format!("cannot build `{}` ({})", self.spec.context, self.dockerfile.shown())
    }
}

/// Pairs as a JSON object.
fn object(pairs: &[Pair]) -> String {
    pairs
        .iter()
        .map(|Pair { name, value }| (name.clone(), Json::String(value.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into_iter()
        .collect::<Json>()
        .to_string()
}

/// The id of the image, from side data of either builder.
fn image_id(aux: &Json) -> Option<String> {
    aux.get("ID").and_then(Json::as_str).map(str::to_owned)
}

/// The error for a context that could not be packed to its end, if it could not.
fn check_packed(what: &str, trouble: &context::Trouble) -> Result<(), CallError> {
    match trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
        Some(trouble) => Err(CallError::Invalid(format!("{what}: the context cannot be packed: {trouble}"))),
        None => Ok(()),
    }
}

/// The error for a build that the daemon did not begin.
fn refused(order: &Order<'_>, error: bollard::errors::Error) -> CallError {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => {
            failure::explain(order, &message, None, "")
        }
        error => order.engine.fault(order.what(), error),
    }
}

/// The error for a build in whose middle the connection broke.
fn broke(order: &Order<'_>, error: &str) -> CallError {
    CallError::Unavailable(format!(
        "{}: the connection to the Docker daemon at {} broke: {error}",
        order.what(),
        order.engine.endpoint
    ))
}

/// The error for a build that ended well and made nothing.
fn no_image(order: &Order<'_>) -> CallError {
    CallError::Other(format!(
        "{}: the builder ended without an error, but named no image; look at the Docker daemon's log",
        order.what()
    ))
}
