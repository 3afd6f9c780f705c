//! What a step did beside what its case expects.

use std::io;

use serde::Serialize;
use serde_json::{Value as Json, json};
use windlass_gate::Function;
use windlass_journal::Status;

use crate::case::{Args, Case, Expected, Fault, Reply};
use crate::made::{Made, MadeCall};
use crate::script::Script;
use crate::{shape, value};

/// One thing that is not as the case says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Difference {
    /// The step made another call than the one that was due.
    Call {
        /// Which call of the step it is, from 1.
        call: usize,
        /// What was expected.
        expected: ShownCall,
        /// What came.
        actual: ShownCall,
    },
    /// The step made a call when none was due any more.
    Unexpected {
        /// Which call of the step it is, from 1.
        call: usize,
        /// What came.
        actual: ShownCall,
    },
    /// The gate answered a call otherwise than the case says.
    Answer {
        /// Which call of the step it is, from 1.
        call: usize,
        /// The function.
        function: &'static str,
        /// The case's answer.
        expected: Json,
        /// The gate's.
        actual: Json,
    },
    /// The step did not make a call.
    Missing {
        /// The call.
        expected: ShownCall,
    },
    /// The step ended otherwise.
    Outcome {
        /// How it was to end.
        expected: Status,
        /// How it ended.
        actual: Option<Status>,
        /// Why, if it failed.
        message: Option<String>,
    },
    /// The step failed otherwise.
    Failure {
        /// Which part of the failure.
        part: &'static str,
        /// What it was to be.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// The outputs are others.
    Outputs {
        /// What they were to be.
        expected: Json,
        /// What they are.
        actual: Json,
    },
    /// A line is missing in the log, or comes too early.
    Log {
        /// The part of a line.
        expected: String,
    },
    /// A file is not as it was to be.
    File {
        /// Its path.
        path: String,
        /// What was to be in it.
        expected: String,
        /// What is in it, or why it cannot be read.
        actual: Result<String, String>,
    },
    /// A measurement is missing.
    Metric {
        /// What was to be measured.
        expected: Json,
        /// What was.
        actual: Vec<Json>,
    },
}

/// A call as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShownCall {
    /// Which `[[calls]]` of the case it is, from 1; nothing for a call that the step made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<usize>,
    /// The function.
    pub function: &'static str,
    /// The arguments, or that part of them which the case names; nothing where any will do.
    pub args: Option<Json>,
}

/// Everything that is not as the case says, the first differing call first.
pub(crate) fn compare(case: &Case, made: &Made, read: impl Fn(&str) -> io::Result<String>) -> Vec<Difference> {
    let mut differences = calls(case, made);
    // What the step did after a call that went otherwise says nothing.
    if differences.iter().any(|one| !matches!(one, Difference::Missing { .. })) {
        return differences;
    }
    outcome(case, made, &mut differences);
    if made.status == Some(Status::Succeeded) && case.expect.outcome == Status::Succeeded {
        outputs(case, made, &mut differences);
    }
    log(case, made, &mut differences);
    for (path, expected) in &case.expect.files {
        let actual = read(path).map_err(|error| error.to_string());
        if actual.as_ref() != Ok(expected) {
            differences.push(Difference::File { path: path.clone(), expected: expected.clone(), actual });
        }
    }
    for expected in &case.expect.metrics {
        if !made.metrics.iter().any(|metric| value::same(expected, &value::part(metric, expected))) {
            differences.push(Difference::Metric { expected: expected.clone(), actual: made.metrics.clone() });
        }
    }
    differences
}

fn calls(case: &Case, made: &Made) -> Vec<Difference> {
    let listed = |function| case.calls.iter().any(|call| call.function == function);
    // These need not be listed; but whoever lists one lists them all.
    let own = |call: &&MadeCall| {
        !matches!(call.function, Function::TimerSleep | Function::FilesPublish) || listed(call.function)
    };
    let mut script = Script::new(&case.calls);
    for (number, call) in (1..).zip(made.calls.iter().filter(own)) {
        let Some(expected) = script.take(call.function, &call.args, false) else {
            return vec![match script.nearest(call.function) {
                Some(expected) => Difference::Call {
                    call: number,
                    expected: shown(expected),
                    actual: ShownCall {
                        number: None,
                        function: call.function.name(),
                        args: Some(match &expected.args {
                            Args::Partial(of) if expected.function == call.function => {
                                readable(call.function, value::part(&call.args, of))
                            }
                            _ => readable(call.function, call.args.clone()),
                        }),
                    },
                },
                None => Difference::Unexpected {
                    call: number,
                    actual: ShownCall {
                        number: None,
                        function: call.function.name(),
                        args: Some(readable(call.function, call.args.clone())),
                    },
                },
            }];
        };
        if let Some(actual) = &call.answer
            && let Some(wanted) = other_answer(expected, actual)
        {
            let (expected, actual) = (readable(call.function, wanted), readable(call.function, actual.clone()));
            let function = call.function.name();
            return vec![Difference::Answer { call: number, function, expected, actual }];
        }
    }
    script.rest().map(|call| Difference::Missing { expected: shown(call) }).collect()
}

/// What the case says, if the answer is another. The gate answers by itself what it denies.
fn other_answer(expected: &Expected, actual: &Json) -> Option<Json> {
    let denied = actual.pointer("/err/denied").is_some();
    match &expected.reply {
        Reply::Fault(Fault::Denied) => (!denied).then(|| json!({ "err": { "denied": "..." } })),
        Reply::Fault(fault) => {
            let fault = Fault::ALL.iter().find(|(_, known)| known == fault).map_or("", |(word, _)| word);
            denied.then(|| json!({ "fault": fault }))
        }
        Reply::Answer(answer) => {
            let wanted = value::compact(serde_json::to_value(answer).unwrap_or_default());
            (!value::same(&wanted, actual)).then_some(wanted)
        }
    }
}

fn shown(call: &Expected) -> ShownCall {
    let args = match &call.args {
        Args::Exact(args) | Args::Partial(args) => Some(readable(call.function, args.clone())),
        Args::Any => None,
    };
    ShownCall { number: Some(call.number), function: call.function.name(), args }
}

fn readable(function: Function, value: Json) -> Json {
    if shape::has_bytes(function) { value::decoded(value) } else { value }
}

fn outcome(case: &Case, made: &Made, differences: &mut Vec<Difference>) {
    let expect = &case.expect;
    let message = made.failure.as_ref().map(|failure| failure.message.clone());
    if made.status != Some(expect.outcome) {
        differences.push(Difference::Outcome { expected: expect.outcome, actual: made.status, message });
        return;
    }
    let Some(failure) = &made.failure else { return };
    let wanted = &expect.failure;
    let mut differs = |part, expected: String, actual: &str| {
        differences.push(Difference::Failure { part, expected, actual: actual.to_owned() });
    };
    let word = |kind| serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned));
    if let Some(kind) = wanted.kind
        && kind != failure.kind
    {
        differs("kind", word(kind).unwrap_or_default(), &word(failure.kind).unwrap_or_default());
    }
    if let Some(message) = wanted.message.as_ref().filter(|message| **message != failure.message) {
        differs("message", message.clone(), &failure.message);
    }
    if let Some(part) = wanted.message_contains.as_ref().filter(|part| !failure.message.contains(&**part)) {
        differs("message-contains", part.clone(), &failure.message);
    }
    let hint = failure.hint.as_deref().unwrap_or_default();
    if let Some(part) = wanted.hint_contains.as_ref().filter(|part| !hint.contains(&**part)) {
        differs("hint-contains", part.clone(), hint);
    }
}

fn outputs(case: &Case, made: &Made, differences: &mut Vec<Difference>) {
    let Some(expected) = &case.expect.outputs else { return };
    let mut actual = value::compact(Json::Object(made.outputs.clone().into_iter().collect()));
    if case.expect.partial_outputs {
        actual = value::part(&actual, expected);
    }
    if !value::same(expected, &actual) {
        differences.push(Difference::Outputs { expected: expected.clone(), actual });
    }
}

fn log(case: &Case, made: &Made, differences: &mut Vec<Difference>) {
    let mut lines = made.log.iter();
    for expected in &case.expect.log {
        if !lines.any(|line| line.contains(&**expected)) {
            differences.push(Difference::Log { expected: expected.clone() });
            return;
        }
    }
}
