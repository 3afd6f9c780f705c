//! A deploy as a value; `docs/deployments.md` says what its fields mean.

use std::collections::BTreeMap;

use serde::Serialize;
use windlass_journal::Decision;

use super::model::{Deployment, Verdict};
use crate::json::{push_line, state_word};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct DeploymentJson<'a> {
    r#type: &'static str,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    revision: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<&'a str>,
    strategy: &'a str,
    details: &'a BTreeMap<String, String>,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    pipeline: &'a str,
    run: &'a str,
    state: &'static str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    began_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    committed_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    weights: Vec<WeightsJson<'a>>,
    verdicts: Vec<VerdictJson<'a>>,
    approvals: Vec<&'a Decision>,
}

#[derive(Serialize)]
struct WeightsJson<'a> {
    at: u64,
    /// In hundredths of a percent.
    weights: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
struct VerdictJson<'a> {
    at: u64,
    revision: &'a str,
    metric: &'a str,
    verdict: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    next: &'a str,
    reason: &'a str,
}

/// Appends a deploy as one line.
pub(super) fn push(text: &mut String, one: &Deployment) {
    let weights = one.weights().into_iter().map(|(at, weights)| WeightsJson {
        at,
        weights: weights.iter().map(|(revision, weight)| (revision.as_str(), *weight)).collect(),
    });
    let verdicts = one.verdicts().map(|(at, Verdict { revision, metric, verdict, next, reason })| VerdictJson {
        at,
        revision,
        metric,
        verdict,
        next,
        reason,
    });
    let value = DeploymentJson {
        r#type: "deployment",
        service: &one.service,
        environment: one.environment.as_deref(),
        revision: &one.revision,
        previous: one.previous.as_deref(),
        strategy: &one.strategy,
        details: &one.details,
        result: one.outcome().word(),
        why: one.why(),
        pipeline: &one.pipeline,
        run: &one.run,
        state: state_word(one.state),
        path: &one.path,
        by: one.by.as_deref(),
        began_at: one.began_at,
        committed_at: one.committed_at(),
        restored_at: one.restored_at(),
        ended_at: one.ended_at(),
        weights: weights.collect(),
        verdicts: verdicts.collect(),
        approvals: one.decisions().collect(),
    };
    push_line(text, &value);
}
