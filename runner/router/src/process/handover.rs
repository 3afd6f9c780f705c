//! Handing everything over to a new router: listening sockets, the lock of the folder, measurements.
//!
//! The new one connects to the old one's socket. The old one lets no more changes be made and sends
//! what it has; the new one begins to accept from the same queues of connections and says so; only
//! then does the old one stop accepting, finish what it has under way, and end. If the new one dies
//! before it has said so, the old one goes on as if nothing had been.

use super::Folder;
use super::serve::{Ending, Kept};
use super::sway::Sway;
use crate::api::Phase;
use crate::stats::{Books, Pages};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The system passes at most 253 files at a time, and one is the lock.
pub(crate) const SOCKETS: usize = 250;
/// A new router that has not begun by then does not come any more.
const PATIENCE: Duration = Duration::from_secs(30);
/// Holds end by themselves within a minute.
const HOLDS: Duration = Duration::from_secs(70);

/// Said when the old router has stopped accepting.
const ACCEPTS_NO_MORE: &[u8] = b" ";

#[derive(Serialize, Deserialize)]
struct Message {
    listeners: Vec<SocketAddr>,
    pages: Pages,
    /// A router that was built before this was handed over says nothing of it.
    #[serde(default)]
    kept: Kept,
}

/// What a new router got.
pub(super) struct Taken {
    pub(super) lock: File,
    pub(super) sockets: BTreeMap<SocketAddr, TcpListener>,
    pub(super) pages: Pages,
    pub(super) kept: Kept,
    pub(super) old: UnixStream,
}

/// The new router's side: asks the one that runs for everything.
pub(super) fn take(folder: &Folder) -> io::Result<Taken> {
    let mut old = UnixStream::connect(folder.handover())?;
    old.set_read_timeout(Some(HOLDS + PATIENCE))?;
    let mut length = [0; 8];
    let mut files = receive(&old, &mut length)?.into_iter();
    let mut text = Vec::new();
    Read::by_ref(&mut old).take(u64::from_be_bytes(length)).read_to_end(&mut text)?;
    let message: Message = serde_json::from_slice(&text)?;
    let lock = files.next().ok_or_else(|| io::Error::other("the lock was not handed over"))?;
    let sockets: BTreeMap<SocketAddr, TcpListener> =
        message.listeners.into_iter().zip(files.map(TcpListener::from)).collect();
    Ok(Taken { lock: File::from(lock), sockets, pages: message.pages, kept: message.kept, old })
}

/// The new router serves. Returns when the old one has ended; what it still counted is put into the books.
pub(super) fn took_over(mut old: UnixStream, sway: &Sway) -> io::Result<()> {
    old.write_all(b"k")?;
    old.set_read_timeout(None)?;
    let mut text = vec![0; ACCEPTS_NO_MORE.len()];
    let first = old.read(&mut text);
    sway.set_alone();
    text.truncate(first?);
    old.read_to_end(&mut text)?;
    // One that was killed has nothing to say. (The space before is nothing in JSON either.)
    if !text.trim_ascii().is_empty() {
        sway.traffic.books.put(serde_json::from_slice(&text)?);
    }
    Ok(())
}

/// The old router accepts no connection any more; whatever comes now is the new one's.
pub(super) fn accepts_no_more(mut new: &UnixStream) -> io::Result<()> {
    new.write_all(ACCEPTS_NO_MORE)
}

/// The old router has ended all it had under way, and tells the new one what it counted since.
pub(super) fn farewell(mut new: UnixStream, books: &Books) -> io::Result<()> {
    new.write_all(&serde_json::to_vec(&books.take())?)
}

/// The old router's side: waits for a new one, on a thread of its own.
pub(super) fn offer(socket: &UnixListener, sway: &Sway, lock: &File, kept: &Kept, ending: &Ending) {
    for stream in socket.incoming() {
        let Ok(mut stream) = stream else { continue };
        if sway.freeze(Phase::HandingOver).is_none() {
            continue;
        }
        match hand_over(&mut stream, sway, lock, kept) {
            Ok(()) => {
                // Kept open until this process ends, which is how the new one learns of it.
                sway.set_successor(stream);
                ending.handed_over();
                return;
            }
            Err(why) => {
                tracing::warn!("handing over failed, this router goes on: {why}");
                sway.thaw();
            }
        }
    }
}

fn hand_over(stream: &mut UnixStream, sway: &Sway, lock: &File, kept: &Kept) -> io::Result<()> {
    let began = Instant::now();
    while sway.is_holding() {
        if began.elapsed() > HOLDS {
            return Err(io::Error::other("a hold does not end"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let sockets = sway.front.sockets();
    let files: Vec<BorrowedFd<'_>> =
        std::iter::once(lock.as_fd()).chain(sockets.iter().map(|(_, socket)| socket.as_fd())).collect();
    let listeners = sockets.iter().map(|(address, _)| *address).collect();
    let message = Message { listeners, pages: sway.traffic.books.take(), kept: kept.clone() };
    let sent = serde_json::to_vec(&message).map_err(io::Error::from).and_then(|text| {
        send(stream, &(text.len() as u64).to_be_bytes(), &files)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(&text)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.read_exact(&mut [0])
    });
    // Nobody took the pages.
    sent.inspect_err(|_| sway.traffic.books.put(message.pages))
}

fn send(stream: &UnixStream, bytes: &[u8], files: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = vec![MaybeUninit::uninit(); SendAncillaryMessage::ScmRights(files).size()];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::Error::other("too many listening sockets to hand over"));
    }
    sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::empty())?;
    Ok(())
}

fn receive(stream: &UnixStream, bytes: &mut [u8; 8]) -> io::Result<Vec<OwnedFd>> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS + 1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(stream, &mut [IoSliceMut::new(bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    if got.bytes != bytes.len() {
        return Err(io::Error::other(
            "the router that runs did not hand over: it is handing over to another, or ending",
        ));
    }
    let messages = control.drain();
    Ok(messages
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => Some(files),
            _ => None,
        })
        .flatten()
        .collect())
}

/// Listens for the next router, in the place of the one before.
pub(super) fn listen(folder: &Folder) -> io::Result<UnixListener> {
    super::control::bind_beside(&folder.handover(), |temp| UnixListener::bind(temp))
}

/// The thread that offers.
pub(super) fn spawn(folder: &Folder, sway: Arc<Sway>, lock: File, kept: Kept, ending: Ending) -> io::Result<()> {
    let socket = listen(folder)?;
    let run = move || offer(&socket, &sway, &lock, &kept, &ending);
    std::thread::Builder::new().name("handover".to_owned()).spawn(run).map(drop)
}
