//! The router as a process: its folder, its control API, handing over, and its end.

mod calls;
mod control;
mod handover;
mod serve;
pub(crate) mod store;
mod sway;

pub(crate) use handover::SOCKETS;
pub use serve::{Options, ServeError, serve};
pub use store::LoadError;

use crate::table::Table;

use std::path::{Path, PathBuf};

/// Where things are in a router's folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.0.join("table.json")
    }

    /// The table as it is on disk, if there is one.
    pub(crate) fn durable(&self) -> Option<crate::table::Table> {
        if !self.table().exists() {
            return None;
        }
        // One that is damaged is what `windlass router start` complains of.
        store::load(self).ok()
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    pub(crate) fn control(&self) -> PathBuf {
        self.0.join(CONTROL)
    }

    pub(crate) fn handover(&self) -> PathBuf {
        self.0.join("handover.sock")
    }
}

/// The table of the router in a folder as it is on the disk: what was answered last is in it, whether
/// the router runs or not.
pub fn load(folder: &Path) -> Result<Table, LoadError> {
    store::load(&Folder::new(folder))
}

/// The control API's socket in a router's folder.
const CONTROL: &str = "control.sock";
