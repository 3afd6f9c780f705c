//! What a step gives.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use windlass_plugin::docker::{Container, Protocol};

/// What a step gives.
#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Outputs {
    /// Each service that is up, by its name: the id of its `container`, the `address` of the first port that is
    /// published, as `127.0.0.1:49153`, and its `ports`.
    pub(crate) services: BTreeMap<String, Up>,
    /// The services that were started, in this order.
    pub(crate) started: Vec<String>,
    /// The services that were left alone, because nothing about them has changed.
    pub(crate) unchanged: Vec<String>,
    /// The services that were removed.
    pub(crate) removed: Vec<String>,
}

/// A service that is up.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Up {
    /// The id of its container.
    container: String,
    /// The host's address of the first TCP port that is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Its published ports.
    ports: Vec<Port>,
}

/// A published port.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Port {
    /// The port inside the container.
    container: u16,
    /// `tcp` or `udp`.
    protocol: &'static str,
    /// The host's address.
    address: String,
    /// The port on the host.
    host: u16,
}

impl Outputs {
    pub(crate) fn add(&mut self, name: &str, container: &Container) {
        let ports = container.ports.iter().map(|port| Port {
            container: port.container,
            protocol: match port.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
            },
            address: port.address.clone(),
            host: port.host,
        });
        let up = Up { container: container.id.clone(), address: container.address(), ports: ports.collect() };
        self.services.insert(name.to_owned(), up);
    }
}
