//! The bindings of C, as `wit-bindgen` writes them, and what makes its errors handy.

mod errors;

use wit_bindgen_core::wit_parser::{Resolve, WorldId};

use crate::contract::{Contract, Type};
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
    let (header, source) = errors::write(contract);
    files.insert("c/sdk/errors.h".to_owned(), header);
    files.insert("c/sdk/errors.c".to_owned(), source);
    Ok(())
}

/// A name within others, as C writes it: `container-spec` is `container_spec`.
#[must_use]
pub fn ident(name: &str) -> String {
    name.replace('-', "_")
}

/// The name of a field: words of C and macros of its library are no names.
#[must_use]
pub fn field(name: &str) -> String {
    wit_bindgen_c::to_c_ident(name)
}

/// The name of a constant: `exit-code` is `EXIT_CODE`.
#[must_use]
pub fn constant(name: &str) -> String {
    ident(name).to_uppercase()
}

/// A type as `wit-bindgen` names it, in the bindings of an interface.
#[must_use]
pub fn type_name(ty: &Type, interface: &str) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::U8 => "uint8_t".into(),
        Type::U16 => "uint16_t".into(),
        Type::U32 => "uint32_t".into(),
        Type::U64 => "uint64_t".into(),
        Type::S32 => "int32_t".into(),
        Type::S64 => "int64_t".into(),
        Type::F64 => "double".into(),
        Type::String => "windlass_string_t".into(),
        Type::Named(owner, name) => format!("windlass_{owner}_{}_t", ident(name)),
        Type::Bytes | Type::List(_) | Type::Option(_) => {
            // What is made of plain types only is nobody's own.
            let owner = if is_plain(ty) { String::new() } else { format!("{interface}_") };
            format!("windlass_{owner}{}_t", part(ty))
        }
    }
}

fn is_plain(ty: &Type) -> bool {
    match ty {
        Type::Named(..) => false,
        Type::List(inner) | Type::Option(inner) => is_plain(inner),
        _ => true,
    }
}

/// A type within the name of another.
fn part(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::U8 => "u8".into(),
        Type::U16 => "u16".into(),
        Type::U32 => "u32".into(),
        Type::U64 => "u64".into(),
        Type::S32 => "s32".into(),
        Type::S64 => "s64".into(),
        Type::F64 => "f64".into(),
        Type::String => "string".into(),
        Type::Bytes => "list_u8".into(),
        Type::List(inner) => format!("list_{}", part(inner)),
        Type::Option(inner) => format!("option_{}", part(inner)),
        Type::Named(_, name) => ident(name),
    }
}
