//! `[expect]`: what comes of the step.

use std::collections::BTreeMap;

use windlass_journal::{FailureKind, Status};
use windlass_pipeline::Node;

use super::Reader;
use crate::case::{Expect, Failure};

const EXPECT: &[&str] = &["failure", "files", "log", "match", "metrics", "outcome", "outputs"];
const FAILURE: &[&str] = &["hint-contains", "kind", "message", "message-contains"];
const METRIC: &[&str] = &["labels", "name", "unit", "value"];
const OUTCOMES: &[(&str, Status)] = &[("succeeded", Status::Succeeded), ("failed", Status::Failed)];
const MATCHES: &[(&str, bool)] = &[("exact", false), ("partial", true)];
const KINDS: &[(&str, FailureKind)] = &[
    ("failed", FailureKind::Failed),
    ("denied", FailureKind::Denied),
    ("unavailable", FailureKind::Unavailable),
    ("plugin", FailureKind::Plugin),
    ("timed-out", FailureKind::TimedOut),
];

impl Reader {
    pub(super) fn expect(&mut self, root: Node<'_>) -> Expect {
        let mut expect = Expect {
            outcome: Status::Succeeded,
            failure: Failure::default(),
            outputs: None,
            partial_outputs: false,
            log: Vec::new(),
            files: BTreeMap::new(),
            metrics: Vec::new(),
        };
        let Some(at) = root.get("expect") else {
            let help = "write `[expect]` with `outcome = \"succeeded\"`, or with `failure`";
            self.problems.missing_key(root, "the case", "expect", help);
            return expect;
        };
        if !self.table(at, "[expect]") {
            return expect;
        }
        self.unknown(at, "`expect`", EXPECT);
        if let Some(failure) = at.get("failure") {
            expect.outcome = Status::Failed;
            expect.failure = self.failure(failure);
        }
        if let Some(outcome) = at.get("outcome")
            && let Some(status) = self.word(outcome, OUTCOMES)
        {
            if status == Status::Succeeded && at.get("failure").is_some() {
                let message = "a step that succeeds has no `failure`";
                self.problems.bad_value(outcome, message, "leave one of them out");
            }
            expect.outcome = status;
        }
        expect.partial_outputs = at.get("match").and_then(|at| self.word(at, MATCHES)).unwrap_or(false);
        if let Some(outputs) = at.get("outputs")
            && self.table(outputs, "outputs = { ref = \"localhost:5000/app:1\" }")
        {
            expect.outputs = Some(outputs.json());
        }
        if let Some(log) = at.get("log") {
            expect.log = self.texts(log, "log = [\"pushed localhost:5000/app\"]");
        }
        if let Some(files) = at.get("files") {
            expect.files = self.files(files);
        }
        if let Some(metrics) = at.get("metrics") {
            self.metrics(metrics, &mut expect);
        }
        expect
    }

    fn failure(&mut self, at: Node<'_>) -> Failure {
        let mut failure = Failure::default();
        if self.table(at, "failure = { kind = \"failed\", message-contains = \"no such file\" }") {
            self.unknown(at, "`failure`", FAILURE);
            failure.kind = at.get("kind").and_then(|at| self.word(at, KINDS));
            let mut text = |key: &str| at.get(key).and_then(|at| self.text(at, &format!("{key} = \"no such file\"")));
            failure.message = text("message");
            failure.message_contains = text("message-contains");
            failure.hint_contains = text("hint-contains");
        }
        failure
    }

    fn metrics(&mut self, at: Node<'_>, expect: &mut Expect) {
        const EXAMPLE: &str = "metrics = [{ name = \"image-size\", value = 1024 }]";
        if !at.is_list() {
            self.problems.wrong_type(at, "metrics", "a list of tables", EXAMPLE);
            return;
        }
        for metric in at.children() {
            if !metric.is_table() {
                self.problems.wrong_type(metric, "metrics", "a list of tables", EXAMPLE);
                continue;
            }
            self.unknown(metric, "a measurement", METRIC);
            if metric.get("name").is_none() {
                self.problems.missing_key(metric, "this measurement", "name", format!("write it like `{EXAMPLE}`"));
            }
            expect.metrics.push(metric.json());
        }
    }
}
