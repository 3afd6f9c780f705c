//! What the instrumented program does: a bit of everything that users wait for, in like parts, since what takes the most
//! by far makes the rest look as if it did not matter.

use crate::bench::graph;
use crate::context::Context;
use crate::failure::{Doing, Result};
use crate::proc::Cmd;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// How long the router is under load, in seconds.
const LOAD: &str = "20";
/// How often the pipelines are run.
const ROUNDS: usize = 3;

/// Runs all of it in a new folder; what is counted goes to files in `counts`.
pub(super) fn run(context: &Context, program: &Path, folder: &Path, counts: &Path) -> Result<()> {
    let practice = Practice { program, folder, counts };
    let guest = |name: &str| context.test_guests().join(format!("{name}.wasm"));
    let many = practice.pipeline("many", &graph::pipeline(), &[guest("noop")])?;
    let calls = practice.pipeline("calls", &calls(), &[guest("chatter")])?;
    for round in 0..ROUNDS {
        // Nothing is compiled yet.
        let cache = practice.folder.join(format!("cache-{round}"));
        for plugin in builtins(context)? {
            practice.windlass(&cache, practice.folder, ["plugin".as_ref(), "check".as_ref(), plugin.as_os_str()])?;
        }
        for folder in [&many, &calls] {
            for words in [&["plan"][..], &["run", "--quiet"], &["replay"], &["show"], &["runs"]] {
                practice.windlass(&cache, folder, words)?;
            }
        }
    }
    practice.command(&load(context)?).args([OsStr::new("practise"), program.as_os_str(), LOAD.as_ref()]).run()
}

/// Builds the load on the router, which is a program of its own, and an example of the router's crate, since only that
/// crate may know how a router is set up.
pub(crate) fn load(context: &Context) -> Result<PathBuf> {
    let package = ["--profile", "dist", "--package", "windlass-router", "--example", "load"];
    Cmd::new("cargo").dir(&context.root).arg("build").args(package).run()?;
    Ok(context.target.join("dist/examples/load"))
}

struct Practice<'a> {
    program: &'a Path,
    folder: &'a Path,
    counts: &'a Path,
}

impl Practice<'_> {
    fn command(&self, program: &Path) -> Cmd {
        // %m: all processes of a program add to one file.
        Cmd::new(program).env("LLVM_PROFILE_FILE", self.counts.join("%m.profraw"))
    }

    fn windlass(&self, cache: &Path, dir: &Path, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<()> {
        // There is no `pipeline.lock`, which is wanted where CI is set.
        let command = self.command(self.program).args(args).dir(dir).env_remove("CI");
        command.env("WINDLASS_CACHE_DIR", cache).output().map(drop)
    }

    fn pipeline(&self, name: &str, text: &str, plugins: &[PathBuf]) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
        for plugin in plugins {
            let copy = folder.join(plugin.file_name().unwrap_or_default());
            fs::copy(plugin, &copy).doing(|| format!("copy {} to {}", plugin.display(), copy.display()))?;
        }
        let file = folder.join("pipeline.toml");
        fs::write(&file, text).doing(|| format!("write {}", file.display()))?;
        Ok(folder)
    }
}

/// The plugins that Windlass brings.
fn builtins(context: &Context) -> Result<Vec<PathBuf>> {
    let folder = context.plugins();
    let listed = fs::read_dir(&folder).doing(|| format!("list {}", folder.display()))?;
    let mut files: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension() == Some(OsStr::new("wasm")));
    files.sort_unstable();
    Ok(files)
}

/// Steps that call the host: each logs 256 KiB, and runs a program after another's outputs.
fn calls() -> String {
    let mut text = "[pipeline]\nname = \"calls\"\n\n[plugins]\nchatter = { path = \"chatter.wasm\" }\n".to_owned();
    for stage in 0..100 {
        let _ = write!(
            text,
            "\n[stages.s{stage}]\n\
             [[stages.s{stage}.steps]]\nname = \"log\"\nuses = \"chatter\"\nwith = {{ size = \"256KB\" }}\n\
             [[stages.s{stage}.steps]]\nname = \"echo\"\nuses = \"builtin:command\"\n\
             with = {{ run = [\"echo\", \"wrote ${{stages.s{stage}.steps.log.outputs.written}}\"] }}\ngrants = {{ process = [\"echo\"] }}\n"
        );
    }
    text
}
