//! The access log: a JSON object on a line for each request. A thread of its own writes it; when the
//! disk cannot keep up, lines are left out, and the next one says how many.

use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// A request that ended.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) time_ms: u64,
    pub(crate) client: Option<String>,
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    /// 0: there was no answer.
    pub(crate) status: u16,
    pub(crate) service: Option<String>,
    pub(crate) revision: Option<String>,
    pub(crate) container: Option<String>,
    /// From its header to its end.
    pub(crate) took_us: u64,
    /// To the first byte of the answer, without time in a hold.
    pub(crate) latency_us: Option<u64>,
    pub(crate) sent_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) lines_lost: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[derive(Debug)]
pub(crate) struct AccessLog {
    lines: SyncSender<Line>,
    lost: AtomicU64,
}

impl AccessLog {
    /// Appends to the file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let (lines, read) = sync_channel(8_192);
        std::thread::Builder::new().name("access-log".to_owned()).spawn(move || write(&read, file))?;
        Ok(Self { lines, lost: AtomicU64::new(0) })
    }

    pub(crate) fn write(&self, mut line: Line) {
        line.lines_lost = self.lost.swap(0, Ordering::Relaxed);
        let lost = line.lines_lost;
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }
}

fn write(lines: &Receiver<Line>, file: File) {
    let mut file = BufWriter::new(file);
    loop {
        let line = match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                let _ = file.flush();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let written = serde_json::to_writer(&mut file, &line).map_err(io::Error::from);
        if let Err(why) = written.and_then(|()| file.write_all(b"\n")) {
            tracing::warn!("the access log cannot be written: {why}");
        }
    }
}
