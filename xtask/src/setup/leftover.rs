//! What a service's folder holds on to besides files: processes in containers, and mounts.
//!
//! A daemon that is killed outright ends none of it. A network namespace that stays mounted keeps
//! its end of the bridge and answers for its address, so the containers of the next engine that
//! get the same address cannot be reached.

use super::service;
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Ends what runs in containers kept in `folder`, undoes the mounts below it, and
/// removes it.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    for pid in rooted_below(folder) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    // The last mounted first: one may lie on another.
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    for at in mounts_below(&mounts, folder).iter().rev() {
        // Detached at once, and gone for good when the last process that we killed is.
        umount2(at, MntFlags::MNT_DETACH)?;
    }
    fs::remove_dir_all(folder)
}

/// The processes whose root is a mount of something below `folder`: those of its containers.
fn rooted_below(folder: &Path) -> Vec<i32> {
    let below = format!("{}/", folder.display());
    let is_root = |line: &str| line.split(' ').nth(4) == Some("/") && line.contains(&below);
    let in_container = |pid: &i32| {
        let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
        mounts.lines().any(is_root)
    };
    service::processes().map(|(pid, _)| pid).filter(in_container).collect()
}

/// The mount points at or below `folder`, in the order in which they were mounted.
fn mounts_below(mountinfo: &[u8], folder: &Path) -> Vec<PathBuf> {
    let points = mountinfo.split(|b| *b == b'\n').filter_map(|line| line.split(|b| *b == b' ').nth(4));
    points.map(unescaped).filter(|p| p.starts_with(folder)).collect()
}

/// The kernel writes blanks, line ends and backslashes in paths as `\` and three octal digits.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        match octal.filter(|_| *first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Doing, Result};
    use nix::mount::{MsFlags, mount};

    #[test]
    fn mounts_below_a_folder_and_not_beside_it() {
        let info = b"1 0 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / /t/engine-1 rw - tmpfs t rw\n\
                     3 1 0:2 / /t/engine-1/a\\040b rw - tmpfs t rw\n4 1 0:2 / /t/engine-12 rw - tmpfs t rw\n";
        assert_eq!(
            mounts_below(info, Path::new("/t/engine-1")),
            [PathBuf::from("/t/engine-1"), PathBuf::from("/t/engine-1/a b")]
        );
    }

    #[test]
    fn mounts_of_a_killed_daemon_go_with_its_folder() -> Result<()> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(()); // Nor does anyone else start an engine.
        }
        let folder = service::folder("leftover-test")?;
        for at in [folder.join("outer"), folder.join("outer/in ner")] {
            fs::create_dir(&at).doing(|| format!("create {}", at.display()))?;
            let none: Option<&str> = None;
            mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), none).doing(|| "mount a tmpfs".into())?;
        }
        remove(&folder).doing(|| "remove what is left over".into())?;
        assert!(!folder.exists());
        Ok(())
    }
}
