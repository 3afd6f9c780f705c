//! Set-up: finds or makes what Windlass is built and tested with, quickly when it is all there.

mod debian;
mod engine;
mod guests;
mod languages;
mod leftover;
mod packages;
mod peers;
mod profdata;
mod registry;
mod service;
mod wasm;

pub(crate) use engine::Engine;
pub(crate) use languages::{LANGUAGES, Language, Toolchain, clang};
pub(crate) use peers::{docker_cli, ninja};
pub(crate) use profdata::llvm_profdata;
pub(crate) use registry::Registry;
pub(crate) use service::{Service, folder, sweep};

use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::{self, Cmd};
use crate::ui;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `cargo xtask setup`: everything once, and the engine and the registries as a trial.
pub(crate) fn command() -> Result<()> {
    let context = Context::find()?;
    build_guests(&context)?;
    haproxy()?;
    for language in languages::LANGUAGES {
        language.ensure(&context)?;
    }
    World::ensure(&context, false).map(drop)
}

/// For the tests of its driver, and what the router is measured against.
pub(crate) fn haproxy() -> Result<()> {
    ui::part("HAProxy", packages::haproxy)
}

/// `cargo xtask guests`.
pub(crate) fn guests_only() -> Result<()> {
    build_guests(&Context::find()?)
}

/// The compiler for guests, then the guests. This comes before any build of the runner, which
/// embeds the plugins.
pub(crate) fn build_guests(context: &Context) -> Result<()> {
    ui::part("cmake", packages::cmake)?;
    let compiler = ui::part("the guests' compiler", || wasm::GuestCompiler::ensure(context))?;
    let _lock = context.lock("guests", "building the guests")?;
    ui::part("guests", || guests::build(context, &compiler))
}

/// The world outside that demo and tests act on. It lives as long as this value.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) registry: Registry,
    with_password: Registry,
    busybox: PathBuf,
    /// One `cargo xtask` at a time uses the machine's engine and ports. Last, so that it is let
    /// go only when all of the above has ended.
    _lock: Option<File>,
}

impl World {
    /// Finds or starts all of it; `shared` lets others use it while it lives.
    pub(crate) fn ensure(context: &Context, shared: bool) -> Result<Self> {
        ui::part("engine and registries", || {
            let lock = context.lock("world", "using the engine and the registries")?;
            let engine = Engine::ensure(shared)?;
            let registry = Registry::ensure()?;
            let with_password = Registry::ensure_with_password()?;
            let busybox = busybox()?;
            ui::note(&format!(
                "Docker Engine {} at {}, registry {}, one with a password {}",
                engine.version(),
                engine.server.to_docker_host(),
                registry.address,
                with_password.address
            ));
            Ok(Self { engine, registry, with_password, busybox, _lock: (!shared).then_some(lock) })
        })
    }

    /// A static busybox.
    pub(crate) fn busybox(&self) -> &Path {
        &self.busybox
    }

    /// What children need to know of it.
    pub(crate) fn envs(&self) -> Vec<(String, String)> {
        [
            ("DOCKER_HOST", self.engine.server.to_docker_host()),
            ("WINDLASS_REGISTRY", self.registry.address.clone()),
            ("WINDLASS_TEST_REGISTRY_AUTH", self.with_password.address.clone()),
            ("WINDLASS_TEST_BUSYBOX", self.busybox.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

/// Where the guests are, for builds and tests; only what differs from the default is said, since
/// a changed variable makes cargo build again.
pub(crate) fn guest_envs(context: &Context) -> Vec<(String, String)> {
    let mut envs = vec![("WINDLASS_TEST_GUESTS_DIR".to_owned(), context.test_guests().display().to_string())];
    if context.target != context.root.join("target") {
        envs.push(("WINDLASS_PLUGINS_DIR".to_owned(), context.plugins().display().to_string()));
    }
    envs
}

/// `cargo xtask up`: holds the world for a person, or for one command.
pub(crate) fn up(command: &[String]) -> Result<()> {
    let context = Context::find()?;
    build_guests(&context)?;
    let world = World::ensure(&context, true)?;
    let mut envs = world.envs();
    envs.extend(guest_envs(&context));
    if let Some((program, args)) = command.split_first() {
        return Cmd::new(program).args(args).envs(&envs).run();
    }
    ui::heading("ready, until Ctrl-C; in another terminal:");
    for (name, value) in &envs {
        println!("export {name}={value}");
    }
    while proc::interrupted().is_none() {
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// A static busybox: on a machine that cannot pull images, base images are built from it.
fn busybox() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("WINDLASS_TEST_BUSYBOX").map(PathBuf::from) {
        return if is_static(&named)? {
            Ok(named)
        } else {
            Err(Failure::new(format!("WINDLASS_TEST_BUSYBOX={} is not a static program", named.display())))
        };
    }
    let path = PathBuf::from("/bin/busybox");
    if !path.is_file() || !is_static(&path)? {
        packages::ensure(
            &["busybox-static"],
            "A static busybox is needed to build test images from (or name one in WINDLASS_TEST_BUSYBOX)",
        )?;
    }
    Ok(path)
}

/// A dynamic program names its loader near its beginning.
fn is_static(program: &Path) -> Result<bool> {
    let bytes = fs::read(program).doing(|| format!("read {}", program.display()))?;
    let start = &bytes[..bytes.len().min(4096)];
    Ok(start.starts_with(b"\x7fELF") && !start.windows(4).any(|w| w == b"/ld-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_is_not_static() -> Result<()> {
        assert!(!is_static(Path::new("/bin/sh"))?);
        assert!(!is_static(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")))?);
        Ok(())
    }
}
