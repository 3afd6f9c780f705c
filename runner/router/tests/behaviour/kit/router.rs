//! A router's process and its table.

use super::{Stand, free_address, until};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use windlass_router::api::{Health, Listener};
use windlass_router::{Client, Driver, Options};

const FOLDER: &str = "WINDLASS_TEST_ROUTER";

/// What the child does.
pub(crate) fn be_one_if_asked() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let mut options = Options::new(Path::new(&folder));
    options.upgrade = std::env::var("UPGRADE").is_ok();
    options.access_log = std::env::var("ACCESS_LOG").ok().map(PathBuf::from);
    let drain = std::env::var("DRAIN_MS").map_or(5_000, |ms| ms.parse().unwrap());
    options.drain_limit = Some(Duration::from_millis(drain));
    if let Ok(listen) = std::env::var("LISTEN") {
        options.listen.insert(listen.parse().unwrap(), Listener::default());
    }
    if let Err(why) = windlass_router::serve(&options) {
        eprintln!("{why}");
        std::process::exit(3);
    }
}

pub(crate) struct Router {
    pub(crate) folder: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) child: Child,
}

pub(crate) fn process(folder: &Path, envs: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "router_process", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .envs(envs.iter().copied())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

impl Router {
    pub(crate) async fn start_with(envs: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let address = free_address();
        let listen = address.to_string();
        let envs: Vec<_> = envs.iter().copied().chain([("LISTEN", listen.as_str())]).collect();
        let child = process(folder.path(), &envs);
        let client = Client::new(folder.path());
        let router = Self { folder, address, client, child };
        router.is_up(|_| true).await;
        router
    }

    /// Waits until it says that it is as wanted.
    pub(crate) async fn is_up(&self, wanted: impl Fn(&Health) -> bool) -> Health {
        until("the router is up", async || self.client.health().await.ok().filter(|h| wanted(h))).await
    }

    pub(crate) fn kill(&mut self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

impl Stand for Router {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    fn driver(&self) -> &dyn Driver {
        &self.client
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn settle(&self) {}
}
