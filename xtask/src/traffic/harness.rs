//! What all trials share: the program, the images of the service, the engine.

use super::process::{Process, free_port, until};
use crate::context::Context;
use crate::failure::{Doing, Result};
use crate::http::{self, Server, query};
use crate::proc::Cmd;
use crate::setup::{World, docker_cli, folder as new_folder, guest_envs, sweep};
use crate::ui;
use std::cell::Cell;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The repository of the images; it is on this engine only.
pub(super) const REPOSITORY: &str = "windlass-traffic";

/// The images, by their tags, and what each is told to be besides its version.
const IMAGES: [(&str, &str); 7] = [
    ("v1", ""),
    ("v2", ""),
    ("errors", "FAIL_PERCENT=10"),
    ("slow", "DELAY_MS=2000"),
    ("crash", "CRASH_AT_START=1"),
    ("later", "FAIL_AFTER_S=2"),
    ("ill", "UNHEALTHY=1"),
];

/// What all trials share.
pub(super) struct Harness {
    /// `windlass`.
    pub(super) program: PathBuf,
    /// The service, as a program of this machine.
    service: PathBuf,
    /// Where workspaces are, and what is kept of trials that failed.
    pub(super) folder: PathBuf,
    pub(super) envs: Vec<(String, String)>,
    pub(super) engine: Server,
    /// Where sockets are: its path is short, since a socket's may have only 107 bytes.
    pub(super) sockets: PathBuf,
    next: Cell<u32>,
}

/// The folders for sockets, and the names of trials, begin so; what follows is our process id.
const KIND: &str = "traffic";

impl Harness {
    pub(super) fn prepare(context: &Context, outside: &World) -> Result<Self> {
        docker_cli()?;
        let folder = context.target.join("traffic");
        for folder in ["trials", "failed", "image"].map(|name| folder.join(name)) {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
        }
        let envs = outside.envs();
        let service = ui::part("the service, and its images", || {
            let service = build_service(context, &folder)?;
            images(&folder.join("image"), &service, &envs, &IMAGES).map(|()| service)
        })?;
        let program = ui::part("windlass", || build_program(context))?;
        let engine = outside.engine.server.clone();
        sweep(KIND);
        sweep("traffic-engine");
        sweep_containers(&engine)?;
        Ok(Self { program, service, folder, envs, engine, sockets: new_folder(KIND)?, next: Cell::new(1) })
    }

    /// With an engine of its own, and what [`Self::prepare`] has built.
    pub(super) fn apart(context: &Context, engine: Server) -> Result<Self> {
        let folder = context.target.join("traffic");
        let service = binary(&folder);
        let envs = vec![("DOCKER_HOST".to_owned(), engine.to_docker_host())];
        images(&folder.join("image"), &service, &envs, &IMAGES)?;
        let program = context.target.join("debug/windlass");
        Ok(Self { program, service, folder, envs, engine, sockets: new_folder(KIND)?, next: Cell::new(1) })
    }

    /// A name that no other trial has.
    pub(super) fn name(&self) -> String {
        let number = self.next.replace(self.next.get() + 1);
        format!("{KIND}-{}-{number}", std::process::id())
    }

    /// Starts the service as a program of this machine, where no container is needed.
    pub(super) fn start_service(&self, version: &str) -> Result<(Process, SocketAddr)> {
        let port = free_port()?;
        let mut command = Command::new(&self.service);
        command.env("VERSION", version).env("PORT", port.to_string());
        let process = Process::start(command, &self.folder.join(format!("trials/{version}.log")))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let server = Server::Tcp(address.to_string());
        until("the service answers", Duration::from_secs(10), || {
            Ok(http::get(&server, "/health").is_ok_and(|answer| answer.status == 200).then_some(()))
        })?;
        Ok((process, address))
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        crate::crash::docker::clear_images(&self.engine, &[&format!("{REPOSITORY}:*")]);
        let _ = fs::remove_dir_all(&self.sockets);
    }
}

/// Removes what trials of killed runs left on the engine.
fn sweep_containers(engine: &Server) -> Result<()> {
    let filters = query(&serde_json::json!({ "label": ["windlass.pipeline"] }).to_string());
    let list = http::get(engine, &format!("/containers/json?all=1&filters={filters}"))?.json()?;
    let names = list.as_array().into_iter().flatten().filter_map(|one| one["Labels"]["windlass.pipeline"].as_str());
    for name in names {
        let mut parts = name
            .strip_prefix(KIND)
            .and_then(|rest| rest.strip_prefix('-'))
            .into_iter()
            .flat_map(|rest| rest.split('-'));
        let owner = parts.next().and_then(|pid| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            crate::crash::docker::clear(engine, name)?;
        }
    }
    Ok(())
}

/// An image of the service that behaves well, for whoever else needs one. It stays on the engine.
pub(crate) fn image(context: &Context, envs: &[(String, String)]) -> Result<String> {
    let folder = context.target.join("traffic");
    let files = folder.join("image");
    fs::create_dir_all(&files).doing(|| format!("create {}", files.display()))?;
    let service = build_service(context, &folder)?;
    images(&files, &service, envs, &IMAGES[..1])?;
    Ok(format!("{REPOSITORY}:{}", IMAGES[0].0))
}

/// The program as every test has it.
fn build_program(context: &Context) -> Result<PathBuf> {
    Cmd::new("cargo").dir(&context.root).envs(&guest_envs(context)).args(["build", "--package", "windlass"]).run()?;
    Ok(context.target.join("debug/windlass"))
}

/// One static file, so that it is all that its image needs.
fn build_service(context: &Context, folder: &Path) -> Result<PathBuf> {
    Cmd::new("cargo")
        .dir(&context.root.join("tests/service"))
        .args(["build", "--release", "--locked", "--offline", "--target-dir"])
        .arg(folder.join("service"))
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .run()?;
    Ok(binary(folder))
}

fn binary(folder: &Path) -> PathBuf {
    folder.join("service/release/windlass-test-service")
}

fn images(folder: &Path, service: &Path, envs: &[(String, String)], images: &[(&str, &str)]) -> Result<()> {
    fs::copy(service, folder.join("service")).doing(|| format!("copy {}", service.display()))?;
    for (tag, told) in images {
        let file = folder.join(format!("Dockerfile.{tag}"));
        let text =
            format!("FROM scratch\nCOPY service /service\nENV VERSION={tag} {told}\nENTRYPOINT [\"/service\"]\n");
        fs::write(&file, text).doing(|| format!("write {}", file.display()))?;
        let tag = format!("{REPOSITORY}:{tag}");
        let build = ["build", "--quiet", "--tag", &tag, "--file"];
        Cmd::new("docker").args(build).arg(&file).arg(".").dir(folder).envs(envs).output()?;
    }
    Ok(())
}
