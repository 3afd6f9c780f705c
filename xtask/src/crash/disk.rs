//! A disk whose power can be cut: what a file system on it has not written yet is gone.
//!
//! The workspace lives on a file system of its own in a file. What was written there and not synced
//! stands in the memory of that file system, and not in the file: a copy of the file, taken right
//! after the runner was killed, is what a disk holds after a power cut.

use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file system does nothing that it need not do: it writes when somebody asks, and by itself far too late, and
/// does not make up for programs that forget to ask.
const OPTIONS: &str = "loop,commit=300,noatime,data=writeback,noauto_da_alloc";

/// Such a disk, mounted.
pub(super) struct Disk {
    image: PathBuf,
    mount: PathBuf,
    cuts: u32,
}

/// A file with an empty file system, to copy disks from.
pub(super) fn template(folder: &Path) -> Result<PathBuf> {
    let image = folder.join("template.ext4");
    let file = File::create(&image).doing(|| format!("write {}", image.display()))?;
    file.set_len(64 << 20).doing(|| format!("write {}", image.display()))?;
    Cmd::new("mkfs.ext4")
        .args(["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
        .arg(&image)
        .hint("The mode `power` needs mkfs.ext4 (package e2fsprogs).")
        .output()?;
    Ok(image)
}

impl Disk {
    /// Mounts a new disk at this folder.
    pub(super) fn new(template: &Path, image: PathBuf, mount: &Path) -> Result<Self> {
        fs::create_dir_all(mount).doing(|| format!("create {}", mount.display()))?;
        copy(template, &image)?;
        mounted(&image, mount)?;
        Ok(Self { image, mount: mount.to_owned(), cuts: 0 })
    }

    /// Writes down all that is in memory, as if it had been there for long.
    pub(super) fn settle(&self) -> Result<()> {
        Cmd::new("sync").arg("--file-system").arg(&self.mount).output().map(drop)
    }

    /// Cuts the power and switches it on again.
    pub(super) fn cut(&mut self) -> Result<()> {
        self.cuts += 1;
        let image = self.image.with_extension(format!("cut-{}", self.cuts));
        copy(&self.image, &image)?;
        unmounted(&self.mount)?;
        fs::remove_file(&self.image).doing(|| format!("remove {}", self.image.display()))?;
        self.image = image;
        mounted(&self.image, &self.mount)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(why) = unmounted(&self.mount) {
            crate::ui::warn(&why.to_string());
        }
        let _ = fs::remove_file(&self.image);
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    Cmd::new("cp").arg("--sparse=always").arg(from).arg(to).output().map(drop)
}

fn mounted(image: &Path, at: &Path) -> Result<()> {
    Cmd::new("mount")
        .args(["-t", "ext4", "-o", OPTIONS])
        .arg(image)
        .arg(at)
        .hint("The mode `power` needs to mount a file system from a file: run it as root, where loop devices are.")
        .output()
        .map(drop)
}

/// Programs of a killed run end a moment after it. No command does this: it has to work after a Ctrl-C too.
fn unmounted(at: &Path) -> Result<()> {
    for _ in 0..100 {
        match umount2(at, MntFlags::empty()) {
            Err(Errno::EBUSY) if crate::proc::interrupted().is_none() => std::thread::sleep(Duration::from_millis(50)),
            Err(Errno::EBUSY) => break,
            done => return done.doing(|| format!("unmount {}", at.display())),
        }
    }
    umount2(at, MntFlags::MNT_DETACH).doing(|| format!("unmount {}", at.display()))?;
    Err(Failure::new(format!("{} is still in use: a program of the run goes on without it", at.display())))
}

/// Unmounts what a killed harness has left beneath this folder.
pub(super) fn sweep(folder: &Path) {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    for at in mounts.lines().filter_map(|line| line.split(' ').nth(1)) {
        if Path::new(at).starts_with(folder) {
            let _ = umount2(at, MntFlags::MNT_DETACH);
        }
    }
}

/// Shows that a cut is one: what was synced is there after it, and what was not is gone.
pub(super) fn prove(template: &Path, folder: &Path) -> Result<()> {
    let at = folder.join("proof");
    let mut disk = Disk::new(template, folder.join("proof.ext4"), &at)?;
    let write = |name: &str, sync: bool| {
        let mut file = File::create(at.join(name))?;
        file.write_all(b"there")?;
        if sync { file.sync_all() } else { Ok(()) }
    };
    // The one that is not synced comes last: a sync takes along what was before it.
    write("synced", true).and_then(|()| write("unsynced", false)).doing(|| format!("write to {}", at.display()))?;
    disk.cut()?;
    let left = |name: &str| fs::read(at.join(name)).is_ok_and(|content| content == b"there");
    match (left("synced"), left("unsynced")) {
        (true, false) => Ok(()),
        (false, _) => Err(Failure::new("the power cut of this harness loses what was synced: it proves nothing")),
        (_, true) => Err(Failure::new("the power cut of this harness keeps what was not synced: it proves nothing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the real kernel: it needs root, as the engine of our own does.
    #[test]
    fn engine_a_power_cut_takes_what_was_not_synced() -> Result<()> {
        if !nix::unistd::geteuid().is_root() {
            crate::ui::note("not root: nothing is mounted, and the power is not cut");
            return Ok(());
        }
        let folder = std::env::temp_dir().join(format!("windlass-cut-{}", std::process::id()));
        fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
        let done = template(&folder).and_then(|template| prove(&template, &folder));
        sweep(&folder);
        let _ = fs::remove_dir_all(&folder);
        done
    }
}
