//! Ending a deploy that an earlier step of the run left open.

use windlass_plugin::{Failure, OrFail, bail, info, traffic};

use crate::present;
use crate::retire;
use crate::with::With;
use crate::{Outcome, Outputs, finished};

/// Commits it, and tidies up as the deploy itself would have.
///
/// # Errors
/// No deploy of this run is open.
pub(crate) fn commit(with: &With, run: &str) -> Result<Outputs, Failure> {
    let service = &with.service;
    let hint = "a step that deploys with `commit = false` leaves it open";
    let state = present::state(service)?.or_fail_with(|| format!("`{service}` was never deployed: {hint}"))?;
    let Some(open) = state.deployment.clone() else { bail!("no deploy of `{service}` is open: {hint}") };
    if open.run != run {
        bail!("the deploy of `{service}` that is open is that of run {}: only that one can end it", open.run);
    }
    let state = match open.committed {
        true => state,
        false => traffic::commit(service).or_fail_with(|| format!("commit {}", open.revision))?,
    };
    info!("{} is committed: it is {service}'s own now", open.revision);
    let url = present::url(&state, &[]);
    retire::finish(service, &state, open.previous.as_deref(), with.end())?;
    Ok(finished(service, &open.revision, open.previous, Outcome::Deployed, url))
}
