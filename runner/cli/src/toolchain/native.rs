//! C: clang makes a library for WASI's first version, and Windlass a component of that.

use std::path::{Path, PathBuf};

use super::programs::{ask, find, is_program, program, run};
use super::{Language, Need, core_module};
use crate::error::CliError;
use crate::project::Project;
use crate::{environment, files};

/// Compilers by name, the one that is known to work first.
const COMPILERS: &[&str] = &["clang-19", "clang-20", "clang-21", "clang-22", "clang"];
const TARGET: &str = "--target=wasm32-wasi";
/// The SDK's own sources and headers.
const SDK: &str = "windlass";

/// C.
pub(super) struct C;

impl Language for C {
    fn parts(&self) -> Vec<(&'static str, &'static str)> {
        vec![
            ("c/templates/project", ""),
            ("c/sdk", SDK),
            ("c/README.md", "windlass/README.md"),
            ("wit", "windlass/wit"),
        ]
    }

    fn needs(&self, project: &Project) -> Vec<Need> {
        let clang = clang();
        let part = |name: &str| {
            let mut asked = program(clang.as_ref()?, &project.folder);
            asked.args([TARGET, &format!("-print-file-name={name}")]);
            // A name that comes back as it was asked for is nowhere.
            ask(asked).filter(|file| file.as_str() != name && Path::new(file).exists())
        };
        let linker = clang.as_ref().and_then(|clang| {
            let mut asked = program(clang, &project.folder);
            asked.args([TARGET, "-print-prog-name=wasm-ld"]);
            ask(asked).filter(|linker| is_program(Path::new(linker)))
        });
        let get = "on Debian: apt-get install clang-19 lld-19 libclang-rt-19-dev-wasm32 wasi-libc; anywhere: set \
                   WASI_SDK_PATH to a release of https://github.com/WebAssembly/wasi-sdk";
        let libc = part("libc.a").or_else(|| part("crt1-reactor.o"));
        let found = clang.as_ref().map(|clang| clang.display().to_string());
        let mut needs = vec![Need::new("clang", found, get)];
        if clang.is_some() {
            needs.push(Need::new("its linker wasm-ld", linker, get));
            needs.push(Need::new("wasi-libc", libc, get));
        }
        needs
    }

    fn build(&self, project: &Project) -> Result<Vec<u8>, CliError> {
        let aside = files::aside()?;
        let core = aside.path().join("core.wasm");
        let Some(clang) = clang() else { return Err(CliError::machine("clang is not there", "install it")) };
        let mut command = program(clang, &project.folder);
        command.args([TARGET, "-mexec-model=reactor", "-std=c17", "-O2", "-Wall", "-I", SDK]);
        // The linker's own stack has 64 KiB and lies above the data: what overflows it would go on with broken data.
        command.args(["-Wl,-z,stack-size=1048576", "-Wl,--stack-first"]);
        // Names and lines are for backtraces, and many times as large as the code.
        if !project.flags.iter().any(|flag| flag.starts_with("-g")) {
            command.arg("-Wl,--strip-all");
        }
        command.args(&project.flags);
        command.arg("-o").arg(&core);
        command.args(&project.sources);
        command.args(files::with_extension(&project.path(SDK), "c").map_err(|error| {
            CliError::file(&project.path(SDK), &error, Some("a new project has the SDK in it".to_owned()))
        })?);
        run(command)?;
        core_module::component(project, &core)
    }
}

/// The compiler: of the wasi-sdk that is named, else of the system.
fn clang() -> Option<PathBuf> {
    let named = environment::value("WASI_SDK_PATH").map(|sdk| Path::new(&sdk).join("bin/clang"));
    named.filter(|clang| is_program(clang)).or_else(|| COMPILERS.iter().find_map(|name| find(name)))
}
