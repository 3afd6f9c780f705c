//! What compilers make that know no components: Windlass turns it into one itself, so nobody needs `wasm-tools`.

use std::path::Path;

use crate::error::CliError;
use crate::project::Project;
use crate::{files, tree};

/// Where a project has the contract that its bindings were made from.
const CONTRACT: &str = "windlass/wit";

/// Makes a component of a library for `wasm32-wasip1`.
pub(super) fn component(project: &Project, core: &Path) -> Result<Vec<u8>, CliError> {
    let core = files::read_plugin(core).map_err(|why| CliError::usage(format!("cannot read {why}"), "build again"))?;
    let contract = tree::texts(&project.path(CONTRACT), "wit")?;
    windlass_sandbox::adapt::plugin(&core, &contract).map_err(|error| CliError::Plugin {
        message: format!("what was compiled is no plugin: {error}"),
        help: Some("it has to export `describe` and `run`, as the SDK's README says".to_owned()),
    })
}
