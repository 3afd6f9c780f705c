//! HAProxy's process: a master that is reloaded by a signal, as its users run it.

use super::client::split;
use super::{Stand, free_address, until};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use windlass_router::{Driver, DriverConfig, Haproxy};

pub(crate) struct Proxy {
    pub(crate) folder: TempDir,
    pub(crate) driver: Haproxy,
    address: SocketAddr,
    child: Child,
}

impl Proxy {
    /// With more lines in its backend `shop`.
    pub(crate) async fn start_with(backend: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let address = free_address();
        let text = format!(
            "global\n  nbthread 2\n  stats socket {} mode 600 level admin\n\
             defaults\n  mode http\n  timeout connect 1s\n  timeout client 60s\n  timeout server 60s\n\
             frontend all\n  bind {address}\n  default_backend shop\n\
             backend other\n  balance roundrobin\n\
             backend shop\n{backend}",
            folder.path().join("admin.sock").display()
        );
        std::fs::write(folder.path().join("haproxy.cfg"), text).unwrap();
        let child = Command::new("haproxy")
            .args(["-W", "-db", "-f"])
            .arg(folder.path().join("haproxy.cfg"))
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .expect("HAProxy is not installed: `apt-get install haproxy`, or `cargo xtask setup`");
        let driver = Haproxy::new(&folder.path().join("admin.sock"), &folder.path().join("windlass"));
        let proxy = Self { folder, driver, address, child };
        until("HAProxy answers", async || proxy.try_ask("show info").map(|_| ())).await;
        proxy
    }

    pub(crate) fn config(&self) -> DriverConfig {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        format!("haproxy:{}?folder={}", at("admin.sock"), at("windlass")).parse().unwrap()
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.folder.path().join("windlass")
    }

    fn try_ask(&self, line: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.folder.path().join("admin.sock")).ok()?;
        stream.write_all(format!("{line}\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// As somebody at its socket asks.
    pub(crate) fn ask(&self, line: &str) -> String {
        self.try_ask(line).unwrap()
    }

    pub(crate) fn pid(&self) -> String {
        let info = self.try_ask("show info").unwrap_or_default();
        info.lines().find_map(|l| l.strip_prefix("Pid: ")).unwrap_or_default().to_owned()
    }

    /// Its configuration again, in a new process: what was told to the old one is lost.
    pub(crate) async fn reload(&self) {
        let old = self.pid();
        let mut asked = None;
        until("it is reloaded", async || {
            // A master that has just begun again does not hear yet.
            if asked.is_none_or(|asked: Instant| asked.elapsed() > Duration::from_secs(2)) {
                self.signal("-USR2");
                asked = Some(Instant::now());
            }
            let pid = self.pid();
            (!pid.is_empty() && pid != old).then_some(())
        })
        .await;
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

impl Stand for Proxy {
    async fn start() -> Self {
        Self::start_with("  balance roundrobin\n").await
    }

    fn driver(&self) -> &dyn Driver {
        &self.driver
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    /// It finishes the turns that it has begun: sixteen of the old, of the new, for whole percents.
    async fn settle(&self) {
        split(self.address, 16, 2 * 16 * 100).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The master ends its workers; it can only do that while it lives.
        self.signal("-TERM");
        let _ = self.child.wait();
    }
}
