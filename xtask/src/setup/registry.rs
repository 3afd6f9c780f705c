//! Registries: the one on port 5000 that the examples name, and one that asks for a password.

use super::packages;
use super::service::{self, Service};
use crate::failure::{Doing, Failure, Result};
use crate::http::{self, Server};
use crate::proc::on_path;
use crate::ui;
use std::fs;
use std::net::TcpListener;

/// The port that the examples say.
const PORT: u16 = 5000;

/// The user `windlass` with the password `windlass-test`: a throw-away secret of the tests,
/// hashed with bcrypt because the registry takes nothing else.
const HTPASSWD: &str = "windlass:$2y$05$abcdefghijklmnopqrstuuH8CcCvNJlqWjvxlH31f5eUNPd.sUfBi\n";

/// A registry that answers.
pub(crate) struct Registry {
    /// `localhost:PORT`, as it stands in image names.
    pub(crate) address: String,
    _ours: Option<Service>,
}

impl Registry {
    /// The registry for demo and tests: WINDLASS_REGISTRY, whatever answers on port 5000, or one
    /// of our own there or, where something else has the port, on a free one.
    pub(crate) fn ensure() -> Result<Self> {
        service::sweep("registry");
        if let Some(address) = named("WINDLASS_REGISTRY", 200)? {
            return Ok(Self { address, _ours: None });
        }
        let address = format!("localhost:{PORT}");
        if answers(&address, 200) {
            ui::note(&format!("using the registry at {address}"));
            return Ok(Self { address, _ours: None });
        }
        let port = if free(PORT) { PORT } else { any_port()? };
        if port != PORT {
            ui::note(&format!("port {PORT} is taken by something that is no open registry: using {port}"));
        }
        Self::start("registry", port, "", 200)
    }

    /// The registry that knows only the user of [`HTPASSWD`].
    pub(super) fn ensure_with_password() -> Result<Self> {
        service::sweep("registry-auth");
        if let Some(address) = named("WINDLASS_TEST_REGISTRY_AUTH", 401)? {
            return Ok(Self { address, _ours: None });
        }
        let auth = "auth:\n  htpasswd:\n    realm: windlass-test\n    path: FOLDER/htpasswd\n";
        Self::start("registry-auth", any_port()?, auth, 401)
    }

    fn start(kind: &'static str, port: u16, auth: &str, ready: u16) -> Result<Self> {
        if !on_path("docker-registry") {
            packages::ensure(
                &["docker-registry"],
                "An image registry is needed on localhost:5000 (or at WINDLASS_REGISTRY), and for the tests one \
                 that asks for the user windlass and the password windlass-test (at WINDLASS_TEST_REGISTRY_AUTH)",
            )?;
        }
        let folder = service::folder(kind)?;
        let at = folder.display().to_string();
        let config = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {at}/data\n  \
             delete:\n    enabled: true\n{}http:\n  addr: 127.0.0.1:{port}\n",
            auth.replace("FOLDER", &at)
        );
        let file = format!("{at}/config.yml");
        fs::write(format!("{at}/htpasswd"), HTPASSWD)
            .and_then(|()| fs::write(&file, config))
            .doing(|| format!("write {file}"))?;
        let address = format!("localhost:{port}");
        let name = if ready == 200 { "the registry" } else { "the registry with a password" };
        let ours = Service::start(name, &folder, &["docker-registry", "serve", &file], || answers(&address, ready))?;
        Ok(Self { address, _ours: Some(ours) })
    }
}

/// The registry that a person named; it must answer.
fn named(variable: &str, status: u16) -> Result<Option<String>> {
    let Some(address) = std::env::var(variable).ok().filter(|v| !v.is_empty()) else {
        return Ok(None);
    };
    if answers(&address, status) {
        ui::note(&format!("using the registry of {variable}={address}"));
        return Ok(Some(address));
    }
    Err(Failure::new(format!(
        "{variable}={address}: no registry answers GET /v2/ there with {status}. Start it, or unset {variable}."
    )))
}

fn answers(address: &str, status: u16) -> bool {
    http::get(&Server::Tcp(address.to_owned()), "/v2/").is_ok_and(|answer| {
        // Many programs answer 200 to anything; a registry says what it is.
        answer.status == status && answer.header("Docker-Distribution-Api-Version") == Some("registry/2.0")
    })
}

fn free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn any_port() -> Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .doing(|| "find a free port".to_owned())
}
