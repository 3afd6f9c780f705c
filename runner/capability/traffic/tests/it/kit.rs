//! A router in a thread, containers that are servers of the test, and a gate before both.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use windlass_capability_testing::World;
use windlass_capability_traffic::{Guarded, Traffic};
use windlass_gate::api::docker::{Locate, StartAgain, Stop as StopContainer};
use windlass_gate::api::traffic::{Begin, Deployment, Replica, Route, SetReplicas, Shift, Split, State};
use windlass_gate::{Call, CallError, Capability, Function, Session, Stop, Touched, Touches};
use windlass_router::api::{Apply, Change};
use windlass_router::{Client, Driver, Options, serve};

/// Grants of everything that these tests do on purpose.
pub(crate) const ALL: &str = "{ traffic = { services = [\"shop\"], downtime = [\"shop\"] }, docker = { containers = [\"*\"] }, health = [\"*\"] }";
/// What a strategy asks for.
pub(crate) const ASKED: &[&str] = &["traffic", "docker", "health"];

/// A container: a server that says its name, until it is stopped.
struct Server {
    id: String,
    /// As its label says.
    router: Option<String>,
    address: SocketAddr,
    running: bool,
    /// Ends the thread with the next connection.
    over: Arc<std::sync::atomic::AtomicBool>,
}

/// Containers by name.
#[derive(Clone, Default)]
pub(crate) struct Containers {
    all: Arc<Mutex<BTreeMap<String, Server>>>,
}

fn listen(name: &str) -> (SocketAddr, Arc<std::sync::atomic::AtomicBool>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (name, ends) = (name.to_owned(), Arc::clone(&over));
    std::thread::spawn(move || {
        for stream in socket.incoming() {
            if ends.load(std::sync::atomic::Ordering::SeqCst) {
                return;
            }
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{name}", name.len());
            let _ = stream.write_all(text.as_bytes());
        }
    });
    (address, over)
}

impl Containers {
    /// Starts one.
    pub(crate) fn start(&self, name: &str) {
        let (address, over) = listen(name);
        let server = Server { id: format!("id-{name}"), router: None, address, running: true, over };
        self.all.lock().unwrap().insert(name.to_owned(), server);
    }

    /// Says which router it was made behind.
    pub(crate) fn label(&self, name: &str, router: &str) {
        self.all.lock().unwrap().get_mut(name).unwrap().router = Some(router.to_owned());
    }

    /// Whether it runs.
    pub(crate) fn runs(&self, name: &str) -> bool {
        self.all.lock().unwrap()[name].running
    }

    fn stop(&self, name: &str) {
        let mut all = self.all.lock().unwrap();
        let server = all.get_mut(name).unwrap();
        server.running = false;
        server.over.store(true, std::sync::atomic::Ordering::SeqCst);
        // So that the thread sees it.
        drop(TcpStream::connect(server.address));
    }
}

/// Docker's part, for these containers.
#[async_trait]
impl Capability for Containers {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        match call.function {
            Function::DockerLocate => {
                let Locate { container, .. } = call.decode()?;
                let all = self.all.lock().unwrap();
                Ok(match all.get(&container) {
                    Some(server) if server.running => {
                        json!({ "id": server.id, "address": server.address.to_string(), "running": true, "state": "it runs" })
                    }
                    Some(server) => {
                        json!({ "id": server.id, "address": "", "running": false, "state": "it was stopped" })
                    }
                    None => json!({ "id": "", "address": "", "running": false, "state": "there is no such container" }),
                })
            }
            Function::DockerStop => {
                self.stop(&call.decode::<StopContainer>()?.container);
                Ok(Json::Null)
            }
            Function::DockerRemove => Ok(Json::Null),
            Function::DockerStartAgain => {
                let StartAgain { container } = call.decode()?;
                // As Docker does it: the same container, at another address.
                let (address, over) = listen(&container);
                let mut all = self.all.lock().unwrap();
                let server = all.get_mut(&container).unwrap();
                (server.running, server.address, server.over) = (true, address, over);
                Ok(json!({
                    "name": container, "id": server.id, "image": "i", "image-id": "i", "state": "running", "health": "none",
                    "exit-code": null, "oom-killed": false, "ports": [], "addresses": [], "labels": [], "run": "r", "started": ""
                }))
            }
            other => Err(CallError::Other(format!("{} is not stood in for", other.name()))),
        }
    }
}

#[async_trait]
impl Touches for Containers {
    async fn touches(&self, call: &Call) -> Result<Vec<Touched>, CallError> {
        let args: Json = serde_json::from_str(&call.args).unwrap();
        let name = args["container"].as_str().unwrap_or_default();
        Ok(self.all.lock().unwrap().get(name).map(touched).into_iter().collect())
    }
}

fn touched(server: &Server) -> Touched {
    Touched { id: server.id.clone(), router: server.router.clone() }
}

/// A router, containers, and a run that may use them.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) containers: Containers,
    pub(crate) client: Client,
    pub(crate) listener: SocketAddr,
    keeps: tempfile::TempDir,
}

impl Stage {
    /// All of it, with nothing deployed.
    pub(crate) async fn new() -> Self {
        let keeps = tempfile::tempdir().unwrap();
        let folder = keeps.path().join("router");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        run_router(&folder, listener);
        let client = Client::new(&folder);
        until_there(&client).await;
        let containers = Containers::default();
        let world = world(&client, &containers);
        Self { world, containers, client, listener, keeps }
    }

    /// Where the router keeps its table.
    pub(crate) fn table(&self) -> PathBuf {
        self.keeps.path().join("router/table.json")
    }

    /// A run with the same containers that was told of another router, which was never there.
    pub(crate) fn with_another_router(&self) -> World {
        world(&Client::new(&self.keeps.path().join("another")), &self.containers)
    }

    /// A step that may do everything.
    pub(crate) fn step(&self) -> Session {
        self.world.step(ASKED, ALL)
    }

    /// Deploys `v1` with as many replicas, to its end.
    pub(crate) async fn with_v1(replicas: u32) -> (Self, Session) {
        let stage = Self::new().await;
        let mut step = stage.step();
        stage.begin(&mut step, "v1", replicas).await.unwrap();
        stage.put(&mut step, "v1", replicas).await.unwrap();
        shift(&mut step, &[("v1", 10_000)]).await.unwrap();
        step.call(&windlass_gate::api::traffic::Commit { service: "shop".into() }).await.unwrap();
        step.call(&windlass_gate::api::traffic::Finish { service: "shop".into() }).await.unwrap();
        (stage, step)
    }

    /// Begins a deploy.
    pub(crate) async fn begin(&self, step: &mut Session, revision: &str, replicas: u32) -> Result<State, Stop> {
        step.call(&Begin { deployment: deployment(revision, replicas) }).await
    }

    /// Starts the replicas of a revision and vouches for them.
    pub(crate) async fn put(&self, step: &mut Session, revision: &str, replicas: u32) -> Result<State, Stop> {
        let names: Vec<String> = (1..=replicas).map(|n| format!("{revision}-{n}")).collect();
        for name in &names {
            self.containers.start(name);
        }
        set(step, revision, &names.iter().map(|name| (name.as_str(), true)).collect::<Vec<_>>()).await
    }

    /// What a request is answered; nothing if it is not.
    pub(crate) fn ask(&self) -> Option<String> {
        let mut stream = TcpStream::connect(self.listener).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
    }

    /// Ends the router.
    pub(crate) async fn end_router(&self) {
        self.client.stop(&windlass_router::api::Stop { limit_ms: Some(0) }).await.unwrap();
        while self.client.health().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The service in the router's table.
    pub(crate) async fn shop(&self) -> windlass_router::api::ServiceState {
        self.client.state().await.unwrap().services.remove("shop").unwrap()
    }

    /// A change by another run.
    pub(crate) async fn by_another_run(&self, change: Change) -> Result<(), windlass_router::ClientError> {
        let expect = self.shop().await.generation;
        let apply = Apply { by: "another".into(), expect, holder: Some("another".into()), change };
        self.client.apply(&apply).await.map(drop)
    }
}

/// A run behind this router.
fn world(client: &Client, containers: &Containers) -> World {
    let driver: Arc<dyn Driver> = Arc::new(client.clone());
    World::new(|gate| {
        gate.with(containers.clone())
            .guarded_by(Guarded::new(Arc::clone(&driver), Arc::new(containers.clone())))
            .with(Traffic::new(driver))
            .with(windlass_capability_local::Timer)
    })
}

/// Runs a router until it is stopped.
fn run_router(folder: &Path, listener: SocketAddr) {
    let options =
        Options { listen: BTreeMap::from([(listener, Default::default())]), threads: Some(1), ..Options::new(folder) };
    std::thread::spawn(move || serve(&options).unwrap());
}

/// Until it answers.
async fn until_there(client: &Client) {
    while client.health().await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A deploy of `shop`.
pub(crate) fn deployment(revision: &str, replicas: u32) -> Deployment {
    Deployment {
        service: "shop".into(),
        revision: revision.into(),
        strategy: "test".into(),
        routes: vec![Route { host: None, path: "/".into(), listeners: Vec::new(), revision: None }],
        replicas,
        sticky: None,
        override_header: None,
        check: None,
        connect_timeout_ms: 1_000,
        read_timeout_ms: 0,
        downtime: false,
        details: Vec::new(),
    }
}

/// Says which containers a revision has, and which of them are vouched for.
pub(crate) async fn set(step: &mut Session, revision: &str, replicas: &[(&str, bool)]) -> Result<State, Stop> {
    let replica =
        |(container, ready): &(&str, bool)| Replica { container: (*container).into(), port: 80, ready: *ready };
    let replicas = replicas.iter().map(replica).collect();
    step.call(&SetReplicas { service: "shop".into(), revision: revision.into(), replicas }).await
}

/// Sets weights in hundredths of a percent.
pub(crate) async fn shift(step: &mut Session, weights: &[(&str, u32)]) -> Result<State, Stop> {
    let split = |(revision, weight): &(&str, u32)| Split { revision: (*revision).into(), weight: *weight };
    step.call(&Shift { service: "shop".into(), weights: weights.iter().map(split).collect() }).await
}
