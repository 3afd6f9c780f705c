//! What a plugin costs in each language: its size, how long it takes to build and to start, and a call of the host.
//!
//! The plugin is the same in all of them (`tests/bench`), in a project as `windlass plugin new` makes it. Each round goes
//! through all languages, so that whatever else the machine does falls on all of them.

mod table;

use super::children::Windlass;
use super::table::millis;
use super::{Folder, build};
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::languages::Project;
use crate::proc::Cmd;
use crate::setup::{LANGUAGES, build_guests, clang, guest_envs};
use crate::ui;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
pub(super) use table::Languages;
use table::{Column, Row};

/// The languages: their names to `windlass plugin new`, for people, the source in `tests/bench`, and where the project
/// has it.
const PLUGINS: [(&str, &str, &str, &str); 6] = [
    ("rust", "Rust", "meter.rs", "src/lib.rs"),
    ("c", "C", "meter.c", "plugin.c"),
    ("go", "Go", "meter.go", "plugin.go"),
    ("js", "JavaScript", "meter.js", "src/plugin.js"),
    ("ts", "TypeScript", "meter.ts", "src/plugin.ts"),
    ("python", "Python", "meter.py", "app.py"),
];
/// The program for WASI.
const LINES: (&str, &str) = ("C, a WASI command", "lines.c");

const BUILD_ROUNDS: usize = 3;
const COLD_ROUNDS: usize = 3;
const WARM_ROUNDS: usize = 21;
const CALL_ROUNDS: usize = 7;
/// How many calls a step makes for the time of one to be known.
const CALLS: u32 = 20_000;

/// One of the plugins, or the program.
struct Subject {
    row: Row,
    component: PathBuf,
    how: How,
    /// Where pipelines with it are run: one that calls nothing, one that logs, and one that records measurements.
    idle: PathBuf,
    log: PathBuf,
    emit: Option<PathBuf>,
}

/// How it is built.
enum How {
    /// A project, and the source in it that is changed.
    Plugin(Box<Project>, PathBuf),
    /// A single file.
    Program(PathBuf),
}

/// Measures all of it.
pub(super) fn measure(context: &Context) -> Result<Languages> {
    build_guests(context)?;
    let program = ui::part("windlass", || build(context, &guest_envs(context)))?;
    let folder = Folder::make(&context.target.join("bench-plugins"))?;
    let windlass = Windlass::new(program.clone(), folder.0.join("cache"));
    let before = load();
    let mut subjects = Vec::new();
    for plugin in PLUGINS {
        let subject =
            ui::part(&format!("a plugin in {}", plugin.1), || Subject::plugin(context, &program, &folder.0, plugin));
        subjects.push(subject?);
    }
    subjects.push(Subject::program(context, &folder.0)?);

    ui::part("building", || rounds(BUILD_ROUNDS, &mut subjects, Subject::build))?;
    for subject in &mut subjects {
        subject.pipelines()?;
    }
    ui::part("cold starts", || {
        rounds(COLD_ROUNDS, &mut subjects, |subject, _| {
            windlass.forget()?;
            subject.row.push(Column::Cold, number(&windlass.check(&subject.component)?, "loaded-us")?);
            Ok(())
        })
    })?;
    // The last of the cold starts has left its own plugin in the cache only.
    rounds(1, &mut subjects, |subject, _| windlass.run(&subject.idle).map(drop))?;
    ui::part("warm starts", || {
        rounds(WARM_ROUNDS, &mut subjects, |subject, _| {
            let told = windlass.check(&subject.component)?;
            subject.row.push(Column::Warm, number(&told, "loaded-us")?);
            subject.row.push(Column::Instance, number(&told, "starts-us")?);
            let run = subject.run(&windlass, &subject.idle)?;
            subject.row.push(Column::Run, run);
            Ok(())
        })
    })?;
    ui::part("calls", || {
        rounds(CALL_ROUNDS, &mut subjects, |subject, _| {
            let idle = subject.run(&windlass, &subject.idle)?;
            let log = subject.run(&windlass, &subject.log)?;
            subject.row.push(Column::Log, (log - idle) / f64::from(CALLS));
            if let Some(folder) = &subject.emit {
                let emit = subject.run(&windlass, folder)?;
                subject.row.push(Column::Emit, (emit - idle) / f64::from(CALLS));
            }
            Ok(())
        })
    })?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let note = format!(
        "Medians: {BUILD_ROUNDS} builds, {COLD_ROUNDS} cold starts, {WARM_ROUNDS} warm ones, {CALL_ROUNDS} times {CALLS} calls; \
         {cores} cores, load {before} before and {} after.",
        load()
    );
    Ok(Languages { rows: subjects.into_iter().map(|subject| subject.row).collect(), notes: vec![note] })
}

/// So many rounds, each through all subjects.
fn rounds(
    times: usize,
    subjects: &mut [Subject],
    mut work: impl FnMut(&mut Subject, usize) -> Result<()>,
) -> Result<()> {
    (0..times).try_for_each(|round| subjects.iter_mut().try_for_each(|subject| work(subject, round)))
}

impl Subject {
    /// A new project with the source in it, built once: what a first build fetches and compiles is not the plugin.
    fn plugin(
        context: &Context,
        program: &Path,
        folder: &Path,
        (language, title, source, place): (&str, &'static str, &str, &str),
    ) -> Result<Self> {
        let known = LANGUAGES.iter().find(|known| known.names.contains(&language));
        let tools = known.doing(|| format!("find the tools for {title}"))?.ensure(context)?;
        let project = Project::new(context, program, &tools, &folder.join(language), language, "meter")?;
        let (source, place) = (context.root.join("tests/bench").join(source), project.folder.join(place));
        fs::copy(&source, &place).doing(|| format!("copy {}", source.display()))?;
        project.build()?;
        let (within, component) = (folder.join(format!("runs-{language}")), project.component.clone());
        Ok(Self::new(title, &within, component, How::Plugin(Box::new(project), place), true))
    }

    /// The program for WASI, whose only calls are the lines that it prints.
    fn program(context: &Context, folder: &Path) -> Result<Self> {
        let (title, source) = LINES;
        let source = context.root.join("tests/bench").join(source);
        Ok(Self::new(title, &folder.join("runs-program"), folder.join("lines.wasm"), How::Program(source), false))
    }

    fn new(title: &'static str, within: &Path, component: PathBuf, how: How, emits: bool) -> Self {
        let emit = emits.then(|| within.join("emit"));
        Self { row: Row::new(title), component, how, idle: within.join("idle"), log: within.join("log"), emit }
    }

    /// Builds it after a change, and takes its size.
    fn build(&mut self, round: usize) -> Result<()> {
        let took = match &self.how {
            How::Plugin(project, source) => {
                let comment = if source.extension().is_some_and(|extension| extension == "py") { "#" } else { "//" };
                let mut text = fs::read_to_string(source).doing(|| format!("read {}", source.display()))?;
                text.push_str(&format!("{comment} {round}\n"));
                fs::write(source, text).doing(|| format!("write {}", source.display()))?;
                let told = project.build()?;
                let told = serde_json::from_str(&told).doing(|| "read what the build says".to_owned())?;
                number(&told, "took-ms")? * 1e3
            }
            How::Program(source) => {
                let begin = Instant::now();
                Cmd::new(clang())
                    .args(["--target=wasm32-wasi", "-O2", "-o"])
                    .arg(&self.component)
                    .arg(source)
                    .output()?;
                millis(begin.elapsed()) * 1e3
            }
        };
        self.row.push(Column::Build, took);
        let about = fs::metadata(&self.component).doing(|| format!("look at {}", self.component.display()))?;
        self.row.push(Column::Size, about.len() as f64);
        Ok(())
    }

    /// Writes the pipelines.
    fn pipelines(&self) -> Result<()> {
        let with = |log: u32, emit: u32| match self.how {
            How::Plugin(..) => format!("with = {{ log = {log}, emit = {emit} }}"),
            How::Program(_) => format!("with = {{ args = [\"{log}\"] }}"),
        };
        let all =
            [(Some(&self.idle), with(0, 0)), (Some(&self.log), with(CALLS, 0)), (self.emit.as_ref(), with(0, CALLS))];
        for (folder, with) in all {
            let Some(folder) = folder else { continue };
            let pipeline = format!(
                "[pipeline]\nname = \"bench\"\n\n[plugins]\nsubject = {{ path = \"subject.wasm\" }}\n\n\
                 [[stages.only.steps]]\nname = \"only\"\nuses = \"subject\"\n{with}\n\
                 limits = {{ calls = 1_000_000, log = \"64MiB\" }}\n"
            );
            let write = || -> std::io::Result<()> {
                fs::create_dir_all(folder)?;
                fs::write(folder.join("pipeline.toml"), pipeline)?;
                fs::hard_link(&self.component, folder.join("subject.wasm"))
            };
            write().doing(|| format!("write {}", folder.display()))?;
        }
        Ok(())
    }

    /// Runs a pipeline in a folder that has never seen a run, and says how many microseconds that took.
    fn run(&self, windlass: &Windlass, folder: &Path) -> Result<f64> {
        let state = folder.join(".windlass");
        if state.exists() {
            fs::remove_dir_all(&state).doing(|| format!("remove {}", state.display()))?;
        }
        Ok(millis(windlass.run(folder)?.time) * 1e3)
    }
}

fn number(told: &serde_json::Value, key: &str) -> Result<f64> {
    told[key].as_f64().ok_or_else(|| Failure::new(format!("windlass says nothing of `{key}`: {told}")))
}

/// How busy the machine has been in the last minute.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}
