//! `ports = [8080, "80:8080", "0.0.0.0:80:8080", "53:53/udp"]`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Unexpected, Visitor};
use windlass_plugin::docker::{Port, Protocol};

/// A port to publish, as `docker run --publish` takes it; but without an address it is on the loopback interface.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedPort(pub Port);

impl PublishedPort {
    /// Reads `[[address:]host:]container[/protocol]`.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, protocol) = match text.split_once('/') {
            None | Some((_, "tcp")) => (text.trim_end_matches("/tcp"), Protocol::Tcp),
            Some((rest, "udp")) => (rest, Protocol::Udp),
            Some(_) => return None,
        };
        let (before, container) = rest.rsplit_once(':').map_or((None, rest), |(before, port)| (Some(before), port));
        let (address, host) =
            match before.map(|before| before.rsplit_once(':').map_or((None, before), |(a, p)| (Some(a), p))) {
                None => (None, None),
                Some((address, "")) => (Some(address?), None),
                Some((address, host)) => (address, Some(port(host)?)),
            };
        let address = address.map(|address| address.trim_start_matches('[').trim_end_matches(']'));
        if address.is_some_and(|address| address.parse::<std::net::IpAddr>().is_err()) {
            return None;
        }
        Some(Self(Port { container: port(container)?, host, address: address.map(str::to_owned), protocol }))
    }
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0 && !text.starts_with('+'))
}

impl<'de> de::Deserialize<'de> for PublishedPort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = PublishedPort;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port like 8080, \"80:8080\" or \"127.0.0.1:80:8080\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<PublishedPort, E> {
                let container = u16::try_from(number).ok().filter(|port| *port != 0);
                container
                    .map(|port| PublishedPort(Port::tcp(port)))
                    .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PublishedPort, E> {
                PublishedPort::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for PublishedPort {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PublishedPort".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string"],
            "minimum": 1,
            "maximum": 65535,
            "pattern": "^(([0-9.]+|\\[[0-9a-fA-F:.]+\\]):)?([0-9]*:)?[0-9]+(/(tcp|udp))?$",
            "examples": [8080, "80:8080", "0.0.0.0:80:8080", "53:53/udp"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Port> {
        serde_json::from_str::<PublishedPort>(text).ok().map(|port| port.0)
    }

    #[test]
    fn the_forms_of_docker() {
        assert_eq!(read("8080"), Some(Port::tcp(8080)));
        assert_eq!(read("\"8080\""), Some(Port::tcp(8080)));
        assert_eq!(read("\"80:8080\""), Some(Port::tcp(8080).on(80)));
        assert_eq!(read("\"80:8080/tcp\""), Some(Port::tcp(8080).on(80)));
        assert_eq!(
            read("\"0.0.0.0:80:8080\""),
            Some(Port { address: Some("0.0.0.0".to_owned()), ..Port::tcp(8080).on(80) })
        );
        assert_eq!(read("\"0.0.0.0::8080\""), Some(Port { address: Some("0.0.0.0".to_owned()), ..Port::tcp(8080) }));
        assert_eq!(read("\"[::1]:80:8080\""), Some(Port { address: Some("::1".to_owned()), ..Port::tcp(8080).on(80) }));
        assert_eq!(read("\"53:53/udp\""), Some(Port { protocol: Protocol::Udp, ..Port::tcp(53).on(53) }));
    }

    #[test]
    fn what_is_no_port() {
        for bad in [
            "0",
            "65536",
            "-1",
            "true",
            "\"\"",
            "\"x\"",
            "\":80\"",
            "\"80:\"",
            "\"0:80\"",
            "\"host:1:2\"",
            "\"80/sctp\"",
            "\"+80\"",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
