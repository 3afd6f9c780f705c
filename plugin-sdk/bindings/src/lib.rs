//! Writes the bindings of the SDKs for C and Go from the contract: `cargo run`.
//!
//! They are checked in, so that nobody needs this to write a plugin; a test holds them against the contract.

pub mod c;
pub mod conformance;
pub mod contract;
pub mod go;
pub mod hints;
pub mod layout;
pub mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use contract::Contract;

/// Why nothing can be written.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Files by their paths in `plugin-sdk/`.
pub type Files = BTreeMap<String, String>;

/// The folder `plugin-sdk`.
#[must_use]
pub fn sdks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Makes all files that are generated.
///
/// # Errors
/// The contract cannot be read, or says something that has no form in a language.
pub fn generate() -> Result<Files, Failed> {
    let folder = sdks().join("../wit");
    let contract = Contract::read(&folder)?;
    let (resolve, world) = contract::load(&folder)?;
    let mut files = Files::new();
    c::generate(&contract, resolve, world, &mut files)?;
    go::generate(&contract, &mut files)?;
    conformance::generate(&contract, &mut files)?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use wit_bindgen_core::wit_parser::{SizeAlign, Type as WitType, TypeDefKind};

    use super::*;
    use crate::contract::{Kind, Type};

    #[test]
    fn what_is_checked_in_is_what_would_be_written() {
        let stale: Vec<String> = generate()
            .unwrap()
            .into_iter()
            .filter(|(path, text)| std::fs::read_to_string(sdks().join(path)).ok().as_ref() != Some(text))
            .map(|(path, _)| path)
            .collect();
        assert!(stale.is_empty(), "`cargo run` in plugin-sdk/bindings writes these anew: {stale:?}");
    }

    #[test]
    fn values_lie_where_the_canonical_abi_has_them() {
        let folder = sdks().join("../wit");
        let contract = Contract::read(&folder).unwrap();
        let (resolve, _) = contract::load(&folder).unwrap();
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve).unwrap();
        let mut seen = 0;
        for interface in &contract.interfaces {
            let (_, found) = resolve.interfaces.iter().find(|(_, i)| i.name.as_ref() == Some(&interface.name)).unwrap();
            for definition in &interface.types {
                let id = found.types[&definition.name];
                let ty = Type::Named(interface.name.clone(), definition.name.clone());
                let what = format!("{}.{}", interface.name, definition.name);
                assert_eq!(contract.size(&ty).unwrap(), sizes.size(&WitType::Id(id)).size_wasm32(), "{what}");
                assert_eq!(contract.align(&ty).unwrap(), sizes.align(&WitType::Id(id)).align_wasm32(), "{what}");
                if let (TypeDefKind::Record(record), Kind::Record(fields)) = (&resolve.types[id].kind, &definition.kind)
                {
                    let wanted = sizes.field_offsets(record.fields.iter().map(|field| &field.ty));
                    let wanted: Vec<usize> = wanted.iter().map(|(offset, _)| offset.size_wasm32()).collect();
                    assert_eq!(contract.offsets(fields).unwrap().0, wanted, "{what}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 20, "{seen}");
    }
}
