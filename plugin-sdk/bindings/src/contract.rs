//! The contract as the generators see it: what it can say and does, and nothing else.

use std::path::Path;

use wit_bindgen_core::wit_parser::{self as wit, Resolve, TypeDefKind, TypeOwner, WorldId, WorldItem};

use crate::Failed;

/// All of the contract.
pub struct Contract {
    /// Its interfaces: those whose types others use come first.
    pub interfaces: Vec<Interface>,
}

/// An interface.
pub struct Interface {
    /// Its name; no two have the same.
    pub name: String,
    /// What a module imports it by, as `windlass:docker/docker@0.1.0`.
    pub module: String,
    /// Its documentation.
    pub docs: String,
    /// Whether plugins export it; else they import it.
    pub exported: bool,
    /// The types that it defines.
    pub types: Vec<Definition>,
    /// Its functions.
    pub functions: Vec<Function>,
}

/// A type with a name.
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// What it is.
    pub kind: Kind,
}

/// What a named type is.
pub enum Kind {
    /// Fields.
    Record(Vec<Field>),
    /// One of several cases, which may carry something.
    Variant(Vec<Case>),
    /// One of several cases.
    Enum(Vec<Case>),
}

/// A field of a record, or a parameter.
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its documentation; parameters have none.
    pub docs: String,
    /// Its type.
    pub ty: Type,
}

/// A case.
pub struct Case {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// What it carries.
    pub ty: Option<Type>,
}

/// A function.
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Its parameters.
    pub params: Vec<Field>,
    /// What it gives.
    pub answer: Answer,
}

/// What a function gives.
pub enum Answer {
    /// Nothing.
    Nothing,
    /// A value.
    Value(Type),
    /// A value, or nothing, or an error.
    Result(Option<Type>, Type),
}

/// A type.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    S32,
    S64,
    F64,
    String,
    Bytes,
    List(Box<Type>),
    Option(Box<Type>),
    /// The type of this name of this interface.
    Named(String, String),
}

impl Contract {
    /// Reads a folder of WIT.
    ///
    /// # Errors
    /// It cannot be read, or says something that the SDKs cannot express.
    pub fn read(folder: &Path) -> Result<Self, Failed> {
        let (resolve, world) = load(folder)?;
        let world = &resolve.worlds[world];
        let mut interfaces = Vec::new();
        for (items, exported) in [(&world.imports, false), (&world.exports, true)] {
            for item in items.values() {
                let WorldItem::Interface { id, .. } = item else { return Err("a world of interfaces only".into()) };
                interfaces.push(interface(&resolve, *id, exported)?);
            }
        }
        Ok(Self { interfaces })
    }

    /// An interface by its name.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// What a named type is.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn kind(&self, interface: &str, name: &str) -> Result<&Kind, Failed> {
        let types = self.interface(interface).map(|interface| interface.types.iter());
        let found = types.into_iter().flatten().find(|definition| definition.name == name);
        found.map(|definition| &definition.kind).ok_or_else(|| format!("no type {interface}.{name}").into())
    }
}

/// The contract as its parser gives it.
///
/// # Errors
/// It cannot be read.
pub fn load(folder: &Path) -> Result<(Resolve, WorldId), Failed> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(folder)?;
    let world = resolve.select_world(&[package], Some("plugin"))?;
    Ok((resolve, world))
}

fn interface(resolve: &Resolve, id: wit::InterfaceId, exported: bool) -> Result<Interface, Failed> {
    let found = &resolve.interfaces[id];
    let mut types = Vec::new();
    for (name, id) in &found.types {
        let definition = &resolve.types[*id];
        let kind = match &definition.kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| field_of(resolve, &field.name, &field.docs, &field.ty));
                Kind::Record(fields.collect::<Result<_, _>>()?)
            }
            TypeDefKind::Variant(variant) => Kind::Variant(
                variant
                    .cases
                    .iter()
                    .map(|case| {
                        let ty = case.ty.as_ref().map(|ty| type_of(resolve, ty)).transpose()?;
                        Ok(Case { name: case.name.clone(), docs: text(&case.docs), ty })
                    })
                    .collect::<Result<_, Failed>>()?,
            ),
            TypeDefKind::Enum(cases) => Kind::Enum(
                cases
                    .cases
                    .iter()
                    .map(|case| Case { name: case.name.clone(), docs: text(&case.docs), ty: None })
                    .collect(),
            ),
            // Another interface's type under the same name.
            TypeDefKind::Type(_) => continue,
            other => return Err(format!("{name} is a {}, for which the SDKs have no form", other.as_str()).into()),
        };
        types.push(Definition { name: name.clone(), docs: text(&definition.docs), kind });
    }
    let mut functions = Vec::new();
    for function in found.functions.values() {
        let params = function.params.iter();
        functions.push(Function {
            name: function.name.clone(),
            docs: text(&function.docs),
            params: params
                .map(|param| field_of(resolve, &param.name, &wit::Docs::default(), &param.ty))
                .collect::<Result<_, _>>()?,
            answer: answer(resolve, function.result.as_ref())?,
        });
    }
    Ok(Interface {
        name: found.name.clone().ok_or("an interface without a name")?,
        module: resolve.id_of(id).ok_or("an interface without a package")?,
        docs: text(&found.docs),
        exported,
        types,
        functions,
    })
}

fn field_of(resolve: &Resolve, name: &str, docs: &wit::Docs, ty: &wit::Type) -> Result<Field, Failed> {
    Ok(Field { name: name.to_owned(), docs: text(docs), ty: type_of(resolve, ty)? })
}

fn answer(resolve: &Resolve, result: Option<&wit::Type>) -> Result<Answer, Failed> {
    let Some(ty) = result else { return Ok(Answer::Nothing) };
    if let wit::Type::Id(id) = ty
        && let TypeDefKind::Result(result) = &resolve.types[*id].kind
    {
        let error = result.err.as_ref().ok_or("a result without an error")?;
        let ok = result.ok.as_ref().map(|ty| type_of(resolve, ty)).transpose()?;
        return Ok(Answer::Result(ok, type_of(resolve, error)?));
    }
    Ok(Answer::Value(type_of(resolve, ty)?))
}

fn type_of(resolve: &Resolve, ty: &wit::Type) -> Result<Type, Failed> {
    Ok(match ty {
        wit::Type::Bool => Type::Bool,
        wit::Type::U8 => Type::U8,
        wit::Type::U16 => Type::U16,
        wit::Type::U32 => Type::U32,
        wit::Type::U64 => Type::U64,
        wit::Type::S32 => Type::S32,
        wit::Type::S64 => Type::S64,
        wit::Type::F64 => Type::F64,
        wit::Type::String => Type::String,
        wit::Type::Id(id) => {
            let definition = &resolve.types[*id];
            match &definition.kind {
                TypeDefKind::Type(ty) => type_of(resolve, ty)?,
                TypeDefKind::List(wit::Type::U8) => Type::Bytes,
                TypeDefKind::List(ty) => Type::List(Box::new(type_of(resolve, ty)?)),
                TypeDefKind::Option(ty) => Type::Option(Box::new(type_of(resolve, ty)?)),
                _ => {
                    let TypeOwner::Interface(owner) = definition.owner else {
                        return Err(format!("a {} without a name", definition.kind.as_str()).into());
                    };
                    let owner = resolve.interfaces[owner].name.clone();
                    let name = definition.name.clone();
                    Type::Named(owner.ok_or("no interface")?, name.ok_or("a type without a name")?)
                }
            }
        }
        other => return Err(format!("{other:?}, for which the SDKs have no form").into()),
    })
}

fn text(docs: &wit::Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().trim().to_owned()
}
