//! HAProxy under the same table, for people who run it already.
//!
//! Its configuration has a backend for each service; Windlass adds the servers to it, and sets their
//! weights, by the runtime API on the admin socket. The table is in a folder, as the embedded
//! router's is. There is no process in between: every operation takes the folder's lock, reads the
//! table, looks at HAProxy, and brings it in line. So several runners can use one HAProxy, and one
//! that was reloaded, and has lost the servers, gets them back with the next operation.

mod converge;
mod drain;
mod ledger;
mod limits;
mod measure;
mod seen;
mod socket;
mod spread;
mod state;
mod turn;
mod wheel;

use crate::ClientError;
use crate::api::{Applied, Apply, Drain, DrainAnswer, Hold, HoldAnswer, Measurements, Refusal, Release, State, Window};
use crate::driver::{Driver, DriverConfig, Standing, standing, standing_in};
use crate::process::{Folder, store};
use crate::table::Table;
use async_trait::async_trait;
use socket::Socket;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use turn::Turn;

/// While somebody has the driver, counters are read so often: windows begin and end where they are.
const SAMPLE: Duration = Duration::from_secs(1);

/// A HAProxy, by its admin socket, and the folder with its table.
#[derive(Clone, Debug)]
pub struct Haproxy {
    place: Arc<Place>,
    sampling: Arc<OnceLock<()>>,
}

#[derive(Debug)]
struct Place {
    folder: Folder,
    socket: Socket,
}

impl Haproxy {
    /// Nothing is done yet.
    #[must_use]
    pub fn new(socket: &Path, folder: &Path) -> Self {
        let place = Place { folder: Folder::new(folder), socket: Socket::new(socket) };
        Self { place: Arc::new(place), sampling: Arc::default() }
    }

    /// Brings HAProxy in line with the whole table, as after a reload. Returns how many commands
    /// that took: 0, it was.
    pub async fn sync(&self) -> Result<usize, ClientError> {
        let mut turn = Turn::begin(&self.place, true).await?;
        let names: Vec<String> = turn.seen.backends.keys().cloned().collect();
        let declared = turn.table.services().map(|(name, _)| name.to_owned());
        let all: std::collections::BTreeSet<String> = names.into_iter().chain(declared).collect();
        let (mut told, mut failed) = (0, None);
        // One that cannot be must not keep the others from it.
        for service in all {
            match turn.converge(&service).await {
                Ok(commands) => told += commands,
                Err(why) => failed = failed.or(Some(why)),
            }
        }
        failed.map_or(Ok(told), Err)
    }

    /// In the background, from the first time that somebody asks for more than the state.
    fn sample(&self) {
        self.sampling.get_or_init(|| {
            let place = Arc::downgrade(&self.place);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(SAMPLE).await;
                    let Some(place) = place.upgrade() else { return };
                    // Whoever needs it is told by its own call.
                    let _ = Turn::begin(&place, false).await;
                }
            });
        });
    }
}

#[async_trait]
impl Driver for Haproxy {
    fn name(&self) -> String {
        let socket = self.place.socket.path().to_owned();
        DriverConfig::Haproxy { socket, folder: self.place.folder.path().to_owned() }.whole().to_string()
    }

    async fn state(&self) -> Result<State, ClientError> {
        let mut turn = Turn::begin(&self.place, false).await?;
        turn.rebuild().await;
        Ok(state::state(&turn.table, &turn.seen, turn.ledger.predecessors()))
    }

    async fn apply(&self, apply: &Apply) -> Result<Applied, ClientError> {
        self.sample();
        let apply = limits::accept(apply)?;
        let mut turn = Turn::begin(&self.place, true).await?;
        let applied = turn.apply(&apply).await?;
        if let Some(service) = apply.change.service() {
            turn.converge(service).await?;
        }
        turn.rebuild().await;
        Ok(applied)
    }

    async fn drain(&self, drain: &Drain) -> Result<DrainAnswer, ClientError> {
        drain::drain(&self.place, drain).await
    }

    async fn hold(&self, _: &Hold) -> Result<HoldAnswer, ClientError> {
        Err(limits::hold().into())
    }

    async fn release(&self, _: &Release) -> Result<HoldAnswer, ClientError> {
        // Nothing is held, so nothing is left to be done.
        Ok(HoldAnswer { waiting: 0, left_ms: 0 })
    }

    async fn standing(&self) -> Result<HashMap<String, Standing>, ClientError> {
        let table = self.table()?;
        if table.services().next().is_none() {
            // So that a folder that is not there is not made by looking.
            return Ok(HashMap::new());
        }
        match self.state().await {
            Ok(state) => Ok(standing(&state)),
            Err(_) => Ok(standing_in(&table)),
        }
    }

    fn table(&self) -> Result<Table, ClientError> {
        Ok(store::load(&self.place.folder)?)
    }

    fn was_there(&self) -> bool {
        self.place.folder.durable().is_some()
    }

    async fn measurements(&self, service: &str, window: Window) -> Result<Measurements, ClientError> {
        self.sample();
        let mut turn = Turn::begin(&self.place, true).await?;
        turn.rebuild().await;
        if turn.table.service(service).is_none() {
            return Err(Refusal::UnknownService { service: service.to_owned() }.into());
        }
        let now = turn.ledger.sums().clone();
        let now_ms = now.at_ms;
        let around = ledger::around(turn.folder(), window.from_ms, window.to_ms).unwrap_or_else(|| (now.clone(), now));
        Ok(measure::measurements(service, &around, now_ms, turn.seen.backend(service)))
    }

    async fn measurements_of_last(&self, service: &str, last: Duration) -> Result<Measurements, ClientError> {
        let to_ms = now_ms();
        let last = u64::try_from(last.as_millis()).unwrap_or(u64::MAX);
        self.measurements(service, Window { from_ms: to_ms.saturating_sub(last), to_ms: u64::MAX }).await
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
