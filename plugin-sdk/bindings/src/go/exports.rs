//! `NAME_wasip1.go` of an interface that plugins export: calls by the host.

use super::values::Code;
use super::{Package, flat, names};
use crate::Failed;
use crate::contract::{Answer, Function, Kind, Type};
use crate::text::Text;

/// Writes it.
pub(super) fn write(package: &Package<'_>) -> Result<String, Failed> {
    let mut code = Code::new(package);
    code.text.lines(["", "// The host reads it after its call has returned.", "var returned *abi.Frame"]);
    for function in &package.interface.functions {
        export(&mut code, function)?;
    }
    code.functions()?;
    let body = code.text.finish();
    let file = package.file(None, None, &["unsafe", "windlass/internal/abi"], &Default::default());
    Ok(file.finish() + &body)
}

/// What the plugin has to set: variables for the functions that the host calls.
pub(super) fn variables(package: &Package<'_>, text: &mut Text) -> Result<(), Failed> {
    text.lines(["", "// What the host calls.", "var ("]);
    for function in &package.interface.functions {
        text.docs(&function.docs);
        let params = super::types::parameters(package, function);
        text.line(format!("{} func({params}){}", names::public(&function.name), given(package, function)?));
    }
    text.line(")");
    Ok(())
}

/// What the plugin's function gives, with the space before it.
fn given(package: &Package<'_>, function: &Function) -> Result<String, Failed> {
    match &function.answer {
        Answer::Value(ty) => Ok(format!(" {}", package.go(ty))),
        Answer::Result(Some(ok), error) => Ok(format!(" ({}, *{})", package.go(ok), package.go(error))),
        Answer::Nothing | Answer::Result(None, _) => Err(format!("{} gives nothing", function.name).into()),
    }
}

fn export(code: &mut Code<'_>, function: &Function) -> Result<(), Failed> {
    let (package, contract) = (code.package, code.package.contract);
    let (public, private) = (names::public(&function.name), names::private(&function.name));
    let symbol = format!("{}#{}", package.interface.module, function.name);
    let mut numbers = Vec::new();
    for param in &function.params {
        for number in contract.flat(&param.ty)? {
            numbers.push(format!("p{} {}", numbers.len(), flat::go(number)));
        }
    }
    if numbers.len() > crate::layout::MOST_FLAT {
        return Err(format!("{} takes more than its numbers", function.name).into());
    }
    code.text.lines(["", &format!("//go:wasmexport {symbol}")]);
    code.text.line(format!("func {private}({}) uint32 {{", numbers.join(", ")));
    let mut next = 0;
    let mut params = Vec::new();
    for param in &function.params {
        let name = names::private(&param.name);
        code.text.line(format!("var {name} {}", package.go(&param.ty)));
        lift(code, &param.ty, &name, &mut next)?;
        params.push(name);
    }
    let size = contract.size_of_answer(&function.answer)?;
    code.text.lines(["abi.Called()", "f := new(abi.Frame)", &format!("at := f.Area({size})")]);
    let call = format!("{public}({})", params.join(", "));
    match &function.answer {
        Answer::Value(ty) => {
            code.text.line(format!("answer := {call}"));
            code.store(ty, "at", 0, "answer")?;
        }
        Answer::Result(Some(ok), error) => {
            let payload = contract.payload([Some(ok), Some(error)])?;
            code.text.line(format!("answer, failed := {call}"));
            code.text.line("if failed != nil {");
            code.text.line("abi.Put[uint8](at, 0, 1)");
            code.store(error, "at", payload, "*failed")?;
            code.text.line("} else {");
            code.store(ok, "at", payload, "answer")?;
            code.text.line("}");
        }
        Answer::Nothing | Answer::Result(None, _) => {}
    }
    code.text.lines(["returned = f", "return abi.Address(at)", "}"]);
    code.text.lines(["", &format!("//go:wasmexport cabi_post_{symbol}")]);
    code.text.lines([&format!("func {private}Done(uint32) {{"), "returned = nil", "}"]);
    Ok(())
}

/// Makes a parameter from numbers.
fn lift(code: &mut Code<'_>, ty: &Type, into: &str, next: &mut usize) -> Result<(), Failed> {
    let package = code.package;
    let mut number = || {
        *next += 1;
        format!("p{}", *next - 1)
    };
    match ty {
        Type::String => {
            let (start, length) = (number(), number());
            code.text.line(format!("{into} = abi.Text({start}, {length})"));
        }
        Type::U32 => code.text.line(format!("{into} = {}", number())),
        Type::Named(interface, name) => {
            let Kind::Record(fields) = package.contract.kind(interface, name)? else {
                return Err(format!("{interface}.{name} cannot be a parameter of an export").into());
            };
            for field in fields {
                lift(code, &field.ty, &format!("{into}.{}", names::public(&field.name)), next)?;
            }
        }
        _ => return Err(format!("{into} cannot be a parameter of an export").into()),
    }
    Ok(())
}
