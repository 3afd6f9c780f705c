//! `NAME_wasip1.go`: calls of the host.

use super::values::Code;
use super::{Package, flat, names, types};
use crate::Failed;
use crate::contract::{Answer, Function, Type};
use crate::layout::MOST_FLAT;

/// Writes it.
pub(super) fn write(package: &Package<'_>) -> Result<String, Failed> {
    let mut code = Code::new(package);
    for function in &package.interface.functions {
        call(&mut code, function)?;
    }
    code.functions()?;
    let body = std::mem::take(&mut code.text).finish();
    let mut imports = vec!["windlass/internal/abi"];
    if body.contains("unsafe.") {
        imports.insert(0, "unsafe");
    }
    let file = package.file(None, None, &imports, &code.used);
    Ok(file.finish() + &body)
}

fn call(code: &mut Code<'_>, function: &Function) -> Result<(), Failed> {
    let contract = code.package.contract;
    let mut numbers = Vec::new();
    for param in &function.params {
        numbers.extend(contract.flat(&param.ty)?);
    }
    let by_address = numbers.len() > MOST_FLAT;
    let mut passed: Vec<&str> =
        if by_address { vec!["uint32"] } else { numbers.iter().map(|number| flat::go(*number)).collect() };
    let answers = !matches!(function.answer, Answer::Nothing);
    if answers {
        passed.push("uint32");
    }
    code.used.extend(code.package.named(function.params.iter().map(|param| &param.ty)));
    let (public, private) = (names::public(&function.name), names::private(&function.name));
    code.text.lines(["", &format!("//go:wasmimport {} {}", code.package.interface.module, function.name)]);
    let params: Vec<String> = passed.iter().enumerate().map(|(index, ty)| format!("p{index} {ty}")).collect();
    code.text.line(format!("func host{public}({})", params.join(", ")));
    code.text.line("");
    let given = match &function.answer {
        Answer::Nothing => String::new(),
        Answer::Result(Some(ok), _) => format!(" (answer {}, failed error)", code.go(ok)),
        _ => types::answer(code.package, function)?,
    };
    code.text.line(format!("func {private}({}){given} {{", types::parameters(code.package, function)));
    code.text.lines(["f := abi.Begin()", "defer f.Done()"]);
    let mut arguments = arguments(code, function, by_address)?;
    if answers {
        let size = contract.size_of_answer(&function.answer)?;
        code.text.line(format!("at := f.Area({size})"));
        arguments.push("abi.Address(at)".to_owned());
    }
    // Nothing may happen between these lines: see the functions.
    for (index, argument) in arguments.iter().enumerate() {
        code.text.line(format!("a{index} := {argument}"));
    }
    let names: Vec<String> = (0..arguments.len()).map(|index| format!("a{index}")).collect();
    code.text.lines(["f.Enter()", &format!("host{public}({})", names.join(", ")), "f.Leave()"]);
    answer(code, function)?;
    code.text.line("}");
    Ok(())
}

fn arguments(code: &mut Code<'_>, function: &Function, by_address: bool) -> Result<Vec<String>, Failed> {
    let mut all = Vec::new();
    if by_address {
        let (offsets, size) = code.package.contract.offsets(&function.params)?;
        code.text.line(format!("args := f.Area({size})"));
        for (param, offset) in function.params.iter().zip(offsets) {
            code.store(&param.ty, "args", offset, &names::private(&param.name))?;
        }
        all.push("abi.Address(args)".to_owned());
    } else {
        for param in &function.params {
            all.extend(code.flatten(&param.ty, &names::private(&param.name))?);
        }
    }
    Ok(all)
}

fn answer(code: &mut Code<'_>, function: &Function) -> Result<(), Failed> {
    let Answer::Result(ok, error) = &function.answer else { return Ok(()) };
    let own = Type::Named(code.package.interface.name.clone(), "error".to_owned());
    if *error != own {
        return Err(format!("the error of {} is another interface's", function.name).into());
    }
    let payload = code.package.contract.payload([ok.as_ref(), Some(error)])?;
    code.text.line("if abi.GetBool(at, 0) {");
    let failed = format!("&Error{{abi.Get[ErrorCase](at, {payload}), abi.GetString(at, {})}}", payload + 4);
    match ok {
        None => code.text.lines([&format!("return {failed}"), "}", "return nil"]),
        Some(ok) => {
            code.text.lines([&format!("return answer, {failed}"), "}"]);
            code.load(ok, "at", payload, "answer")?;
            code.text.line("return answer, nil");
        }
    }
    Ok(())
}
