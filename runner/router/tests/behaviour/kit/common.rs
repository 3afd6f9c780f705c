//! What stands before the servers of a test: a router, or HAProxy; and what is declared to either.

use super::Backend;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use windlass_router::api::{
    Applied, Apply, Change, Endpoint, Measurements, Revision, Route, Service, ServiceState, Timeouts, Weight,
};
use windlass_router::{ClientError, Driver};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Something that carries traffic, and its driver. What is declared in the tests is the service `shop`.
pub(crate) trait Stand: Sized {
    async fn start() -> Self;

    fn driver(&self) -> &dyn Driver;

    /// Where clients ask.
    fn address(&self) -> SocketAddr;

    /// Until the weights that were set last are exact.
    async fn settle(&self);

    /// Changes the table, as it is now.
    async fn apply(&self, change: Change) -> Result<Applied, ClientError> {
        self.apply_for(None, change).await
    }

    /// The same for a run.
    async fn apply_for(&self, holder: Option<&str>, change: Change) -> Result<Applied, ClientError> {
        let state = self.driver().state().await?;
        let expect = match change.service() {
            None => state.listeners_generation,
            Some(name) => state.services.get(name).map_or(0, |s| s.generation),
        };
        let by = format!("test/{}/{}", std::process::id(), CALLS.fetch_add(1, Ordering::SeqCst));
        self.driver().apply(&Apply { by, expect, holder: holder.map(str::to_owned), change }).await
    }

    async fn declare(&self, name: &str, service: Service) -> Result<Applied, ClientError> {
        self.apply(Change::Service { name: name.to_owned(), service: Box::new(service) }).await
    }

    async fn weights(&self, weights: &[(&str, u8)]) -> Result<Applied, ClientError> {
        self.apply(self::weights(weights)).await
    }

    /// Declares `shop`: revisions with their weights and servers; one of them carries everything.
    async fn shop(&self, revisions: &[(&str, u8, &[&Backend])]) {
        self.declare("shop", service(revisions)).await.unwrap();
    }

    async fn shop_state(&self) -> ServiceState {
        self.driver().state().await.unwrap().services.remove("shop").unwrap()
    }

    /// Waits until so many requests are under way at `v1`.
    async fn in_flight(&self, n: u64) {
        until("so many are under way", async || (self.shop_state().await.revisions["v1"].in_flight == n).then_some(()))
            .await;
    }

    /// The last minute of `shop`, once so many requests are counted. That happens when a request has
    /// ended, which is a moment after its client has the answer.
    async fn counted(&self, requests: u64) -> Measurements {
        until("all are counted", async || {
            let measured = self.driver().measurements_of_last("shop", Duration::from_secs(60)).await.unwrap();
            let counted: u64 = measured.revisions.values().map(|r| r.total.requests).sum();
            (counted >= requests).then_some(measured)
        })
        .await
    }
}

pub(crate) fn weights(weights: &[(&str, u8)]) -> Change {
    let weights: BTreeMap<_, _> = weights.iter().map(|(r, w)| ((*r).to_owned(), Weight::percent(*w))).collect();
    Change::Weights { name: "shop".to_owned(), weights }
}

pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
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
            Revision { weight: Weight::percent(*weight), endpoints: endpoints.collect(), ..Revision::default() },
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
