//! What the step takes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::Value;
use windlass_plugin::with::{Duration, Size, Strings};
use windlass_plugin_parts::Mount;

/// What the step takes. With `image` the command runs in a container, without it on the host.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("if" = { "required": ["image"] }, "else" = { "required": ["run"] }))]
pub(crate) struct With {
    /// The program and its arguments, as `["cargo", "test"]`. No shell sees them. With `image` it may be left out:
    /// then the image's own command runs.
    #[schemars(length(min = 1))]
    pub(crate) run: Option<Vec<String>>,
    /// The image of the container to run it in. Needs a grant in `docker.run`. Without it, the program runs on the
    /// host, outside any sandbox, and needs a grant in `process`.
    pub(crate) image: Option<String>,
    /// With `image`: whether to pull it when the daemon does not have it. Needs a grant in `docker.pull`.
    #[serde(default)]
    pub(crate) pull: bool,
    /// With `image`: folders to see, relative to the pipeline's own: `"."` is `/workspace`, `"src"` is
    /// `/workspace/src`. Read-only. Needs grants in `docker.run.mounts`.
    #[serde(default)]
    pub(crate) mount: Strings,
    /// With `image`: folders to see and to write to, in the same places. Needs grants in `docker.run.mounts-write`.
    #[serde(default)]
    pub(crate) writable: Strings,
    /// With `image`: further volumes, folders and memory, at places of their own.
    #[serde(default)]
    pub(crate) mounts: Vec<Mount>,
    /// With `image`: whether it reaches the outside. It has no network at all otherwise, unless it joins `networks`.
    #[serde(default)]
    pub(crate) network: bool,
    /// With `image`: networks of this pipeline to join; made if they are not there. Needs grants in `docker.networks`.
    #[serde(default)]
    pub(crate) networks: Vec<String>,
    /// Environment variables: text, or `{ secret = "name" }`. A program on the host also sees the host's variables
    /// that `grants.env` lists, and no others.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Value>,
    /// The folder to run it in: with `image` a path in the container, relative to `/workspace`; else a folder
    /// relative to the pipeline's own.
    pub(crate) working_directory: Option<String>,
    /// What it reads on standard input; on the host only.
    pub(crate) stdin: Option<String>,
    /// After how long to end it; the step's own timeout holds anyway.
    pub(crate) timeout: Option<Duration>,
    /// With `image`: most memory; 1 GiB if left out.
    pub(crate) memory: Option<Size>,
    /// With `image`: most processors, as `0.5`; 2 if left out.
    pub(crate) cpu: Option<f64>,
    /// With `image`: the user, as `1000:1000`; the image's own if left out.
    pub(crate) user: Option<String>,
    /// With `image`: whether the root file system is read-only.
    #[serde(default)]
    pub(crate) read_only_root: bool,
    /// The exit codes that are a success; 0 alone if left out.
    #[serde(default = "zero")]
    pub(crate) allow_exit: Vec<i64>,
}

fn zero() -> Vec<i64> {
    vec![0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zero_is_a_success_by_default() {
        let with: With = serde_json::from_str(r#"{"run":["true"]}"#).unwrap();
        assert_eq!(with.allow_exit, [0]);
        let with: With = serde_json::from_str(r#"{"run":["grep","x"],"allow-exit":[0,1],"mount":"."}"#).unwrap();
        assert_eq!((with.allow_exit, with.mount.0), (vec![0, 1], vec![".".to_owned()]));
    }
}
