//! Where values lie in memory, and as what numbers they are passed: the canonical ABI, as far as the contract needs it.

use crate::Failed;
use crate::contract::{Answer, Case, Contract, Field, Kind, Type};

/// The most numbers that are passed as such; what takes more is passed by its address.
pub const MOST_FLAT: usize = 16;

/// A number as a core module passes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Flat {
    I32,
    I64,
    F64,
}

impl Contract {
    /// How many bytes a value takes.
    ///
    /// # Errors
    /// The type is not there.
    pub fn size(&self, ty: &Type) -> Result<usize, Failed> {
        Ok(match ty {
            Type::Bool | Type::U8 => 1,
            Type::U16 => 2,
            Type::U32 | Type::S32 => 4,
            Type::U64 | Type::S64 | Type::F64 | Type::String | Type::Bytes | Type::List(_) => 8,
            Type::Option(inner) => up(self.payload([Some(&**inner)])? + self.size(inner)?, self.align(ty)?),
            Type::Named(interface, name) => match self.kind(interface, name)? {
                Kind::Enum(_) => 1,
                Kind::Record(fields) => self.offsets(fields)?.1,
                Kind::Variant(cases) => {
                    let mut largest = 0;
                    for ty in carried(cases) {
                        largest = largest.max(self.size(ty)?);
                    }
                    up(self.payload(cases.iter().map(|case| case.ty.as_ref()))? + largest, self.align(ty)?)
                }
            },
        })
    }

    /// What its address is a multiple of.
    ///
    /// # Errors
    /// The type is not there.
    pub fn align(&self, ty: &Type) -> Result<usize, Failed> {
        Ok(match ty {
            Type::Bool | Type::U8 => 1,
            Type::U16 => 2,
            Type::U32 | Type::S32 | Type::String | Type::Bytes | Type::List(_) => 4,
            Type::U64 | Type::S64 | Type::F64 => 8,
            Type::Option(inner) => self.align(inner)?,
            Type::Named(interface, name) => {
                let mut largest = 1;
                match self.kind(interface, name)? {
                    Kind::Enum(_) => {}
                    Kind::Record(fields) => {
                        for field in fields {
                            largest = largest.max(self.align(&field.ty)?);
                        }
                    }
                    Kind::Variant(cases) => {
                        for ty in carried(cases) {
                            largest = largest.max(self.align(ty)?);
                        }
                    }
                }
                largest
            }
        })
    }

    /// Where the fields of a record begin, and how large it is.
    ///
    /// # Errors
    /// A type is not there.
    pub fn offsets(&self, fields: &[Field]) -> Result<(Vec<usize>, usize), Failed> {
        let (mut offsets, mut end, mut largest) = (Vec::new(), 0, 1);
        for field in fields {
            let align = self.align(&field.ty)?;
            let start = up(end, align);
            offsets.push(start);
            end = start + self.size(&field.ty)?;
            largest = largest.max(align);
        }
        Ok((offsets, up(end, largest)))
    }

    /// Where what a case carries begins.
    ///
    /// # Errors
    /// A type is not there.
    pub fn payload<'a>(&self, cases: impl IntoIterator<Item = Option<&'a Type>>) -> Result<usize, Failed> {
        let mut offset = 1;
        for ty in cases.into_iter().flatten() {
            offset = offset.max(self.align(ty)?);
        }
        Ok(offset)
    }

    /// How many bytes an answer takes.
    ///
    /// # Errors
    /// A type is not there.
    pub fn size_of_answer(&self, answer: &Answer) -> Result<usize, Failed> {
        match answer {
            Answer::Nothing => Ok(0),
            Answer::Value(ty) => self.size(ty),
            Answer::Result(ok, error) => {
                let (mut largest, mut align) = (0, 1);
                for ty in ok.iter().chain([error]) {
                    largest = largest.max(self.size(ty)?);
                    align = align.max(self.align(ty)?);
                }
                Ok(up(self.payload([ok.as_ref(), Some(error)])? + largest, align))
            }
        }
    }

    /// As what numbers a value is passed.
    ///
    /// # Errors
    /// The type is not there.
    pub fn flat(&self, ty: &Type) -> Result<Vec<Flat>, Failed> {
        Ok(match ty {
            Type::Bool | Type::U8 | Type::U16 | Type::U32 | Type::S32 => vec![Flat::I32],
            Type::U64 | Type::S64 => vec![Flat::I64],
            Type::F64 => vec![Flat::F64],
            Type::String | Type::Bytes | Type::List(_) => vec![Flat::I32; 2],
            Type::Option(inner) => self.flat_cases([Some(&**inner)])?,
            Type::Named(interface, name) => match self.kind(interface, name)? {
                Kind::Enum(_) => vec![Flat::I32],
                Kind::Record(fields) => {
                    let mut all = Vec::new();
                    for field in fields {
                        all.extend(self.flat(&field.ty)?);
                    }
                    all
                }
                Kind::Variant(cases) => self.flat_cases(cases.iter().map(|case| case.ty.as_ref()))?,
            },
        })
    }

    /// The case's number, and then what serves for whatever any case carries.
    fn flat_cases<'a>(&self, cases: impl IntoIterator<Item = Option<&'a Type>>) -> Result<Vec<Flat>, Failed> {
        let mut joined: Vec<Flat> = Vec::new();
        for ty in cases.into_iter().flatten() {
            for (index, flat) in self.flat(ty)?.into_iter().enumerate() {
                match joined.get_mut(index) {
                    None => joined.push(flat),
                    Some(before) if *before != flat => *before = Flat::I64,
                    Some(_) => {}
                }
            }
        }
        joined.insert(0, Flat::I32);
        Ok(joined)
    }
}

fn carried(cases: &[Case]) -> impl Iterator<Item = &Type> {
    cases.iter().filter_map(|case| case.ty.as_ref())
}

fn up(offset: usize, align: usize) -> usize {
    offset.next_multiple_of(align)
}
