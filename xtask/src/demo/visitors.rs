//! Visitors of a shop: they come one after the other, some at a time, and each request is counted.

use crate::http::{Server, get};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How many come at a time.
const AT_A_TIME: usize = 4;
/// How long each waits before the next request.
const BETWEEN: Duration = Duration::from_millis(5);

/// What visitors were answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Pages, by the version that they told.
    pub(super) pages: BTreeMap<String, u64>,
    /// Failures that the shop answered itself.
    pub(super) broken: u64,
    /// Everything else: no answer, or the router's own.
    pub(super) lost: u64,
    /// Why the first of those was lost.
    pub(super) why: Option<String>,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (version, count) in &self.pages {
            write!(f, "{count} pages of version {version}, ")?;
        }
        write!(f, "{} errors of the shop's own, {} requests lost", self.broken, self.lost)?;
        self.why.as_ref().map_or(Ok(()), |why| write!(f, " ({why})"))
    }
}

impl Counts {
    fn count(&mut self, answer: Result<(u16, String), String>) {
        match answer {
            Ok((200, page)) if version(&page).is_some() => {
                *self.pages.entry(version(&page).unwrap_or_default()).or_default() += 1;
            }
            Ok((500, page)) if page.contains("the shop is broken") => self.broken += 1,
            Ok((status, page)) => self.lose(format!("{status}: {page}")),
            Err(why) => self.lose(why),
        }
    }

    fn lose(&mut self, why: String) {
        self.lost += 1;
        self.why.get_or_insert(why);
    }
}

/// The version that a page tells.
fn version(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("Version ")?;
    rest.split('<').next().map(str::to_owned)
}

/// Visitors who come until they are told to stop.
pub(super) struct Visitors {
    over: Arc<AtomicBool>,
    counts: Arc<Mutex<Counts>>,
    threads: Vec<JoinHandle<()>>,
}

impl Visitors {
    /// They begin to come to this address.
    pub(super) fn come(address: &str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let counts: Arc<Mutex<Counts>> = Arc::default();
        let visit = || {
            let (over, counts) = (Arc::clone(&over), Arc::clone(&counts));
            let server = Server::Tcp(address.to_owned());
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let answer = get(&server, "/");
                    let answer = answer.map(|answer| (answer.status, answer.text())).map_err(|why| why.to_string());
                    counts.lock().unwrap_or_else(PoisonError::into_inner).count(answer);
                    thread::sleep(BETWEEN);
                }
            })
        };
        let threads = (0..AT_A_TIME).map(|_| visit()).collect();
        Self { over, counts, threads }
    }

    /// They go. Gives what they were answered.
    pub(super) fn go(mut self) -> Counts {
        self.end();
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn end(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Visitors {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let mut counts = Counts::default();
        for answer in [
            Ok((200, "<p>Version 1.0.0</p>".to_owned())),
            Ok((200, "<p>Version 1.0.0</p>".to_owned())),
            Ok((500, "the shop is broken".to_owned())),
            Ok((503, "nobody".to_owned())),
            Err("refused".to_owned()),
        ] {
            counts.count(answer);
        }
        assert_eq!(
            counts.to_string(),
            "2 pages of version 1.0.0, 1 errors of the shop's own, 2 requests lost (503: nobody)"
        );
    }
}
