//! Programs: components that export `wasi:cli/run` and know nothing of Windlass. The host describes them.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use windlass_gate::Session;
use windlass_journal::{Failure, FailureKind, Stream};
use windlass_pipeline::{CapabilityUse, Description, OutputKind, OutputSpec};

use super::granted::{self, Access};
use super::{Folder, Job, Outcome, Plugin, back, end, step, store, wasi};
use crate::imports;
use crate::limits::Limits;
use crate::state::State;
use crate::stdio::{Output, Tail};

/// The most that a program is given as its standard input.
const MAX_STDIN: u64 = 64 << 20;

const DOCUMENTATION: &str = "\
A command-line program for WASI, which knows nothing of Windlass.

It gets the arguments and the standard input that `with` gives it, the variables of the step's `env`, and sees the
folders of `grants.files`. What it prints goes into the step's log. It succeeds if its exit code is 0, or one of
`allow-exit`.";

/// The name of the output that every program has.
const EXIT_CODE: &str = "exit-code";

/// Where a program is. Its folders are beneath, so that a relative path is found in every language: Go's library takes
/// the first folder for the working directory if nothing says which it is.
const ROOT: &str = "/";
const PWD: &str = "PWD";

/// `with` of a step that runs a program.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct With {
    #[serde(default)]
    args: Vec<Json>,
    stdin: Option<Stdin>,
    outputs: Option<String>,
    #[serde(default = "zero")]
    allow_exit: Vec<i32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stdin {
    Text(String),
    File { file: String },
}

fn zero() -> Vec<i32> {
    vec![0]
}

fn schema() -> Json {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "args": {
                "description": "The arguments, after the program's own name.",
                "type": "array",
                "items": { "type": ["string", "number", "boolean"] },
            },
            "stdin": {
                "description": "What it reads from its standard input: a text; or `{ file = \"src/in.txt\" }`, a file in a folder of `grants.files.read`. Nothing if it is left out.",
                "type": ["string", "object"],
                "properties": { "file": { "type": "string", "minLength": 1 } },
                "required": ["file"],
                "additionalProperties": false,
            },
            "outputs": {
                "description": "A file that it writes to a folder of `grants.files.write`: a JSON object, whose entries are the outputs of the step.",
                "type": "string",
                "minLength": 1,
            },
            "allow-exit": {
                "description": "The exit codes that count as success: `[0]` if it is left out.",
                "type": "array",
                "items": { "type": "integer" },
            },
        },
    })
}

/// What there is to say of a program.
pub(super) fn describe(name: &str, imports: &[String]) -> Description {
    let mut capabilities: Vec<CapabilityUse> = Vec::new();
    for capability in imports::capabilities(imports) {
        if capabilities.iter().all(|known| known.capability != capability) {
            let reason = format!("the program imports `windlass:{capability}`");
            capabilities.push(CapabilityUse { capability: capability.to_owned(), required: false, reason });
        }
    }
    let exit_code =
        OutputSpec { name: EXIT_CODE.to_owned(), kind: OutputKind::Number, documentation: "The exit code.".to_owned() };
    let others = OutputSpec {
        name: OutputSpec::ANY_NAME.to_owned(),
        kind: OutputKind::Any,
        documentation: "Each entry of the file that `outputs` names.".to_owned(),
    };
    Description {
        name: program(name).to_owned(),
        version: String::new(),
        documentation: DOCUMENTATION.to_owned(),
        with_schema: schema(),
        capabilities,
        outputs: vec![exit_code, others],
    }
}

/// The program's own name: `sizes` of `tools/sizes.wasm` and of `oci:registry.example/tools/sizes:1.2`.
fn program(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    let stem = last.split(['@', ':']).next().unwrap_or(last);
    stem.strip_suffix(".wasm").unwrap_or(stem)
}

/// Runs one step.
pub(super) async fn run(
    plugin: &Plugin,
    pre: &CommandPre<State>,
    session: Session,
    job: Job,
) -> (Session, Result<Outcome, Failure>) {
    let (with, stdin) = match ready(plugin, &job).await {
        Ok(ready) => ready,
        Err(failure) => return (session, Err(failure)),
    };
    let mut wasi = match wasi(&job, beneath_root) {
        Ok(wasi) => wasi,
        Err(failure) => return (session, Err(failure)),
    };
    let (stdout, stderr) = (Tail::default(), Tail::default());
    if job.env.iter().all(|(name, _)| name != PWD) {
        wasi.env(PWD, ROOT);
    }
    wasi.initial_cwd(ROOT)
        .arg(program(&plugin.name))
        .args(&with.args.iter().map(text).collect::<Vec<_>>())
        .stdin(MemoryInputPipe::new(stdin))
        .stdout(Output::logged(session.log(), Stream::Stdout).remembered(&stdout))
        .stderr(Output::logged(session.log(), Stream::Stderr).remembered(&stderr));
    let limits = job.limits;
    let mut store = store(pre.engine(), Some(session), wasi.build(), &limits);
    let called = async {
        store.set_fuel(limits.fuel)?;
        let program = pre.instantiate_async(&mut store).await?;
        program.wasi_cli_run().call_run(&mut store).await
    }
    .await;
    let code = match called {
        Ok(Ok(())) => Ok(0),
        Ok(Err(())) => Ok(1),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => Ok(exit.0),
            None => Err(end::broken(plugin, &error, store.data(), &limits)),
        },
    };
    let session = back(store);
    let code = match code {
        Ok(code) if with.allow_exit.contains(&code) => code,
        Ok(code) => {
            let last = stderr.told("standard error").or_else(|| stdout.told("standard output")).unwrap_or_default();
            let message = format!("{} exited with code {code}{last}", plugin.identity());
            return (session, Err(Failure { kind: FailureKind::Failed, message, hint: None }));
        }
        Err(failure) => return (session, Err(failure)),
    };
    let given = outputs(plugin, with.outputs, job.folders, limits).await.map(|mut outputs| {
        outputs.insert(EXIT_CODE.to_owned(), code.into());
        let summary = if code == 0 { String::new() } else { format!("exited with code {code}") };
        Outcome { summary, outputs: outputs.into_iter().collect() }
    });
    (session, given)
}

/// Everything that can be wrong before the program starts.
async fn ready(plugin: &Plugin, job: &Job) -> Result<(With, Vec<u8>), Failure> {
    let with = serde_json::from_str::<With>(&job.with).map_err(|error| Failure {
        kind: FailureKind::Failed,
        message: format!("`with` does not fit {}: {error}", plugin.identity()),
        hint: None,
    })?;
    if let Some(outputs) = &with.outputs {
        granted::folder(&job.folders, outputs, Access::Write).map_err(|problem| problem.of("outputs"))?;
    }
    let stdin = match &with.stdin {
        None => Vec::new(),
        Some(Stdin::Text(text)) => text.clone().into_bytes(),
        Some(Stdin::File { file }) => {
            read(&job.folders, file, Access::Read, MAX_STDIN).await.map_err(|problem| problem.of("stdin"))?
        }
    };
    Ok((with, stdin))
}

/// What the program left in its file of outputs.
async fn outputs(
    plugin: &Plugin,
    file: Option<String>,
    folders: Vec<Folder>,
    limits: Limits,
) -> Result<Map<String, Json>, Failure> {
    let Some(file) = file else { return Ok(Map::new()) };
    // One byte more shows that there is too much.
    let content = match read(&folders, &file, Access::Write, limits.outputs).await {
        Ok(content) => content,
        Err(granted::Problem::TooLarge { size, .. }) => return Err(step::too_large(plugin.identity(), size, &limits)),
        Err(problem) => return Err(problem.of("outputs")),
    };
    serde_json::from_slice(&content).map_err(|error| Failure {
        kind: FailureKind::Plugin,
        message: format!("{} wrote to `{file}`, and it is no JSON object: {error}", plugin.identity()),
        hint: Some("each entry of the object becomes an output of the step: `{ \"size\": 3 }`".to_owned()),
    })
}

async fn read(folders: &[Folder], file: &str, access: Access, limit: u64) -> Result<Vec<u8>, granted::Problem> {
    let place = granted::folder(folders, file, access)?;
    let reading = tokio::task::spawn_blocking(move || place.read(limit)).await;
    reading.unwrap_or_else(|error| Err(granted::Problem::unreadable(file, &error.to_string())))
}

/// A granted folder as the program knows it.
fn beneath_root(folder: &str) -> String {
    let folder = folder.trim_start_matches("./").trim_start_matches(ROOT);
    format!("{ROOT}{folder}")
}

/// An argument as text: numbers and truths as they are written.
fn text(argument: &Json) -> String {
    argument.as_str().map_or_else(|| argument.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_called_as_its_file() {
        for (name, called) in [
            ("tools/sizes.wasm", "sizes"),
            ("sizes", "sizes"),
            ("oci:registry.example:5000/tools/sizes:1.2", "sizes"),
            ("oci:localhost:5000/sizes@sha256:00", "sizes"),
        ] {
            assert_eq!(program(name), called);
        }
    }

    #[test]
    fn capabilities_are_those_of_the_imports() {
        let imports = ["windlass:metrics/query@0.1.0", "windlass:metrics/metrics@0.1.0", "wasi:cli/stdin@0.2.0"];
        let said = describe("x.wasm", &imports.map(str::to_owned));
        assert_eq!(said.capabilities.iter().map(|used| &*used.capability).collect::<Vec<_>>(), ["metrics"]);
        assert!(said.output("exit-code").is_some_and(|output| output.kind == OutputKind::Number));
        assert!(said.output("anything").is_some_and(|output| output.kind == OutputKind::Any));
    }
}
