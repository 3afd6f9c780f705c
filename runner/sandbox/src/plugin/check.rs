//! Asks a plugin what makes no sense in a step, when the plan is made.

use wasmtime::component::{ComponentType, Lift, Lower};

use super::{DESCRIBE, DESCRIBE_TIME, Objection, Planned, end, unattended};
use crate::contract::PluginPre;
use crate::error::SandboxError;
use crate::identity::Identity;
use crate::state::State;

/// How many of a plugin's objections are told.
const MOST: usize = 20;

/// `windlass:step/check.problem`. The interface is no part of the world, since most plugins do not export it.
#[derive(ComponentType, Lift)]
#[component(record)]
struct Problem {
    message: String,
    hint: Option<String>,
}

/// `windlass:step/check.plan`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct Plan<'a> {
    with: &'a str,
    unknown: &'a [String],
    granted: &'a [String],
}

pub(super) async fn ask(
    pre: &PluginPre<State>,
    plugin: &Identity,
    export: &str,
    planned: &Planned,
) -> Result<Vec<Objection>, SandboxError> {
    let (mut store, said) = unattended(pre.engine());
    let asked = async {
        store.set_fuel(DESCRIBE.fuel)?;
        let instance = pre.instance_pre().instantiate_async(&mut store).await?;
        let interface = instance.get_export_index(&mut store, None, export);
        let function = instance.get_export_index(&mut store, interface.as_ref(), "check");
        let function = function.ok_or_else(|| wasmtime::Error::msg("it exports the interface without `check`"))?;
        let Planned { with, unknown, granted } = planned;
        let check = instance.get_typed_func::<(Plan<'_>,), (Vec<Problem>,)>(&mut store, function)?;
        check.call_async(&mut store, (Plan { with, unknown, granted },)).await
    };
    let failed = |reason: String| SandboxError::Check { plugin: plugin.clone(), reason };
    match tokio::time::timeout(DESCRIBE_TIME, asked).await {
        Ok(Ok((found,))) => {
            let found = found.into_iter().take(MOST);
            Ok(found.map(|Problem { message, hint }| Objection { message, hint }).collect())
        }
        Ok(Err(error)) => Err(failed(end::unanswered(&error, store.data(), &said))),
        Err(_) => Err(failed(format!("it took more than {} s", DESCRIBE_TIME.as_secs()))),
    }
}
