//! The engine: one for the whole run, with a pool of slots for live instances.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wasmtime::component::Linker;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, WasmBacktraceDetails,
};
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::cache::Cache;
use crate::contract::PluginPre;
use crate::error::SandboxError;
use crate::identity::Identity;
use crate::imports::{self, Way};
use crate::plugin::{Plugin, Pre};
use crate::state::{self, State};
use crate::{adapt, examine};

/// How often a plugin that computes without end lets others run.
const TICK: Duration = Duration::from_millis(10);
/// The largest component that is compiled.
const MAX_COMPONENT: usize = 64 * 1024 * 1024;
/// The most time that compiling may take.
const COMPILE_TIME: Duration = Duration::from_secs(300);

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

    /// Loads a plugin, or a program that knows nothing of Windlass: from the cache if it was compiled before.
    ///
    /// # Errors
    /// If the component is none that this host can run.
    pub async fn load(&self, component: Component) -> Result<Plugin, SandboxError> {
        let Component { name, digest, read } = component;
        let identity = Identity::of(&name, &digest);
        let path = self.cache.code(&digest);
        let compiled = match self.cached(&path) {
            Ok(compiled) => compiled,
            // It is not there, or is another engine's.
            Err(_) => {
                let bytes = read().map_err(|reason| SandboxError::Unreadable { plugin: identity.clone(), reason })?;
                self.compile(&identity, bytes, &path).await?
            }
        };
        let ty = compiled.component_type();
        let names = |(name, _): (&str, _)| name.to_owned();
        let exports: Vec<String> = ty.exports(&self.engine).map(names).collect();
        let imports: Vec<String> = ty.imports(&self.engine).map(names).collect();
        let way = imports::check(&identity, &exports, &imports)?;
        let pre = self.linker.instantiate_pre(&compiled).and_then(|pre| match way {
            Way::Step => PluginPre::new(pre).map(Pre::Step),
            Way::Command => CommandPre::new(pre).map(Pre::Command),
        });
        let pre = pre.map_err(|error| SandboxError::Imports {
            plugin: identity.clone(),
            imports: vec![format!("  {error:#}")],
        })?;
        Plugin::load(name, digest, pre, &exports, &imports, &self.cache).await
    }

    #[expect(
        unsafe_code,
        reason = "compiled code can only be loaded unchecked; the cache folder is the user's own and closed to others, and wasmtime checks that version and configuration fit"
    )]
    fn cached(&self, path: &std::path::Path) -> wasmtime::Result<wasmtime::component::Component> {
        // SAFETY: the file was written by `compile` below, and nobody else can write to its folder.
        unsafe { wasmtime::component::Component::deserialize_file(&self.engine, path) }
    }

    async fn compile(
        &self,
        plugin: &Identity,
        bytes: Vec<u8>,
        path: &std::path::Path,
    ) -> Result<wasmtime::component::Component, SandboxError> {
        let bytes = componentize(plugin, bytes)?;
        let failed = |reason: String| SandboxError::Compile { plugin: plugin.clone(), reason };
        let compiling = tokio::task::spawn_blocking(move || Engine::new(&compiling())?.precompile_component(&bytes));
        let code = match tokio::time::timeout(COMPILE_TIME, compiling).await {
            Ok(Ok(compiled)) => compiled.map_err(|error| failed(format!("{error:#}")))?,
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed(format!("it took more than {} s", COMPILE_TIME.as_secs()))),
        };
        self.cache.store(path, &code)?;
        // A component may be valid and have more of something than an instance can get.
        self.cached(path).map_err(|error| failed(format!("{error:#}")))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.ticking.store(false, Ordering::Relaxed);
    }
}

/// The component that the bytes are, or that is made of them. What this host does not run is refused here, before the
/// time is spent to compile it.
fn componentize(plugin: &Identity, bytes: Vec<u8>) -> Result<Vec<u8>, SandboxError> {
    if bytes.len() > MAX_COMPONENT {
        let (size, limit) = (bytes.len() as u64, MAX_COMPONENT as u64);
        return Err(SandboxError::TooLarge { plugin: plugin.clone(), size, limit });
    }
    let seen = examine::see(plugin, &bytes)?;
    if !seen.core {
        imports::check(plugin, &seen.exports, &seen.imports)?;
        return Ok(bytes);
    }
    if !examine::is_program(&seen.exports) {
        return Err(SandboxError::CoreModule { plugin: plugin.clone() });
    }
    adapt::command(&bytes).map_err(|error| SandboxError::Adapt { plugin: plugin.clone(), error })
}

/// How deep a backtrace goes. A panic of Rust alone has a dozen frames.
const FRAMES: usize = 48;

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
        .wasm_memory64(false)
        // Traps show files and lines of those plugins that carry them. Whoever strips a plugin has nothing to show.
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .wasm_backtrace_max_frames(NonZeroUsize::new(FRAMES));
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

/// Counts the changes of [`compiling`] and of [`adapt`], which the engine that runs the code cannot see. The adapter is
/// of wasmtime's own version, which counts anyway.
const CODE: u32 = 2;

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
