//! What the tests share.

use std::path::Path;
use std::sync::{Arc, Mutex};

use windlass_journal::*;

/// Runs a future to its end.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// The first record of a run.
pub(crate) fn started(run: &str) -> RunStarted {
    RunStarted {
        run: run.to_owned(),
        pipeline: "storefront".to_owned(),
        file: "pipeline.toml".to_owned(),
        workspace: "/work".to_owned(),
        source: "[pipeline]\nname = \"storefront\"\n".into(),
        facts: [("git.short".to_owned(), "0a1b2c3".to_owned())].into(),
        plugins: vec![PluginPin { source: "builtin:image".to_owned(), digest: "sha256:00".to_owned() }],
        versions: [("gate".to_owned(), "0.1.0".to_owned())].into(),
        stages: 1,
        steps: 2,
        flags: RunFlags { keep: true, ..RunFlags::default() },
    }
}

/// Starts a run.
pub(crate) fn start(dir: &Path, run: &str) -> Writer {
    start_with(dir, run, WriterOptions::default())
}

/// Starts a run with options.
pub(crate) fn start_with(dir: &Path, run: &str, options: WriterOptions) -> Writer {
    Journal::open_or_create(dir).unwrap().start_run(options, started(run)).unwrap()
}

/// The last record of a run that went well.
pub(crate) fn well() -> Record {
    Record::RunEnded { status: Status::Succeeded, exit_code: 0 }
}

/// A record with a number in it.
pub(crate) fn note(n: u64) -> Record {
    Record::Notice { step: None, message: n.to_string() }
}

/// A call of a step.
pub(crate) fn call(step: u32, ordinal: u32) -> CallId {
    CallId { step: StepIndex(step), attempt: 1, ordinal }
}

/// All records of a run.
pub(crate) fn read(dir: &Path, run: &str) -> Vec<Entry> {
    let reader = Journal::open(dir).unwrap();
    let run = reader.resolve(Some(run)).unwrap();
    reader.entries(&run, 0).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Where a run stands.
pub(crate) fn state(dir: &Path, run: &str) -> RunState {
    Journal::open(dir).unwrap().resolve(Some(run)).unwrap().state
}

/// What an observer saw: batches of records, and the bytes of their log records.
#[derive(Clone, Default)]
pub(crate) struct Seen(pub(crate) Arc<Mutex<Vec<Batch>>>);

/// One commit.
pub(crate) type Batch = Vec<(Entry, Option<Vec<u8>>)>;

impl Seen {
    /// Options with this observer.
    pub(crate) fn options(&self) -> WriterOptions {
        WriterOptions { observer: Some(Box::new(self.clone())), ..Default::default() }
    }

    /// How many commits there were.
    pub(crate) fn commits(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// All that was seen, in order.
    pub(crate) fn all(&self) -> Batch {
        self.0.lock().unwrap().concat()
    }
}

impl Observer for Seen {
    fn committed(&mut self, entries: &[Entry], logs: &LogView<'_>) {
        let batch = entries.iter().map(|entry| (entry.clone(), logs.of(&entry.record).map(<[u8]>::to_vec)));
        self.0.lock().unwrap().push(batch.collect());
    }
}
