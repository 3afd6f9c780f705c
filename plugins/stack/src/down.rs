//! Taking a stack away: its services in the opposite order, its networks, and its volumes if that is asked for.

use windlass_plugin::docker;
use windlass_plugin::{Failure, OrFail, info, warn};
use windlass_plugin_parts::{remove, words};

use crate::outputs::Outputs;
use crate::stack::Stack;
use crate::there;
use crate::with::With;

/// Stops and removes what there is of the stack.
///
/// # Errors
/// Something cannot be removed; with its name.
pub(crate) fn down(stack: &Stack, with: &With) -> Result<Outputs, Failure> {
    let there = there::look()?;
    let mut outputs = Outputs::default();
    let own = stack.services.iter().rev().map(|service| service.name.as_str());
    for name in there::orphans(&there, stack, with.name()).chain(own) {
        match there.get(name) {
            Some(found) if there::is_of(found, with.name()) => {
                remove(name, with.grace_ms()).or_fail_with(|| format!("services.{name}: remove it"))?;
                info!("removed `{name}`");
                outputs.removed.push(name.to_owned());
            }
            Some(_) => warn!("`{name}` stays: it is not of the stack `{}`", with.name()),
            None => {}
        }
    }
    for network in stack.networks.keys() {
        match docker::remove_network(network) {
            Ok(()) => {}
            Err(error @ docker::Error::Conflict(_)) => warn!("the network `{network}` stays: {}", words(&error)),
            Err(error) => return Err(Failure::from(error).context(format!("remove the network `{network}`"))),
        }
    }
    if with.remove_volumes {
        for volume in &stack.volumes {
            docker::remove_volume(volume).or_fail_with(|| format!("remove the volume `{volume}`"))?;
        }
    }
    Ok(outputs)
}
