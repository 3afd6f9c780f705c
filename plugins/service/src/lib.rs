//! Starts a service in a container and waits until it is healthy; stops it.

mod start;
mod with;

use schemars::JsonSchema;
use serde::Serialize;
use windlass_plugin::docker;
use windlass_plugin::prelude::{Capability, Context, Failure, OrFail, Plugin, Use};
use windlass_plugin_parts::remove;

use with::{Action, With};

/// What a step gives.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Outputs {
    /// The service's name.
    name: String,
    /// The id of its container.
    container: Option<String>,
    /// The host's address of the first port that is published, as `127.0.0.1:49153`.
    address: Option<String>,
    /// The same as a URL, `http://127.0.0.1:49153`.
    url: Option<String>,
}

struct Service;

impl Plugin for Service {
    type With = With;
    type Outputs = Outputs;
    const DOCUMENTATION: &str = include_str!("../README.md");
    const USES: &[Use] = &[
        Use::required(Capability::Docker, "to start and stop the service's container"),
        Use::optional(Capability::Health, "to wait until the service is healthy"),
    ];

    fn run(with: With, context: &Context) -> Result<Outputs, Failure> {
        match with.action {
            Action::Start => {
                let container = start::start(&with)?;
                let outputs = outputs(&container, with.name);
                context.summarize(match &outputs.address {
                    Some(address) => format!("{} is up at {address}", outputs.name),
                    None => format!("{} is up", outputs.name),
                });
                Ok(outputs)
            }
            Action::Stop => {
                let gone = remove(&with.name, with.grace_ms()).or_fail_with(|| format!("stop `{}`", with.name))?;
                context.summarize(format!("{} {}", with.name, if gone { "is stopped" } else { "was not there" }));
                Ok(Outputs { name: with.name, container: None, address: None, url: None })
            }
        }
    }
}

windlass_plugin::export!(Service);

fn outputs(container: &docker::Container, name: String) -> Outputs {
    let address = container.address();
    Outputs {
        name,
        container: Some(container.id.clone()),
        url: address.as_ref().map(|address| format!("http://{address}")),
        address,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_is_documented() {
        assert_eq!(windlass_plugin::undocumented::<super::Service>(), [""; 0]);
    }
}
