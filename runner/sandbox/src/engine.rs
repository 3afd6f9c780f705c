//! The engine: one for the whole run, with a pool of slots for live instances.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::cache::Cache;
use crate::contract::PluginPre;
use crate::error::SandboxError;
use crate::imports;
use crate::plugin::Plugin;
use crate::state::{self, State};

/// How often a plugin that computes without end lets others run.
const TICK: Duration = Duration::from_millis(10);
/// The largest component that is compiled.
const MAX_COMPONENT: usize = 64 * 1024 * 1024;
/// The most time that compiling may take.
const COMPILE_TIME: Duration = Duration::from_secs(120);

/// How to set up the sandbox.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// How many plugins may be live at once.
    pub slots: u32,
    /// The cache folder of the user.
    pub cache: PathBuf,
}

/// A component's bytes, to be had when they are needed: a cached plugin is run without them.
pub struct Component {
    /// As `pipeline.toml` names it.
    pub name: String,
    /// `sha256:...` of the bytes.
    pub digest: String,
    /// Reads the bytes. The error is for people.
    pub read: Box<dyn FnOnce() -> Result<Vec<u8>, String> + Send>,
}

impl Component {
    /// A component whose bytes are at hand.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
        Self { name: name.into(), digest, read: Box::new(move || Ok(bytes)) }
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("name", &self.name).field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// Loads plugins and runs them.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<State>,
    cache: Cache,
    /// Ends the ticking thread with the sandbox.
    ticking: Arc<AtomicBool>,
}

impl Sandbox {
    /// Sets up the engine.
    ///
    /// # Errors
    /// If the engine or the cache folder cannot be used.
    pub fn new(options: &SandboxOptions) -> Result<Self, SandboxError> {
        let failed = |error: wasmtime::Error| SandboxError::Engine { reason: format!("{error:#}") };
        let engine = Engine::new(&running(options.slots)).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        state::link(&mut linker).map_err(failed)?;
        let cache = Cache::open(&options.cache, compatibility(&engine))?;
        let ticking = Arc::new(AtomicBool::new(true));
        tick(&engine, &ticking).map_err(|error| SandboxError::Engine { reason: error.to_string() })?;
        Ok(Self { engine, linker, cache, ticking })
    }

    /// The version of wasmtime, as a run is pinned to it.
    pub const WASMTIME: &str = "48";

    /// Loads a plugin: from the cache if it was compiled before.
    ///
    /// # Errors
    /// If the component is no plugin that this host can run.
    pub async fn load(&self, component: Component) -> Result<Plugin, SandboxError> {
        let Component { name, digest, read } = component;
        let path = self.cache.code(&digest);
        let compiled = match self.cached(&path) {
            Some(compiled) => compiled,
            None => {
                let bytes = read().map_err(|reason| SandboxError::Unreadable { plugin: name.clone(), reason })?;
                self.compile(&name, bytes, &path).await?
            }
        };
        imports::check(&name, &self.engine, &compiled)?;
        let unlinkable = |error: wasmtime::Error| SandboxError::Imports {
            plugin: name.clone(),
            imports: vec![format!("  {error:#}")],
        };
        let pre = self.linker.instantiate_pre(&compiled).and_then(PluginPre::new).map_err(unlinkable)?;
        let mut plugin = Plugin::new(name, digest, pre);
        plugin.describe(&self.cache).await?;
        Ok(plugin)
    }

    #[expect(
        unsafe_code,
        reason = "compiled code can only be loaded unchecked; the cache folder is the user's own and closed to others, and wasmtime checks that version and configuration fit"
    )]
    fn cached(&self, path: &std::path::Path) -> Option<wasmtime::component::Component> {
        if !path.exists() {
            return None;
        }
        // SAFETY: the file was written by `compile` below, and nobody else can write to its folder.
        unsafe { wasmtime::component::Component::deserialize_file(&self.engine, path) }.ok()
    }

    async fn compile(
        &self,
        name: &str,
        bytes: Vec<u8>,
        path: &std::path::Path,
    ) -> Result<wasmtime::component::Component, SandboxError> {
        recognise(name, &bytes)?;
        let failed = |reason: String| SandboxError::Compile { plugin: name.to_owned(), reason };
        let compiling = tokio::task::spawn_blocking(move || Engine::new(&compiling())?.precompile_component(&bytes));
        let code = match tokio::time::timeout(COMPILE_TIME, compiling).await {
            Ok(Ok(compiled)) => compiled.map_err(|error| failed(format!("{error:#}")))?,
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed(format!("it took more than {} s", COMPILE_TIME.as_secs()))),
        };
        self.cache.store(path, &code)?;
        self.cached(path).ok_or_else(|| failed(format!("its code does not load from {}", path.display())))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.ticking.store(false, Ordering::Relaxed);
    }
}

/// Says early, and in words, what the bytes are if they are no component.
fn recognise(name: &str, bytes: &[u8]) -> Result<(), SandboxError> {
    let plugin = || name.to_owned();
    if bytes.len() > MAX_COMPONENT {
        return Err(SandboxError::TooLarge { plugin: plugin(), size: bytes.len() as u64, limit: MAX_COMPONENT as u64 });
    }
    match bytes.first_chunk::<8>() {
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(SandboxError::CoreModule { plugin: plugin() }),
        Some([0, b'a', b's', b'm', ..]) => Ok(()),
        _ => {
            let found = if bytes.is_empty() {
                "nothing: the file is empty".to_owned()
            } else {
                format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(16)]))
            };
            Err(SandboxError::NotWasm { plugin: plugin(), found })
        }
    }
}

/// What running has in common with compiling: the code fits only an engine that agrees on all of it.
fn common() -> Config {
    let mut config = Config::new();
    config
        // The machinery for component-model async costs 6 us a step, and 0.2 has no use for it.
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .wasm_relaxed_simd(false)
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_memory64(false);
    config
}

/// How plugins are compiled. Whoever changes this changes [`CODE`], too.
fn compiling() -> Config {
    let mut config = common();
    config
        .cranelift_opt_level(OptLevel::Speed)
        // What a plugin computes has to be the same on every machine, for replay.
        .cranelift_nan_canonicalization(true);
    config
}

/// Counts the changes of [`compiling`], which the engine that runs the code cannot see.
const CODE: u32 = 1;

/// How plugins are run. This engine has no compiler: as a rule all code comes from the cache, and to set a compiler
/// up takes a third of a millisecond and two megabytes at every start.
fn running(slots: u32) -> Config {
    let slots = slots.max(1);
    // Where the kernel tells which pages a plugin has touched (Linux 6.7), only those are wiped for the next one, and
    // they stay mapped: no page faults, and no other thread is interrupted to forget them.
    let sees_pages = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        // Components of other languages have several core instances, memories and tables each.
        .total_core_instances(slots.saturating_mul(64))
        .total_memories(slots.saturating_mul(8))
        .total_tables(slots.saturating_mul(32))
        .max_memories_per_component(8)
        .max_tables_per_component(32)
        .max_core_instances_per_component(64)
        .table_elements(100_000)
        .max_unused_warm_slots(slots)
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(if sees_pages { 1 << 20 } else { 64 << 10 })
        .table_keep_resident(16 << 10);
    let mut config = common();
    config.enable_compiler(false).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// A short name for this version and configuration of the engine. What it leaves out, the features of the processor,
/// is checked when code is loaded, and code that does not fit is compiled again.
fn compatibility(engine: &Engine) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    CODE.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Advances the epoch, so that a plugin in an endless loop lets go of its thread now and then.
fn tick(engine: &Engine, ticking: &Arc<AtomicBool>) -> std::io::Result<()> {
    let engine = engine.weak();
    let ticking = Arc::clone(ticking);
    std::thread::Builder::new().name("windlass-epoch".to_owned()).spawn(move || {
        while ticking.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => break,
            }
        }
    })?;
    Ok(())
}
