//! BuildKit, through the daemon's own build endpoint: the context is streamed to it as to the
//! classic builder, and progress, output and errors come back while it works.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::Value as Json;
use windlass_gate::CallError;
use windlass_gate::api::NamedValue;

use super::dockerfile::Instruction;
use super::failure::explain;
use super::output::Output;
use super::session::{Answers, Session};
use super::trace::{Status, Vertex};
use super::{Order, image_id};
use crate::connect::{Events, Silence};
use crate::credentials;

/// Has BuildKit make the image.
pub(super) async fn build(order: &Order<'_>) -> Result<String, CallError> {
    let what = order.what();
    let mut secrets = HashMap::new();
    for NamedValue { name, value } in &order.spec.secrets {
        secrets.insert(name.clone(), order.call.run.secrets.reveal(value)?.into_bytes());
    }
    let answers = Answers { secrets, logins: credentials::all(&order.engine.config) };
    // Lives as long as the build.
    let session = Session::open(order.engine, &order.call.identity(), answers).await.map_err(|error| {
        order.engine.fault(
            format_args!("{what}: BuildKit takes no session (set DOCKER_BUILDKIT=0 to use the classic builder)"),
            error,
        )
    })?;
    let path =
        format!("/build?{}", order.query().append_pair("version", "2").append_pair("session", session.id()).finish());

    let (body, trouble) = order.context.body();
    let sent = order.engine.send(Method::POST, &path, order.headers(), body).await;
    super::check_packed(&what, &trouble)?;
    let answer = sent.map_err(|error| super::refused(order, error))?;
    let mut events = Events::new(answer.into_body(), None);
    let mut steps =
        Steps { output: Output::new(&order.call.log), vertices: HashMap::new(), failed: None, layers: HashSet::new() };
    let mut id = None;
    loop {
        let event = match events.next().await {
            Ok(Some(event)) => event,
            Ok(None) => break,
            Err(Silence::Idle) => continue,
            Err(Silence::Broken(error)) => return Err(super::broke(order, &error)),
        };
        if let Some(failure) = event.failure() {
            steps.output.finish();
            super::check_packed(&what, &trouble)?;
            let step = steps.failed.as_ref().and_then(|name| instruction(order, name));
            return Err(explain(order, failure, step, &steps.output.recent()));
        }
        match (event.id.as_deref(), &event.aux) {
            (Some("moby.buildkit.trace"), Some(Json::String(trace))) => {
                if let Some(status) = STANDARD.decode(trace).ok().and_then(|bytes| Status::decode(&bytes)) {
                    steps.see(status);
                }
            }
            (_, Some(aux)) => id = image_id(aux).or(id),
            _ => {}
        }
    }
    steps.output.finish();
    super::check_packed(&what, &trouble)?;
    id.ok_or_else(|| super::no_image(order))
}

/// The steps of a build as they go.
struct Steps<'a> {
    output: Output<'a>,
    vertices: HashMap<String, Known>,
    failed: Option<String>,
    /// Layers that were told.
    layers: HashSet<String>,
}

#[derive(Default)]
struct Known {
    name: String,
    told: bool,
}

impl Steps<'_> {
    fn see(&mut self, status: Status) {
        for vertex in status.vertices {
            let known = self.vertices.entry(vertex.digest.clone()).or_default();
            if !vertex.name.is_empty() {
                known.name.clone_from(&vertex.name);
            }
            // The context on its way from the daemon to BuildKit is nobody's step.
            let internal =
                ["[internal]", "[auth]", "copy /context", "local://"].iter().any(|kind| known.name.starts_with(kind));
            if !known.told && (vertex.started || vertex.cached) && !internal {
                known.told = true;
                self.output.heading(&heading(&known.name, &vertex));
            }
            if !vertex.error.is_empty() {
                // Steps that were stopped because another failed say that they were cancelled.
                if !vertex.error.contains("context canceled") {
                    self.failed = Some(known.name.clone());
                }
            }
        }
        for log in status.logs {
            self.output.write(&log.source, &log.text);
        }
        for layer in status.layers {
            // One line a layer, when it is there.
            if layer.completed && layer.total > 0 && self.layers.insert(layer.id.clone()) {
                self.output.progress(&format!("{} {}", layer.id, crate::progress::bytes(layer.total)));
            }
        }
        for warning in status.warnings {
            self.output.heading(&format!("warning: {}", String::from_utf8_lossy(&warning)));
        }
    }
}

fn heading(name: &str, vertex: &Vertex) -> String {
    if vertex.cached { format!("=> CACHED {name}") } else { format!("=> {name}") }
}

/// The instruction of a step such as "[build 2/3] RUN make".
fn instruction<'a>(order: &'a Order<'_>, name: &str) -> Option<&'a Instruction> {
    let text = name.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(name, |(_, text)| text);
    order.dockerfile.find(text)
}
