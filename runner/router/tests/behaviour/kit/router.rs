//! A router's process and its table.

use super::Backend;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use windlass_router::api::{
    Applied, Apply, Change, Endpoint, Health, Listener, Measurements, Revision, Route, Service, Timeouts, Weight,
};
use windlass_router::{Client, ClientError, Options};

const FOLDER: &str = "WINDLASS_TEST_ROUTER";

/// What the child does.
pub(crate) fn be_one_if_asked() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let mut options = Options::new(Path::new(&folder));
    options.upgrade = std::env::var("UPGRADE").is_ok();
    options.access_log = std::env::var("ACCESS_LOG").ok().map(PathBuf::from);
    options.drain_limit = Duration::from_millis(std::env::var("DRAIN_MS").map_or(5_000, |ms| ms.parse().unwrap()));
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
    /// For which run changes are asked.
    pub(crate) holder: std::cell::RefCell<Option<String>>,
    applied: std::cell::Cell<u64>,
}

pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
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
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(envs: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let address = free_address();
        let listen = address.to_string();
        let envs: Vec<_> = envs.iter().copied().chain([("LISTEN", listen.as_str())]).collect();
        let child = process(folder.path(), &envs);
        let client = Client::new(folder.path());
        let router = Self { folder, address, client, child, holder: Default::default(), applied: Default::default() };
        router.is_up(|_| true).await;
        router
    }

    /// Waits until it says that it is as wanted.
    pub(crate) async fn is_up(&self, wanted: impl Fn(&Health) -> bool) -> Health {
        until("the router is up", async || self.client.health().await.ok().filter(|h| wanted(h))).await
    }

    /// Changes the table, as it is now.
    pub(crate) async fn apply(&self, change: Change) -> Result<Applied, ClientError> {
        let state = self.client.state().await?;
        let expect = match &change {
            Change::Listeners { .. } => state.listeners_generation,
            change => state.services.get(change.service().unwrap()).map_or(0, |s| s.generation),
        };
        self.applied.set(self.applied.get() + 1);
        let by = format!("test/{}/{}", std::process::id(), self.applied.get());
        let holder = self.holder.borrow().clone();
        self.client.apply(&Apply { by, expect, holder, change }).await
    }

    pub(crate) async fn declare(&self, name: &str, service: Service) -> Result<Applied, ClientError> {
        self.apply(Change::Service { name: name.to_owned(), service: Box::new(service) }).await
    }

    pub(crate) async fn weights(&self, weights: &[(&str, u8)]) -> Result<Applied, ClientError> {
        let weights: BTreeMap<_, _> = weights.iter().map(|(r, w)| ((*r).to_owned(), Weight::percent(*w))).collect();
        self.apply(Change::Weights { name: "shop".to_owned(), weights }).await
    }

    /// Declares `shop`: revisions with their weights and servers; one of them carries everything.
    pub(crate) async fn shop(&self, revisions: &[(&str, u8, &[&Backend])]) {
        self.declare("shop", service(revisions)).await.unwrap();
    }

    /// The last minute of `shop`, once so many requests are counted. That happens when a request has
    /// ended, which is a moment after its client has the answer.
    pub(crate) async fn counted(&self, requests: u64) -> Measurements {
        until("all are counted", async || {
            let measured = self.client.measurements_of_last("shop", Duration::from_secs(60)).await.unwrap();
            let counted: u64 = measured.revisions.values().map(|r| r.total.requests).sum();
            (counted >= requests).then_some(measured)
        })
        .await
    }

    pub(crate) fn kill(&mut self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

/// A service for every request, all of whose replicas are vouched for.
pub(crate) fn service(revisions: &[(&str, u8, &[&Backend])]) -> Service {
    let revisions = revisions.iter().map(|(name, weight, backends)| {
        let endpoints = backends.iter().map(|b| Endpoint {
            container: format!("c-{}-{}", b.name, b.address.port()),
            address: b.address,
            ready: true,
            name: String::new(),
            port: 0,
        });
        (
            (*name).to_owned(),
            Revision { weight: Weight::percent(*weight), replicas: None, endpoints: endpoints.collect() },
        )
    });
    Service {
        routes: vec![Route { host: None, path: "/".to_owned(), listeners: Vec::new(), revision: None }],
        replicas: 1,
        revisions: revisions.collect(),
        sticky: None,
        override_header: None,
        health: None,
        timeouts: Timeouts::default(),
    }
}

/// Asks again and again, for ten seconds.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
