//! A look at the Docker Engine and the registry that does not go through Windlass.

use std::io::{Read as _, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use serde_json::Value as Json;

/// The engine that the set-up found or started.
pub struct Engine {
    pub host: String,
    pub registry: String,
}

impl Engine {
    /// The engine. A test that needs it fails without it.
    pub fn get() -> Self {
        let wanted = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set; run the tests by `cargo xtask test`, which starts an engine and a registry")
            })
        };
        Self { host: wanted("DOCKER_HOST"), registry: wanted("WINDLASS_REGISTRY") }
    }

    /// The registry that wants a password: its address.
    pub fn registry_with_password(&self) -> String {
        std::env::var("WINDLASS_TEST_REGISTRY_AUTH")
            .unwrap_or_else(|_| panic!("WINDLASS_TEST_REGISTRY_AUTH is not set; run the tests by `cargo xtask test`"))
    }

    /// What the engine answers to a GET.
    pub fn get_json(&self, path: &str) -> Json {
        let (_, body) = self.request("GET", path);
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    /// A request to the engine: status and body.
    pub fn request(&self, method: &str, path: &str) -> (u16, String) {
        let request = format!("{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Length: 0\r\n\r\n");
        match self.host.strip_prefix("unix://") {
            Some(socket) => exchange(UnixStream::connect(socket).unwrap(), &request),
            None => exchange(TcpStream::connect(self.host.trim_start_matches("tcp://")).unwrap(), &request),
        }
    }

    /// Everything that this run made and that is still there.
    pub fn left_by(&self, run: &str) -> Vec<String> {
        let filters = percent(&format!(r#"{{"label":["windlass.run={run}"]}}"#));
        let mut left = Vec::new();
        for container in self.get_json(&format!("/containers/json?all=1&filters={filters}")).as_array().unwrap() {
            left.push(format!("container {}", container["Names"][0]));
        }
        for network in self.get_json(&format!("/networks?filters={filters}")).as_array().unwrap() {
            left.push(format!("network {}", network["Name"]));
        }
        for volume in self.get_json(&format!("/volumes?filters={filters}"))["Volumes"].as_array().into_iter().flatten()
        {
            left.push(format!("volume {}", volume["Name"]));
        }
        left
    }

    /// The digest that the registry itself reports for a tag.
    pub fn digest_of(&self, repository: &str, tag: &str) -> Option<String> {
        let accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
        let request = format!(
            "HEAD /v2/{repository}/manifests/{tag} HTTP/1.0\r\nHost: {}\r\nAccept: {accept}\r\n\r\n",
            self.registry
        );
        let mut stream = TcpStream::connect(self.registry.replace("localhost", "127.0.0.1")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("docker-content-digest").then(|| value.trim().to_owned())
        })
    }
}

fn exchange(mut stream: impl Write + std::io::Read, request: &str) -> (u16, String) {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, body.to_owned())
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
