//! Writes the bindings to everything that a plugin can import, with serde on every type: names as in WIT, and what is
//! left out is absent, empty, false or the first case.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use wit_bindgen_core::wit_parser::{Resolve, Type, TypeDefKind, TypeOwner, WorldItem};
use wit_bindgen_core::{Files, WorldGenerator as _};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let contract = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../../wit");
    println!("cargo:rerun-if-changed={}", contract.display());

    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(&contract)?;
    let plugin = resolve.select_world(&[package], Some("plugin"))?;

    // The exports are left to the SDK.
    let mut world = String::from("package windlass:asks;\nworld asks {\n");
    let mut functions = String::from("pub(crate) const FUNCTIONS: &[&str] = &[\n");
    for (_, item) in &resolve.worlds[plugin].imports {
        let WorldItem::Interface { id, .. } = item else { continue };
        let interface = &resolve.interfaces[*id];
        let name = resolve.id_of(*id).ok_or("an interface without a name")?;
        writeln!(world, "import {name};")?;
        for function in interface.functions.keys() {
            writeln!(functions, "    \"{}.{function}\",", interface.name.as_deref().unwrap_or_default())?;
        }
    }
    let package = resolve.push_str("asks.wit", &(world + "}\n"))?;
    let asks = resolve.select_world(&[package], None)?;

    let mut options = wit_bindgen_rust::Opts { generate_all: true, ..Default::default() };
    options.additional_derive_attributes = vec!["serde::Serialize".into(), "serde::Deserialize".into()];
    describe_types(&resolve, &mut options);
    let mut files = Files::default();
    options.build().generate(&mut resolve, asks, &mut files).map_err(|error| error.to_string())?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    for (_, bytes) in files.iter() {
        fs::write(out.join("bindings.rs"), bytes)?;
    }
    fs::write(out.join("functions.rs"), functions + "];\n")?;
    Ok(())
}

fn describe_types(resolve: &Resolve, options: &mut wit_bindgen_rust::Opts) {
    for (_, definition) in resolve.types.iter() {
        let TypeOwner::Interface(interface) = definition.owner else { continue };
        let (Some(interface), Some(name)) = (resolve.id_of(interface), &definition.name) else { continue };
        let path = format!("{interface}/{name}");
        if !path.starts_with("windlass:") || path.starts_with("windlass:step") {
            continue;
        }
        let mut note = |attribute: &str| options.additional_type_attributes.push((path.clone(), attribute.to_owned()));
        match &definition.kind {
            TypeDefKind::Record(record) => {
                note("#[serde(rename_all = \"kebab-case\", deny_unknown_fields)]");
                for field in &record.fields {
                    if let Some(attribute) = absent(resolve, &field.ty) {
                        options
                            .additional_member_attributes
                            .push((format!("{path}.{}", field.name), attribute.to_owned()));
                    }
                }
            }
            TypeDefKind::Variant(_) | TypeDefKind::Enum(_) => {
                note("#[serde(rename_all = \"kebab-case\")]");
                if let Some(case) = first_case(resolve, &definition.kind) {
                    note("#[derive(Default)]");
                    options.additional_member_attributes.push((format!("{path}.{case}"), "#[default]".to_owned()));
                }
            }
            _ => {}
        }
    }
}

/// How a field of this type is read when it is left out.
fn absent(resolve: &Resolve, ty: &Type) -> Option<&'static str> {
    const DEFAULT: &str = "#[serde(default)]";
    match ty {
        Type::Bool => Some(DEFAULT),
        Type::Id(id) => match &resolve.types[*id].kind {
            TypeDefKind::List(Type::U8) => Some("#[serde(default, with = \"crate::bytes\")]"),
            TypeDefKind::Option(inner) => match inner {
                Type::Id(id) if matches!(resolve.types[*id].kind, TypeDefKind::List(Type::U8)) => {
                    Some("#[serde(default, with = \"crate::bytes::option\")]")
                }
                _ => Some(DEFAULT),
            },
            TypeDefKind::List(_) => Some(DEFAULT),
            TypeDefKind::Type(ty) => absent(resolve, ty),
            kind => first_case(resolve, kind).map(|_| DEFAULT),
        },
        _ => None,
    }
}

/// The first case of an enum or a variant, if it has no payload.
fn first_case<'a>(resolve: &'a Resolve, kind: &'a TypeDefKind) -> Option<&'a str> {
    match kind {
        TypeDefKind::Enum(cases) => cases.cases.first().map(|case| case.name.as_str()),
        TypeDefKind::Variant(cases) => {
            cases.cases.first().filter(|case| case.ty.is_none()).map(|case| case.name.as_str())
        }
        TypeDefKind::Type(Type::Id(id)) => first_case(resolve, &resolve.types[*id].kind),
        _ => None,
    }
}
