//! `NAME.go`: the types of an interface, and its functions with their documentation.

use super::{Package, case_name, exports, names};
use crate::Failed;
use crate::contract::{Answer, Case, Definition, Function, Kind, Type};
use crate::hints;
use crate::text::Text;

/// Writes it.
pub(super) fn write(package: &Package<'_>) -> Result<String, Failed> {
    let interface = package.interface;
    let mut types: Vec<&Type> = Vec::new();
    for definition in &interface.types {
        match &definition.kind {
            Kind::Record(fields) => types.extend(fields.iter().map(|field| &field.ty)),
            Kind::Variant(cases) => types.extend(cases.iter().filter_map(|case| case.ty.as_ref())),
            Kind::Enum(_) => {}
        }
    }
    for function in &interface.functions {
        types.extend(function.params.iter().map(|param| &param.ty));
        match &function.answer {
            Answer::Nothing => {}
            Answer::Value(ty) | Answer::Result(None, ty) => types.push(ty),
            Answer::Result(Some(ok), error) => types.extend([ok, error]),
        }
    }
    let mut first = interface.docs.chars();
    let lowered: String = first.next().map(|letter| letter.to_lowercase().chain(first).collect()).unwrap_or_default();
    let docs = format!("Package {}: {lowered}", interface.name);
    let mut text = package.file(None, Some(&docs), &[], &package.named(types));
    for definition in &interface.types {
        text.line("");
        define(package, definition, &mut text)?;
    }
    if interface.exported {
        exports::variables(package, &mut text)?;
    } else {
        for function in &interface.functions {
            text.line("");
            text.docs(&function.docs);
            let params: Vec<String> = function.params.iter().map(|param| names::private(&param.name)).collect();
            let give = if matches!(function.answer, Answer::Nothing) { "" } else { "return " };
            text.line(format!("func {} {{", signature(package, function, &names::public(&function.name))?));
            text.line(format!("{give}{}({})", names::private(&function.name), params.join(", ")));
            text.line("}");
        }
    }
    Ok(text.finish())
}

/// `name(param type) (answer, error)`
pub(super) fn signature(package: &Package<'_>, function: &Function, name: &str) -> Result<String, Failed> {
    Ok(format!("{name}({}){}", parameters(package, function), answer(package, function)?))
}

/// `param type, param type`
pub(super) fn parameters(package: &Package<'_>, function: &Function) -> String {
    let params = function.params.iter();
    let params: Vec<String> =
        params.map(|param| format!("{} {}", names::private(&param.name), package.go(&param.ty))).collect();
    params.join(", ")
}

/// What a function gives, with the space before it.
pub(super) fn answer(package: &Package<'_>, function: &Function) -> Result<String, Failed> {
    Ok(match &function.answer {
        Answer::Nothing => String::new(),
        Answer::Result(None, _) => " error".to_owned(),
        Answer::Result(Some(ok), _) => format!(" ({}, error)", package.go(ok)),
        Answer::Value(_) => return Err(format!("{} gives a value without an error", function.name).into()),
    })
}

fn define(package: &Package<'_>, definition: &Definition, text: &mut Text) -> Result<(), Failed> {
    let name = names::public(&definition.name);
    match &definition.kind {
        Kind::Record(fields) => {
            text.docs(&definition.docs);
            text.line(format!("type {name} struct {{"));
            for field in fields {
                text.docs(&field.docs);
                text.line(format!("{} {}", names::public(&field.name), package.go(&field.ty)));
            }
            text.line("}");
        }
        Kind::Enum(cases) => enumeration(definition, cases, text),
        // It is written by hand.
        Kind::Variant(_) if (&*package.interface.name, &*definition.name) == ("value", "value") => {
            text.line("// Value is in secret.go: it can be read from a step's `with`.");
        }
        Kind::Variant(cases) if definition.name == "error" => error(package, definition, cases, text),
        Kind::Variant(cases) => choice(package, definition, cases, text)?,
    }
    Ok(())
}

fn enumeration(definition: &Definition, cases: &[Case], text: &mut Text) {
    let name = names::public(&definition.name);
    text.docs(&definition.docs);
    text.lines([&format!("type {name} uint8"), "", "const ("]);
    for (index, case) in cases.iter().enumerate() {
        text.docs(&case.docs);
        let value = if index == 0 { format!(" {name} = iota") } else { String::new() };
        text.line(format!("{}{value}", case_name(&definition.name, &case.name)));
    }
    text.lines([")", "", "// String is its name in the contract."]);
    text.line(format!("func (v {name}) String() string {{"));
    let all: Vec<String> = cases.iter().map(|case| format!("{:?}", case.name)).collect();
    text.line(format!("return [...]string{{{}}}[v]", all.join(", ")));
    text.line("}");
}

fn error(package: &Package<'_>, definition: &Definition, cases: &[Case], text: &mut Text) {
    text.docs(&definition.docs);
    text.lines([
        "type Error struct {",
        "// What kind of failure it is.",
        "Case ErrorCase",
        "// What failed and why.",
        "Message string",
        "}",
        "",
        "// ErrorCase is a kind of failure: errors.Is(err, Denied) says whether an error is one.",
        "type ErrorCase uint8",
        "",
        "const (",
    ]);
    for (index, case) in cases.iter().enumerate() {
        text.docs(&case.docs);
        let value = if index == 0 { " ErrorCase = iota" } else { "" };
        text.line(format!("{}{value}", names::public(&case.name)));
    }
    text.lines([
        ")",
        "",
        "func (e *Error) Error() string {",
        "if e.Message == \"\" {",
        "return e.Case.Error()",
        "}",
        "return e.Message",
        "}",
        "",
        "// Is says whether it is of a case.",
        "func (e *Error) Is(target error) bool {",
        "wanted, ok := target.(ErrorCase)",
        "return ok && wanted == e.Case",
        "}",
        "",
        "func (c ErrorCase) Error() string {",
    ]);
    let all: Vec<String> =
        cases.iter().map(|case| format!("\"{}: {}\"", package.interface.name, case.name.replace('-', " "))).collect();
    text.line(format!("return [...]string{{{}}}[c]", all.join(", ")));
    text.line("}");
    let hinted: Vec<_> =
        cases.iter().filter_map(|case| Some((case, hints::of(&package.interface.name, &case.name)?))).collect();
    text.lines(["", "// Hint says what to do about it, if there is something to say."]);
    text.line("func (e *Error) Hint() string {");
    if !hinted.is_empty() {
        text.line("switch e.Case {");
        for (case, hint) in hinted {
            text.line(format!("case {}:", names::public(&case.name)));
            text.line(format!("return {hint:?}"));
        }
        text.line("}");
    }
    text.lines(["return \"\"", "}"]);
}

fn choice(package: &Package<'_>, definition: &Definition, cases: &[Case], text: &mut Text) -> Result<(), Failed> {
    let name = names::public(&definition.name);
    let all: Vec<String> = cases.iter().map(|case| case_name(&definition.name, &case.name)).collect();
    text.docs(&definition.docs);
    let absent = cases.first().filter(|case| case.ty.is_none()).map(|_| format!(" Nil is {}.", all[0]));
    text.docs(&format!("\nOne of {}.{}", all.join(", "), absent.unwrap_or_default()));
    text.lines([&format!("type {name} interface{{ is{name}() }}")]);
    for (case, full) in cases.iter().zip(&all) {
        text.line("");
        text.docs(&case.docs);
        let ty = match &case.ty {
            None => "struct{}".to_owned(),
            Some(Type::Option(_)) => return Err(format!("{full} carries something that may be absent").into()),
            Some(ty) => package.go(ty),
        };
        text.line(format!("type {full} {ty}"));
    }
    text.line("");
    let longest = all.iter().map(String::len).max().unwrap_or(0);
    for full in &all {
        // As gofmt has it: the bodies of functions in one line stand in a column.
        text.line(format!("func ({full}) is{name}() {:width$}{{}}", "", width = longest - full.len()));
    }
    Ok(())
}
