//! The plugins that cases test, each loaded once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use windlass_pipeline::PluginSource;
use windlass_sandbox::{Plugin, Sandbox, SandboxError};
use windlass_testkit::Case;

use super::find::Found;
use crate::error::CliError;
use crate::plugin_problem;
use crate::prepare::open_sandbox;
use crate::sources::{Known, Missing, Sources};

/// Loads them.
#[derive(Default)]
pub(super) struct Plugins {
    loaded: HashMap<String, Result<Arc<Plugin>, Problem>>,
    sandbox: Option<Sandbox>,
    sources: Sources,
}

/// Why one cannot be used, and what to do.
pub(super) type Problem = (String, Option<String>);

impl Plugins {
    /// The plugin of a case. A path in a case is relative to the case.
    pub(super) async fn of(&mut self, case: &Case, found: &Found) -> Result<Result<Arc<Plugin>, Problem>, CliError> {
        let folder = found.file.parent().unwrap_or(Path::new("."));
        let (source, folder) = match (&found.component, case.plugin()) {
            (Some(path), _) => (PluginSource::Path(path.display().to_string()), Path::new("")),
            (None, Some(source)) => (source, folder),
            (None, None) => return Ok(Err(("the case names no plugin".to_owned(), None))),
        };
        let key = match &source {
            PluginSource::Path(path) => folder.join(path).display().to_string(),
            other => other.to_string(),
        };
        if let Some(known) = self.loaded.get(&key) {
            return Ok(known.clone());
        }
        let loaded = self.load(&source, folder).await?;
        self.loaded.insert(key, loaded.clone());
        Ok(loaded)
    }

    async fn load(&mut self, source: &PluginSource, folder: &Path) -> Result<Result<Arc<Plugin>, Problem>, CliError> {
        let component = match self.sources.find(source, folder, &Known::default(), None).await {
            Ok(found) => found.component,
            Err(Missing::Bad(message, help)) => return Ok(Err((message, help))),
            Err(Missing::Failed(error)) => return Err(error),
            // A case has no lock that could ask for it.
            Err(Missing::Unpinned) => return Ok(Err((format!("the digest of `{source}` is not known"), None))),
        };
        let sandbox = match &self.sandbox {
            Some(sandbox) => sandbox,
            None => self.sandbox.insert(open_sandbox(super::JOBS)?),
        };
        match sandbox.load(component).await {
            Ok(plugin) => Ok(Ok(Arc::new(plugin))),
            Err(error @ (SandboxError::Cache { .. } | SandboxError::Engine { .. })) => Err(CliError::Sandbox(error)),
            Err(error) => Ok(Err(plugin_problem::words(&error))),
        }
    }
}
