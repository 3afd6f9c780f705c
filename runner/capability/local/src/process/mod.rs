//! Programs on the host.

mod command;
mod run;
mod tail;

use std::ffi::OsString;
use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::Value as Json;
use windlass_gate::{Call, CallError, Capability, Function};

use crate::{keeper, to_json, unknown};

/// Runs programs of the host for steps that are granted them by name.
///
/// A program gets a clean environment, a folder inside the workspace, and a keeper that ends it
/// with everything it started: at its time limit, when the call is dropped, when Windlass dies, and
/// what is left in the background when the program itself has ended.
#[derive(Debug)]
pub struct Process {
    path: OsString,
    keeper: Option<PathBuf>,
}

impl Process {
    /// Programs found in the folders of `path`, which is the host's `PATH`; what a step or a
    /// workspace says about `PATH` has no part in it.
    pub fn new(path: impl Into<OsString>) -> Self {
        Self { path: path.into(), keeper: None }
    }

    /// Has programs kept by this program instead of the running one. It has to call
    /// [`keeper::take_over_if_asked`].
    #[must_use]
    pub fn kept_by(mut self, keeper: impl Into<PathBuf>) -> Self {
        self.keeper = Some(keeper.into());
        self
    }
}

#[async_trait]
impl Capability for Process {
    fn name(&self) -> &'static str {
        "process"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        match call.function {
            Function::ProcessRun => {
                let windlass_gate::api::process::Run { command } = call.decode()?;
                let keeper = self.keeper.clone().or_else(keeper::own_program).ok_or_else(|| {
                    CallError::Other(
                        "host processes need a keeper, and this program is none: \
                         its `main` has to call `keeper::take_over_if_asked` first"
                            .to_owned(),
                    )
                })?;
                let order = command::order(&call, &command, &self.path)?;
                to_json(run::run(&keeper, &order, &command, &call).await?)
            }
            other => Err(unknown("process", other)),
        }
    }
}
