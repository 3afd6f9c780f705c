//! The reference of the contract: every interface with its functions, what each needs a grant for, its errors and types.

use super::contract::{Case, Field, Function, Interface, Kind, Named, Ty};
use super::{WRITTEN, Written};
use crate::failure::{Doing, Result};
use serde_json::Value as Json;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What each function needs stands beside its call in the suite; a test of the gate holds it against what is checked.
const CALLS: &str = "tests/conformance/calls.json";
const FILE: &str = "docs/reference/interfaces.md";

const INTRODUCTION: &str = "\
# The interfaces of the contract

What a plugin exports, and what it may import, as it stands in [`wit/`](../../wit/plugin.wit). Each language has its own
names for it; the SDKs' READMEs say how they come about. A function that can fail gives the `error` of its interface, whose
cases are told there.

*Needs* names the grants of a call with all of its arguments, by capability and verb, as `windlass plan` does;
[pipeline-toml.md](../pipeline-toml.md#grants) has the keys that give them. *Or its own* is for what the step itself made: that
needs no grant. `secrets.use` is for arguments that name a secret.
";

/// The file.
pub(super) fn write(root: &Path, imported: &[Interface], exported: &[Interface]) -> Result<Written> {
    let text = fs::read_to_string(root.join(CALLS)).doing(|| format!("read {CALLS}"))?;
    let calls: Json = serde_json::from_str(&text).doing(|| format!("read {CALLS}"))?;
    let mut text = format!("<!-- {WRITTEN} -->\n\n{INTRODUCTION}\n");
    for (heading, interfaces) in [("What a plugin exports", exported), ("What a plugin imports", imported)] {
        let links: Vec<String> = interfaces.iter().map(|one| format!("[{0}](#{0})", one.name)).collect();
        let _ = writeln!(text, "{heading}: {}.\n", links.join(", "));
    }
    for (interface, is_ours) in exported.iter().map(|one| (one, false)).chain(imported.iter().map(|one| (one, true))) {
        let _ = writeln!(text, "## {}\n\n`{}`\n\n{}\n", interface.name, interface.id, interface.docs);
        for function in &interface.functions {
            let needs = if is_ours { Some(needs(&calls, interface, function)?) } else { None };
            tell_function(&mut text, interface, function, needs.as_deref());
        }
        for named in &interface.types {
            tell_type(&mut text, interface, named);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(Written { path: FILE.to_owned(), text })
}

/// What a call needs, in words.
fn needs(calls: &Json, interface: &Interface, function: &Function) -> Result<String> {
    let name = format!("{}.{}", interface.name, function.name);
    let needs = calls["calls"][&name]["needs"].as_array();
    let needs = needs.doing(|| format!("find in {CALLS} what grants {name} needs: write its `needs`"))?;
    let needs: Vec<String> = needs.iter().filter_map(Json::as_str).map(|need| format!("`{need}`")).collect();
    Ok(match needs.as_slice() {
        [] => "no grant".to_owned(),
        needs => needs.join(", ").replace(" or ", "` or `").replace("`its own`", "its own"),
    })
}

fn tell_function(text: &mut String, interface: &Interface, function: &Function, needs: Option<&str>) {
    let name = &function.name;
    let params = function.params.iter().map(|param| format!("{}: {}", param.name, ty(interface, &param.ty)));
    let params = params.collect::<Vec<_>>().join(", ");
    let answer = function.answer.as_ref().map(|answer| ty(interface, answer));
    let answer = match (answer, function.fails) {
        (None, false) => String::new(),
        (Some(answer), false) => format!(" -> {answer}"),
        // `run` alone gives another error than that of its interface.
        (answer, true) => {
            let error = if interface.name == "step" { "failure" } else { "error" };
            format!(" -> result<{}, {error}>", answer.unwrap_or_else(|| "_".to_owned()))
        }
    };
    let _ = writeln!(text, "### {}.{name}\n\n```wit\n{name}: func({params}){answer}\n```\n", interface.name);
    if !function.docs.is_empty() {
        let _ = writeln!(text, "{}\n", function.docs);
    }
    if let Some(needs) = needs {
        let _ = writeln!(text, "Needs {needs}.\n");
    }
}

fn tell_type(text: &mut String, interface: &Interface, named: &Named) {
    let docs = one_line(&named.docs);
    match &named.kind {
        Kind::Record(fields) => {
            let _ = writeln!(
                text,
                "#### {}.{}: record\n\n{docs}\n\n| field | type | |\n| --- | --- | --- |",
                interface.name, named.name
            );
            for Field { name, docs, ty: of } in fields {
                let _ = writeln!(text, "| `{name}` | `{}` | {} |", ty(interface, of), one_line(docs));
            }
        }
        Kind::Variant(cases) | Kind::Enum(cases) => {
            let what = if matches!(named.kind, Kind::Enum(_)) { "enum" } else { "variant" };
            let _ =
                writeln!(text, "#### {}.{}: {what}\n\n{docs}\n\n| case | |\n| --- | --- |", interface.name, named.name);
            for Case { name, docs, ty: of } in cases {
                let of = of.as_ref().map(|of| format!("({})", ty(interface, of))).unwrap_or_default();
                let _ = writeln!(text, "| `{name}{of}` | {} |", one_line(docs));
            }
        }
    }
    text.push('\n');
}

/// The type, without the name of the interface that it stands in.
fn ty(interface: &Interface, ty: &Ty) -> String {
    ty.text().replace(&format!("{}.", interface.name), "")
}

/// For a cell of a table.
fn one_line(docs: &str) -> String {
    docs.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
