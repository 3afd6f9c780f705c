//! `windlass plugin test`: runs a plugin's test cases, with no Docker, no network and no effect.

mod find;
mod plugins;
mod record;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;
use windlass_pipeline::Diagnostics;
use windlass_sandbox::Plugin;
use windlass_testkit::{Case, CaseError, Report};

use self::find::Found;
use self::plugins::Plugins;
use crate::args::{Format, FormatArg, JournalArg};
use crate::error::{CliError, number};
use crate::exit::Exit;
use crate::{files, output, runtime};

/// Run a plugin's test cases: no Docker, no network, no effect
///
/// A case is a TOML file in the folder `cases` of a plugin. It says what a step is given, which calls
/// it has to make, what answers them, and what comes of it. The step runs in the real sandbox and
/// before the real gate; the case answers in the place of the world.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// A plugin's folder with `cases/*.toml`; a case; or a component, to test it with the cases beside it
    #[arg(value_name = "PATH", required_unless_present = "record")]
    paths: Vec<PathBuf>,
    /// The component to test, whatever the cases name
    #[arg(long, value_name = "FILE", conflicts_with = "record")]
    plugin: Option<PathBuf>,
    /// Write a case from a step of a real run: the run, by its id or the beginning of it, or `latest`
    #[arg(long, value_name = "RUN", requires = "step", conflicts_with = "paths")]
    record: Option<String>,
    /// The step to write it from
    #[arg(long, value_name = "STAGE/STEP", requires = "record")]
    step: Option<String>,
    /// The case to write [default: to standard output]
    #[arg(short, long, value_name = "FILE", requires = "record")]
    output: Option<PathBuf>,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// How many cases run at a time: most of their time they wait for the disk.
const JOBS: usize = 8;

/// What came of a case.
enum Came {
    Ran(Report),
    /// The case itself is wrong.
    Bad(Diagnostics),
    /// It cannot be read, or its plugin cannot be used.
    Unusable {
        file: String,
        message: String,
        help: Option<String>,
    },
}

/// Does it.
pub(crate) fn run(args: &Test) -> Result<Exit, CliError> {
    if let (Some(run), Some(step)) = (&args.record, &args.step) {
        return record::run(args, run, step);
    }
    let begin = Instant::now();
    let found = find::cases(&args.paths, args.plugin.as_deref())?;
    let runtime = runtime::large(JOBS)?;
    let totals = runtime.block_on(all(&found, args.format.format))?;
    let Totals { passed, failed, bad, mut untold } = totals;
    let took = begin.elapsed().as_millis();
    let told = match args.format.format {
        Format::Human => {
            let bad = if bad > 0 { format!(", {bad} bad") } else { String::new() };
            let cases = number(found.len(), "case");
            output::text(&format!("{cases}, {passed} passed, {failed} failed{bad} in {took} ms\n"))
        }
        Format::Json => output::json(&json!({
            "cases": found.len(), "passed": passed, "failed": failed, "bad": bad,
            "took-ms": u64::try_from(took).unwrap_or(u64::MAX),
        })),
    };
    if let Err(error) = told {
        untold.get_or_insert(error);
    }
    match (failed, bad, untold) {
        (_, 1.., _) => Ok(Exit::USAGE),
        (1.., 0, _) => Ok(Exit::FAILED),
        (0, 0, Some(error)) => Err(error.into()),
        (0, 0, None) => Ok(Exit::SUCCESS),
    }
}

/// Runs the cases, some at a time, and tells of each in their order.
async fn all(found: &[Found], format: Format) -> Result<Totals, CliError> {
    let mut plugins = Plugins::default();
    let mut totals = Totals::default();
    let mut running = VecDeque::new();
    for case in found {
        if running.len() == JOBS {
            totals.next(&mut running, format).await?;
        }
        running.push_back(match ready(case, &mut plugins).await? {
            Ready::Run(case, plugin) => Running::Task(tokio::spawn(async move { ran(*case, &plugin).await })),
            Ready::Over(came) => Running::Over(came),
        });
    }
    while !running.is_empty() {
        totals.next(&mut running, format).await?;
    }
    Ok(totals)
}

/// A case that can be run, or one of which it is known what came of it.
enum Ready {
    Run(Box<Case>, Arc<Plugin>),
    Over(Came),
}

enum Running {
    Task(JoinHandle<Result<Came, CliError>>),
    Over(Came),
}

#[derive(Default)]
struct Totals {
    passed: usize,
    failed: usize,
    bad: usize,
    /// Why not all of it could be told. Who does not read it still gets the exit code.
    untold: Option<io::Error>,
}

impl Totals {
    /// Waits for the first of those that run, and tells of it.
    async fn next(&mut self, running: &mut VecDeque<Running>, format: Format) -> Result<(), CliError> {
        let came = match running.pop_front() {
            None => return Ok(()),
            Some(Running::Over(came)) => came,
            Some(Running::Task(task)) => task.await.unwrap_or_else(|error| {
                Err(CliError::machine(format!("a case broke off: {error}"), "this is a fault of Windlass; report it"))
            })?,
        };
        match &came {
            Came::Ran(report) if report.passed() => self.passed += 1,
            Came::Ran(_) => self.failed += 1,
            Came::Bad(_) | Came::Unusable { .. } => self.bad += 1,
        }
        let told = match format {
            Format::Human => came.tell(),
            Format::Json => output::json(&came.to_json()),
        };
        if let Err(error) = told {
            self.untold.get_or_insert(error);
        }
        Ok(())
    }
}

/// Reads a case and loads its plugin.
async fn ready(found: &Found, plugins: &mut Plugins) -> Result<Ready, CliError> {
    let source = match files::read_case(&found.file) {
        Ok(source) => source,
        Err(CliError::Pipeline(mut found, _)) if found.len() == 1 => {
            return Ok(Ready::Over(Came::Bad(found.remove(0))));
        }
        // The other cases can be run all the same.
        Err(CliError::File { path, why, help }) => {
            let (file, message) = (path.display().to_string(), format!("cannot read it: {why}"));
            return Ok(Ready::Over(Came::Unusable { file, message, help }));
        }
        Err(error) => return Err(error),
    };
    let case = match windlass_testkit::read(source) {
        Ok(case) => case,
        Err(diagnostics) => return Ok(Ready::Over(Came::Bad(diagnostics))),
    };
    Ok(match plugins.of(&case, found).await? {
        Ok(plugin) => Ready::Run(Box::new(case), plugin),
        Err((message, help)) => Ready::Over(Came::Unusable { file: case.file().to_owned(), message, help }),
    })
}

async fn ran(case: Case, plugin: &Arc<Plugin>) -> Result<Came, CliError> {
    match windlass_testkit::run(case, plugin).await {
        Ok(report) => Ok(Came::Ran(report)),
        Err(CaseError::Bad(diagnostics)) => Ok(Came::Bad(diagnostics)),
        Err(CaseError::Journal(error)) => Err(error.into()),
        Err(error) => Err(CliError::machine(error.to_string(), "set TMPDIR to a folder that can be written")),
    }
}

impl Came {
    /// For people. Mistakes of a case go where mistakes of a pipeline go.
    fn tell(&self) -> io::Result<()> {
        match self {
            Self::Ran(report) => output::text(&report.render())?,
            Self::Bad(diagnostics) => output::say(diagnostics.render(true)),
            Self::Unusable { file, message, help } => {
                output::error(format_args!("{file}: {message}"));
                if let Some(help) = help {
                    output::help(help);
                }
            }
        }
        Ok(())
    }

    fn to_json(&self) -> Json {
        match self {
            Self::Ran(report) => report.to_json(),
            Self::Bad(found) => json!({
                "file": found.file, "status": "bad", "diagnostics": found.diagnostics, "omitted": found.omitted,
            }),
            Self::Unusable { file, message, help } => {
                json!({ "file": file, "status": "bad", "message": message, "help": help })
            }
        }
    }
}
