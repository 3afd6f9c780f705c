//! Where the daemon is, and who said so.

use std::fmt;
use std::path::PathBuf;

use url::Url;
use windlass_gate::CallError;

use super::context;
use crate::DockerConfig;

/// Where Docker's daemon listens unless told otherwise.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The daemon's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A socket on this machine.
    Unix(PathBuf),
    /// A TCP port, in the clear.
    Tcp { host: String, port: u16 },
    /// A TCP port, over TLS with the certificates of this folder.
    Tls { host: String, port: u16, certificates: PathBuf },
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Tls { host, port, .. } => write!(f, "tcp://{host}:{port} (TLS)"),
        }
    }
}

/// An address, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    pub(crate) origin: String,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.origin)
    }
}

impl Endpoint {
    /// The address in the order in which Docker's own command line looks: `DOCKER_HOST`,
    /// `DOCKER_CONTEXT`, the current context, the default socket.
    pub(crate) fn resolve(config: &DockerConfig) -> Result<Self, CallError> {
        if let Some(host) = &config.host {
            let certificates = match (&config.certificates, config.tls) {
                (Some(folder), _) => Some(folder.clone()),
                (None, true) => config.config_folder.clone(),
                (None, false) => None,
            };
            return Self::parse(host, certificates, "from DOCKER_HOST".to_owned());
        }
        let (name, origin) = match &config.context {
            Some(name) => (Some(name.clone()), "DOCKER_CONTEXT".to_owned()),
            None => match &config.config_folder {
                Some(folder) => {
                    let file = folder.join("config.json");
                    (context::current(&file)?, format!("{}", file.display()))
                }
                None => (None, String::new()),
            },
        };
        match (name.filter(|name| name != "default"), &config.config_folder) {
            (Some(name), Some(folder)) => {
                let found = context::read(folder, &name)?;
                Self::parse(
                    &found.host,
                    found.certificates,
                    format!("from the Docker context `{name}`, which {origin} names"),
                )
            }
            (Some(name), None) => Err(CallError::Unavailable(format!(
                "{origin} names the Docker context `{name}`, but neither DOCKER_CONFIG nor HOME says where contexts are kept; set one of them, or DOCKER_HOST"
            ))),
            (None, _) => Ok(Self {
                address: Address::Unix(DEFAULT_SOCKET.into()),
                origin: "Docker's default; neither DOCKER_HOST nor a Docker context names another".to_owned(),
            }),
        }
    }

    fn parse(text: &str, certificates: Option<PathBuf>, origin: String) -> Result<Self, CallError> {
        let wrong = |why: &str| Err(CallError::Unavailable(format!("the Docker address `{text}` ({origin}) {why}")));
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong("has no scheme; write `unix:///path/to/docker.sock` or `tcp://host:port`");
        };
        let default_port = match (scheme, &certificates) {
            ("unix", _) if rest.starts_with('/') => return Ok(Self { address: Address::Unix(rest.into()), origin }),
            ("unix", _) => return wrong("is not an absolute path; write `unix:///path/to/docker.sock`"),
            ("https", None) => {
                return wrong(
                    "needs certificates: set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem",
                );
            }
            ("tcp" | "http" | "https", Some(_)) => 2376,
            ("tcp" | "http", None) => 2375,
            ("ssh", _) => {
                return wrong(
                    "is an ssh address, which is not supported; forward the socket instead (`ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock user@host`) and set DOCKER_HOST=unix:///tmp/docker.sock",
                );
            }
            _ => return wrong("has a scheme that is not supported; use `unix://` or `tcp://`"),
        };
        // `http` is a special scheme to the parser, which is what handles IPv6 hosts and ports well.
        let url = match Url::parse(&format!("http://{rest}")) {
            Ok(url) => url,
            Err(error) => return wrong(&format!("is not an address: {error}")),
        };
        let Some(host) = url.host_str().map(str::to_owned) else { return wrong("has no host") };
        // The parser drops port 80 as the default of its scheme, so look at the text, too.
        let port = url.port().unwrap_or(if rest.trim_end_matches('/').ends_with(":80") { 80 } else { default_port });
        let address = match certificates {
            Some(certificates) => Address::Tls { host, port, certificates },
            None => Address::Tcp { host, port },
        };
        Ok(Self { address, origin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str) -> Result<Endpoint, CallError> {
        Endpoint::resolve(&DockerConfig::at(host))
    }

    fn secured(host: &str) -> Result<Endpoint, CallError> {
        let mut config = DockerConfig::at(host);
        config.certificates = Some("/certs".into());
        Endpoint::resolve(&config)
    }

    #[test]
    fn reads_the_addresses_that_docker_reads() {
        assert_eq!(at("unix:///run/d.sock").map(|endpoint| endpoint.address), Ok(Address::Unix("/run/d.sock".into())));
        assert_eq!(
            at("tcp://build:1234").map(|endpoint| endpoint.address),
            Ok(Address::Tcp { host: "build".into(), port: 1234 })
        );
        assert_eq!(
            at("tcp://build").map(|endpoint| endpoint.address),
            Ok(Address::Tcp { host: "build".into(), port: 2375 })
        );
        assert_eq!(
            at("tcp://build:80").map(|endpoint| endpoint.address),
            Ok(Address::Tcp { host: "build".into(), port: 80 })
        );
        assert_eq!(
            at("tcp://[::1]:2375").map(|endpoint| endpoint.address),
            Ok(Address::Tcp { host: "[::1]".into(), port: 2375 })
        );
        assert_eq!(
            secured("tcp://build").map(|endpoint| endpoint.address),
            Ok(Address::Tls { host: "build".into(), port: 2376, certificates: "/certs".into() })
        );
    }

    #[test]
    fn says_what_is_wrong_and_what_to_do() {
        for (address, hint) in [
            ("ssh://ada@host", "ssh -nNT -L"),
            ("docker.sock", "no scheme"),
            ("unix://d.sock", "absolute"),
            ("npipe:////./pipe/x", "not supported"),
            ("https://build", "DOCKER_CERT_PATH"),
        ] {
            let error = at(address).expect_err(address);
            assert!(
                matches!(&error, CallError::Unavailable(message) if message.contains(hint) && message.contains("DOCKER_HOST")),
                "{error}"
            );
        }
    }

    #[test]
    fn without_a_word_it_is_the_default_socket() {
        let mut config = DockerConfig::at("");
        config.host = None;
        let endpoint = Endpoint::resolve(&config).expect("the default");
        assert_eq!(endpoint.address, Address::Unix(DEFAULT_SOCKET.into()));
    }
}
