//! `NAME_native.go`: what stands in for the host in tests on one's own machine.

use super::{Package, names, types};
use crate::Failed;
use crate::contract::Answer;

/// Writes it.
pub(super) fn write(package: &Package<'_>) -> Result<String, Failed> {
    let functions = &package.interface.functions;
    let mut named = package.named(functions.iter().flat_map(|function| &function.params).map(|param| &param.ty));
    named.insert("internal/host".to_owned());
    let mut text = package.file(Some("!wasip1"), None, &[], &named);
    for function in functions {
        let name = names::private(&function.name);
        let known = format!("{}.{}", package.interface.name, function.name);
        let kinds: Vec<String> = function.params.iter().map(|param| package.go(&param.ty)).collect();
        let kind = format!("func({}){}", kinds.join(", "), types::answer(package, function)?);
        let given: Vec<String> = function.params.iter().map(|param| names::private(&param.name)).collect();
        text.line("");
        text.line(format!("func {} {{", types::signature(package, function, &name)?));
        let call = format!("host.Answer[{kind}]({known:?})({})", given.join(", "));
        match function.answer {
            // What answers nothing is not worth a word in every test.
            Answer::Nothing => text.lines([&format!("if host.Answers({known:?}) {{"), call.as_str(), "}"]),
            _ => text.line(format!("return {call}")),
        }
        text.line("}");
    }
    Ok(text.finish())
}
