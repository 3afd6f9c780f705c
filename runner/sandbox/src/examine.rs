//! What a component is and asks for, without compiling it.

use wasmparser::{Encoding, Parser, Payload};

use crate::adapt;
use crate::engine::Component;
use crate::error::SandboxError;
use crate::identity::Identity;
use crate::imports::{self, COMMAND, STEP};

/// What a component is and asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// What it is.
    pub kind: Kind,
    /// Whether it is a core module for `wasm32-wasip1`, of which a component is made when it is loaded.
    pub adapted: bool,
    /// What it exports, with versions, by name.
    pub exports: Vec<String>,
    /// What it imports, by name.
    pub imports: Vec<Import>,
    /// Its size in bytes.
    pub size: usize,
}

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A plugin: it exports `windlass:step/step`.
    Step,
    /// A command-line program: it exports `wasi:cli/run`, or is a program for `wasm32-wasip1`.
    Command,
    /// A component that is neither.
    OtherWorld,
    /// A core module that is no program, so that no component can be made of it.
    Module,
}

/// An interface that a component imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its name, as `windlass:docker/docker`.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
    /// Why this host does not serve it, and what to do; nothing if it does.
    pub problem: Option<String>,
}

/// Looks at a component.
///
/// # Errors
/// If its bytes are not to be had, or are no WebAssembly.
pub fn examine(component: Component) -> Result<Examined, SandboxError> {
    let Component { name, digest, read } = component;
    let plugin = Identity::of(&name, &digest);
    let bytes = read().map_err(|reason| SandboxError::Unreadable { plugin: plugin.clone(), reason })?;
    let size = bytes.len();
    let Seen { core, exports, imports } = see(&plugin, &bytes)?;
    let adapted = core && is_program(&exports);
    let (exports, imports) = if adapted {
        let component =
            adapt::command(&bytes).map_err(|error| SandboxError::Adapt { plugin: plugin.clone(), error })?;
        let seen = see(&plugin, &component)?;
        (seen.exports, seen.imports)
    } else {
        (exports, imports)
    };
    let exported = |interface: &str| exports.iter().any(|name| imports::split(name).0 == interface);
    let kind = if core && !adapted {
        Kind::Module
    } else if exported(STEP) {
        Kind::Step
    } else if exported(COMMAND) {
        Kind::Command
    } else {
        Kind::OtherWorld
    };
    let import = |import: String| {
        let (name, version) = imports::split(&import);
        // A core module imports from modules, whose names say nothing of interfaces.
        let problem = if kind == Kind::Module { None } else { imports::problem(&import) };
        Import { name: name.to_owned(), version: version.to_owned(), problem }
    };
    Ok(Examined { kind, adapted, imports: imports.into_iter().map(import).collect(), exports, size })
}

/// What stands at the outside of a component or a core module.
pub(crate) struct Seen {
    /// Whether it is a core module.
    pub(crate) core: bool,
    pub(crate) exports: Vec<String>,
    /// Interfaces, or the modules that a core module imports from.
    pub(crate) imports: Vec<String>,
}

/// Whether a core module that exports this is a program for `wasm32-wasip1`.
pub(crate) fn is_program(exports: &[String]) -> bool {
    exports.iter().any(|name| name == "_start")
}

/// Says early, and in words, what the bytes are if they are no WebAssembly.
pub(crate) fn see(plugin: &Identity, bytes: &[u8]) -> Result<Seen, SandboxError> {
    if !bytes.starts_with(b"\0asm") {
        let found = if bytes.is_empty() {
            "nothing: the file is empty".to_owned()
        } else {
            format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(16)]))
        };
        return Err(SandboxError::NotWasm { plugin: plugin.clone(), found });
    }
    outside(bytes).map_err(|error| SandboxError::Compile { plugin: plugin.clone(), reason: error.to_string() })
}

fn outside(bytes: &[u8]) -> wasmparser::Result<Seen> {
    let mut seen = Seen { core: false, exports: Vec::new(), imports: Vec::new() };
    // How many components and modules this is within.
    let mut within = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => within += 1,
            Payload::End(_) => within = within.saturating_sub(1),
            _ if within > 0 => {}
            Payload::Version { encoding, .. } => seen.core = encoding == Encoding::Module,
            Payload::ComponentImportSection(section) => {
                for import in section {
                    seen.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    seen.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    seen.imports.push(import?.module.to_owned());
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    seen.exports.push(export?.name.to_owned());
                }
            }
            _ => {}
        }
    }
    // A component's own order is its linker's, and differs from build to build.
    seen.exports.sort_unstable();
    seen.imports.sort_unstable();
    seen.imports.dedup();
    Ok(seen)
}
