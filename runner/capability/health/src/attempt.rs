//! One attempt: which calls it is made of, and what they saw.

use windlass_gate::api::docker::{ContainerSeen, Locate, Located, ProbeCommand, ProbeHealth};
use windlass_gate::api::health::{ContainerPort, HttpProbe, Target};
use windlass_gate::api::http::{Probe, ProbeTcp, Seen};
use windlass_gate::{Session, Stop};

/// What an attempt saw.
pub(crate) enum Sight {
    /// It is there, healthy or not yet.
    There {
        /// Whether it counts as healthy.
        healthy: bool,
        /// What was seen, in words.
        what: String,
    },
    /// The container has ended; it is not going to be healthy.
    Gone {
        /// How it ended, with the last lines of its log.
        what: String,
    },
}

/// Makes one attempt.
pub(crate) async fn make(target: &Target, timeout_ms: u64, session: &mut Session) -> Result<Sight, Stop> {
    match target {
        Target::Url(at) => {
            let probe = http_probe(at.url.clone(), at.url.clone(), &at.probe, timeout_ms);
            Ok(session.call(&probe).await?.into())
        }
        Target::Tcp(address) => {
            let probe = ProbeTcp { granted_as: format!("tcp://{address}"), address: address.clone(), timeout_ms };
            Ok(session.call(&probe).await?.into())
        }
        Target::ContainerHttp(at) => {
            let address = match locate(&at.port, session).await? {
                Ok(address) => address,
                Err(sight) => return Ok(sight),
            };
            let url = format!("http://{address}{}", at.path);
            let probe = http_probe(at.port.container.clone(), url, &at.probe, timeout_ms);
            Ok(session.call(&probe).await?.into())
        }
        Target::ContainerTcp(port) => {
            let address = match locate(port, session).await? {
                Ok(address) => address,
                Err(sight) => return Ok(sight),
            };
            let probe = ProbeTcp { granted_as: port.container.clone(), address, timeout_ms };
            Ok(session.call(&probe).await?.into())
        }
        Target::Command(at) => {
            let probe = ProbeCommand { container: at.container.clone(), command: at.command.clone(), timeout_ms };
            Ok(session.call(&probe).await?.into())
        }
        Target::Docker(container) => Ok(session.call(&ProbeHealth { container: container.clone() }).await?.into()),
    }
}

/// The name of a target, for the log.
pub(crate) fn name(target: &Target) -> String {
    match target {
        // The query may hold a token, and the grant does not look at it either.
        Target::Url(at) => at.url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        Target::ContainerHttp(at) => {
            let path = at.path.split(['?', '#']).next().unwrap_or_default();
            format!("{}:{}{path}", at.port.container, at.port.port)
        }
        Target::Tcp(address) => address.clone(),
        Target::ContainerTcp(port) => format!("{}:{}", port.container, port.port),
        Target::Command(at) => at.container.clone(),
        Target::Docker(container) => container.clone(),
    }
}

/// Where to ask, or what is seen without asking. Asked anew at each attempt: a container that was started again has
/// another address.
async fn locate(port: &ContainerPort, session: &mut Session) -> Result<Result<String, Sight>, Stop> {
    let Located { address, running, state, .. } =
        session.call(&Locate { container: port.container.clone(), port: port.port }).await?;
    Ok(match running {
        false => Err(Sight::Gone { what: state }),
        // It is being started again, or cannot be reached from here. Without a host, the path would be taken for one.
        true if address.is_empty() => Err(Sight::There { healthy: false, what: state }),
        true => Ok(address),
    })
}

fn http_probe(granted_as: String, url: String, probe: &HttpProbe, timeout_ms: u64) -> Probe {
    Probe {
        granted_as,
        url,
        status_min: probe.status_min.unwrap_or(200),
        status_max: probe.status_max.unwrap_or(299),
        body_contains: probe.body_contains.clone(),
        timeout_ms,
    }
}

impl From<Seen> for Sight {
    fn from(Seen { healthy, what }: Seen) -> Self {
        Self::There { healthy, what }
    }
}

impl From<ContainerSeen> for Sight {
    fn from(ContainerSeen { healthy, running, what }: ContainerSeen) -> Self {
        if running { Self::There { healthy, what } } else { Self::Gone { what } }
    }
}
