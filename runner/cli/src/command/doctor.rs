//! `windlass doctor`: whether this machine has what pipelines need.

mod journal;

use std::time::Instant;

use clap::Args;
use serde::Serialize;
use windlass_capability_docker::Docker;
use windlass_sandbox::Sandbox;

use crate::args::{Format, FormatArg, JournalArg};
use crate::builtins::BUILTINS;
use crate::error::{CliError, number};
use crate::exit::Exit;
use crate::prepare::open_sandbox;
use crate::style::{ERROR, GOOD, HELP, WARNING};
use crate::{files, git, output, runtime, versions, world};

/// Say whether this machine has what pipelines need
///
/// Looks at Docker, git, the cache folder, the journal (all of it, to its last checksum) and the
/// WebAssembly engine, and changes nothing. Ends with exit code 4 if something fails that pipelines need; Docker is needed only by
/// steps that use it.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Health {
    Ok,
    Warn,
    Fail,
}

/// What was looked at, and how it is.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    status: Health,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, status: Health::Ok, message: message.into(), help: None }
    }

    fn warn(check: &'static str, message: impl Into<String>, help: &str) -> Self {
        Self { check, status: Health::Warn, message: message.into(), help: Some(help.to_owned()) }
    }

    fn fail(check: &'static str, message: impl Into<String>, help: &str) -> Self {
        Self { check, status: Health::Fail, message: message.into(), help: Some(help.to_owned()) }
    }
}

/// Does it.
pub(crate) fn run(args: &Doctor) -> Result<Exit, CliError> {
    let state = files::state(args.journal.within.as_deref())?;
    let findings = [windlass(), engine(), cache(), journal::look(&state), docker()?, git()];
    let failed = findings.iter().any(|finding| finding.status == Health::Fail);
    match args.format.format {
        Format::Human => output::text(&findings.iter().map(human).collect::<String>())?,
        Format::Json => findings.iter().try_for_each(output::json)?,
    }
    Ok(if failed { Exit::WORLD } else { Exit::SUCCESS })
}

fn human(finding: &Finding) -> String {
    let (style, word) = match finding.status {
        Health::Ok => (GOOD, "ok  "),
        Health::Warn => (WARNING, "warn"),
        Health::Fail => (ERROR, "fail"),
    };
    let help = finding.help.as_ref().map_or(String::new(), |help| format!("      {HELP}help{HELP:#}: {help}\n"));
    format!("{style}{word}{style:#}  {:8}  {}\n{help}", finding.check, finding.message)
}

fn windlass() -> Finding {
    let plugins: Vec<&str> = BUILTINS.iter().map(|builtin| builtin.name).collect();
    Finding::ok("windlass", format!("{}, with the plugins {}", versions::WINDLASS, plugins.join(", ")))
}

fn engine() -> Finding {
    let begin = Instant::now();
    match open_sandbox(4) {
        Ok(_) => Finding::ok(
            "engine",
            format!("wasmtime {}, ready in {:.1} ms", Sandbox::WASMTIME, begin.elapsed().as_secs_f64() * 1e3),
        ),
        Err(error) => Finding::fail(
            "engine",
            error.to_string(),
            "plugins need 64-bit address space that is not limited (`ulimit -v unlimited`), and a cache folder of your own",
        ),
    }
}

fn cache() -> Finding {
    let help = "set WINDLASS_CACHE_DIR to a folder that belongs to you alone";
    match files::cache() {
        Err(error) => Finding::fail("cache", error.to_string(), help),
        Ok(folder) => match files::probe(&folder.join("compiled")) {
            Ok(count) => Finding::ok("cache", format!("{}, {}", folder.display(), number(count, "file"))),
            Err(error) => Finding::fail("cache", format!("{}: {error}", folder.display()), help),
        },
    }
}

fn docker() -> Result<Finding, CliError> {
    let docker = Docker::new(world::docker_config());
    Ok(match runtime::small()?.block_on(docker.probe()) {
        Ok(info) => Finding::ok(
            "docker",
            format!(
                "{} ({}) at {}, {}; API {}, storage {}, builder {:?}",
                info.version, info.platform, info.address, info.origin, info.spoken, info.driver, info.builder
            ),
        ),
        Err(error) => Finding::fail("docker", error.to_string(), "only steps that use Docker need it"),
    })
}

fn git() -> Finding {
    match git::version() {
        Ok(version) => Finding::ok("git", version.trim_start_matches("git version ").to_owned()),
        Err(why) => Finding::warn("git", why, "install git, if pipelines are to use `${git.…}`"),
    }
}
