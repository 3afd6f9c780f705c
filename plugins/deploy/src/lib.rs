//! Deploys a service without dropping a request: recreate, rolling, blue-green, canary, rings; and goes back.

mod clock;
mod commit;
mod deploying;
mod fail;
mod names;
mod order;
mod plan;
mod present;
mod replicas;
mod retire;
mod rollback;
mod serving;
mod watch;
mod with;

use schemars::JsonSchema;
use serde::Serialize;
use windlass_plugin::prelude::{Capability, Context, Failure, Plugin, Use};
use windlass_plugin::{Planned, bail, info};

use deploying::Deploying;
use fail::Tell;
use with::{Action, Checked, With};

/// What a step gives.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Outputs {
    /// The service; with rings, the step's own.
    service: String,
    /// The revision that serves now.
    revision: String,
    /// The one that served before.
    previous: Option<String>,
    /// What came of it.
    result: Outcome,
    /// Where the router serves it, as `http://127.0.0.1:8080`; with rings, the first one.
    url: Option<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// The revision is the service's own.
    Deployed,
    /// The revision serves, and the deploy is open: `commit = false`.
    Open,
    /// The service is back at an earlier revision.
    RolledBack,
}

struct Deploy;

impl Plugin for Deploy {
    type With = With;
    type Outputs = Outputs;
    const DOCUMENTATION: &str = include_str!("../README.md");
    const USES: &[Use] = &[
        Use::required(Capability::Docker, "to start, stop and remove the service's containers"),
        Use::required(Capability::Traffic, "to move the service's traffic"),
        Use::required(Capability::Health, "to see whether the containers are healthy"),
        Use::optional(Capability::Approval, "to ask a person, with `until-approved` and `action = \"ask\"`"),
        Use::optional(Capability::Query, "to ask Prometheus for the numbers of metrics"),
    ];

    fn check(with: &With, planned: &Planned) -> Vec<Failure> {
        // A reference that stands for a weight, a time or a condition makes no sense by itself.
        if with.action != Action::Deploy || !planned.knows_all_but(&TEXTS) {
            return Vec::new();
        }
        // Which run it is makes no difference here.
        with::check(with, "run").err().into_iter().chain(with::missing(with, planned)).collect()
    }

    fn run(with: With, context: &Context) -> Result<Outputs, Failure> {
        let outputs = match with.action {
            Action::Deploy => {
                let checked = with::check(&with, &context.run)?;
                let outputs = deploy(&checked, with.commit)?;
                Outputs { service: with.service.clone(), ..outputs }
            }
            Action::Rollback => rollback::rollback(&with, &context.run)?,
            Action::Commit => commit::commit(&with, &context.run)?,
        };
        context.summarize(match outputs.result {
            Outcome::Deployed => format!("{} is at {}", outputs.service, outputs.revision),
            Outcome::Open => format!("{} is at {}, not committed yet", outputs.service, outputs.revision),
            Outcome::RolledBack => format!("{} is back at {}", outputs.service, outputs.revision),
        });
        Ok(outputs)
    }
}

/// The settings that are texts, whatever they say.
const TEXTS: [&str; 8] = ["/image", "/revision", "/env", "/labels", "/command", "/entrypoint", "/user", "/service"];

windlass_plugin::export!(Deploy, check);

fn finished(service: &str, revision: &str, previous: Option<String>, result: Outcome, url: Option<String>) -> Outputs {
    Outputs { service: service.to_owned(), revision: revision.to_owned(), previous, result, url }
}

/// Deploys one service, or ring after ring. Nothing is committed before all of it serves, so that a ring that fails takes
/// the earlier ones back with it at once.
///
/// # Errors
/// Why it was aborted.
fn deploy(checked: &Checked, commit: bool) -> Result<Outputs, Failure> {
    let mut open: Vec<Deploying> = Vec::new();
    for order in &checked.orders {
        let mut deploying =
            deploying::begin(order.clone()).map_err(|why| fail::abort(&mut open, why, Tell::Nothing))?;
        let advanced = deploying.advance();
        open.push(deploying);
        advanced.map_err(|why| fail::abort(&mut open, why, Tell::Containers))?;
    }
    let Some(first) = open.first() else { bail!("there is nothing to deploy") };
    let (service, revision, url) = (first.order.service.clone(), first.order.revision.clone(), first.url.clone());
    let previous = first.previous.as_ref().map(|previous| previous.revision.clone());
    let result = if commit { Outcome::Deployed } else { Outcome::Open };
    let outputs = finished(&service, &revision, previous, result, url);
    if commit {
        commit_all(open)?;
    } else {
        for deploying in &mut open {
            deploying.end_watch();
            info!("{} stays open: `action = \"commit\"` ends it", deploying.order.service);
        }
    }
    Ok(outputs)
}

/// Commits all that is open, and lets the previous revisions go.
fn commit_all(mut open: Vec<Deploying>) -> Result<(), Failure> {
    let mut committed = Vec::new();
    let mut failed = None;
    while let Some(next) = open.first_mut() {
        match next.commit() {
            Ok(state) => committed.push((open.remove(0), state)),
            Err(why) => {
                let names: Vec<_> = committed.iter().map(|(d, _): &(Deploying, _)| d.order.service.as_str()).collect();
                let why = match names.is_empty() {
                    true => why,
                    false => why.context(format!("{} went over and stays so, the rest does not", names.join(", "))),
                };
                failed = Some(fail::abort(&mut open, why, Tell::Nothing));
                open.clear();
            }
        }
    }
    for (Deploying { order, previous, .. }, state) in &committed {
        let last = previous.as_ref().map(|previous| previous.revision.as_str());
        if let Err(why) = retire::finish(&order.service, state, last, order.end) {
            failed.get_or_insert(why);
        }
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_is_documented() {
        assert_eq!(windlass_plugin::undocumented::<super::Deploy>(), [""; 0]);
    }
}
