//! HAProxy's runtime API: lines over the admin socket, one connection for each.

use crate::ClientError;
use crate::api::Refusal;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// HAProxy answers in microseconds; what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(10);
/// HAProxy refuses lines longer than its buffer (`tune.bufsize`, 16,384 bytes unless set).
const LONGEST: usize = 8_000;

/// The admin socket of a HAProxy.
#[derive(Clone, Debug)]
pub(super) struct Socket(PathBuf);

impl Socket {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Asks, and gives the answer as it is.
    pub(super) async fn ask(&self, line: &str) -> Result<String, ClientError> {
        let unreachable = |why| ClientError::NoHaproxy { socket: self.0.clone(), why };
        let broken = |why: String| ClientError::Broken { call: first(line).to_owned(), why };
        let exchange = async {
            let mut stream = UnixStream::connect(&self.0).await.map_err(unreachable)?;
            let sent = async {
                stream.write_all(line.as_bytes()).await?;
                stream.write_all(b"\n").await?;
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await.map(|_| answer)
            };
            let answer = sent.await.map_err(|why| broken(why.to_string()))?;
            Ok::<_, ClientError>(String::from_utf8_lossy(&answer).into_owned())
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await;
        let answer = answer.map_err(|_| broken("it took too long".to_owned()))??;
        if answer.starts_with("Permission denied") {
            let why = "the socket's level is too low: its line in the configuration needs `level admin`";
            return Err(refused(first(line), why));
        }
        Ok(answer)
    }

    /// Does what the commands say, in this order and as closely together as can be. Where HAProxy
    /// says anything that `fine` does not know, that is why it was not done.
    pub(super) async fn tell(&self, commands: &[String], fine: &[&str]) -> Result<(), ClientError> {
        let mut rest = commands;
        while let Some((one, _)) = rest.split_first() {
            let mut line = one.clone();
            let mut taken = 1;
            while let Some(next) = rest.get(taken).filter(|next| line.len() + next.len() < LONGEST) {
                line.push(';');
                line.push_str(next);
                taken += 1;
            }
            let answer = self.ask(&line).await?;
            let mut said = answer.lines().map(str::trim).filter(|l| !l.is_empty());
            if let Some(said) = said.find(|l| !fine.iter().any(|f| l.starts_with(f))) {
                return Err(refused(&line, said));
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }
}

fn first(line: &str) -> &str {
    line.split(';').next().unwrap_or(line)
}

pub(super) fn refused(command: &str, said: &str) -> ClientError {
    Refusal::Proxy { command: command.to_owned(), said: said.to_owned() }.into()
}
