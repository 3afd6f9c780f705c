//! The containers of a revision, as `with` describes them.

use std::collections::BTreeMap;

use windlass_plugin::docker::{ContainerSpec, Restart};
use windlass_plugin::{Failure, OrFail, Value, bail, named, pairs};
use windlass_plugin_parts::{Mount, cpu_millis};

use super::With;

/// The labels with which this plugin knows its containers again.
const OWN: &str = "deploy.";

impl With {
    /// A container of the new revision, without what distinguishes it from the others.
    ///
    /// # Errors
    /// What is said of it makes no sense.
    pub(crate) fn spec(&self, env: &BTreeMap<String, Value>) -> Result<ContainerSpec, Failure> {
        let image = self.image.as_deref().or_fail("`image` is missing: which image is to be deployed?")?;
        if let Some(label) = self.labels.keys().find(|label| label.starts_with(OWN)) {
            bail!(
                "the label `{label}` cannot be set: those that begin with `{OWN}` tell which revision a container is of"
            );
        }
        let mut all = self.env.clone();
        all.extend(env.clone());
        Ok(ContainerSpec {
            command: self.command.clone(),
            entrypoint: self.entrypoint.clone(),
            env: named(all),
            user: self.user.clone(),
            working_directory: self.working_directory.clone(),
            labels: pairs(self.labels.clone()),
            mounts: self.mounts.iter().map(Mount::of_contract).collect::<Result<_, _>>()?,
            networks: self.networks.clone(),
            memory: self.memory.map(|size| size.bytes()),
            cpu_millis: self.cpu.map(cpu_millis).transpose()?,
            processes: self.processes,
            read_only_root: self.read_only_root,
            // A service has to come back with the daemon.
            restart: self.restart.map_or(Restart::UnlessStopped, Into::into),
            ..ContainerSpec::new(image)
        })
    }
}
