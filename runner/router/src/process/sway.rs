//! Who may change what is running: one change at a time, durable before it is answered.

use super::{Folder, store};
use crate::api::{
    Applied, Apply, Drain, DrainAnswer, EndpointState, Health, Hold, HoldAnswer, Measurements, Phase, Refusal, Release,
    RevisionState, ServiceState, State, Weight, Window,
};
use crate::front::Front;
use crate::run::{Endpoint, Service, Traffic};
use crate::table::Table;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A hold ends by then, whoever forgot it.
const LONGEST_HOLD: Duration = Duration::from_secs(60);

pub(crate) struct Sway {
    pub(crate) folder: Folder,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) front: Front,
    held: Mutex<Held>,
    predecessor: AtomicBool,
    shared: AtomicBool,
    successor: Mutex<Option<UnixStream>>,
}

struct Held {
    table: Table,
    phase: Phase,
}

impl Sway {
    /// Begins with a table; `inherited` are the sockets of the router before this one.
    pub(crate) fn begin(
        folder: Folder,
        table: Table,
        traffic: Arc<Traffic>,
        front: Front,
        inherited: BTreeMap<std::net::SocketAddr, TcpListener>,
    ) -> Result<Self, Refusal> {
        let prepared = front.prepare(table.listeners(), inherited)?;
        traffic.show(&table);
        front.commit(prepared);
        let held = Mutex::new(Held { table, phase: Phase::Serving });
        Ok(Self {
            folder,
            traffic,
            front,
            held,
            predecessor: AtomicBool::new(false),
            shared: AtomicBool::new(false),
            successor: Mutex::new(None),
        })
    }

    pub(crate) fn apply(&self, apply: &Apply) -> Result<Applied, Refusal> {
        let mut held = self.held();
        if held.phase != Phase::Serving {
            return Err(Refusal::HandingOver);
        }
        let (table, applied) = held.table.apply(apply, self.traffic.as_ref())?;
        if applied.repeated {
            return Ok(applied);
        }
        let prepared = self.front.prepare(table.listeners(), BTreeMap::new())?;
        store::save(&self.folder, &table).map_err(|why| Refusal::NotDurable { why: why.to_string() })?;
        self.traffic.show(&table);
        self.front.commit(prepared);
        held.table = table;
        Ok(applied)
    }

    /// From now on nothing changes. `None`: it is so already.
    pub(crate) fn freeze(&self, phase: Phase) -> Option<()> {
        let mut held = self.held();
        (held.phase == Phase::Serving).then(|| held.phase = phase)
    }

    pub(crate) fn thaw(&self) {
        let mut held = self.held();
        if held.phase == Phase::HandingOver {
            held.phase = Phase::Serving;
        }
    }

    pub(crate) fn draining(&self) {
        self.held().phase = Phase::Draining;
    }

    pub(crate) fn set_predecessor(&self, there: bool) {
        self.predecessor.store(there, Ordering::SeqCst);
        self.shared.store(there, Ordering::SeqCst);
    }

    pub(crate) fn set_successor(&self, stream: UnixStream) {
        *self.successor.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
    }

    /// The router before this one accepts no more.
    pub(crate) fn set_alone(&self) {
        self.shared.store(false, Ordering::SeqCst);
    }

    /// The router that took over can know that new connections are its own.
    pub(crate) fn tell_successor(&self) {
        let successor = self.successor.lock().unwrap_or_else(PoisonError::into_inner);
        // If it has gone meanwhile, there is nobody to tell.
        let _ = successor.as_ref().map(super::handover::accepts_no_more);
    }

    /// The router that took over, if one did.
    pub(crate) fn successor(&self) -> Option<UnixStream> {
        self.successor.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn has_predecessor(&self) -> bool {
        self.predecessor.load(Ordering::SeqCst)
    }

    pub(crate) async fn drain(&self, drain: &Drain) -> Result<DrainAnswer, Refusal> {
        let endpoints = self.drained(drain)?;
        for endpoint in &endpoints {
            endpoint.drain(Duration::from_millis(drain.limit_ms));
        }
        let idle = async {
            for endpoint in &endpoints {
                endpoint.idle().await;
            }
        };
        // Too long is no failure: the answer says how far it got.
        let _ = tokio::time::timeout(Duration::from_millis(drain.wait_ms.min(600_000)), idle).await;
        let in_flight = endpoints.iter().map(|e| e.in_flight()).sum();
        let predecessor = self.has_predecessor();
        let cut = endpoints.iter().map(|e| e.cut_count()).sum();
        Ok(DrainAnswer { drained: in_flight == 0 && !predecessor, in_flight, cut, predecessor })
    }

    /// The endpoints that are meant, if nothing new may come to them. The lock is held meanwhile, so
    /// that no change gives them weight.
    fn drained(&self, drain: &Drain) -> Result<Vec<Arc<Endpoint>>, Refusal> {
        let _held = self.held();
        let service = self.service(&drain.service)?;
        let is_meant = |endpoint: &Endpoint| drain.container.as_ref().is_none_or(|c| *c == endpoint.container);
        let mut endpoints = Vec::new();
        for revision in service.revisions().iter().filter(|r| r.name == drain.revision) {
            for member in revision.members.iter().filter(|m| is_meant(&m.endpoint)) {
                if revision.weight > Weight::ZERO && (drain.container.is_none() || member.vouched) {
                    let why = format!("revision {} has weight {}", revision.name, revision.weight);
                    let what = drain.container.as_ref().map_or("the revision".to_owned(), |c| format!("container {c}"));
                    return Err(Refusal::Serving { what, why });
                }
                endpoints.push(Arc::clone(&member.endpoint));
            }
        }
        // What is not in the table any more may still have requests; what is gone altogether is drained.
        let retired = self.traffic.retired(&drain.service).into_iter();
        endpoints.extend(retired.filter(|r| r.revision == drain.revision && is_meant(&r.endpoint)).map(|r| r.endpoint));
        Ok(endpoints)
    }

    pub(crate) fn hold(&self, hold: &Hold) -> Result<HoldAnswer, Refusal> {
        let held = self.held();
        if held.phase != Phase::Serving {
            return Err(Refusal::HandingOver);
        }
        let service = self.service(&hold.service)?;
        service.gate.hold(Duration::from_millis(hold.limit_ms).min(LONGEST_HOLD));
        Ok(hold_answer(&service))
    }

    pub(crate) fn release(&self, release: &Release) -> Result<HoldAnswer, Refusal> {
        let service = self.service(&release.service)?;
        let waiting = service.gate.waiting();
        service.gate.release();
        Ok(HoldAnswer { waiting, left_ms: 0 })
    }

    /// Is any service held?
    pub(crate) fn is_holding(&self) -> bool {
        self.traffic.view().services.values().any(|s| s.gate.left().is_some())
    }

    pub(crate) fn measurements(&self, service: &str, window: Window) -> Result<Measurements, Refusal> {
        let now = self.service(service)?;
        let mut measured = self.traffic.books.read(service, window);
        for revision in now.revisions() {
            let in_flight = revision.members.iter().map(|m| m.endpoint.in_flight()).sum();
            let entry = measured.revisions.entry(revision.name.clone()).or_default();
            *entry = std::mem::take(entry).with_in_flight(in_flight);
        }
        Ok(measured)
    }

    pub(crate) fn health(&self) -> Health {
        let held = self.held();
        Health {
            phase: held.phase,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: held.table.generation(),
            up_ms: self.traffic.books.clock.up_ms(),
            predecessor: self.has_predecessor(),
            shared: self.shared.load(Ordering::SeqCst),
        }
    }

    pub(crate) fn state(&self) -> State {
        let health = self.health();
        let held = self.held();
        let services = held.table.services().filter_map(|(name, _)| {
            let service = self.traffic.service(name)?;
            Some((name.to_owned(), self.service_state(&service, &held.table)))
        });
        State {
            health,
            listeners_generation: held.table.listeners_generation(),
            listeners: held.table.listeners().clone(),
            services: services.collect(),
        }
    }

    fn service_state(&self, service: &Service, table: &Table) -> ServiceState {
        let name = service.name.as_str();
        let shares = service.shares();
        let unserved = 10_000_u16.saturating_sub(shares.iter().sum());
        let mut revisions: BTreeMap<String, RevisionState> = BTreeMap::new();
        for (revision, share) in service.revisions().iter().zip(&shares) {
            let ready = service.ready(revision);
            let endpoints: Vec<EndpointState> = revision
                .members
                .iter()
                .map(|m| {
                    let ready = m.is_ready(revision.checked);
                    let down = m.endpoint.why_down(revision.checked);
                    let because = if m.vouched { down } else { Some("it is not declared ready") };
                    // Also when it is ill at the moment: it may get well before anyone looks again.
                    let serving = m.vouched && revision.weight > Weight::ZERO;
                    let state = endpoint_state(&m.endpoint, ready, because, serving);
                    EndpointState { name: m.called.0.clone(), port: m.called.1, ..state }
                })
                .collect();
            let state = RevisionState {
                weight: revision.weight,
                share: Weight::units(*share),
                cap: service.cap(revision, ready),
                replicas: service.full(revision),
                ready,
                in_flight: endpoints.iter().map(|e| e.in_flight).sum(),
                endpoints,
            };
            revisions.insert(revision.name.clone(), state);
        }
        for retired in self.traffic.retired(&service.name) {
            let state = revisions.entry(retired.revision.clone()).or_insert_with(|| RevisionState {
                weight: Weight::ZERO,
                share: Weight::ZERO,
                cap: Weight::ZERO,
                replicas: 0,
                ready: 0,
                in_flight: 0,
                endpoints: Vec::new(),
            });
            let gone = endpoint_state(&retired.endpoint, false, Some("it has left the table"), false);
            state.in_flight += gone.in_flight;
            state.endpoints.push(gone);
        }
        ServiceState {
            generation: service.generation,
            by: table.changed_by(name).unwrap_or_default().to_owned(),
            owner: table.owner(name).unwrap_or_default().to_owned(),
            current: table.current(name).map(str::to_owned),
            deployment: table.deployment(name).cloned(),
            before: table.before(name).map(endpoints).unwrap_or_default(),
            declared: service.declared.clone(),
            revisions,
            unserved: Weight::units(unserved),
            hold: service.gate.left().map(|_| hold_answer(service)),
        }
    }

    fn service(&self, name: &str) -> Result<Arc<Service>, Refusal> {
        self.traffic.service(name).ok_or_else(|| Refusal::UnknownService { service: name.to_owned() })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn endpoint_state(endpoint: &Endpoint, ready: bool, because: Option<&str>, serving: bool) -> EndpointState {
    EndpointState {
        container: endpoint.container.clone(),
        address: endpoint.address,
        name: String::new(),
        port: 0,
        ready,
        because: because.map(str::to_owned),
        serving,
        draining: endpoint.is_draining(),
        in_flight: endpoint.in_flight(),
    }
}

fn hold_answer(service: &Service) -> HoldAnswer {
    let left = service.gate.left().unwrap_or_default();
    HoldAnswer { waiting: service.gate.waiting(), left_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX) }
}

fn endpoints(service: &crate::api::Service) -> BTreeMap<String, Vec<crate::api::Endpoint>> {
    service.revisions.iter().map(|(name, revision)| (name.clone(), revision.endpoints.clone())).collect()
}
