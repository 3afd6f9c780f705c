//! The control API's unix socket. Only the owner of the folder can open it.

use super::calls::{EndAsked, answer};
use super::serve::Ending;
use super::sway::Sway;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;

pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    bind_beside(path, |temp| UnixListener::bind(temp))
}

/// Binds beside the place and renames, so that a router which takes over replaces the old socket
/// without a moment in which there is none.
pub(super) fn bind_beside<T>(path: &Path, bind: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let temp = path.with_extension(format!("{}.new", std::process::id()));
    // One that is left of a process that was killed; most often there is none.
    let _ = fs::remove_file(&temp);
    let socket = bind(&temp)?;
    fs::set_permissions(&temp, fs::Permissions::from_mode(0o600))?;
    fs::rename(&temp, path)?;
    Ok(socket)
}

pub(super) async fn run(socket: UnixListener, sway: Arc<Sway>, ending: Ending) {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                let (sway, ending) = (Arc::clone(&sway), ending.clone());
                tokio::spawn(async move {
                    let end = Arc::new(EndAsked::new());
                    let asked = Arc::clone(&end);
                    let service = service_fn(move |request| answer(request, Arc::clone(&sway), Arc::clone(&asked)));
                    // A caller that goes away in the middle is its own affair.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    if let Some(limit) = end.get() {
                        ending.end(*limit);
                    }
                });
            }
            Err(why) => {
                tracing::warn!("a control connection could not be accepted: {why}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}
