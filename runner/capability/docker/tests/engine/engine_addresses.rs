//! Where the engine is, and what is said when it is not there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use windlass_capability_docker::{Docker, DockerConfig};
use windlass_gate::CallError;
use windlass_gate::api::docker::{Builder, List, Run};
use windlass_journal::Stream;

use crate::common::{ALL, World, bollard, engine, engine_with, error, shell, wanted};

#[test]
fn a_probe_tells_what_is_there() {
    engine(|_| async {
        let info = Docker::new(DockerConfig::at(wanted("DOCKER_HOST"))).probe().await.expect("there");
        assert!(info.address.starts_with("unix:///") && info.origin == "from DOCKER_HOST", "{info:?}");
        assert!(info.version.contains('.') && info.api.starts_with("1.") && info.spoken.starts_with("1."), "{info:?}");
        assert!(!info.driver.is_empty() && info.platform.starts_with("linux/"), "{info:?}");
        assert_eq!(info.builder, Builder::Buildkit);
    });
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let dead = folder.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).expect("bound"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("an address").port();
    for (address, hint) in [
        (format!("unix://{}", folder.path().join("absent.sock").display()), "start Docker"),
        (format!("unix://{}", dead.display()), "nobody listens"),
        (format!("tcp://127.0.0.1:{free}"), "nobody listens"),
    ] {
        let world = World::new(DockerConfig::at(&address));
        let error = error(world.step(ALL).call(&List {}).await);
        assert!(
            matches!(&error, CallError::Unavailable(text) if text.contains(&address) && text.contains("from DOCKER_HOST") && text.contains(hint)),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn something_else_at_the_address_is_not_taken_for_an_engine() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = format!("tcp://{}", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
    });
    let error = Docker::new(DockerConfig::at(&address)).probe().await.expect_err("it is none");
    assert!(matches!(&error, CallError::Unavailable(text) if text.contains("no Docker daemon")), "{error:?}");
    serving.await.expect("served");
}

/// Stands between the capability and the engine, and can go away as a daemon does.
struct Between {
    _folder: tempfile::TempDir,
    address: String,
    listening: tokio::task::JoinHandle<()>,
    connections: Arc<Mutex<JoinSet<()>>>,
    silent: tokio::sync::watch::Sender<bool>,
}

impl Between {
    fn new() -> Self {
        let real = wanted("DOCKER_HOST").trim_start_matches("unix://").to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("d.sock");
        let address = format!("unix://{}", path.display());
        let listener = UnixListener::bind(&path).expect("bound");
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let open = Arc::clone(&connections);
        let (silent, hears) = tokio::sync::watch::channel(false);
        let listening = tokio::spawn(async move {
            loop {
                let (mut here, _) = listener.accept().await.expect("a connection");
                let mut there = UnixStream::connect(&real).await.expect("connected");
                let mut hears = hears.clone();
                let carry = async move {
                    let carried = async { drop(tokio::io::copy_bidirectional(&mut here, &mut there).await) };
                    tokio::select! {
                        () = carried => return,
                        _ = hears.wait_for(|silent| *silent) => {}
                    }
                    std::future::pending::<()>().await;
                };
                open.lock().expect("whole").spawn(carry);
            }
        });
        Self { _folder: folder, address, listening, connections, silent }
    }

    /// Nothing goes through any more, and nobody is told.
    fn fall_silent(&self) {
        self.silent.send_replace(true);
    }

    /// As a daemon that was killed.
    fn go_away(&self) {
        self.listening.abort();
        self.connections.lock().expect("whole").abort_all();
    }
}

/// Runs a container through the one between, does something once it prints, and gives the answer.
async fn run_and(between: &Between, world: &World, then: impl AsyncFnOnce()) -> CallError {
    let mut step = world.step(ALL);
    let request = Run { spec: shell("echo begun; sleep 600"), timeout_ms: None };
    let mut running = std::pin::pin!(step.call(&request));
    // However busy the machine is; and nothing prints any more once the call is over.
    let begun = async {
        while !world.log(Stream::Stdout).await.contains("begun") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        answer = &mut running => panic!("it was over before it began: {answer:?}"),
        begun = tokio::time::timeout(Duration::from_secs(120), begun) => begun.expect("it begins"),
    }
    let answer = tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(running, then()).0 }).await;
    between.go_away();
    let error = error(answer.expect("it does not wait for ever"));
    // If it goes on: the clean-up of a real run would find it.
    let name = format!("windlass-{}-0-1-0", world.run);
    let options = bollard::query_parameters::RemoveContainerOptionsBuilder::default().force(true).build();
    let _ = bollard().remove_container(&name, Some(options)).await;
    error
}

#[test]
fn an_engine_that_goes_away_is_no_failure_of_the_container() {
    engine(|_| async move {
        let between = Between::new();
        let world = World::new(DockerConfig::at(&between.address));
        let error = run_and(&between, &world, async || between.go_away()).await;
        assert!(
            matches!(&error, CallError::Unavailable(text) if text.contains("went away while container")),
            "{error:?}"
        );
    });
}

/// A daemon that is told to end takes no more connections, ends its containers, and still answers on the connections
/// that are open: an exit code that it tells then is its own doing.
#[test]
fn an_engine_that_is_about_to_go_is_no_failure_of_the_container() {
    engine(|_| async move {
        let between = Between::new();
        let world = World::new(DockerConfig::at(&between.address));
        let error = run_and(&between, &world, async || {
            between.listening.abort();
            while UnixStream::connect(between.address.trim_start_matches("unix://")).await.is_ok() {}
            let name = format!("windlass-{}-0-1-0", world.run);
            bollard().kill_container(&name, None).await.expect("killed");
        })
        .await;
        assert!(
            matches!(&error, CallError::Unavailable(text) if text.contains("went away while container")),
            "{error:?}"
        );
    });
}

/// A cut that nobody is told of: a machine that lost its power, a tunnel that hangs.
#[test]
fn an_engine_that_falls_silent_is_not_waited_for_for_ever() {
    engine(|_| async move {
        let between = Between::new();
        let patience = Duration::from_secs(4);
        let world = World::new(DockerConfig { patience, ..DockerConfig::at(&between.address) });
        let error = run_and(&between, &world, async || between.fall_silent()).await;
        assert!(
            matches!(&error, CallError::Unavailable(text) if text.contains("no sign of life for 4s, so docker.wait was given up")),
            "{error:?}"
        );
    });
}

#[test]
fn requests_go_over_tcp_as_well() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let real = wanted("DOCKER_HOST").trim_start_matches("unix://").to_owned();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("bound");
    let address = format!("tcp://{}", listener.local_addr().expect("an address"));
    runtime.spawn(async move {
        loop {
            let (mut here, _) = listener.accept().await.expect("a connection");
            let mut there = UnixStream::connect(&real).await.expect("connected");
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut here, &mut there).await });
        }
    });
    engine_with(DockerConfig::at(address), |world| async move {
        let exit = world.step(ALL).call(&Run { spec: shell("echo over tcp"), timeout_ms: None }).await.expect("it ran");
        assert_eq!(exit.stdout_tail, "over tcp\n");
    });
}
