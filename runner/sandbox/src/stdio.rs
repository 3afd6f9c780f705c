//! A plugin's standard output and error: into the step's log if there is one, without a buffer that could grow.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use windlass_gate::StepLog;
use windlass_journal::Stream;

/// How much a plugin may write at once.
const PERMIT: usize = 64 * 1024;

/// How much of a program's last words is told again: so many bytes, of which so many lines.
const LAST: usize = 2 * 1024;
const LINES: usize = 10;

/// One of the two streams.
#[derive(Clone)]
pub(crate) struct Output {
    log: Option<(StepLog, Stream)>,
    tail: Option<Tail>,
}

impl Output {
    pub(crate) fn logged(log: &StepLog, stream: Stream) -> Self {
        Self { log: Some((log.clone(), stream)), tail: None }
    }

    /// Of what runs without a step: only the end is kept.
    pub(crate) fn unlogged(tail: &Tail) -> Self {
        Self { log: None, tail: Some(tail.clone()) }
    }

    /// The same, whose end is remembered.
    pub(crate) fn remembered(self, tail: &Tail) -> Self {
        Self { tail: Some(tail.clone()), ..self }
    }

    fn pass(&self, bytes: &[u8]) {
        if let Some(tail) = &self.tail {
            tail.push(bytes);
        }
        if let Some((log, stream)) = &self.log {
            log.write(*stream, bytes);
        }
    }
}

/// The last that was written to a stream.
#[derive(Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&bytes[bytes.len().saturating_sub(LAST)..]);
        let over = kept.len().saturating_sub(LAST);
        kept.drain(..over);
    }

    /// The last lines for a message; nothing if nothing was written.
    pub(crate) fn told(&self, stream: &str) -> Option<String> {
        let bytes: Vec<u8> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.trim().lines().collect();
        if lines.is_empty() {
            return None;
        }
        let mut told = format!("\nthe last of its {stream}:");
        for line in &lines[lines.len().saturating_sub(LINES)..] {
            let _ = write!(told, "\n  {}", plain(line.trim_end()));
        }
        Some(told)
    }
}

/// A line without terminal sequences and other control characters: a message is for people.
fn plain(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                // `ESC [` up to a letter; any other sequence is two characters.
                if characters.next() == Some('[') {
                    characters.by_ref().find(|c| ('@'..='~').contains(c));
                }
            }
            '\t' => kept.push('\t'),
            control if control.is_control() => {}
            other => kept.push(other),
        }
    }
    kept
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.pass(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.pass(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_told_plainly() {
        let tail = Tail::default();
        assert_eq!(tail.told("standard error"), None);
        for number in 0..1000 {
            tail.push(format!("line {number}\n").as_bytes());
        }
        tail.push(b"\x1b[31mred\x1b[0m\x07\r\n\n");
        let told = tail.told("standard error").unwrap();
        assert!(told.starts_with("\nthe last of its standard error:\n  line 991\n"), "{told}");
        assert!(told.ends_with("\n  line 999\n  red"), "{told}");
        tail.push(&[b'x'; 1 << 20]);
        assert_eq!(tail.told("s").unwrap().len(), "\nthe last of its s:\n  ".len() + LAST);
    }
}
