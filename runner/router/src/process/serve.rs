//! A router's life: from the table on disk to the last request.

use super::sway::Sway;
use super::{Folder, control, handover, store};
use crate::api::{Apply, Change, Health, Listener, Refusal};
use crate::front::{AccessLog, Front, Workers};
use crate::run::Traffic;
use crate::stats::Books;
use crate::table::Table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long requests may take to finish, unless somebody says.
const DRAIN: Duration = Duration::from_secs(30);

/// How to run.
#[derive(Debug)]
pub struct Options {
    /// Where the table, the lock and the sockets are. Its path must be short: a unix socket's has at
    /// most 107 bytes.
    pub folder: PathBuf,
    /// Listeners that are there from the beginning; those of the table stay ...
    pub listen: BTreeMap<SocketAddr, Listener>,
    /// ... unless these are to be the only ones.
    pub listen_only: bool,
    /// How long requests may take to finish when the router ends; none: 30 s.
    pub drain_limit: Option<Duration>,
    /// JSON lines; none: no log.
    pub access_log: Option<PathBuf>,
    /// Worker threads; none: one for each processor.
    pub threads: Option<usize>,
    /// Take over from the router that runs here. What is none of the three above is then as that one has it.
    pub upgrade: bool,
    /// Called once, when it serves.
    pub ready: Option<fn(&Health)>,
}

impl Options {
    /// As `windlass router start` has it.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            listen: BTreeMap::new(),
            listen_only: false,
            drain_limit: None,
            access_log: None,
            threads: None,
            upgrade: false,
            ready: None,
        }
    }
}

/// What nobody says again when a router is replaced.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    drain_limit: Option<Duration>,
    access_log: Option<PathBuf>,
    threads: Option<usize>,
}

/// The router could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Two of them would each believe that the table is theirs.
    #[error("a router runs in {} already: `windlass router upgrade` replaces it, `windlass router stop` ends it", .0.display())]
    AlreadyRunning(PathBuf),
    /// There is nobody to take over from.
    #[error("cannot take over from the router in {}: {why}", folder.display())]
    Handover {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        why: io::Error,
    },
    /// The folder cannot be used.
    #[error("cannot use {}: {why}", path.display())]
    Folder {
        /// What it was about.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The table.
    #[error(transparent)]
    Table(#[from] store::LoadError),
    /// A listener, or what was asked for at the start.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Threads and signals.
    #[error("the router cannot be set up: {0}")]
    System(io::Error),
}

/// How this router ends.
#[derive(Clone)]
pub(super) struct Ending {
    why: watch::Sender<Option<End>>,
    limit: Duration,
}

#[derive(Clone, Copy)]
struct End {
    limit: Duration,
    /// How long an idle connection may still send a request.
    idle: Duration,
}

impl Ending {
    pub(super) fn end(&self, limit: Option<Duration>) {
        let limit = limit.unwrap_or(self.limit);
        self.why.send_replace(Some(End { limit, idle: Duration::from_millis(500).min(limit) }));
    }

    /// Another router accepts now; this one has time.
    pub(super) fn handed_over(&self) {
        self.why.send_replace(Some(End { limit: self.limit, idle: Duration::from_secs(5).min(self.limit) }));
    }
}

/// Runs until SIGTERM, SIGINT, a call of `stop`, or a router that takes over; then drains and returns.
pub fn serve(options: &Options) -> Result<(), ServeError> {
    let folder = Folder::new(&options.folder);
    let used = |why| ServeError::Folder { path: options.folder.clone(), why };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&options.folder).map_err(used)?;
    raise_open_files();
    // For the control API and the checks; what clients send has threads of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(1)
        .thread_name("control")
        .build()
        .map_err(ServeError::System)?;
    let _inside = runtime.enter();
    let books = Arc::new(Books::new());
    let (lock, inherited, kept, old) = if options.upgrade {
        let taken = handover::take(&folder);
        let taken = taken.map_err(|why| ServeError::Handover { folder: options.folder.clone(), why })?;
        books.put(taken.pages);
        (taken.lock, taken.sockets, taken.kept, Some(taken.old))
    } else {
        (lock(&folder)?, BTreeMap::new(), Kept::default(), None)
    };
    let kept = Kept {
        drain_limit: options.drain_limit.or(kept.drain_limit),
        access_log: options.access_log.clone().or(kept.access_log),
        threads: options.threads.or(kept.threads),
    };
    let threads = kept.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let workers = Workers::start(threads).map_err(ServeError::System)?;
    let stored = store::load(&folder)?;
    let table = with_listeners(&stored, options)?;
    let is_new = table != stored;
    let log = kept
        .access_log
        .as_deref()
        .map(|path| AccessLog::open(path).map_err(|why| ServeError::Folder { path: path.to_owned(), why }));
    let traffic = Traffic::new(books);
    let front = Front::new(Arc::clone(&traffic), log.transpose()?, workers);
    let sway = Arc::new(Sway::begin(folder.clone(), table.clone(), traffic, front, inherited)?);
    // Not before the addresses are known to be free: a wrong one would be there at every start.
    if is_new {
        store::save(&folder, &table).map_err(|why| Refusal::NotDurable { why: why.to_string() })?;
    }
    sway.set_predecessor(old.is_some());
    let ending = Ending { why: watch::Sender::new(None), limit: kept.drain_limit.unwrap_or(DRAIN) };
    // Before the control API: whoever finds the router up can also take over from it.
    handover::spawn(&folder, Arc::clone(&sway), lock, kept, ending.clone()).map_err(used)?;
    let control = control::bind(&folder.control()).map_err(used)?;
    runtime.spawn(control::run(control, Arc::clone(&sway), ending.clone()));
    if let Some(old) = old {
        let sway = Arc::clone(&sway);
        std::thread::spawn(move || {
            if let Err(why) = handover::took_over(old, &sway) {
                tracing::warn!("the last measurements of the router before this one are lost: {why}");
            }
            sway.set_predecessor(false);
        });
    }
    if let Some(ready) = options.ready {
        ready(&sway.health());
    }
    runtime.block_on(until_end(&sway, &ending)).map_err(ServeError::System)?;
    if let Some(new) = sway.successor() {
        // The one before this may still be at it; it has its own limit, and tells this one when it ends.
        while sway.has_predecessor() {
            std::thread::sleep(Duration::from_millis(10));
        }
        // If it has gone meanwhile, there is nobody to tell.
        let _ = handover::farewell(new, &sway.traffic.books);
    }
    // What is left are idle tasks; nobody waits for them.
    runtime.shutdown_background();
    Ok(())
}

async fn until_end(sway: &Sway, ending: &Ending) -> io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut why = ending.why.subscribe();
    tokio::select! {
        _ = term.recv() => ending.end(None),
        _ = int.recv() => ending.end(None),
        ended = why.changed() => drop(ended),
    }
    sway.draining();
    sway.front.accept_no_more();
    sway.tell_successor();
    let end = (*ending.why.borrow()).unwrap_or(End { limit: ending.limit, idle: Duration::ZERO });
    // A second signal is for somebody who does not want to wait.
    tokio::select! {
        () = sway.front.drain(end.limit, end.idle) => {}
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

fn lock(folder: &Folder) -> Result<File, ServeError> {
    let path = folder.lock();
    let failed = |why| ServeError::Folder { path: path.clone(), why };
    let file = fs::OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServeError::AlreadyRunning(folder.path().to_owned())),
        Err(TryLockError::Error(why)) => Err(failed(why)),
    }
}

/// Each connection takes two files, and the usual soft limit is 1,024. It is the router's own to raise.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // With fewer it serves too, only not so many at once.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// The table with the listeners that the start asks for.
fn with_listeners(table: &Table, options: &Options) -> Result<Table, Refusal> {
    let mut listeners = if options.listen_only { BTreeMap::new() } else { table.listeners().clone() };
    listeners.extend(options.listen.iter().map(|(address, listener)| (*address, listener.clone())));
    if listeners == *table.listeners() {
        return Ok(table.clone());
    }
    let apply = Apply {
        by: format!("router-start/{}", table.generation()),
        expect: table.listeners_generation(),
        holder: None,
        change: Change::Listeners { listeners },
    };
    Ok(table.apply(&apply, &|_: &str, _: bool, _: &crate::api::Endpoint| false)?.0)
}
