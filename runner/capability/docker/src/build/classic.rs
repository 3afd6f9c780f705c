//! The classic builder: one step after the other, its output as plain text.

use std::collections::BTreeMap;

use hyper::Method;
use windlass_gate::CallError;

use super::failure::explain;
use super::output::Output;
use super::{Order, image_id};
use crate::connect::{Events, Silence};
use crate::credentials;

/// Has the classic builder make the image.
pub(super) async fn build(order: &Order<'_>) -> Result<String, CallError> {
    let what = order.what();
    if !order.spec.secrets.is_empty() {
        return Err(CallError::Invalid(format!(
            "{what}: build secrets need BuildKit, but the Docker daemon at {} builds with the classic builder; unset DOCKER_BUILDKIT, or use a daemon that has BuildKit",
            order.engine.endpoint
        )));
    }
    let path = format!("/build?{}", order.query().finish());
    let mut headers = order.headers();
    let logins: BTreeMap<_, _> = credentials::all(&order.engine.config);
    let (name, value) = credentials::header("x-registry-config", &logins)?;
    headers.insert(name, value);

    let (body, trouble) = order.context.body();
    let sent = order.engine.send(Method::POST, &path, headers, body).await;
    super::check_packed(&what, &trouble)?;
    let answer = sent.map_err(|error| super::refused(order, error))?;
    let mut events = Events::new(answer.into_body(), None);
    let mut output = Output::new(&order.call.log);
    let mut id = None;
    let mut step = None;
    loop {
        let event = match events.next().await {
            Ok(Some(event)) => event,
            Ok(None) => break,
            Err(Silence::Idle) => continue,
            Err(Silence::Broken(error)) => return Err(super::broke(order, &error)),
        };
        if let Some(failure) = event.failure() {
            output.finish();
            return Err(explain(order, failure, step.and_then(|index| order.dockerfile.nth(index)), &output.recent()));
        }
        if let Some(text) = &event.stream {
            if let Some(index) = step_of(text) {
                step = Some(index);
                output.finish();
                output.heading(text.trim_end());
            } else if is_bookkeeping(text) {
                output.progress(text.trim());
            } else if text != "\n" {
                output.write("", text.as_bytes());
            }
        }
        // Of a base image that is pulled; its progress is of no interest beyond that it happens.
        if let (Some(status), None) = (&event.status, &event.progress) {
            output.progress(status);
        }
        id = event.aux.as_ref().and_then(image_id).or(id);
    }
    output.finish();
    super::check_packed(&what, &trouble)?;
    id.ok_or_else(|| super::no_image(order))
}

/// What the builder says of its own containers and layers.
fn is_bookkeeping(text: &str) -> bool {
    [" ---> ", "Removing intermediate container ", "Successfully built ", "Successfully tagged "]
        .iter()
        .any(|lead| text.starts_with(lead))
}

/// The place among all instructions, from 0, out of "Step 3/5 : RUN true". An `ARG` before the
/// first `FROM` is a step, too.
fn step_of(text: &str) -> Option<usize> {
    let (number, rest) = text.strip_prefix("Step ")?.split_once('/')?;
    rest.contains(" : ").then(|| number.parse::<usize>().ok()?.checked_sub(1)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted() {
        assert_eq!(step_of("Step 3/5 : RUN true\n"), Some(2));
        assert_eq!(step_of("Step by step"), None);
        assert_eq!(step_of("Step 0/5 : RUN true"), None);
    }
}
