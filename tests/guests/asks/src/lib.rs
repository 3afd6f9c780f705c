//! Makes the calls that it is told to make and gives back the answers: the driver of the tests of every capability.
//!
//! A call is written as the journal writes it, with WIT's own names; bytes are text, or numbers where they are no text:
//!
//! ```toml
//! [[stages.s.steps]]
//! uses = "asks"
//! with.calls = [
//!     { function = "docker.run", args = { spec = { image = "busybox", command = ["true"] } } },
//!     { function = "docker.stop", args = { container = "web", grace-ms = 1000 }, or = "fail" },
//! ]
//! ```

mod bytes;
mod calls;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use windlass_plugin::{Capability, Context, Failure, Planned, Plugin, Use, bail, info};

/// Makes the calls that it is told to make, and gives back the answers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {
    /// The calls, in this order.
    calls: Vec<Call>,
    /// What to do when all calls are made.
    #[serde(default)]
    then: Then,
    /// The step's summary.
    summary: Option<String>,
    /// What to log at the start.
    say: Option<String>,
    /// Anything: given back as the output `echo`.
    echo: Option<Json>,
}

/// A call.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Call {
    /// The function, as `docker.run`.
    function: String,
    /// Its arguments by their names.
    #[serde(default)]
    args: Map<String, Json>,
    /// The argument that gets what the last call answered.
    pass: Option<String>,
    /// How often to make it; its last answer counts.
    #[serde(default = "once")]
    times: u32,
    /// What to do if it answers with an error.
    #[serde(default)]
    or: Or,
}

fn once() -> u32 {
    1
}

/// What to do about an error.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Or {
    /// Goes on: the error is an answer like others.
    #[default]
    GoOn,
    /// Fails with the error's message.
    Fail,
}

/// What to do at the end.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Then {
    /// Succeeds with the answers.
    #[default]
    Succeed,
    /// Fails; the message holds the answers.
    Fail,
    /// Traps.
    Trap,
    /// Never ends.
    Spin,
}

#[derive(Serialize, JsonSchema)]
struct Outputs {
    /// The answer of each call: `{ ok = ... }`, or `{ err = { denied = "..." } }`.
    answers: Vec<Json>,
    /// The last answer by itself.
    last: Map<String, Json>,
    /// How many answers are errors.
    errors: u32,
    /// What `with.echo` holds, as JSON text.
    echo: Option<String>,
    /// Which attempt of the step this is.
    attempt: u32,
    /// The run, and the pipeline, stage and step, as `run pipeline/stage/step`.
    place: String,
}

struct Asks;

impl Plugin for Asks {
    type With = With;
    type Outputs = Outputs;
    const USES: &[Use] = &[
        Use::optional(Capability::Approval, "for calls of `approval`"),
        Use::optional(Capability::Artifacts, "for calls of `artifacts`"),
        Use::optional(Capability::Docker, "for calls of `docker`"),
        Use::optional(Capability::Health, "for calls of `health`"),
        Use::optional(Capability::Http, "for calls of `http`"),
        Use::optional(Capability::Process, "for calls of `process`"),
        Use::optional(Capability::Query, "for calls of `query`"),
        Use::optional(Capability::Traffic, "for calls of `traffic`"),
    ];

    fn check(with: &With, _planned: &Planned) -> Vec<Failure> {
        let never = with.calls.iter().filter(|call| call.times == 0);
        never.map(|call| Failure::new(format!("`{}` is called no times", call.function))).collect()
    }

    fn run(with: With, context: &Context) -> Result<Outputs, Failure> {
        if let Some(text) = &with.say {
            info!("{text}");
        }
        let mut answers = Vec::with_capacity(with.calls.len());
        for Call { function, mut args, pass, times, or } in with.calls {
            if let Some(pass) = pass {
                let last = answers.last().and_then(|answer: &Json| answer.get("ok"));
                args.insert(pass, last.cloned().unwrap_or_default());
            }
            let mut answer = Json::Null;
            for _ in 0..times {
                answer = calls::call(&function, args.clone())?;
            }
            if let (Or::Fail, Some(error)) = (or, answer.get("err")) {
                bail!("{function}: {}", message(error));
            }
            answers.push(answer);
        }
        match with.then {
            Then::Succeed => {}
            Then::Fail => bail!("told to fail; answers: {}", Json::from(answers)),
            Then::Trap => panic!("told to trap"),
            Then::Spin => loop {
                std::hint::black_box(());
            },
        }
        if let Some(summary) = with.summary {
            context.summarize(summary);
        }
        let Context { run, pipeline, stage, step, .. } = context;
        Ok(Outputs {
            errors: answers.iter().filter(|answer| answer.get("err").is_some()).count() as u32,
            last: answers.last().and_then(Json::as_object).cloned().unwrap_or_default(),
            answers,
            echo: with.echo.map(|value| value.to_string()),
            attempt: context.attempt,
            place: format!("{run} {pipeline}/{stage}/{step}"),
        })
    }
}

windlass_plugin::export!(Asks, check);

/// The text of an error, whichever case it is.
fn message(error: &Json) -> String {
    let text = error.as_object().and_then(|error| error.values().next()).and_then(Json::as_str);
    text.map_or_else(|| error.to_string(), str::to_owned)
}
