//! Where a rollback goes, from what was deployed before.

use windlass_journal::RunState;
use windlass_view::deployments::{Deployment, Outcome};

use crate::command::deployments::{environments, of_service};
use crate::error::CliError;

/// The way back.
#[derive(Debug)]
pub(super) struct Way<'a> {
    /// The deploy of the present revision, if the journal has it; otherwise the one that was committed last.
    pub(super) current: &'a Deployment,
    /// The present revision.
    pub(super) from: String,
    /// The revision to go back to.
    pub(super) to: String,
    /// The deploy whose settings are used: that of the revision, if the journal still has it; otherwise that of the
    /// present one.
    pub(super) settings: &'a Deployment,
}

impl Way<'_> {
    /// What will be done, for people.
    pub(super) fn words(&self, image: Option<&str>) -> String {
        let of = &self.current;
        let place = of.environment.as_ref().map_or_else(String::new, |name| format!(" in {name}"));
        let from = match (self.settings.revision == self.to, image) {
            (true, Some(image)) => format!("image {image}, deployed by run {}", self.settings.run),
            (true, None) => format!("deployed by run {}", self.settings.run),
            (false, _) => format!(
                "whose own deploy is not in the journal any more, so with the settings of {} and only if its containers are still there",
                self.settings.revision
            ),
        };
        format!("{}{place}: back from {} to {} ({from})", of.service, self.from, self.to)
    }
}

/// Finds the way back. `all` is everything that was deployed, the newest first; `present` is what serves in an environment,
/// if the router says it: the journal knows of nothing that was done with another one.
pub(super) fn choose<'a>(
    all: &'a [Deployment],
    service: &str,
    environment: Option<&str>,
    to: Option<&str>,
    present: impl Fn(Option<&str>) -> Option<String>,
) -> Result<Way<'a>, CliError> {
    let mine = in_environment(of_service(all, service)?, service, environment)?;
    if let Some(newest) = mine.first() {
        refuse_open(newest)?;
    }
    let history = format!("what was deployed: windlass deployments {service}");
    let committed: Vec<&Deployment> = mine.iter().copied().filter(|one| one.outcome() == Outcome::Committed).collect();
    let Some(last) = committed.first().copied() else {
        return Err(CliError::usage(
            format!("the journal has no deploy of `{service}` that was committed, so there is nothing to go back to"),
            history,
        ));
    };
    let from = present(last.environment.as_deref()).unwrap_or_else(|| last.revision.clone());
    let at = committed.iter().position(|one| one.revision == from);
    let current = at.map_or(last, |at| committed[at]);
    let to = match to {
        Some(to) if to == from => {
            return Err(CliError::usage(
                format!("`{to}` is the revision of `{service}` that serves already: there is nothing to do"),
                history,
            ));
        }
        Some(to) => to.to_owned(),
        None => {
            let mut before = committed.iter().skip(at.unwrap_or_default()).map(|one| &one.revision);
            let before = before.find(|revision| **revision != from);
            let before = before.or(current.previous.as_ref()).filter(|revision| **revision != from);
            before.cloned().ok_or_else(|| {
                CliError::usage(
                    format!("`{from}` is the first revision of `{service}`: there is nothing to go back to"),
                    history.clone(),
                )
            })?
        }
    };
    let settings = match committed.iter().copied().find(|one| one.revision == to) {
        Some(own) => own,
        None if current.previous.as_deref() == Some(&*to) => current,
        None => return Err(never_committed(&mine, &committed, service, &from, &to)),
    };
    Ok(Way { current, from, to, settings })
}

fn in_environment<'a>(
    found: Vec<&'a Deployment>,
    service: &str,
    environment: Option<&str>,
) -> Result<Vec<&'a Deployment>, CliError> {
    let places = || environments(found.iter().copied());
    let Some(environment) = environment else {
        let first = found.first().and_then(|one| one.environment.as_deref());
        if found.iter().all(|one| one.environment.as_deref() == first) {
            return Ok(found);
        }
        return Err(CliError::usage(
            format!("`{service}` was deployed {}", places()),
            format!("say which: windlass rollback {service} --env NAME"),
        ));
    };
    let of: Vec<_> = found.iter().copied().filter(|one| one.environment.as_deref() == Some(environment)).collect();
    if of.is_empty() {
        return Err(CliError::usage(
            format!("`{service}` was never deployed to environment `{environment}`"),
            format!("it was deployed {}", places()),
        ));
    }
    Ok(of)
}

/// A deploy that is not over holds the service, and says itself how it goes on.
fn refuse_open(newest: &Deployment) -> Result<(), CliError> {
    let (service, revision, run) = (&newest.service, &newest.revision, &newest.run);
    let message = format!("a deploy of `{service}` is not over: revision `{revision}`, run {run}");
    let help = match (newest.outcome(), newest.state) {
        (Outcome::Committed | Outcome::RolledBack | Outcome::Cancelled, _) | (_, RunState::Ended(_)) => return Ok(()),
        (_, RunState::Interrupted) => {
            format!("go on with it: windlass resume {run}; or end it: windlass cancel {run}")
        }
        _ => format!("end it, which gives the previous revision all of the traffic back: windlass cancel {run}"),
    };
    Err(CliError::usage(message, help))
}

fn never_committed(mine: &[&Deployment], committed: &[&Deployment], service: &str, from: &str, to: &str) -> CliError {
    let mut known: Vec<&str> = Vec::new();
    for one in committed {
        if one.revision != from && !known.contains(&&*one.revision) {
            known.push(&one.revision);
        }
    }
    let message = match mine.iter().find(|one| one.revision == to) {
        Some(one) => format!(
            "revision `{to}` of `{service}` was never committed: run {} has it {}",
            one.run,
            one.outcome().word()
        ),
        None => format!("no revision `{to}` of `{service}` was deployed here"),
    };
    let help = match &*known {
        [] => "there is no other revision to go back to".to_owned(),
        known => format!("there are: {}", known.join(", ")),
    };
    CliError::usage(message, help)
}
