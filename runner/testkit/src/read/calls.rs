//! `[[calls]]`: the calls that are expected, and what answers them.

use serde_json::Value as Json;
use windlass_gate::{Answer, CallError, Function, Kind};
use windlass_pipeline::Node;

use super::Reader;
use crate::case::{Args, Expected, Fault, Reply};
use crate::{shape, value};

const CALL: &[&str] = &["answer", "args", "fault", "function", "match", "order", "times"];
/// More repetitions than any plugin makes.
const MOST_TIMES: i64 = 1000;

#[derive(Clone, Copy, PartialEq)]
enum Match {
    Exact,
    Partial,
    Any,
}

const MATCHES: &[(&str, Match)] = &[("exact", Match::Exact), ("partial", Match::Partial), ("any", Match::Any)];
const ORDERS: &[(&str, bool)] = &[("given", false), ("any", true)];

impl Reader {
    /// All of them; one that comes several times is there as often.
    pub(super) fn calls(&mut self, root: Node<'_>) -> Vec<Expected> {
        let any_order = root.get("order").and_then(|at| self.word(at, ORDERS)).unwrap_or(false);
        let Some(list) = root.get("calls") else { return Vec::new() };
        if !list.is_list() {
            self.problems.wrong_type(list, "calls", "a list of tables", "[[calls]]");
            return Vec::new();
        }
        let timed = root.get("step").is_some_and(|step| step.get("timeout").is_some());
        let mut calls = Vec::new();
        for (number, at) in (1..).zip(list.children()) {
            if !at.is_table() {
                self.problems.wrong_type(at, "calls", "a list of tables", "[[calls]]");
                continue;
            }
            if let Some((call, times)) = self.call(number, at, any_order, timed) {
                calls.extend(std::iter::repeat_n(call, times));
            }
        }
        calls
    }

    fn call(&mut self, number: usize, at: Node<'_>, any_order: bool, timed: bool) -> Option<(Expected, usize)> {
        self.unknown(at, "a call", CALL);
        let any_order = at.get("order").and_then(|at| self.word(at, ORDERS)).unwrap_or(any_order);
        let times = at.get("times").map_or(Some(1), |at| self.times(at));
        let Some(function) = at.get("function") else {
            self.problems.missing_key(at, "this call", "function", "write `function = \"docker.push\"`");
            return None;
        };
        let function = self.function(function)?;
        let args = self.args(at, function);
        let reply = self.reply(at, function, timed)?;
        Some((Expected { number, function, args: args?, reply, any_order }, times?))
    }

    fn times(&mut self, at: Node<'_>) -> Option<usize> {
        match at.integer().filter(|times| (1..=MOST_TIMES).contains(times)) {
            Some(times) => usize::try_from(times).ok(),
            None => {
                let message = "`times` is not a number of calls";
                self.problems.bad_value(at, message, format!("write a number from 1 to {MOST_TIMES}"));
                None
            }
        }
    }

    fn function(&mut self, at: Node<'_>) -> Option<Function> {
        let name = self.text(at, "function = \"docker.push\"")?;
        match Function::by_name(&name) {
            Some(function) if shape::listed(function) => Some(function),
            Some(function) if function.row().kind == Kind::Composite => {
                let message = format!("`{name}` is made of other calls, and those are what a case lists");
                let help = format!("list {}; `windlass show --calls` shows them", shape::parts(function));
                self.problems.bad_value(at, message, help);
                None
            }
            Some(Function::MetricsEmit) => {
                let help = "write `[expect]` with `metrics = [{ name = \"...\", value = 1 }]`";
                self.problems.bad_value(at, "measurements are not answered, and not listed as calls", help);
                None
            }
            Some(_) => {
                let message = format!("`{name}` is the host's own and no call of a plugin");
                self.problems.bad_value(at, message, "leave it out");
                None
            }
            None => {
                let known = Function::all().filter(|it| shape::listed(*it)).map(Function::name).collect::<Vec<_>>();
                self.problems.unknown_word(at, format!("no function is called `{name}`"), known);
                None
            }
        }
    }

    fn args(&mut self, call: Node<'_>, function: Function) -> Option<Args> {
        let how = call.get("match").map(|at| self.word(at, MATCHES));
        let Some(at) = call.get("args") else {
            return match how {
                None | Some(Some(Match::Any)) => Some(Args::Any),
                Some(None) => None,
                Some(Some(_)) => {
                    let help = "write the arguments, or leave `match` out to take any";
                    self.problems.missing_key(call, "this call", "args", help);
                    None
                }
            };
        };
        if !self.table(at, "args = { reference = \"localhost:5000/app:1\" }") {
            return None;
        }
        let args = json(at, function);
        match how.unwrap_or(Some(Match::Exact))? {
            Match::Any => Some(Args::Any),
            Match::Partial => Some(Args::Partial(args)),
            Match::Exact => match shape::args(function, &args) {
                Ok(()) => Some(Args::Exact(args)),
                Err(problem) => {
                    let message = format!("these are no arguments of `{}`: {problem}", function.name());
                    let help = "write all of them as `windlass show --calls --format json` shows them, or `match = \
                                \"partial\"` beside them to name only some";
                    self.problems.bad_value(at, message, help);
                    None
                }
            },
        }
    }

    fn reply(&mut self, call: Node<'_>, function: Function, timed: bool) -> Option<Reply> {
        match (call.get("answer"), call.get("fault")) {
            (Some(_), Some(fault)) => {
                let message = "this call has an `answer` and a `fault`";
                self.problems.bad_value(fault, message, "leave one of them out");
                None
            }
            (None, Some(at)) => {
                let fault = self.word(at, &Fault::ALL)?;
                if fault == Fault::Hang && !timed {
                    let message = "a call that hangs is ended by the step's time limit, and the step has none";
                    self.problems.bad_value(at, message, "write `timeout = \"200ms\"` into `[step]`");
                    return None;
                }
                Some(Reply::Fault(fault))
            }
            (Some(at), None) => self.answer(at, function).map(Reply::Answer),
            (None, None) => match shape::answer(function, &Json::Null) {
                Ok(()) => Some(Reply::Answer(Answer::Ok(Json::Null))),
                Err(_) => {
                    let help =
                        "write `answer = { ok = { ... } }`, `answer = { err = { other = \"why\" } }`, or a `fault`";
                    self.problems.missing_key(call, "this call", "answer", help);
                    None
                }
            },
        }
    }

    fn answer(&mut self, at: Node<'_>, function: Function) -> Option<Answer<Json>> {
        const EXAMPLE: &str = "answer = { ok = { id = \"sha256:1\" } }";
        if !self.table(at, EXAMPLE) {
            return None;
        }
        self.unknown(at, "`answer`", &["err", "ok"]);
        match (at.get("ok"), at.get("err")) {
            (Some(ok), None) => {
                let empty = ok.is_table() && ok.children().next().is_none();
                if empty && shape::answer(function, &Json::Null).is_ok() {
                    return Some(Answer::Ok(Json::Null));
                }
                let answer = json(ok, function);
                if let Err(problem) = shape::answer(function, &answer) {
                    let message = format!("this is no answer of `{}`: {problem}", function.name());
                    let help = "an answer has the form that `windlass show --calls --format json` shows";
                    self.problems.bad_value(ok, message, help);
                    return None;
                }
                Some(Answer::Ok(answer))
            }
            (None, Some(err)) => match serde_json::from_value::<CallError>(err.json()) {
                Ok(error) => Some(Answer::Err(error)),
                Err(problem) => {
                    let message = format!("this is no error of a call: {problem}");
                    self.problems.bad_value(err, message, "write `err = { unavailable = \"what failed and why\" }`");
                    None
                }
            },
            _ => {
                let message = "an `answer` is either `ok` or `err`";
                self.problems.bad_value(at, message, format!("write it like `{EXAMPLE}`"));
                None
            }
        }
    }
}

fn json(at: Node<'_>, function: Function) -> Json {
    let json = at.json();
    value::compact(if shape::has_bytes(function) { value::encoded(json) } else { json })
}
