//! Small things about bytes and files: digests, and writes that change nothing needlessly.

use crate::failure::{Doing, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// The SHA-256 of the parts, as hex. Lengths are hashed too, so that parts cannot flow together.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// A digest short enough for a folder's name.
pub(crate) fn short_key(parts: &[&str]) -> String {
    let mut key = digest(parts.iter().map(|p| p.as_bytes()));
    key.truncate(12);
    key
}

/// Writes only what differs, so that builds which watch the file's time stay quiet; says whether
/// it wrote. The write is a rename, so that no reader sees half a file.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).doing(|| format!("create {}", folder.display()))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    fs::write(&new, bytes).doing(|| format!("write {}", new.display()))?;
    fs::rename(&new, path).doing(|| format!("replace {}", path.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_flow_together() {
        assert_ne!(short_key(&["ab", "c"]), short_key(&["a", "bc"]));
        assert_eq!(short_key(&["ab", "c"]).len(), 12);
    }

    #[test]
    fn an_unchanged_file_is_left_alone() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("windlass-xtask-bytes-{}", std::process::id()));
        let file = folder.join("deep/a.wasm");
        assert!(write_if_changed(&file, b"one")?);
        assert!(!write_if_changed(&file, b"one")?);
        assert!(write_if_changed(&file, b"two")?);
        assert_eq!(fs::read(&file).ok().as_deref(), Some(&b"two"[..]));
        fs::remove_dir_all(&folder).doing(|| "clean up".to_owned())
    }
}
