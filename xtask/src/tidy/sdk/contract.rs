//! What the SDKs know of the contract: `wit/` as a plain list of interfaces, types and functions.

use crate::failure::{Doing, Failure, Result};
use std::collections::BTreeSet;
use std::path::Path;
use wit_parser::{Docs, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldItem};

/// One interface that plugins can import.
pub(super) struct Interface {
    /// Its name, as `docker`. No two interfaces of the contract share one.
    pub(super) name: String,
    /// Its full name, as `windlass:docker/docker@0.1.0`.
    pub(super) id: String,
    pub(super) docs: String,
    pub(super) types: Vec<Named>,
    pub(super) functions: Vec<Function>,
}

/// A type with a name.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) kind: Kind,
    /// Whether a plugin makes such values. Else it only gets them, and all of their fields are there.
    pub(super) asked: bool,
}

/// What a named type consists of.
pub(super) enum Kind {
    Record(Vec<Field>),
    Variant(Vec<Case>),
    Enum(Vec<Case>),
}

/// A field of a record, or a parameter of a function.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) ty: Ty,
}

/// A case of a variant or an enum.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) ty: Option<Ty>,
}

/// A function.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) params: Vec<Field>,
    pub(super) answer: Option<Ty>,
    /// Whether it answers with an error of its interface when it cannot.
    pub(super) fails: bool,
}

/// A type where it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    Bool,
    /// An integer, by its name in WIT.
    Integer(&'static str),
    Float,
    String,
    Option(Box<Ty>),
    List(Box<Ty>),
    /// `docker.port`.
    Named(String),
}

impl Ty {
    /// How the tables of the SDKs write it: as WIT does, with the interface before a name.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Bool => "bool".to_owned(),
            Self::Integer(name) => (*name).to_owned(),
            Self::Float => "f64".to_owned(),
            Self::String => "string".to_owned(),
            Self::Option(inner) => format!("option<{}>", inner.text()),
            Self::List(inner) => format!("list<{}>", inner.text()),
            Self::Named(name) => name.clone(),
        }
    }

    /// Bytes are a type of their own in every language.
    pub(super) fn is_bytes(&self) -> bool {
        matches!(self, Self::List(inner) if **inner == Self::Integer("u8"))
    }
}

/// The contract.
pub(super) struct Contract {
    /// What a plugin may import, in the order of the names.
    pub(super) imported: Vec<Interface>,
    /// What it exports, some by choice.
    pub(super) exported: Vec<Interface>,
}

/// Reads `wit/`.
pub(super) fn read(wit: &Path) -> Result<Contract> {
    let mut resolve = Resolve::default();
    let reading = || format!("read {}", wit.display());
    let (package, _) = resolve.push_path(wit).map_err(|error| Failure::new(format!("{error:#}"))).doing(reading)?;
    let world = resolve
        .select_world(&[package], Some("plugin"))
        .map_err(|error| Failure::new(format!("{error:#}")))
        .doing(reading)?;
    let world = &resolve.worlds[world];
    let imports: Vec<InterfaceId> = world.imports.values().filter_map(interface_id).collect();
    let asked = asked(&resolve, &imports);
    let mut imported = imports.iter().map(|id| interface(&resolve, *id, &asked)).collect::<Result<Vec<_>>>()?;
    imported.sort_by(|a, b| a.name.cmp(&b.name));
    // The world has what every plugin exports; what a plugin may export besides stands in the same package.
    let packages = world.exports.values().filter_map(interface_id).filter_map(|id| resolve.interfaces[id].package);
    let exports = packages.flat_map(|package| resolve.packages[package].interfaces.values());
    let exported = exports.map(|id| interface(&resolve, *id, &asked)).collect::<Result<Vec<_>>>()?;
    Ok(Contract { imported, exported })
}

fn interface_id(item: &WorldItem) -> Option<InterfaceId> {
    match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    }
}

fn interface(resolve: &Resolve, id: InterfaceId, asked: &BTreeSet<TypeId>) -> Result<Interface> {
    let interface = &resolve.interfaces[id];
    let name = interface.name.clone().doing(|| "name an interface".to_owned())?;
    let mut types = Vec::new();
    for (name, type_id) in &interface.types {
        let definition = &resolve.types[*type_id];
        let kind = match &definition.kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter();
                Kind::Record(
                    fields
                        .map(|field| self::field(resolve, &field.name, &field.docs, &field.ty))
                        .collect::<Result<_>>()?,
                )
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| {
                    let ty = case.ty.as_ref().map(|ty| self::ty(resolve, ty)).transpose()?;
                    Ok(Case { name: case.name.clone(), docs: words(&case.docs), ty })
                });
                Kind::Variant(cases.collect::<Result<_>>()?)
            }
            TypeDefKind::Enum(cases) => {
                let cases = cases.cases.iter();
                Kind::Enum(
                    cases.map(|case| Case { name: case.name.clone(), docs: words(&case.docs), ty: None }).collect(),
                )
            }
            // A name that another interface lends.
            TypeDefKind::Type(_) => continue,
            other => return Err(unknown(other)),
        };
        types.push(Named { name: name.clone(), docs: words(&definition.docs), kind, asked: asked.contains(type_id) });
    }
    let functions = interface.functions.values().map(|function| {
        let params = function.params.iter().map(|param| field(resolve, &param.name, &Docs::default(), &param.ty));
        let (answer, fails) = answer(resolve, function.result.as_ref());
        Ok(Function {
            name: function.name.clone(),
            docs: words(&function.docs),
            params: params.collect::<Result<_>>()?,
            answer: answer.map(|ty| self::ty(resolve, &ty)).transpose()?,
            fails,
        })
    });
    Ok(Interface {
        name,
        id: resolve.id_of(id).doing(|| "name an interface".to_owned())?,
        docs: words(&interface.docs),
        types,
        functions: functions.collect::<Result<_>>()?,
    })
}

fn field(resolve: &Resolve, name: &str, docs: &Docs, ty: &Type) -> Result<Field> {
    Ok(Field { name: name.to_owned(), docs: words(docs), ty: self::ty(resolve, ty)? })
}

/// What a function gives when it succeeds, and whether it can fail.
fn answer(resolve: &Resolve, result: Option<&Type>) -> (Option<Type>, bool) {
    match result {
        Some(Type::Id(id)) => match &resolve.types[*id].kind {
            TypeDefKind::Result(result) => (result.ok, true),
            _ => (Some(Type::Id(*id)), false),
        },
        other => (other.copied(), false),
    }
}

fn ty(resolve: &Resolve, ty: &Type) -> Result<Ty> {
    Ok(match ty {
        Type::Bool => Ty::Bool,
        Type::U8 => Ty::Integer("u8"),
        Type::U16 => Ty::Integer("u16"),
        Type::U32 => Ty::Integer("u32"),
        Type::U64 => Ty::Integer("u64"),
        Type::S32 => Ty::Integer("s32"),
        Type::S64 => Ty::Integer("s64"),
        Type::F64 => Ty::Float,
        Type::String => Ty::String,
        Type::Id(id) => {
            let definition = &resolve.types[*id];
            match &definition.kind {
                TypeDefKind::Option(inner) => Ty::Option(Box::new(self::ty(resolve, inner)?)),
                TypeDefKind::List(inner) => Ty::List(Box::new(self::ty(resolve, inner)?)),
                TypeDefKind::Type(inner) => self::ty(resolve, inner)?,
                TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_) => {
                    let owner = match definition.owner {
                        TypeOwner::Interface(owner) => resolve.interfaces[owner].name.as_deref(),
                        _ => None,
                    };
                    let (Some(owner), Some(name)) = (owner, &definition.name) else {
                        return Err(unknown(&definition.kind));
                    };
                    Ty::Named(format!("{owner}.{name}"))
                }
                other => return Err(unknown(other)),
            }
        }
        other => return Err(Failure::new(format!("the SDKs know nothing of the WIT type {other:?}: teach them"))),
    })
}

fn unknown(kind: &TypeDefKind) -> Failure {
    Failure::new(format!("the SDKs know nothing of a WIT {}: teach them", kind.as_str()))
}

/// The types that arguments consist of.
fn asked(resolve: &Resolve, interfaces: &[InterfaceId]) -> BTreeSet<TypeId> {
    let functions = interfaces.iter().flat_map(|id| resolve.interfaces[*id].functions.values());
    let mut open: Vec<Type> = functions.flat_map(|function| function.params.iter().map(|param| param.ty)).collect();
    let mut found = BTreeSet::new();
    while let Some(ty) = open.pop() {
        let Type::Id(id) = ty else { continue };
        if !found.insert(id) {
            continue;
        }
        match &resolve.types[id].kind {
            TypeDefKind::Record(record) => open.extend(record.fields.iter().map(|field| field.ty)),
            TypeDefKind::Variant(variant) => open.extend(variant.cases.iter().filter_map(|case| case.ty)),
            TypeDefKind::Option(inner) | TypeDefKind::List(inner) | TypeDefKind::Type(inner) => open.push(*inner),
            _ => {}
        }
    }
    found
}

/// The documentation, without the headlines that WIT files are divided by.
fn words(docs: &Docs) -> String {
    let text = docs.contents.as_deref().unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("----")).collect();
    lines.join("\n").trim().to_owned()
}
