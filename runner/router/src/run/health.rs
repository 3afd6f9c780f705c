//! The router's own checks: each endpoint is asked at its interval.

use super::{Endpoint, Traffic};
use crate::api::HealthCheck;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A running check; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Checking {
    health: HealthCheck,
    task: JoinHandle<()>,
}

impl Checking {
    pub(super) fn begin(health: &HealthCheck, service: &str, endpoint: &Arc<Endpoint>, traffic: &Arc<Traffic>) -> Self {
        let (endpoint, traffic) = (Arc::downgrade(endpoint), Arc::downgrade(traffic));
        let task = tokio::spawn(check(health.clone(), service.to_owned(), endpoint, traffic));
        Self { health: health.clone(), task }
    }

    pub(super) fn is(&self, health: &HealthCheck) -> bool {
        self.health == *health
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn check(health: HealthCheck, service: String, endpoint: Weak<Endpoint>, traffic: Weak<Traffic>) {
    let mut every = tokio::time::interval(Duration::from_millis(health.interval_ms));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut good, mut bad) = (0, 0);
    loop {
        every.tick().await;
        let Some(address) = endpoint.upgrade().map(|e| e.address) else { return };
        let limit = Duration::from_millis(health.timeout_ms);
        let well = tokio::time::timeout(limit, ask(address, health.path.as_deref())).await;
        let (Some(endpoint), Some(traffic)) = (endpoint.upgrade(), traffic.upgrade()) else { return };
        let news = if matches!(well, Ok(Ok(true))) {
            (good, bad) = (good + 1, 0);
            good >= health.up_after && endpoint.set_up(true)
        } else {
            (good, bad) = (0, bad + 1);
            bad >= health.down_after && endpoint.set_up(false)
        };
        if news {
            traffic.refresh(&service);
        }
    }
}

/// Asks once. A connection of its own each time: a new one is what the next client needs.
async fn ask(address: SocketAddr, path: Option<&str>) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let Some(path) = path else { return Ok(true) };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: windlass-router\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    // "HTTP/1.1 200": the status is all that counts.
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    Ok(start.starts_with(b"HTTP/1.") && matches!(start[9], b'2' | b'3'))
}
