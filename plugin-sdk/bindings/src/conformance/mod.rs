//! The calls of the conformance plugins: every function of the contract by its name, with arguments and answers as the
//! journal writes them.

mod c;
mod go;

use crate::contract::{Contract, Kind, Type};
use crate::{Failed, Files};

/// Writes them.
///
/// # Errors
/// The contract says something that has no form.
pub fn generate(contract: &Contract, files: &mut Files) -> Result<(), Failed> {
    files.insert("../tests/conformance/go/calls.go".to_owned(), go::write(contract)?);
    files.insert("../tests/conformance/c/calls.c".to_owned(), c::write(contract)?);
    Ok(())
}

/// The named types that the types of a contract's functions consist of: those of parameters, or those of answers.
fn within(contract: &Contract, types: Vec<&Type>) -> Result<Vec<(String, String)>, Failed> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut waiting: Vec<Type> = types.into_iter().cloned().collect();
    while let Some(ty) = waiting.pop() {
        match ty {
            Type::List(inner) | Type::Option(inner) => waiting.push(*inner),
            Type::Named(interface, name) if !found.contains(&(interface.clone(), name.clone())) => {
                match contract.kind(&interface, &name)? {
                    Kind::Record(fields) => waiting.extend(fields.iter().map(|field| field.ty.clone())),
                    Kind::Variant(cases) => waiting.extend(cases.iter().filter_map(|case| case.ty.clone())),
                    Kind::Enum(_) => {}
                }
                found.push((interface, name));
            }
            _ => {}
        }
    }
    found.sort();
    Ok(found)
}

/// The types of all parameters of functions that plugins import.
fn parameters(contract: &Contract) -> Vec<&Type> {
    let functions = imported(contract);
    functions.flat_map(|(_, function)| &function.params).map(|param| &param.ty).collect()
}

/// The types of what those functions give, without errors.
fn answers(contract: &Contract) -> Vec<&Type> {
    use crate::contract::Answer;
    let given = imported(contract).filter_map(|(_, function)| match &function.answer {
        Answer::Nothing => None,
        Answer::Value(ty) => Some(ty),
        Answer::Result(ok, _) => ok.as_ref(),
    });
    given.collect()
}

/// The functions that plugins import, with the names of their interfaces.
fn imported(contract: &Contract) -> impl Iterator<Item = (&str, &crate::contract::Function)> {
    contract
        .interfaces
        .iter()
        .filter(|interface| !interface.exported)
        .flat_map(|interface| interface.functions.iter().map(|function| (interface.name.as_str(), function)))
}
