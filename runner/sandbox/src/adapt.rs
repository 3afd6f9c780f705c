//! Core modules become components: what compilers make that know WASI's first version, `wasip1`, and not components.
//!
//! An adapter between the two versions of WASI goes along into the component. It is of wasmtime's own version.

use std::collections::BTreeMap;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as WASIP1, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR,
};
use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{ImportSection, Module, RawSection};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata, metadata};
use wit_parser::{Resolve, SourceMap, UnresolvedPackageGroup, WorldId};

/// The world that plugins are built against.
const WORLD: &str = "plugin";

/// How a program for `wasip1` says its exit code. The adapter would make 1 of every code but 0.
const PROC_EXIT: (&str, &str) = (WASIP1, "proc_exit");
/// How one for `wasip2` can: the function takes the same.
const EXIT_WITH_CODE: (&str, &str) = ("wasi:cli/exit@0.2.12", "exit-with-code");
/// The contract of [`EXIT_WITH_CODE`].
const EXIT: &str = "package wasi:cli@0.2.12;
interface exit { exit-with-code: func(status-code: u8); }
world exits { import exit; }";

/// Why a core module cannot become a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdaptError {
    /// The WIT that it is to fit is wrong.
    #[error("the WIT cannot be used: {reason}")]
    Wit {
        /// Where, and what is wrong with it.
        reason: String,
    },
    /// It does not fit: it imports what there is not, or lacks an export.
    #[error("the module does not become a component: {reason}")]
    Module {
        /// Why.
        reason: String,
    },
}

/// Makes a component of a program for `wasm32-wasip1`: it exports `wasi:cli/run`.
///
/// # Errors
/// If it is no such program, or imports more than WASI.
pub fn command(core: &[u8]) -> Result<Vec<u8>, AdaptError> {
    let Some(mut core) = exits_with_code(core).map_err(module)? else { return component(core, COMMAND) };
    let mut resolve = Resolve::default();
    let exits = resolve.push_source("exit.wit", EXIT).and_then(|package| resolve.select_world(&[package], None));
    embed_component_metadata(&mut core, &resolve, exits.map_err(module)?, StringEncoding::UTF8).map_err(module)?;
    component(&core, COMMAND)
}

/// The same program, which passes by the adapter when it exits; nothing if it never does.
fn exits_with_code(core: &[u8]) -> Result<Option<Vec<u8>>, Box<dyn std::error::Error>> {
    let mut exits = false;
    let mut with_code = Module::new();
    for payload in Parser::new(0).parse_all(core) {
        let payload = payload?;
        if let Payload::ImportSection(section) = payload {
            let mut imports = ImportSection::new();
            for import in section.into_imports() {
                let mut import = import?;
                if (import.module, import.name) == PROC_EXIT {
                    (import.module, import.name) = EXIT_WITH_CODE;
                    exits = true;
                }
                RoundtripReencoder.parse_import(&mut imports, import)?;
            }
            with_code.section(&imports);
        } else if let Some((id, range)) = payload.as_section() {
            let data = core.get(range).unwrap_or_default();
            with_code.section(&RawSection { id, data });
        }
    }
    Ok(exits.then(|| with_code.finish()))
}

/// Makes a plugin of a library ("reactor") for `wasm32-wasip1` that was built against the bindings of a language.
///
/// `wit` is the contract that it was built for, as paths and texts: `plugin.wit`, and what it needs in `deps/`. A module
/// that carries its contract with it, as some bindings see to, is taken at its word.
///
/// # Errors
/// If the WIT is wrong, or the module does not fit it.
pub fn plugin<P: AsRef<str>, T: AsRef<str>>(core: &[u8], wit: &[(P, T)]) -> Result<Vec<u8>, AdaptError> {
    let (carried, _) = metadata::decode(core).map_err(module)?;
    if carried.is_some() {
        return component(core, REACTOR);
    }
    let (resolve, world) = contract(wit)?;
    let mut core = core.to_vec();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).map_err(module)?;
    component(&core, REACTOR)
}

fn component(core: &[u8], adapter: &[u8]) -> Result<Vec<u8>, AdaptError> {
    let encoder = ComponentEncoder::default().validate(true).module(core).map_err(module)?;
    encoder.adapter(WASIP1, adapter).and_then(|mut encoder| encoder.encode()).map_err(module)
}

/// The world, of the texts of its packages.
fn contract<P: AsRef<str>, T: AsRef<str>>(wit: &[(P, T)]) -> Result<(Resolve, WorldId), AdaptError> {
    let mut main = SourceMap::new();
    let mut dependencies: BTreeMap<&str, SourceMap> = BTreeMap::new();
    for (path, text) in wit {
        let path = path.as_ref();
        let map = match path.split_once("deps/") {
            // A package is a folder, or a file alone.
            Some((_, rest)) => dependencies.entry(rest.split('/').next().unwrap_or(rest)).or_default(),
            None => &mut main,
        };
        map.push_str(path, text.as_ref());
    }
    let dependencies = dependencies.into_values().map(parsed).collect::<Result<Vec<_>, _>>()?;
    let mut resolve = Resolve::default();
    let package = resolve.push_groups(parsed(main)?, dependencies);
    let package = package.map_err(|error| AdaptError::Wit { reason: error.to_string() })?;
    let world = resolve.select_world(&[package], Some(WORLD));
    let world = world.map_err(|error| AdaptError::Wit { reason: format!("{error:#}") })?;
    Ok((resolve, world))
}

fn parsed(map: SourceMap) -> Result<UnresolvedPackageGroup, AdaptError> {
    map.parse().map_err(|(map, error)| AdaptError::Wit { reason: error.render(&map) })
}

fn module(error: impl std::fmt::Display) -> AdaptError {
    AdaptError::Module { reason: format!("{error:#}") }
}
