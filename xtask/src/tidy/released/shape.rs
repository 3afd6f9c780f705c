//! What a plugin was compiled against, as text that can be compared: packages, interfaces, types and functions, without
//! their documentation.

use crate::failure::{Doing, Failure, Result};
use std::collections::BTreeMap;
use std::path::Path;
use wit_parser::{
    Function, Handle, InterfaceId, PackageName, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldItem, WorldKey,
};

/// A contract: its packages by name and track, as `windlass:docker@0.1`. A host that has one version of a track serves
/// plugins that were built against any older one.
#[derive(Debug)]
pub(super) struct Contract(pub(super) BTreeMap<String, Package>);

/// A package in one version.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: PackageName,
    pub(super) interfaces: BTreeMap<String, Interface>,
    pub(super) worlds: BTreeMap<String, World>,
}

#[derive(Debug)]
pub(super) struct Interface {
    pub(super) types: BTreeMap<String, Shape>,
    /// The signature of each function.
    pub(super) functions: BTreeMap<String, String>,
}

/// What a type with a name is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A record of fields, or a variant, an enum or flags of cases; each with its type, if it has one.
    Parts { kind: &'static str, part: &'static str, parts: Vec<(String, String)> },
    /// Another name for this.
    Alias(String),
}

/// What a world imports and exports. An interface counts by its name and track, anything else by what it is.
#[derive(Debug)]
pub(super) struct World {
    pub(super) imports: BTreeMap<String, String>,
    pub(super) exports: BTreeMap<String, String>,
}

/// Reads a folder with a package in it, and in `deps/` those that it uses.
pub(super) fn read(folder: &Path) -> Result<Contract> {
    let mut resolve = Resolve::default();
    let read = resolve.push_dir(folder).map_err(|error| Failure::new(format!("{error:#}")));
    let _ = read.doing(|| format!("read {}", folder.display()))?;
    contract(&resolve)
}

/// The packages of what has been read.
pub(super) fn contract(resolve: &Resolve) -> Result<Contract> {
    let mut packages = BTreeMap::new();
    for (_, package) in &resolve.packages {
        let mut interfaces = BTreeMap::new();
        for (name, id) in &package.interfaces {
            interfaces.insert(name.clone(), interface(resolve, *id));
        }
        let mut worlds = BTreeMap::new();
        for (name, id) in &package.worlds {
            let world = &resolve.worlds[*id];
            let items = |items: &wit_parser::IndexMap<WorldKey, WorldItem>| {
                items.iter().map(|(key, item)| world_item(resolve, key, item)).collect::<Result<_>>()
            };
            let (imports, exports) = (items(&world.imports)?, items(&world.exports)?);
            worlds.insert(name.clone(), World { imports, exports });
        }
        let name = package.name.clone();
        packages.insert(track(&name), Package { name, interfaces, worlds });
    }
    Ok(Contract(packages))
}

/// The package with the part of its version that all compatible ones share.
fn track(name: &PackageName) -> String {
    let track = name.version.as_ref().map(|version| format!("@{}", PackageName::version_compat_track_string(version)));
    format!("{}:{}{}", name.namespace, name.name, track.unwrap_or_default())
}

fn interface(resolve: &Resolve, id: InterfaceId) -> Interface {
    let within = &resolve.interfaces[id];
    let types = within.types.iter().map(|(name, ty)| (name.clone(), shape(resolve, *ty)));
    let functions = within.functions.iter().map(|(name, function)| (name.clone(), signature(resolve, function)));
    Interface { types: types.collect(), functions: functions.collect() }
}

fn world_item(resolve: &Resolve, key: &WorldKey, item: &WorldItem) -> Result<(String, String)> {
    let name = match key {
        WorldKey::Name(name) => name.clone(),
        WorldKey::Interface(id) => {
            resolve.canonicalized_id_of(*id).doing(|| "name an interface of a world".to_owned())?
        }
    };
    let what = match item {
        // One that is written into the world has no package whose version could tell.
        WorldItem::Interface { id, .. } if matches!(key, WorldKey::Name(_)) => format!("{:?}", interface(resolve, *id)),
        WorldItem::Interface { .. } => String::new(),
        WorldItem::Function(function) => signature(resolve, function),
        WorldItem::Type { id, .. } => format!("{:?}", shape(resolve, *id)),
    };
    Ok((name, what))
}

fn shape(resolve: &Resolve, id: TypeId) -> Shape {
    let definition = &resolve.types[id];
    let parts = |part, parts| Shape::Parts { kind: definition.kind.as_str(), part, parts };
    let untyped = |name: &String| (name.clone(), String::new());
    match &definition.kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            parts("field", fields.map(|field| (field.name.clone(), text(resolve, &field.ty))).collect())
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            let payload = |ty: Option<&Type>| ty.map(|ty| text(resolve, ty)).unwrap_or_default();
            parts("case", cases.map(|case| (case.name.clone(), payload(case.ty.as_ref()))).collect())
        }
        TypeDefKind::Enum(cases) => parts("case", cases.cases.iter().map(|case| untyped(&case.name)).collect()),
        TypeDefKind::Flags(flags) => parts("flag", flags.flags.iter().map(|flag| untyped(&flag.name)).collect()),
        kind => Shape::Alias(unnamed(resolve, kind)),
    }
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let params = function.params.iter().map(|param| format!("{}: {}", param.name, text(resolve, &param.ty)));
    let params = params.collect::<Vec<_>>().join(", ");
    let result = function.result.as_ref().map(|ty| format!(" -> {}", text(resolve, ty)));
    let kind = if function.kind.is_async() { "async func" } else { "func" };
    format!("{kind}({params}){}", result.unwrap_or_default())
}

/// A type where it is used, as WIT writes it; one with a name goes by its interface and name.
fn text(resolve: &Resolve, ty: &Type) -> String {
    let primitive = match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(id) => return named(resolve, *id),
    };
    primitive.to_owned()
}

fn named(resolve: &Resolve, id: TypeId) -> String {
    let definition = &resolve.types[id];
    let Some(name) = &definition.name else { return unnamed(resolve, &definition.kind) };
    match definition.owner {
        TypeOwner::Interface(owner) => {
            let owner = resolve.canonicalized_id_of(owner);
            owner.map_or_else(|| name.clone(), |owner| format!("{owner}.{name}"))
        }
        TypeOwner::World(_) | TypeOwner::None => name.clone(),
    }
}

fn unnamed(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let text = |ty: &Type| text(resolve, ty);
    let maybe = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), text);
    match kind {
        TypeDefKind::Type(inner) => text(inner),
        TypeDefKind::Option(inner) => format!("option<{}>", text(inner)),
        TypeDefKind::List(inner) => format!("list<{}>", text(inner)),
        TypeDefKind::FixedLengthList(inner, length) => format!("list<{}, {length}>", text(inner)),
        TypeDefKind::Map(key, value) => format!("map<{}, {}>", text(key), text(value)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", maybe(&result.ok), maybe(&result.err)),
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(text).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Future(inner) => format!("future<{}>", maybe(inner)),
        TypeDefKind::Stream(inner) => format!("stream<{}>", maybe(inner)),
        TypeDefKind::Handle(Handle::Own(id)) => format!("own<{}>", named(resolve, *id)),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", named(resolve, *id)),
        // These have names wherever they are used; a resource's functions are among the interface's.
        TypeDefKind::Resource
        | TypeDefKind::Record(_)
        | TypeDefKind::Variant(_)
        | TypeDefKind::Enum(_)
        | TypeDefKind::Flags(_)
        | TypeDefKind::Unknown => kind.as_str().to_owned(),
    }
}
