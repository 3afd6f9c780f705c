//! The bindings of C, as `wit-bindgen` writes them.

use wit_bindgen_core::wit_parser::{Resolve, WorldId};

use crate::contract::Contract;
use crate::{Failed, Files};

/// Writes them.
///
/// # Errors
/// The generator refuses.
pub fn generate(contract: &Contract, mut resolve: Resolve, world: WorldId, files: &mut Files) -> Result<(), Failed> {
    let rename = contract.interfaces.iter().map(|interface| {
        // The name of each type and function begins so: `windlass_docker_run`.
        (interface.module.clone(), format!("windlass_{}", interface.name))
    });
    let options = wit_bindgen_c::Opts {
        rename: rename.collect(),
        rename_world: Some("windlass".to_owned()),
        // Windlass puts in what a component says of itself when it makes one.
        no_object_file: true,
        ..Default::default()
    };
    let mut written = wit_bindgen_core::Files::default();
    options.build().generate(&mut resolve, world, &mut written).map_err(|error| error.to_string())?;
    for (name, bytes) in written.iter() {
        let name = name.replace("windlass.", "bindings.");
        let text = String::from_utf8(bytes.to_vec())?.replace("\"windlass.h\"", "\"bindings.h\"");
        files.insert(format!("c/sdk/{name}"), text);
    }
    Ok(())
}
