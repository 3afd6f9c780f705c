//! Where the engine is, and what is said when it is not there.

use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use windlass_capability_docker::{Docker, DockerConfig};
use windlass_gate::CallError;
use windlass_gate::api::docker::{Builder, List, Run};
use windlass_journal::Stream;

use crate::common::{ALL, World, engine, engine_with, error, shell, wanted};

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
    serving: tokio::task::JoinHandle<()>,
}

impl Between {
    fn new() -> Self {
        let real = wanted("DOCKER_HOST").trim_start_matches("unix://").to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("d.sock");
        let address = format!("unix://{}", path.display());
        let listener = UnixListener::bind(&path).expect("bound");
        let serving = tokio::spawn(async move {
            // The connections end with the task that holds them.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (mut here, _) = listener.accept().await.expect("a connection");
                let mut there = UnixStream::connect(&real).await.expect("connected");
                connections.spawn(async move { tokio::io::copy_bidirectional(&mut here, &mut there).await.map(drop) });
            }
        });
        Self { _folder: folder, address, serving }
    }
}

#[test]
fn an_engine_that_goes_away_is_no_failure_of_the_container() {
    engine(|real| async move {
        let between = Between::new();
        let world = World::new(DockerConfig::at(&between.address));
        let mut step = world.step(ALL);
        let request = Run { spec: shell("echo begun; sleep 600"), timeout_ms: None };
        let running = step.call(&request);
        let gone = async {
            while !world.log(Stream::Stdout).await.contains("begun") {
                tokio::task::yield_now().await;
            }
            between.serving.abort();
        };
        let (answer, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(20), running), gone);
        let error = error(answer.expect("it does not wait for ever"));
        assert!(
            matches!(&error, CallError::Unavailable(text) if text.contains("went away while container")),
            "{error:?}"
        );
        // The container goes on; the clean-up of a real run would find it.
        let id = bollard_id(&world).await;
        real.host(1).call(&windlass_gate::api::docker::RemoveCreated { id }).await.expect("removed");
    });
}

async fn bollard_id(world: &World) -> String {
    let name = format!("windlass-{}-0-1-0", world.run);
    crate::common::bollard().inspect_container(&name, None).await.expect("it goes on").id.expect("an id")
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
