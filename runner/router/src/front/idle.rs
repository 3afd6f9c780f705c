//! Connections to endpoints that wait for their next request. Each listener has some for each worker, so they are used
//! by the thread that made them, and nobody waits for the lock. (What goes by pingora's proxying has pingora's.)

use crate::run::IDLE;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// How often those that are too old, or were closed by the service, are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// For one listener and worker.
const MOST: usize = 1_024;

#[derive(Clone, Default)]
pub(super) struct Idle(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// The one that was used last is at the end.
    streams: HashMap<SocketAddr, Vec<(Instant, TcpStream)>>,
    number: usize,
    swept: bool,
}

impl Idle {
    /// One that is still open: as far as is known here, or `surely`, as the kernel knows it at this moment. Asking the
    /// kernel is worth its time where a request that meets a closed connection could not be sent again.
    pub(super) fn take(&self, address: SocketAddr, surely: bool) -> Option<TcpStream> {
        loop {
            let (since, stream) = {
                let mut kept = self.lock();
                let last = kept.streams.get_mut(&address)?.pop()?;
                kept.number -= 1;
                last
            };
            if since.elapsed() < IDLE && (!surely || is_silent(&stream)) && is_open(&stream) {
                return Some(stream);
            }
        }
    }

    pub(super) fn put(&self, address: SocketAddr, stream: TcpStream) {
        let mut kept = self.lock();
        if kept.number == MOST {
            return;
        }
        kept.number += 1;
        kept.streams.entry(address).or_default().push((Instant::now(), stream));
        if !std::mem::replace(&mut kept.swept, true) {
            tokio::spawn(self.clone().sweep());
        }
    }

    /// Closes what is of no more use, until nothing waits.
    async fn sweep(self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let mut kept = self.lock();
            kept.streams.retain(|_, streams| {
                streams.retain_mut(|(since, stream)| since.elapsed() < IDLE && is_open(stream));
                !streams.is_empty()
            });
            kept.number = kept.streams.values().map(Vec::len).sum();
            if kept.number == 0 {
                kept.swept = false;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service has neither closed it nor said anything that nobody asked for, as far as is known here.
fn is_open(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(why) if why.kind() == ErrorKind::WouldBlock)
}

/// The same, as the kernel knows it.
fn is_silent(stream: &TcpStream) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    matches!(recv(stream, &mut [0_u8; 1], flags), Err(Errno::AGAIN))
}
