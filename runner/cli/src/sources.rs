//! Where the bytes of plugins come from: this program, a file, a registry.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use windlass_pipeline::Pipeline;
use windlass_pipeline::PluginSource;
use windlass_pipeline::lock::Pinned;
use windlass_registry::{Options, PublicKey, Reference, Registry, RegistryError};
use windlass_sandbox::Component;

use crate::builtins::Builtin;
use crate::error::CliError;
use crate::{files, plugin_problem, world};

/// What is known of plugins before any of them is looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known<'a> {
    /// Plugins that other files stand in for.
    pub(crate) instead: &'a [(String, &'a Path)],
    /// Plugins of registries whose digests are known: their tags are not asked.
    pub(crate) pinned: Vec<Pinned>,
    /// Whether the tags of others may be asked.
    pub(crate) only_pinned: bool,
}

/// A plugin's bytes, and by what they are pinned.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) component: Component,
    pub(crate) pinned: Pinned,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) enum Missing {
    /// The pipeline names something that is no plugin: what is wrong, and what to do.
    Bad(String, Option<String>),
    /// Its digest is not known, and may not be asked for.
    Unpinned,
    /// It cannot be had here and now.
    Failed(CliError),
}

/// Finds plugins.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    registry: OnceLock<Arc<Registry>>,
}

impl Sources {
    /// The plugin of a source. Paths are relative to the folder. One from a registry has to be signed with the key, if
    /// there is one.
    pub(crate) async fn find(
        &self,
        source: &PluginSource,
        folder: &Path,
        known: &Known<'_>,
        key: Option<&PublicKey>,
    ) -> Result<Found, Missing> {
        let named = source.to_string();
        let other = known.instead.iter().find(|(name, _)| *name == named).map(|(_, file)| *file);
        let (component, manifest) = match (other, source) {
            (Some(file), _) => (stand_in(&named, file)?, None),
            (None, PluginSource::Builtin(name)) => (builtin(name)?, None),
            (None, PluginSource::Path(path)) => (file(path, folder)?, None),
            (None, PluginSource::Oci(reference)) => {
                let pinned = known.pinned.iter().find(|pinned| pinned.source == *source);
                if pinned.is_none() && known.only_pinned {
                    return Err(Missing::Unpinned);
                }
                self.pulled(reference, pinned, key).await?
            }
        };
        let (digest, key) = (component.digest.clone(), key.map(|key| key.digest().to_owned()));
        Ok(Found { component, pinned: Pinned { source: source.clone(), digest, manifest, key } })
    }

    /// A plugin of a registry: by its digest, or by what its tag points to now.
    async fn pulled(
        &self,
        reference: &str,
        pinned: Option<&Pinned>,
        key: Option<&PublicKey>,
    ) -> Result<(Component, Option<String>), RegistryError> {
        let registry = self.registry()?;
        let parsed = Reference::parse(reference)?;
        let (digest, manifest) = match pinned {
            Some(Pinned { digest, manifest, key: verified, .. }) => {
                let verified = key.is_none_or(|key| verified.as_deref() == Some(key.digest()));
                // What is pinned without its manifest is that of a run, which has verified it when it began.
                if let (Some(key), Some(manifest), false) = (key, manifest, verified) {
                    let found = registry.resolve(&parsed.at(manifest)).await?.component;
                    if found != *digest {
                        let (what, expected) = (parsed.to_string(), digest.clone());
                        return Err(RegistryError::Digest { what, expected, got: found });
                    }
                    registry.verify(&parsed, manifest, key).await?;
                }
                (digest.clone(), manifest.clone())
            }
            None => {
                let found = registry.resolve(&parsed).await?;
                if let Some(key) = key {
                    registry.verify(&parsed, &found.manifest, key).await?;
                }
                (found.component, Some(found.manifest))
            }
        };
        registry.fetch(&parsed, &digest).await?;
        let (registry, of) = (Arc::clone(registry), digest.clone());
        let read = Box::new(move || registry.read(&of).map_err(|error| error.to_string()));
        Ok((Component { name: format!("oci:{reference}"), digest, read }, manifest))
    }

    /// The registries.
    pub(crate) fn registry(&self) -> Result<&Arc<Registry>, RegistryError> {
        if let Some(known) = self.registry.get() {
            return Ok(known);
        }
        let cache = files::cache().map_err(|error| RegistryError::Cache {
            path: PathBuf::from("~/.cache/windlass"),
            reason: error.to_string(),
        })?;
        let registry = Registry::new(Options { cache, docker_config: world::docker_config().config_folder });
        Ok(self.registry.get_or_init(|| Arc::new(registry)))
    }
}

/// The key with which a plugin of the pipeline has to be signed, if it has to be.
pub(crate) fn key(pipeline: &Pipeline, source: &PluginSource, folder: &Path) -> Result<Option<PublicKey>, Missing> {
    pipeline.plugin_key(source).map(|path| read_key(&folder.join(path))).transpose()
}

/// Reads `cosign.pub`.
pub(crate) fn read_key(path: &Path) -> Result<PublicKey, Missing> {
    let text = files::read_plugin(path).and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string()));
    text.and_then(|text| PublicKey::parse(&text)).map_err(|why| {
        let message = format!("the key {} cannot be used: {why}", path.display());
        Missing::Bad(message, Some("name the `cosign.pub` of the plugin's author".to_owned()))
    })
}

impl Missing {
    /// For a plugin that a person named.
    pub(crate) fn into_error(self) -> CliError {
        match self {
            Self::Bad(message, help) => CliError::Plugin { message, help },
            Self::Unpinned => CliError::Plugin { message: "its digest is not known".to_owned(), help: None },
            Self::Failed(error) => error,
        }
    }
}

impl From<RegistryError> for Missing {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Reference { .. }
            | RegistryError::NotFound { .. }
            | RegistryError::NotAPlugin { .. }
            | RegistryError::TooLarge { .. } => Self::Bad(error.to_string(), error.help()),
            error => Self::Failed(CliError::Registry(error)),
        }
    }
}

/// The bytes of a file that stands in for a plugin.
fn stand_in(name: &str, file: &Path) -> Result<Component, Missing> {
    match files::read_plugin(file) {
        Ok(bytes) => Ok(Component::from_bytes(name.to_owned(), bytes)),
        Err(why) => Err(Missing::Bad(format!("{} cannot be read: {why}", file.display()), None)),
    }
}

fn builtin(name: &str) -> Result<Component, Missing> {
    match Builtin::find(name) {
        Some(builtin) => Ok(builtin.component()),
        None => {
            let message = format!("there is no built-in plugin `{name}`");
            Err(Missing::Bad(message, Some(plugin_problem::similar(name))))
        }
    }
}

fn file(path: &str, folder: &Path) -> Result<Component, Missing> {
    match files::read_plugin(&folder.join(path)) {
        Ok(bytes) => Ok(Component::from_bytes(path, bytes)),
        Err(why) => Err(Missing::Bad(
            format!("plugin `{path}` cannot be read: {why}"),
            Some(format!("build the plugin first, or correct the path; it is relative to {}", folder.display())),
        )),
    }
}
