//! `windlass plugin test`: runs a plugin's test cases, with no Docker, no network and no effect.

mod find;
mod plugins;
mod record;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::{Value as Json, json};
use windlass_pipeline::Diagnostics;
use windlass_testkit::{CaseError, Report};

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

/// What came of a case.
enum Came {
    Ran(Report),
    /// The case itself is wrong.
    Bad(Diagnostics),
    /// Its plugin cannot be used.
    NoPlugin {
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
    let found = find::cases(&args.paths)?;
    let runtime = runtime::small()?;
    let mut plugins = Plugins::default();
    let (mut passed, mut failed, mut bad) = (0_usize, 0_usize, 0_usize);
    for case in &found {
        let came = runtime.block_on(one(case, &mut plugins))?;
        match &came {
            Came::Ran(report) if report.passed() => passed += 1,
            Came::Ran(_) => failed += 1,
            Came::Bad(_) | Came::NoPlugin { .. } => bad += 1,
        }
        match args.format.format {
            Format::Human => came.tell()?,
            Format::Json => output::json(&came.to_json())?,
        }
    }
    let took = begin.elapsed().as_millis();
    match args.format.format {
        Format::Human => {
            let bad = if bad > 0 { format!(", {bad} bad") } else { String::new() };
            let cases = number(found.len(), "case");
            output::text(&format!("{cases}, {passed} passed, {failed} failed{bad} in {took} ms\n"))?;
        }
        Format::Json => output::json(&json!({
            "cases": found.len(), "passed": passed, "failed": failed, "bad": bad,
            "took-ms": u64::try_from(took).unwrap_or(u64::MAX),
        }))?,
    }
    Ok(match (failed, bad) {
        (_, 1..) => Exit::USAGE,
        (1.., 0) => Exit::FAILED,
        (0, 0) => Exit::SUCCESS,
    })
}

async fn one(found: &Found, plugins: &mut Plugins) -> Result<Came, CliError> {
    let source = match files::read_source(&found.file) {
        Ok(source) => source,
        Err(CliError::Pipeline(mut found, _)) if found.len() == 1 => return Ok(Came::Bad(found.remove(0))),
        Err(error) => return Err(error),
    };
    let case = match windlass_testkit::read(source) {
        Ok(case) => case,
        Err(diagnostics) => return Ok(Came::Bad(diagnostics)),
    };
    let plugin = match plugins.of(&case, found).await? {
        Ok(plugin) => plugin,
        Err((message, help)) => return Ok(Came::NoPlugin { file: case.file().to_owned(), message, help }),
    };
    match windlass_testkit::run(case, &plugin).await {
        Ok(report) => Ok(Came::Ran(report)),
        Err(CaseError::Bad(diagnostics)) => Ok(Came::Bad(diagnostics)),
        Err(CaseError::Journal(error)) => Err(error.into()),
        Err(error) => Err(CliError::machine(error.to_string(), "set TMPDIR to a folder that can be written")),
    }
}

impl Came {
    /// For people. Mistakes of a case go where mistakes of a pipeline go.
    fn tell(&self) -> Result<(), CliError> {
        match self {
            Self::Ran(report) => output::text(&report.render())?,
            Self::Bad(diagnostics) => output::say(diagnostics.render(true)),
            Self::NoPlugin { file, message, help } => {
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
            Self::NoPlugin { file, message, help } => {
                json!({ "file": file, "status": "bad", "message": message, "help": help })
            }
        }
    }
}
