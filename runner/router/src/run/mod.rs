//! What runs: services, revisions and endpoints as requests see them.

mod cut;
mod endpoint;
mod health;
mod hold;
mod pick;
mod routes;
mod service;
mod wheel;

pub(crate) use cut::{Cut, Waiting};
pub(crate) use endpoint::{Endpoint, Flight, IDLE};
pub(crate) use pick::{Asked, Unserved};
pub(crate) use routes::{Routes, bare_host};
pub(crate) use service::Service;

use crate::api;
use crate::stats::Books;
use crate::table::{Readiness, Table};
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What requests read; replaced as a whole by every change of the table.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) routes: Routes,
    pub(crate) services: BTreeMap<String, Arc<Service>>,
}

/// All that is running.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) books: Arc<Books>,
    view: ArcSwap<View>,
    /// Endpoints that left the table while requests were under way.
    retired: Mutex<Vec<Retired>>,
}

/// An endpoint that left the table.
#[derive(Clone, Debug)]
pub(crate) struct Retired {
    pub(crate) service: String,
    pub(crate) revision: String,
    pub(crate) endpoint: Arc<Endpoint>,
}

impl Traffic {
    pub(crate) fn new(books: Arc<Books>) -> Arc<Self> {
        Arc::new(Self { books, view: ArcSwap::default(), retired: Mutex::new(Vec::new()) })
    }

    pub(crate) fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    pub(crate) fn service(&self, name: &str) -> Option<Arc<Service>> {
        self.view.load().services.get(name).cloned()
    }

    /// Shows requests a new table. Services that did not change stay as they are.
    pub(crate) fn show(self: &Arc<Self>, table: &Table) {
        let before = self.view.load_full();
        let services = table.services().map(|(name, declared)| {
            let generation = table.service_generation(name);
            let old = before.services.get(name);
            let service = match old.filter(|old| old.generation == generation) {
                Some(old) => Arc::clone(old),
                None => Service::new(name, declared, generation, old.map(Arc::as_ref), self),
            };
            (name.to_owned(), service)
        });
        let services: BTreeMap<String, Arc<Service>> = services.collect();
        let routes = Routes::new(&services);
        self.retire(&before.services, &services);
        self.view.store(Arc::new(View { routes, services }));
    }

    fn retire(&self, before: &BTreeMap<String, Arc<Service>>, after: &BTreeMap<String, Arc<Service>>) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        for service in before.values() {
            for (revision, endpoint) in service.endpoints() {
                let now = after.get(&service.name);
                if !now.is_some_and(|now| now.endpoints().any(|(_, e)| Arc::ptr_eq(e, endpoint))) {
                    endpoint.stop_checking();
                    let (service, revision) = (service.name.clone(), revision.to_owned());
                    retired.push(Retired { service, revision, endpoint: Arc::clone(endpoint) });
                }
            }
        }
    }

    /// Endpoints of a service that left the table and still have requests under way.
    pub(crate) fn retired(&self, service: &str) -> Vec<Retired> {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        // A request that has just chosen it holds it too.
        retired.retain(|r| r.endpoint.in_flight() > 0 || Arc::strong_count(&r.endpoint) > 1);
        retired.iter().filter(|r| r.service == service).cloned().collect()
    }

    /// The readiness of a service's endpoints has changed.
    pub(crate) fn refresh(&self, service: &str) {
        if let Some(service) = self.service(service) {
            service.refresh();
        }
    }
}

impl Readiness for Traffic {
    fn is_ready(&self, service: &str, health_check: bool, declared: &api::Endpoint) -> bool {
        let service = self.service(service);
        let known = service.iter().flat_map(|s| s.endpoints()).find(|(_, e)| e.is(declared));
        // The check of an endpoint that is new has not been made yet.
        known.map_or(!health_check, |(_, endpoint)| endpoint.is_up(health_check))
    }
}
