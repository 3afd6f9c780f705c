//! How arguments are passed as numbers.

use super::values::{Code, given};
use super::{Form, case_name, names};
use crate::Failed;
use crate::contract::Type;
use crate::layout::Flat;

impl Code<'_> {
    /// Gives the expressions for the numbers as which a value is passed.
    pub(super) fn flatten(&mut self, ty: &Type, value: &str) -> Result<Vec<String>, Failed> {
        Ok(match ty {
            Type::Bool => vec![format!("abi.Flag({value})")],
            Type::U8 | Type::U16 | Type::U32 | Type::S32 => vec![format!("uint32({value})")],
            Type::U64 | Type::F64 => vec![value.to_owned()],
            Type::S64 => vec![format!("uint64({value})")],
            Type::String => vec![format!("f.String({value})"), format!("uint32(len({value}))")],
            Type::Bytes => vec![format!("f.Bytes({value})"), format!("uint32(len({value}))")],
            Type::List(inner) => {
                let (list, size) = (self.fresh("list"), self.package.contract.size(inner)?);
                self.text.line(format!("{list} := f.Area(len({value}) * {size})"));
                self.elements(inner, &list, value)?;
                vec![format!("abi.Address({list})"), format!("uint32(len({value}))")]
            }
            Type::Option(inner) => {
                let joined = self.declare(ty)?;
                self.text.line(format!("if {value} != nil {{"));
                let value = given(inner, value);
                self.choose(1, Some((inner, &value)), &joined)?;
                self.text.line("}");
                joined.into_iter().map(|(name, _)| name).collect()
            }
            Type::Named(interface, name) => {
                let package = self.package;
                match package.form(interface, name)? {
                    Form::Enum => vec![format!("uint32({value})")],
                    Form::Value => vec![
                        format!("abi.Flag({value}.IsSecret)"),
                        format!("f.String({value}.Text)"),
                        format!("uint32(len({value}.Text))"),
                    ],
                    Form::Record(fields) => {
                        // A dereferenced pointer's field is the pointer's field.
                        let value = value.trim_start_matches('*');
                        let mut all = Vec::new();
                        for field in fields {
                            all.extend(self.flatten(&field.ty, &format!("{value}.{}", names::public(&field.name)))?);
                        }
                        all
                    }
                    Form::Choice(cases) => {
                        let joined = self.declare(ty)?;
                        self.text.line(format!("switch v := {value}.(type) {{"));
                        self.missing(name, cases);
                        for (index, case) in cases.iter().enumerate() {
                            self.text.line(format!("case {}:", case_name(name, &case.name)));
                            let carried = case.ty.as_ref().map(|ty| (ty, format!("{}(v)", self.go(ty))));
                            self.choose(index, carried.as_ref().map(|(ty, value)| (*ty, value.as_str())), &joined)?;
                        }
                        self.text.line("}");
                        joined.into_iter().map(|(name, _)| name).collect()
                    }
                    Form::Error => return Err(format!("{interface}.{name} cannot be passed").into()),
                }
            }
        })
    }

    /// Variables for something that has cases.
    fn declare(&mut self, ty: &Type) -> Result<Vec<(String, Flat)>, Failed> {
        let mut all = Vec::new();
        for flat in self.package.contract.flat(ty)? {
            let name = self.fresh("p");
            self.text.line(format!("var {name} {}", go(flat)));
            all.push((name, flat));
        }
        Ok(all)
    }

    /// Sets those variables to a case.
    fn choose(&mut self, case: usize, carried: Option<(&Type, &str)>, to: &[(String, Flat)]) -> Result<(), Failed> {
        let Some(((number, _), to)) = to.split_first() else { return Ok(()) };
        self.text.line(format!("{number} = {case}"));
        let Some((ty, value)) = carried else { return Ok(()) };
        let from = self.package.contract.flat(ty)?;
        let values = self.flatten(ty, value)?;
        for (((name, to), from), value) in to.iter().zip(from).zip(values) {
            let value = match (from, *to) {
                (from, to) if from == to => value,
                (Flat::I32, Flat::I64) => format!("uint64({value})"),
                (from, to) => return Err(format!("{from:?} for {to:?} has no form").into()),
            };
            self.text.line(format!("{name} = {value}"));
        }
        Ok(())
    }
}

/// The type of a number in Go.
pub(super) fn go(flat: Flat) -> &'static str {
    match flat {
        Flat::I32 => "uint32",
        Flat::I64 => "uint64",
        Flat::F64 => "float64",
    }
}
