//! A registry client with a cache of its own.

use tempfile::TempDir;
use windlass_registry::{ComponentInfo, Options, Reference, Registry, Resolved};
use windlass_tests::FakeRegistry;

pub(crate) struct Here {
    pub(crate) folder: TempDir,
    pub(crate) registry: Registry,
}

impl Here {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = open(&folder);
        Self { folder, registry }
    }

    /// As a later process finds it.
    pub(crate) fn again(self) -> Self {
        let registry = open(&self.folder);
        Self { registry, ..self }
    }

    /// Logs in, as `docker login` does.
    pub(crate) fn log_in(&self, address: &str, login: &str) {
        let config = format!(r#"{{"auths":{{"{address}":{{"auth":"{login}"}}}}}}"#);
        std::fs::write(self.folder.path().join("config.json"), config).unwrap();
    }

    /// How many files the cache has.
    pub(crate) fn files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("components")).map_or(0, Iterator::count)
    }
}

fn open(folder: &TempDir) -> Registry {
    Registry::new(Options { cache: folder.path().to_owned(), docker_config: Some(folder.path().to_owned()) })
}

pub(crate) fn reference(server: &FakeRegistry, rest: &str) -> Reference {
    Reference::parse(&format!("{}/{rest}", server.address())).unwrap()
}

/// Large enough to come in many pieces.
pub(crate) fn component() -> Vec<u8> {
    (0..9_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

pub(crate) fn info() -> ComponentInfo {
    ComponentInfo { name: "audit".to_owned(), version: "1.2.0".to_owned(), ..ComponentInfo::default() }
}

/// Pushes the component from elsewhere.
pub(crate) async fn pushed(server: &FakeRegistry, rest: &str) -> (Reference, Resolved) {
    let reference = reference(server, rest);
    let resolved = Here::new().registry.push(&reference, component(), &info()).await.unwrap();
    server.requests();
    (reference, resolved)
}
