//! What became of each request, and what all of them together say.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// Which kind of client sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::traffic) enum Kind {
    Kept,
    New,
    Slow,
    Post,
    /// The opening of a WebSocket, and its end.
    Socket,
    /// A message on one, sent and sent back.
    Message,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kept => "keep-alive",
            Self::New => "new connection",
            Self::Slow => "slow",
            Self::Post => "POST",
            Self::Socket => "WebSocket",
            Self::Message => "message",
        }
    }
}

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::traffic) enum Reason {
    /// Nobody listens.
    Refused,
    /// The connection was reset.
    Reset,
    /// It was closed before the answer was whole.
    Closed,
    /// Nothing came for too long.
    TimedOut,
    /// The answer is a failure.
    Status(u16),
    /// The answer is not the one to this request.
    WrongBody,
    /// What came is no HTTP, or no WebSocket.
    Nonsense,
    /// A WebSocket ended without a close, or with a code that says that something failed.
    UncleanClose,
    /// Something else of the system's.
    System(i32),
}

impl Reason {
    pub(super) fn of(why: &io::Error) -> Self {
        match why.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => Self::Reset,
            ErrorKind::UnexpectedEof => Self::Closed,
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::InvalidData => Self::Nonsense,
            _ => Self::System(why.raw_os_error().unwrap_or(0)),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::Reset => f.write_str("connection reset"),
            Self::Closed => f.write_str("closed before the answer was whole"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::WrongBody => f.write_str("wrong body"),
            Self::Nonsense => f.write_str("no sense in the answer"),
            Self::UncleanClose => f.write_str("WebSocket not closed cleanly"),
            Self::System(code) => write!(f, "error {code} of the system"),
        }
    }
}

/// One request.
#[derive(Debug, Clone)]
pub(in crate::traffic) struct Record {
    /// When it was sent, and when it was over, since the load began.
    pub(in crate::traffic) sent: Duration,
    pub(in crate::traffic) over: Duration,
    pub(in crate::traffic) kind: Kind,
    /// Who answered. None: no revision did.
    pub(in crate::traffic) revision: Option<Arc<str>>,
    pub(in crate::traffic) failed: Option<Reason>,
}

impl Record {
    /// The revision itself said that it failed. Everything else that fails is the doing of whatever stands before it.
    pub(in crate::traffic) fn is_revisions_own(&self) -> bool {
        self.revision.is_some() && matches!(self.failed, Some(Reason::Status(500..)))
    }

    /// A WebSocket that ended without a close.
    pub(in crate::traffic) fn is_cut(&self) -> bool {
        self.kind == Kind::Socket && self.failed == Some(Reason::UncleanClose)
    }

    fn is_good(&self, expected: &str) -> bool {
        self.failed.is_none() && self.revision.as_deref() == Some(expected)
    }
}

/// All requests of a load, in the order in which they were sent.
pub(in crate::traffic) struct Records(Vec<Record>);

impl Records {
    pub(super) fn new(mut all: Vec<Record>) -> Self {
        all.sort_by_key(|record| record.sent);
        Self(all)
    }

    pub(in crate::traffic) fn all(&self) -> &[Record] {
        &self.0
    }

    /// Those that failed, but not by the revision's own word.
    pub(in crate::traffic) fn caused(&self) -> Vec<&Record> {
        self.0.iter().filter(|record| record.failed.is_some() && !record.is_revisions_own()).collect()
    }

    /// Takes the WebSockets out that ended without a close, and says how many they were.
    pub(in crate::traffic) fn without_cut(&mut self) -> usize {
        let before = self.0.len();
        self.0.retain(|record| !record.is_cut());
        before - self.0.len()
    }

    /// Those of which the revision itself said that they failed.
    pub(in crate::traffic) fn own(&self) -> Vec<&Record> {
        self.0.iter().filter(|record| record.is_revisions_own()).collect()
    }

    /// How many each revision answered.
    pub(in crate::traffic) fn by_revision(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for revision in self.0.iter().filter_map(|record| record.revision.as_deref()) {
            *counts.entry(revision).or_default() += 1;
        }
        counts
    }

    /// Those that are split by weights: a message goes where its WebSocket was opened.
    pub(in crate::traffic) fn split(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.0.iter().filter(|record| record.kind != Kind::Message)
    }

    /// From when on every request that is sent is answered well by this revision; none: not even the last one.
    pub(in crate::traffic) fn safe_from(&self, expected: &str) -> Option<Duration> {
        let mut tell = self.split().rev().peekable();
        let mut from = None;
        while let Some(record) = tell.next_if(|record| record.is_good(expected)) {
            from = Some(record.sent);
        }
        from
    }

    /// When the first request was sent that was not answered well by this revision.
    pub(in crate::traffic) fn first_not(&self, expected: &str) -> Option<Duration> {
        self.split().find(|record| !record.is_good(expected)).map(|record| record.sent)
    }

    /// From the first failure's beginning to the last one's end, among those that were caused.
    pub(in crate::traffic) fn outage(&self) -> Duration {
        let caused = self.caused();
        let first = caused.iter().map(|record| record.sent).min().unwrap_or_default();
        caused.iter().map(|record| record.over).max().unwrap_or_default().saturating_sub(first)
    }

    /// The failures in words: how many of a kind, why, and when.
    pub(in crate::traffic) fn explain(&self) -> Vec<String> {
        let mut groups: BTreeMap<(bool, Kind, Reason, Option<&str>), Vec<&Record>> = BTreeMap::new();
        for record in &self.0 {
            if let Some(reason) = record.failed {
                let group = (record.is_revisions_own(), record.kind, reason, record.revision.as_deref());
                groups.entry(group).or_default().push(record);
            }
        }
        let mut lines = Vec::new();
        for ((own, kind, reason, revision), records) in groups {
            let (Some(first), Some(last)) = (records.first(), records.last()) else { continue };
            lines.push(format!(
                "{} {} ({}, answered by {}): {reason}; sent from {:.2} s to {:.2} s, the first was over after {} ms",
                records.len(),
                kind.name(),
                if own { "the revision's own" } else { "caused" },
                revision.unwrap_or("no revision"),
                first.sent.as_secs_f64(),
                last.sent.as_secs_f64(),
                first.over.saturating_sub(first.sent).as_millis()
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(sent: u64, revision: Option<&str>, failed: Option<Reason>) -> Record {
        let sent = Duration::from_millis(sent);
        Record {
            sent,
            over: sent + Duration::from_millis(5),
            kind: Kind::Kept,
            revision: revision.map(Arc::from),
            failed,
        }
    }

    #[test]
    fn a_revisions_own_failures_are_told_apart() {
        let records = Records::new(vec![
            record(30, Some("v2"), Some(Reason::Status(500))),
            record(10, None, Some(Reason::Status(503))),
            record(20, Some("v2"), Some(Reason::WrongBody)),
            record(0, Some("v1"), None),
            record(5, None, Some(Reason::Reset)),
        ]);
        assert_eq!((records.caused().len(), records.own().len()), (3, 1));
        assert_eq!(records.outage(), Duration::from_millis(20), "from 5 to 25");
        assert_eq!(records.by_revision(), BTreeMap::from([("v1", 1), ("v2", 2)]));
        assert_eq!(records.explain().len(), 4);
        assert!(records.explain().iter().any(|line| line.contains("status 503") && line.contains("by no revision")));
    }

    #[test]
    fn safe_is_when_all_that_follow_are_good() {
        let (v1, v2) = (Some("v1"), Some("v2"));
        let mut all = vec![record(0, v1, None), record(10, v2, None), record(20, v1, None), record(30, v2, None)];
        assert_eq!(Records::new(all.clone()).safe_from("v2"), Some(Duration::from_millis(30)));
        assert_eq!(Records::new(all.clone()).safe_from("v1"), None);
        all.push(Record { kind: Kind::Message, ..record(40, v1, None) });
        assert_eq!(
            Records::new(all.clone()).safe_from("v2"),
            Some(Duration::from_millis(30)),
            "it is on an older socket"
        );
        all.push(record(50, v2, Some(Reason::Status(500))));
        assert_eq!(Records::new(all).safe_from("v2"), None);
    }
}
