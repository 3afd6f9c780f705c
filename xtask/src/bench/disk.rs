//! The control beside everything that waits for the disk: what one small durable append costs
//! here and now, without Windlass.

use super::table::median;
use crate::failure::{Doing, Result};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// About as long as a record of the journal.
const ROW: [u8; 200] = [b'x'; 200];
/// How many appends one round takes.
const ROUND: usize = 20;

/// Appends, each of them durable before the next.
pub(super) struct Disk {
    file: File,
    micros: Vec<f64>,
}

impl Disk {
    /// A new file in the folder.
    pub(super) fn in_folder(folder: &Path) -> Result<Self> {
        let path = folder.join("control");
        let file = File::create(&path).doing(|| format!("write {}", path.display()))?;
        Ok(Self { file, micros: Vec::new() })
    }

    /// One round, to be taken between those of a row.
    pub(super) fn round(&mut self) -> Result<()> {
        for _ in 0..ROUND {
            let start = Instant::now();
            let done = self.file.write_all(&ROW).and_then(|()| self.file.sync_data());
            done.doing(|| "make a file durable".to_owned())?;
            self.micros.push(start.elapsed().as_secs_f64() * 1e6);
        }
        Ok(())
    }

    /// What came out, in a line.
    pub(super) fn line(&self) -> String {
        let slowest = self.micros.iter().copied().fold(0.0, f64::max);
        format!(
            "journal control: an append of {} bytes with fdatasync takes {:.0} us here (median of {}, slowest {:.1} ms)",
            ROW.len(),
            median(&self.micros),
            self.micros.len(),
            slowest / 1e3
        )
    }
}
