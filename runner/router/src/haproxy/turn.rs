//! One operation: under the folder's lock, with the table and HAProxy as they are.

use super::converge::{FINE, Steps, check, check_split, has_left, is_missing, steps};
use super::ledger::Ledger;
use super::seen::{Seen, parts};
use super::state::why_unready;
use super::{Place, now_ms};
use crate::ClientError;
use crate::api::{Applied, Apply, Change, Endpoint, Refusal, Revision};
use crate::process::store;
use crate::table::Table;
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Others are done in milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often HAProxy is told again when it is not as it should be: it may have been reloaded meanwhile.
const TRIES: usize = 3;
/// How long a server that is let go may keep a connection before it is left for the next time.
const LETTING_GO: Duration = Duration::from_millis(100);

pub(super) struct Turn<'a> {
    place: &'a Place,
    pub(super) table: Table,
    pub(super) seen: Seen,
    pub(super) ledger: Ledger,
    _lock: File,
}

impl<'a> Turn<'a> {
    /// `keep`: this moment begins or ends a window of measurements.
    pub(super) async fn begin(place: &'a Place, keep: bool) -> Result<Self, ClientError> {
        let lock = lock(place).await?;
        let table = store::load(&place.folder)?;
        let seen = Seen::ask(&place.socket).await?;
        let ledger = Ledger::load(place.folder.path());
        let mut turn = Self { place, table, seen, ledger, _lock: lock };
        turn.note(keep)?;
        turn.expire().await?;
        Ok(turn)
    }

    pub(super) fn folder(&self) -> &Path {
        self.place.folder.path()
    }

    /// Looks at HAProxy again.
    pub(super) async fn look(&mut self) -> Result<(), ClientError> {
        self.seen = Seen::ask(&self.place.socket).await?;
        self.note(false)
    }

    fn note(&mut self, keep: bool) -> Result<(), ClientError> {
        let folder = self.place.folder.path();
        self.ledger.look(folder, &self.seen, now_ms(), keep).map_err(|why| failed(folder, why))
    }

    /// Changes the table, durably. HAProxy is not told yet.
    pub(super) async fn apply(&mut self, apply: &Apply) -> Result<Applied, ClientError> {
        let ready =
            |service: &str, checked: bool, endpoint: &Endpoint| !checked || self.is_ready(apply, service, endpoint);
        let (table, applied) = self.table.apply(apply, &ready)?;
        if applied.repeated {
            return Ok(applied);
        }
        if let Some((name, service)) = apply.change.service().and_then(|n| Some((n, table.service(n)?))) {
            // The way back is never barred.
            let back = matches!(
                apply.change,
                Change::Abort { .. } | Change::Finish { .. } | Change::Retire { .. } | Change::Addresses { .. }
            );
            if !back {
                check(name, &self.seen)?;
                check_split(name, service)?;
            }
        }
        let (folder, next) = (self.place.folder.clone(), table.clone());
        // It waits for the disk.
        let saved = tokio::task::spawn_blocking(move || store::save(&folder, &next)).await;
        let saved = saved.map_err(|why| why.to_string()).and_then(|s| s.map_err(|why| why.to_string()));
        saved.map_err(|why| Refusal::NotDurable { why })?;
        self.table = table;
        Ok(applied)
    }

    /// As HAProxy's check says.
    fn is_ready(&self, apply: &Apply, service: &str, endpoint: &Endpoint) -> bool {
        let has = |r: &&Revision| r.endpoints.iter().any(|e| e.container == endpoint.container);
        // The service as it will be says how it is checked.
        let (declared, revision) = match &apply.change {
            Change::Service { service, .. } => (Some(service.as_ref()), service.revisions.values().find(has)),
            Change::Endpoints { revision, .. } => {
                let declared = self.table.service(service);
                (declared, declared.and_then(|d| d.revisions.get(revision)))
            }
            _ => {
                let declared = self.table.service(service);
                (declared, declared.and_then(|d| d.revisions.values().find(has)))
            }
        };
        let health = match (declared, revision) {
            (Some(declared), Some(revision)) => declared.health_of(revision),
            (declared, _) => declared.and_then(|d| d.health.as_ref()),
        };
        let servers = self.seen.backend(service).into_iter().flat_map(|b| &b.servers);
        let there = servers.filter(|(name, _)| parts(name).is_some_and(|(_, c)| c == endpoint.container));
        let there = there.map(|(_, s)| s).find(|s| s.address == Some(endpoint.address));
        why_unready(health, endpoint, there).is_none()
    }

    /// Brings the backend of one service in line with the table. Returns the number of commands.
    pub(super) async fn converge(&mut self, service: &str) -> Result<usize, ClientError> {
        let mut told = 0;
        let mut failure = None;
        for _ in 0..TRIES {
            let declared = self.table.service(service);
            let Some(backend) = self.seen.backend(service) else {
                // Nothing is to be there, and nothing is.
                let nothing = declared.is_none_or(|d| d.revisions.values().all(|r| r.endpoints.is_empty()));
                return match declared {
                    Some(_) if !nothing => Err(check(service, &self.seen).err().map_or_else(
                        || ClientError::Broken { call: service.to_owned(), why: "its backend went away".to_owned() },
                        Into::into,
                    )),
                    _ => Ok(told),
                };
            };
            let steps = steps(service, declared, backend);
            if steps.is_empty() {
                return Ok(told);
            }
            told += steps.prepare.len() + steps.weigh.len() + steps.retire.len();
            match self.tell(&steps).await {
                Ok(deleted) => {
                    told += deleted;
                    failure = None;
                }
                // It may be another process by now: look again.
                Err(why @ ClientError::Refused(_)) => failure = Some(why),
                Err(why) => return Err(why),
            }
            self.look().await?;
            let left = self.seen.backend(service).map(|b| self::steps(service, self.table.service(service), b));
            if left.is_some_and(|l| l.prepare.is_empty() && l.weigh.is_empty() && l.retire.is_empty()) {
                // What HAProxy does not let go yet is tried again next time.
                self.settle(service)?;
                return Ok(told);
            }
        }
        Err(failure.unwrap_or_else(|| {
            let said = "its servers are not as they were told to be: does somebody else change them?";
            Refusal::Proxy { command: format!("show servers state {service}"), said: said.to_owned() }.into()
        }))
    }

    async fn tell(&self, steps: &Steps) -> Result<usize, ClientError> {
        let socket = &self.place.socket;
        // Each by itself: what HAProxy says of it, it says of this one.
        for command in &steps.prepare {
            socket.tell(std::slice::from_ref(command), &FINE).await?;
        }
        socket.tell(&steps.weigh, &FINE).await?;
        let drain: Vec<String> = steps.retire.iter().map(|s| format!("set server {s} state drain")).collect();
        socket.tell(&drain, &FINE).await?;
        let began = Instant::now();
        let mut deleted = 0;
        for server in &steps.delete {
            socket.tell(&[format!("set server {server} state maint")], &FINE).await?;
            loop {
                let answer = socket.ask(&format!("del server {server}")).await?;
                if answer.starts_with("Server deleted.") {
                    deleted += 1;
                    break;
                }
                // A connection is left: to the client it makes no difference.
                if began.elapsed() > LETTING_GO {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(deleted)
    }

    /// Weight ends a drain.
    fn settle(&mut self, service: &str) -> Result<(), ClientError> {
        let backend = self.seen.backend(service);
        let before = self.ledger.drains.len();
        self.ledger.drains.retain(|key, _| {
            let server = key.strip_prefix(service).and_then(|k| k.strip_prefix('/'));
            let there = server.and_then(|s| backend?.servers.get(s));
            there.is_none_or(|s| s.weight == 0)
        });
        if self.ledger.drains.len() == before {
            return Ok(());
        }
        self.save()
    }

    pub(super) fn save(&self) -> Result<(), ClientError> {
        let folder = self.place.folder.path();
        self.ledger.save(folder).map_err(|why| failed(folder, why))
    }

    /// Puts back what a reload has lost, and lets go what has left the table and has ended. Whoever
    /// reads does not fail for it: the state tells what is missing.
    pub(super) async fn rebuild(&mut self) {
        let is_over = |name: &str| self.seen.backend(name).is_some_and(|b| has_left(self.table.service(name), b));
        let all: BTreeSet<&str> =
            self.table.services().map(|(name, _)| name).chain(self.seen.backends.keys().map(String::as_str)).collect();
        let is_missing = |name: &str| self.table.service(name).is_some_and(|s| is_missing(name, s, &self.seen));
        let wrong = all.into_iter().filter(|name| is_missing(name) || is_over(name));
        let missing: Vec<String> = wrong.map(str::to_owned).collect();
        for service in missing {
            if let Err(why) = self.converge(&service).await {
                tracing::warn!("HAProxy's backend {service} is not in line with the table: {why}");
            }
        }
    }

    /// Cuts what is still under way when the time of a drain is over.
    pub(super) async fn expire(&mut self) -> Result<(), ClientError> {
        let now = now_ms();
        let over: Vec<String> =
            self.ledger.drains.iter().filter(|(_, d)| d.until_ms <= now).map(|(key, _)| key.clone()).collect();
        let mut cut = false;
        for key in over {
            let Some((service, server)) = key.split_once('/') else { continue };
            let there = self.seen.backends.get(service).and_then(|b| b.servers.get(server));
            let Some(in_flight) = there.map(|s| s.in_flight).filter(|n| *n > 0) else { continue };
            self.place.socket.tell(&[format!("shutdown sessions server {key}")], &FINE).await?;
            self.ledger.cut(service, server, in_flight);
            cut = true;
        }
        if cut {
            self.save()?;
            self.look().await?;
        }
        Ok(())
    }

    pub(super) async fn tell_all(&self, commands: &[String]) -> Result<(), ClientError> {
        self.place.socket.tell(commands, &FINE).await
    }
}

async fn lock(place: &Place) -> Result<File, ClientError> {
    let folder = place.folder.path();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|why| failed(folder, why))?;
    let path = place.folder.lock();
    let file = fs::OpenOptions::new().create(true).write(true).truncate(false).open(&path);
    let file = file.map_err(|why| failed(&path, why))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Err(TryLockError::WouldBlock) => {
                let why = "another process holds it all the time: does a router of Windlass run in this folder?";
                return Err(failed(&path, std::io::Error::other(why)));
            }
            Err(TryLockError::Error(why)) => return Err(failed(&path, why)),
        }
    }
}

fn failed(path: &Path, why: std::io::Error) -> ClientError {
    ClientError::Folder { path: path.to_owned(), why }
}
