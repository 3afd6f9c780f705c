//! The contract for JavaScript: for each interface a module with its functions and the table of its types, and the
//! declarations of TypeScript beside it.

use super::contract::{Case, Field, Function, Interface, Kind, Named, Ty};
use super::names::{camel, pascal};
use super::{WRITTEN, Written};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const FOLDER: &str = "plugin-sdk/js/sdk/interfaces";

pub(super) fn write(interfaces: &[Interface]) -> Vec<Written> {
    let mut files = Vec::new();
    let mut index = format!("// {WRITTEN}\n");
    for interface in interfaces {
        let name = &interface.name;
        files.push(Written { path: format!("{FOLDER}/{name}.js"), text: module(interface) });
        files.push(Written { path: format!("{FOLDER}/{name}.d.ts"), text: declarations(interface, interfaces) });
        let _ = writeln!(index, "export * as {name} from './{name}.js';");
    }
    files.push(Written { path: format!("{FOLDER}/index.d.ts"), text: index.clone() });
    files.push(Written { path: format!("{FOLDER}/index.js"), text: index });
    files
}

fn module(interface: &Interface) -> String {
    let mut text = format!("// {WRITTEN}\n");
    if !interface.functions.is_empty() {
        let _ = writeln!(text, "import * as host from '{}';\nimport {{ calls }} from '../calls.js';", interface.id);
    }
    text.push_str("\nexport const types = {\n");
    for Named { name, kind, .. } in &interface.types {
        let _ = match kind {
            Kind::Record(fields) => writeln!(text, "  '{name}': {{ record: {{\n{}  }} }},", entries(fields)),
            Kind::Enum(cases) => {
                let cases: Vec<String> = cases.iter().map(|case| format!("'{}'", case.name)).collect();
                writeln!(text, "  '{name}': {{ enum: [{}] }},", cases.join(", "))
            }
            Kind::Variant(cases) => {
                let cases = cases.iter().map(|Case { name, ty, .. }| {
                    let ty = ty.as_ref().map_or("null".to_owned(), |ty| format!("'{}'", ty.text()));
                    format!("    '{name}': {ty},\n")
                });
                writeln!(text, "  '{name}': {{ variant: {{\n{}  }} }},", cases.collect::<String>())
            }
        };
    }
    text.push_str("};\n");
    if interface.functions.is_empty() {
        return text;
    }
    text.push_str("\nexport const functions = {\n");
    for Function { name, params, answer, .. } in &interface.functions {
        let params: Vec<String> =
            params.iter().map(|param| format!("'{}': '{}'", param.name, param.ty.text())).collect();
        let params = if params.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", params.join(", ")) };
        let answer = answer.as_ref().map(|ty| format!(", answer: '{}'", ty.text())).unwrap_or_default();
        let _ = writeln!(text, "  '{name}': {{ params: {params}{answer} }},");
    }
    let _ =
        writeln!(text, "}};\n\nconst call = /* @__PURE__ */ calls('{}', host, types, functions);\n", interface.name);
    for Function { name, .. } in &interface.functions {
        let _ = writeln!(text, "export const {} = /* @__PURE__ */ call('{name}');", camel(name));
    }
    text
}

fn entries(fields: &[Field]) -> String {
    fields.iter().map(|field| format!("    '{}': '{}',\n", field.name, field.ty.text())).collect()
}

fn declarations(interface: &Interface, all: &[Interface]) -> String {
    let mut body = String::new();
    for named in &interface.types {
        // Errors are thrown, and their cases are codes.
        if named.name == "error" {
            let Kind::Variant(cases) = &named.kind else { continue };
            comment(&mut body, "", &named.docs);
            body.push_str("export type ErrorCode =\n");
            for case in cases {
                comment(&mut body, "  ", &case.docs);
                let _ = writeln!(body, "  | '{}'", case.name);
            }
            body.push_str(";\n\n");
            continue;
        }
        // `Value` has a form of its own for people: text, or a secret.
        if (interface.name.as_str(), named.name.as_str()) != ("value", "value") {
            declare(&mut body, named, all);
        }
    }
    for function in &interface.functions {
        signature(&mut body, function, all);
    }
    let mut text = format!("// {WRITTEN}\n");
    comment(&mut text, "", &interface.docs);
    let shapes = ["Bytes", "Integer", "Pairs", "Value", "Values"];
    let used: Vec<&str> = shapes.into_iter().filter(|shape| has_word(&body, shape)).collect();
    if !used.is_empty() {
        let _ = writeln!(text, "import type {{ {} }} from '../values.js';", used.join(", "));
    }
    for other in neighbours(interface) {
        let _ = writeln!(text, "import type * as {other} from './{other}.js';");
    }
    text.push('\n');
    text.push_str(body.trim_end());
    text.push_str("\n\nexport {};\n");
    text
}

fn declare(text: &mut String, named: &Named, all: &[Interface]) {
    comment(text, "", &named.docs);
    let name = pascal(&named.name);
    match &named.kind {
        Kind::Record(fields) => {
            let _ = writeln!(text, "export interface {name} {{");
            for field in fields {
                comment(text, "  ", &field.docs);
                let may_lack = if named.asked { absent(&field.ty, all) } else { matches!(field.ty, Ty::Option(_)) };
                let mark = if may_lack { "?" } else { "" };
                let _ = writeln!(text, "  {}{mark}: {};", camel(&field.name), shape(&field.ty, named.asked));
            }
            text.push_str("}\n\n");
        }
        Kind::Enum(cases) => {
            let _ = writeln!(text, "export type {name} =");
            for case in cases {
                comment(text, "  ", &case.docs);
                let _ = writeln!(text, "  | '{}'", case.name);
            }
            text.push_str(";\n\n");
        }
        Kind::Variant(cases) => {
            let _ = writeln!(text, "export type {name} =");
            for case in cases {
                comment(text, "  ", &case.docs);
                let _ = match &case.ty {
                    Some(ty) => writeln!(text, "  | {{ {}: {} }}", camel(&case.name), shape(ty, named.asked)),
                    None => writeln!(text, "  | '{}'", case.name),
                };
            }
            text.push_str(";\n\n");
        }
    }
}

fn signature(text: &mut String, function: &Function, all: &[Interface]) {
    let throws = if function.fails { "\n@throws {CapabilityError} with an `ErrorCode` as its `code`" } else { "" };
    comment(text, "", &format!("{}{throws}", function.docs));
    let optional_from = function.params.iter().rposition(|param| !absent(&param.ty, all)).map_or(0, |last| last + 1);
    let params = function.params.iter().enumerate().map(|(at, param)| {
        let shape = shape(&param.ty, true);
        let name = camel(&param.name);
        match (at >= optional_from, &param.ty) {
            (true, _) => format!("{name}?: {shape}"),
            (false, Ty::Option(_)) => format!("{name}: {shape} | undefined"),
            (false, _) => format!("{name}: {shape}"),
        }
    });
    let params: Vec<String> = params.collect();
    let answer = function.answer.as_ref().map_or("void".to_owned(), |ty| match ty {
        Ty::Option(_) => format!("{} | undefined", shape(ty, false)),
        _ => shape(ty, false),
    });
    let _ = writeln!(text, "export function {}({}): {answer};\n", camel(&function.name), params.join(", "));
}

/// Whether a value of this type may be left out: it is absent then, empty, false or the first case.
pub(super) fn absent(ty: &Ty, all: &[Interface]) -> bool {
    match ty {
        Ty::Bool | Ty::Option(_) | Ty::List(_) => true,
        Ty::Named(name) => match find(name, all) {
            Some(Kind::Enum(_)) => true,
            Some(Kind::Variant(cases)) => cases.first().is_some_and(|case| case.ty.is_none()),
            _ => false,
        },
        _ => false,
    }
}

fn find<'a>(name: &str, all: &'a [Interface]) -> Option<&'a Kind> {
    let (interface, name) = name.split_once('.')?;
    let interface = all.iter().find(|candidate| candidate.name == interface)?;
    interface.types.iter().find(|candidate| candidate.name == name).map(|named| &named.kind)
}

/// A type in TypeScript; what a plugin makes may have easier forms than what it gets.
fn shape(ty: &Ty, asked: bool) -> String {
    match ty {
        Ty::Bool => "boolean".to_owned(),
        Ty::Integer("u64" | "s64") if asked => "Integer".to_owned(),
        Ty::Integer(_) | Ty::Float => "number".to_owned(),
        Ty::String => "string".to_owned(),
        Ty::Option(inner) if asked => format!("{} | null", shape(inner, asked)),
        Ty::Option(inner) => shape(inner, asked),
        Ty::List(_) if ty.is_bytes() => if asked { "Bytes" } else { "Uint8Array" }.to_owned(),
        Ty::List(inner) => match (&**inner, asked) {
            (Ty::Named(name), true) if name == "value.pair" => "Pairs".to_owned(),
            (Ty::Named(name), true) if name == "value.named-value" => "Values".to_owned(),
            (Ty::Named(_) | Ty::String, _) => format!("{}[]", shape(inner, asked)),
            _ => format!("Array<{}>", shape(inner, asked)),
        },
        Ty::Named(name) if name == "value.value" => "Value".to_owned(),
        Ty::Named(name) => match name.split_once('.') {
            Some(("value", name)) => format!("value.{}", pascal(name)),
            _ => pascal(name.split('.').next_back().unwrap_or_default()),
        },
    }
}

/// The other interfaces of which an interface uses types by their names.
fn neighbours(interface: &Interface) -> BTreeSet<&'static str> {
    let answers_pairs = |ty: &Ty| ty.text().contains("value.pair");
    let records = interface.types.iter().filter(|named| !named.asked);
    let fields = records.filter_map(|named| match &named.kind {
        Kind::Record(fields) => Some(fields),
        _ => None,
    });
    let uses = fields.flatten().any(|field| answers_pairs(&field.ty));
    if uses && interface.name != "value" { BTreeSet::from(["value"]) } else { BTreeSet::new() }
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|candidate| candidate == word)
}

fn comment(text: &mut String, indent: &str, docs: &str) {
    if docs.is_empty() {
        return;
    }
    if docs.contains('\n') {
        let _ = writeln!(text, "{indent}/**");
        for line in docs.lines() {
            let _ = writeln!(text, "{}", format!("{indent} * {line}").trim_end());
        }
        let _ = writeln!(text, "{indent} */");
    } else {
        let _ = writeln!(text, "{indent}/** {docs} */");
    }
}
