//! `mounts = [{ volume = "data", target = "/data" }]`.

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::docker::{self, Lifetime};
use windlass_plugin::with::Size;
use windlass_plugin::{Failure, OrFail, bail};

/// What a container sees at a path: one of `volume`, `folder` and `tmpfs`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mount {
    /// A volume, by its name in the pipeline; made if it is not there. Needs a grant in `docker.volumes`.
    volume: Option<String>,
    /// A folder of the host, relative to the pipeline's own. Needs a grant in `docker.run.mounts`, or in
    /// `docker.run.mounts-write` to be writable.
    folder: Option<String>,
    /// Memory, of this size at most.
    tmpfs: Option<Size>,
    /// Where in the container; absolute.
    #[schemars(regex(pattern = "^/"))]
    target: String,
    /// Whether the container may write to it. Volumes and memory are writable unless this is `false`; folders
    /// only if this is `true`.
    writable: Option<bool>,
}

impl Mount {
    /// The mount in the form of the contract.
    ///
    /// # Errors
    /// It does not say what to mount, or says it twice.
    pub fn of_contract(&self) -> Result<docker::Mount, Failure> {
        let mut mount = match (&self.volume, &self.folder, self.tmpfs) {
            (Some(volume), None, None) => docker::Mount::volume(volume, &self.target).writable(),
            (None, Some(folder), None) => docker::Mount::folder(folder, &self.target),
            (None, None, Some(size)) => docker::Mount::tmpfs(size.bytes(), &self.target),
            (None, None, None) => {
                bail!("the mount at `{}` names nothing: give it a `volume`, a `folder` or a `tmpfs`", self.target)
            }
            _ => bail!("the mount at `{}` names more than one of `volume`, `folder` and `tmpfs`", self.target),
        };
        mount.writable = self.writable.unwrap_or(mount.writable);
        Ok(mount)
    }
}

/// The volumes that mounts name.
pub fn volumes_of(mounts: &[Mount]) -> impl Iterator<Item = &str> {
    mounts.iter().filter_map(|mount| mount.volume.as_deref())
}

/// Makes the volumes that mounts name. One that is there is taken as it is.
///
/// # Errors
/// A volume cannot be made.
pub fn create_volumes(mounts: &[Mount], lifetime: Lifetime) -> Result<(), Failure> {
    volumes_of(mounts).try_for_each(|name| create_volume(name, lifetime))
}

/// Makes a volume. One that is there is taken as it is.
///
/// # Errors
/// It cannot be made.
pub fn create_volume(name: &str, lifetime: Lifetime) -> Result<(), Failure> {
    docker::create_volume(name, lifetime).or_fail_with(|| format!("make the volume `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<docker::Mount, String> {
        let mount: Mount = serde_json::from_str(text).map_err(|error| error.to_string())?;
        mount.of_contract().map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_kind_has_its_own_default() {
        assert_eq!(read(r#"{"volume":"data","target":"/d"}"#), Ok(docker::Mount::volume("data", "/d").writable()));
        assert_eq!(
            read(r#"{"volume":"data","target":"/d","writable":false}"#),
            Ok(docker::Mount::volume("data", "/d"))
        );
        assert_eq!(read(r#"{"folder":".","target":"/w"}"#), Ok(docker::Mount::folder(".", "/w")));
        assert_eq!(read(r#"{"tmpfs":"1MiB","target":"/t"}"#), Ok(docker::Mount::tmpfs(1 << 20, "/t")));
    }

    #[test]
    fn exactly_one_source() {
        assert!(read(r#"{"target":"/d"}"#).unwrap_err().contains("names nothing"));
        assert!(read(r#"{"target":"/d","volume":"a","folder":"b"}"#).unwrap_err().contains("more than one"));
    }
}
