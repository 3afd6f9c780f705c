//! `windlass router`: a process that outlives what has started it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use windlass_router::Client;
use windlass_router::api::{Apply, Change, Endpoint, Intent, Revision, Route, Service, Timeouts, Weight};

use crate::decide::SHOP;
use crate::deployments::{End, SHOP as DEPLOYED, deployed};
use crate::support::{Done, Folder, HELLO};

/// A folder in which a router may run; it ends with the test.
struct Bench {
    folder: Folder,
    address: SocketAddr,
}

impl Bench {
    fn new() -> Self {
        Self { folder: Folder::new(), address: free() }
    }

    fn router(&self) -> PathBuf {
        self.folder.path().join(".windlass/router")
    }

    fn start(&self) -> Done {
        self.folder.windlass(&["router", "start", "--listen", &self.address.to_string(), "--drain", "5"]).exits(0)
    }

    fn status(&self) -> serde_json::Value {
        self.folder.windlass(&["router", "status", "--format", "json"]).exits(0).json().remove(0)
    }

    fn pid(&self) -> String {
        self.status()["health"]["pid"].to_string()
    }

    fn apply(&self, holder: &str, change: Change) {
        let apply = |change: Change| async {
            let client = Client::new(&self.router());
            let state = client.state().await.unwrap();
            let expect = change.service().and_then(|name| state.services.get(name)).map_or(0, |s| s.generation);
            let by = format!("test/{}", state.health.generation);
            client.apply(&Apply { by, expect, holder: Some(holder.to_owned()), change }).await.unwrap();
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(apply(change));
    }

    /// `shop` is served by this.
    fn shop(&self, backend: SocketAddr) {
        self.shop_by("4zq7m1x9k2", backend);
    }

    /// The same, while this run deploys `v2`.
    fn shop_by(&self, run: &str, backend: SocketAddr) {
        let name = || "shop".to_owned();
        let endpoint =
            Endpoint { container: "c1".to_owned(), address: backend, ready: true, name: "shop-1".to_owned(), port: 80 };
        let revision = Revision { weight: Weight::FULL, endpoints: vec![endpoint], ..Revision::default() };
        let mut service = Service {
            routes: vec![Route { host: None, path: "/".to_owned(), listeners: Vec::new(), revision: None }],
            replicas: 1,
            revisions: BTreeMap::from([("v1".to_owned(), revision)]),
            sticky: None,
            override_header: None,
            health: None,
            timeouts: Timeouts::default(),
        };
        self.apply(run, Change::Service { name: name(), service: Box::new(service.clone()) });
        service.revisions.clear();
        let deployment = Intent { revision: "v2".to_owned(), strategy: "blue-green".to_owned(), ..Intent::default() };
        self.apply(
            run,
            Change::Begin { name: name(), owner: "storefront".to_owned(), deployment, service: Box::new(service) },
        );
    }

    /// A revision of a service is committed.
    fn commit(&self, name: &str, revision: &str) {
        let (named, revision) = (|| name.to_owned(), revision.to_owned());
        let service = Service {
            routes: vec![Route { host: None, path: "/".to_owned(), listeners: Vec::new(), revision: None }],
            replicas: 1,
            revisions: BTreeMap::new(),
            sticky: None,
            override_header: None,
            health: None,
            timeouts: Timeouts::default(),
        };
        let endpoint =
            Endpoint { container: "c1".to_owned(), address: backend(), ready: true, name: "c1".to_owned(), port: 80 };
        let deployment = Intent { revision: revision.clone(), ..Intent::default() };
        let (owner, replicas, endpoints) = ("shop".to_owned(), None, vec![endpoint]);
        for change in [
            Change::Begin { name: named(), owner, deployment, service: Box::new(service) },
            Change::Endpoints { name: named(), revision: revision.clone(), replicas, endpoints },
            Change::Weights { name: named(), weights: BTreeMap::from([(revision, Weight::FULL)]) },
            Change::Commit { name: named() },
            Change::Finish { name: named() },
        ] {
            self.apply("run-2", change);
        }
    }

    fn get(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Most tests have ended it already.
        self.folder.windlass(&["router", "stop", "--drain", "0"]);
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A server that answers `hello` as long as the test runs.
fn backend() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|n| n > 0) {
                    if line.trim().is_empty() {
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
                        if stream.get_mut().write_all(answer).is_err() {
                            return;
                        }
                    }
                    line.clear();
                }
            });
        }
    });
    address
}

#[test]
fn it_starts_in_the_background_and_stops() {
    let bench = Bench::new();
    let done = bench.start().says(&format!("listens at {}", bench.address));
    assert_eq!(done.err, "");
    let pid = bench.pid();
    assert!(done.out.contains(&format!("router {pid}:")), "{}", done.out);
    // A session of its own: the end of the terminal is not its end.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap();
    assert_eq!(session, pid);
    assert!(bench.router().join("router.log").is_file());
    bench.folder.windlass(&["router", "start"]).exits(2).says("runs in").says("windlass router upgrade");
    assert_eq!(bench.pid(), pid, "it goes on");
    bench.folder.windlass(&["router", "stop"]).exits(0).says(&format!("router {pid}: ended"));
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert!(bench.get().is_err());
    bench.folder.windlass(&["router", "status"]).exits(4).says("no router runs in").says("windlass router start");
    bench.folder.windlass(&["router", "stop"]).exits(4).says("no router runs in");
    bench.folder.windlass(&["router", "upgrade"]).exits(4).says("windlass router start");
    // It listens where it did, unless it is told otherwise.
    bench.folder.windlass(&["router", "start", "--format", "json"]).exits(0);
    assert!(bench.status()["listeners"].get(bench.address.to_string()).is_some());
    let other = free().to_string();
    bench.folder.windlass(&["router", "stop", "--format", "json"]).exits(0);
    bench.folder.windlass(&["router", "start", "--listen", &other]).exits(0);
    assert_eq!(bench.status()["listeners"].as_object().unwrap().keys().collect::<Vec<_>>(), [&other]);
}

#[test]
fn status_tells_people_and_programs_what_is_served() {
    let bench = Bench::new();
    bench.start();
    bench.folder.windlass(&["router", "status"]).exits(0).says("no services");
    bench.shop(backend());
    let done = bench.folder.windlass(&["router", "status"]).exits(0);
    done.says("shop (pipeline storefront)")
        .says("run 4zq7m1x9k2 deploys v2 (blue-green), after v1")
        .says("v1         100 %  100 %  1 of 1          0")
        .says("v2 (new)     0 %    0 %  0 of 0          0");
    let shop = &bench.status()["services"]["shop"];
    assert_eq!((&shop["owner"], &shop["deployment"]["holder"]), (&"storefront".into(), &"4zq7m1x9k2".into()));
    assert_eq!(shop["revisions"]["v1"]["weight"], 100);
    assert!(bench.get().unwrap().ends_with("hello"));
}

#[test]
fn a_deploy_whose_run_is_in_no_journal_here_is_ended_by_cancel() {
    let bench = Bench::new();
    bench.start();
    bench.shop(backend());
    let done = bench.folder.windlass(&["cancel", "4zq7m1x9k2"]).exits(0);
    done.says("no record of run `4zq7m1x9k2` here").says("shop: the deploy of v2 was aborted");
    assert_eq!(bench.status()["services"]["shop"]["deployment"], serde_json::Value::Null);
    assert!(bench.get().unwrap().ends_with("hello"));
    // Nothing shows it any more.
    bench.folder.windlass(&["cancel", "4zq7m1x9k2"]).exits(2).says("there is no journal");
}

#[test]
fn a_rollback_goes_by_what_the_router_says_is_present() {
    let (folder, _) = deployed(DEPLOYED, &[("v1", End::Committed), ("v2", End::Committed)]);
    let bench = Bench { folder, address: free() };
    bench.start();
    // The record knows nothing of how it came to be back at v1.
    bench.commit("live.web", "v1");
    let back = |args: &[&str]| bench.folder.windlass(&[&["rollback", "web", "--dry-run"], args].concat());
    back(&["--to", "v2"]).exits(0).says("back from v1 to v2");
    back(&["--to", "v1"]).exits(2).says("serves already");
    back(&[]).exits(2).says("`v1` is the first revision of `web`");
    bench.folder.windlass(&["router", "stop", "--drain", "0"]).exits(0);
    back(&[]).exits(0).says("back from v2 to v1");
}

#[test]
fn a_deploy_is_not_ended_while_the_router_is_away() {
    let bench = Bench::new();
    bench.start();
    bench.shop(backend());
    bench.folder.windlass(&["router", "stop", "--drain", "0"]).exits(0);
    let done = bench.folder.windlass(&["cancel", "4zq7m1x9k2"]).exits(4);
    done.says("has reserved shop").says("windlass router start").says("windlass cancel 4zq7m1x9k2");
    bench.start();
    bench.folder.windlass(&["cancel", "4zq7m1x9k2", "--format", "json"]).exits(0);
    assert_eq!(bench.status()["services"]["shop"]["deployment"], serde_json::Value::Null);
}

#[test]
fn a_deploy_whose_run_is_over_is_ended_by_cancel() {
    let bench = Bench { folder: Folder::with(HELLO), address: free() };
    bench.folder.windlass(&["run", "-q"]).exits(0);
    let run = &*bench.folder.runs()[0];
    bench.start();
    bench.shop_by(run, backend());
    let done = bench.folder.windlass(&["cancel", run]).exits(0);
    done.says("is over, and the router still shows it").says("shop: the deploy of v2 was aborted");
    bench.folder.windlass(&["cancel", run]).exits(2).says("is over");
}

#[test]
fn a_deploy_of_a_run_that_waits_is_ended_by_cancel_and_the_rest_by_resume() {
    let bench = Bench { folder: Folder::with(SHOP), address: free() };
    bench.folder.windlass(&["run", "-q"]).exits(5);
    let run = &*bench.folder.runs()[0];
    bench.start();
    bench.shop_by(run, backend());
    let done = bench.folder.windlass(&["cancel", run]).exits(0);
    done.says("shop: the deploy of v2 was aborted").says("it ends when it is resumed");
    assert_eq!(bench.status()["services"]["shop"]["deployment"], serde_json::Value::Null);
    bench.folder.windlass(&["resume", "-q"]).exits(130);
    bench.folder.windlass(&["show", "--calls"]).exits(0).says("traffic.restore");
}

#[test]
fn a_replica_that_is_not_well_is_shown_with_the_reason() {
    let bench = Bench::new();
    bench.start();
    bench.shop(free());
    for _ in 0..3 {
        let answer = bench.get().unwrap();
        assert!(answer.starts_with("HTTP/1.1 50"), "{answer}");
    }
    bench.folder.windlass(&["router", "status"]).exits(0).says("v1: shop-1 at").says("connections to it fail");
}

#[test]
fn a_killed_router_comes_back_with_its_table() {
    let bench = Bench::new();
    bench.start();
    bench.shop(backend());
    let before = bench.status();
    let pid = bench.pid();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    let began = Instant::now();
    while bench.get().is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    bench.folder.windlass(&["router", "status"]).exits(4);
    bench.folder.windlass(&["router", "start"]).exits(0).says(&bench.address.to_string());
    let after = bench.status();
    assert_eq!((&after["services"], &after["listeners"]), (&before["services"], &before["listeners"]));
    assert!(bench.get().unwrap().ends_with("hello"));
}

/// One request after the other on new connections; those that failed.
fn load(bench: &Arc<Bench>, stop: &Arc<AtomicBool>) -> JoinHandle<(u64, Vec<String>)> {
    let (bench, stop) = (Arc::clone(bench), Arc::clone(stop));
    std::thread::spawn(move || {
        let (mut sent, mut failed) = (0, Vec::new());
        while !stop.load(Ordering::SeqCst) {
            sent += 1;
            match bench.get() {
                Ok(answer) if answer.starts_with("HTTP/1.1 200") => {}
                other => failed.push(format!("{other:?}")),
            }
        }
        (sent, failed)
    })
}

#[test]
fn an_upgrade_under_requests_refuses_none() {
    let bench = Arc::new(Bench::new());
    bench.start();
    bench.shop(backend());
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..4).map(|_| load(&bench, &stop)).collect();
    for _ in 0..3 {
        let before = bench.pid();
        let done = bench.folder.windlass(&["router", "upgrade", "--drain", "5"]).exits(0).says("the router before it");
        assert!(!done.out.contains("may still accept"), "{}", done.out);
        assert_ne!(bench.pid(), before);
    }
    stop.store(true, Ordering::SeqCst);
    for thread in threads {
        let (sent, failed) = thread.join().unwrap();
        assert!(sent > 0 && failed.is_empty(), "{} of {sent} failed: {:?}", failed.len(), failed.first());
    }
}

#[test]
fn an_upgrade_keeps_what_it_was_started_with() {
    let bench = Bench::new();
    let log = bench.folder.path().join("access.log");
    let (listen, name) = (bench.address.to_string(), log.to_str().unwrap());
    bench.folder.windlass(&["router", "start", "--listen", &listen, "--drain", "0", "--access-log", name]).exits(0);
    bench.shop(backend());
    let lines = || std::fs::read_to_string(&log).unwrap_or_default().lines().count();
    for upgrades in 1..3 {
        bench.folder.windlass(&["router", "upgrade"]).exits(0);
        assert!(bench.get().unwrap().ends_with("hello"));
        let began = Instant::now();
        while lines() < upgrades {
            assert!(began.elapsed() < Duration::from_secs(10), "the request is not in the log");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn what_cannot_be_is_told_and_starts_nothing() {
    let bench = Bench::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    bench
        .folder
        .windlass(&["router", "start", "--listen", &address])
        .exits(4)
        .says("cannot listen at")
        .says("--listen");
    // The mistake is not kept.
    bench.start();
    bench.folder.windlass(&["router", "stop"]).exits(0);
    for (args, words) in [
        (&["--listen", "nowhere"][..], "nowhere"),
        (&["--listen-tls", "127.0.0.1:1"], "--certificate"),
        (
            &["--listen-tls", "127.0.0.1:1", "--certificate", "a", "--certificate", "b", "--key", "k"],
            "do not go together",
        ),
        (
            &["--listen", "127.0.0.1:1", "--listen-tls", "127.0.0.1:1", "--certificate", "a", "--key", "k"],
            "with TLS and without",
        ),
        (&["--listen-tls", "127.0.0.1:9", "--certificate", "not-there", "--key", "k"], "not-there"),
    ] {
        let args: Vec<&str> = ["router", "start"].iter().chain(args).copied().collect();
        bench.folder.windlass(&args).exits(2).says(words);
    }
    let deep = "d".repeat(120);
    bench.folder.windlass(&["router", "start", "--router", &deep]).exits(4).says("some 80 letters");
    std::fs::write(bench.router().join("table.json"), "{").unwrap();
    bench.folder.windlass(&["router", "start"]).exits(4).says("is not in order");
}

#[test]
fn its_folder_can_be_named_in_two_ways() {
    let bench = Bench::new();
    let named = bench.folder.path().join("elsewhere");
    let (named, listen) = (named.to_str().unwrap(), bench.address.to_string());
    bench.folder.windlass(&["router", "start", "--listen", &listen, "--router", named]).exits(0);
    bench.folder.windlass(&["router", "status"]).exits(4);
    let other = Folder::new().env("WINDLASS_ROUTER", named);
    other.windlass(&["router", "status"]).exits(0).says(&listen);
    other.windlass(&["router", "stop"]).exits(0);
}

#[test]
fn in_the_foreground_it_ends_with_a_signal() {
    let bench = Bench::new();
    let listen = bench.address.to_string();
    let mut child = bench.folder.start(&["router", "start", "--foreground", "--listen", &listen]);
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, format!("router {} serves\n", child.id()));
    assert_eq!(bench.pid(), child.id().to_string());
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

/// A HAProxy, which ends with the test.
struct Haproxy {
    folder: Folder,
    address: SocketAddr,
    child: std::process::Child,
}

impl Haproxy {
    fn start() -> Self {
        let (folder, address) = (Folder::new(), free());
        let child = Self::begin(&folder, address);
        Self { folder, address, child }
    }

    fn begin(folder: &Folder, address: SocketAddr) -> std::process::Child {
        let (config, socket) = (folder.path().join("haproxy.cfg"), folder.path().join("admin.sock"));
        let text = format!(
            "global\n  stats socket {} mode 600 level admin\ndefaults\n  mode http\n  timeout connect 1s\n  \
             timeout client 9s\n  timeout server 9s\nfrontend all\n  bind {address}\n  default_backend shop\n\
             backend shop\n  balance roundrobin\n",
            socket.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = std::process::Command::new("haproxy");
        let child = command.arg("-db").arg("-f").arg(config).stderr(std::process::Stdio::null()).spawn();
        let child = child.expect("HAProxy is not installed: `apt-get install haproxy`, or `cargo xtask setup`");
        let began = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "HAProxy does not come up");
            std::thread::sleep(Duration::from_millis(10));
        }
        child
    }

    /// What it was told at its socket is gone.
    fn start_again(&mut self) {
        self.end();
        self.child = Self::begin(&self.folder, self.address);
    }

    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn router(&self) -> String {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        format!("haproxy:{}?folder={}", at("admin.sock"), at("windlass"))
    }

    fn sync(&self) -> Done {
        self.folder.windlass(&["router", "sync", "--router", &self.router()])
    }

    fn answer(&self) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn a_haproxy_that_was_started_anew_is_brought_in_line() {
    let mut haproxy = Haproxy::start();
    haproxy.sync().exits(0).says("was in line with the table");
    let endpoint =
        Endpoint { container: "c1".to_owned(), address: backend(), ready: true, name: "shop-1".to_owned(), port: 80 };
    let service = Service {
        routes: vec![Route { host: None, path: "/".to_owned(), listeners: Vec::new(), revision: None }],
        replicas: 1,
        revisions: BTreeMap::from([(
            "v1".to_owned(),
            Revision { weight: Weight::FULL, endpoints: vec![endpoint], ..Revision::default() },
        )]),
        sticky: None,
        override_header: None,
        health: None,
        timeouts: Timeouts::default(),
    };
    let change = Change::Service { name: "shop".to_owned(), service: Box::new(service) };
    let apply = Apply { by: "test".to_owned(), expect: 0, holder: None, change };
    let driver = windlass_router::open(&haproxy.router()).unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(driver.apply(&apply)).unwrap();
    assert!(haproxy.answer().ends_with("hello"));
    haproxy.start_again();
    assert!(haproxy.answer().starts_with("HTTP/1.1 503"), "it has forgotten its servers");
    haproxy.sync().exits(0).says("in line with the table again");
    assert!(haproxy.answer().ends_with("hello"));
    haproxy.end();
    haproxy.sync().exits(4).says("admin.sock");
    haproxy.child = Haproxy::begin(&haproxy.folder, haproxy.address);
}
