//! The contract for Python: for each interface a module with its types as dataclasses, its errors as exceptions and its
//! functions, and the table by which values are brought into the form of the component's bindings.

use super::contract::{Case, Field, Function, Interface, Kind, Named, Ty};
use super::javascript::absent;
use super::names::{pascal, shouting, snake};
use super::{WRITTEN, Written};
use std::fmt::Write as _;

const FOLDER: &str = "plugin-sdk/python/sdk/windlass/interfaces";

pub(super) fn write(interfaces: &[Interface]) -> Vec<Written> {
    let mut files = Vec::new();
    let mut index = format!("# {WRITTEN}\n\"\"\"What a plugin can call, a module for each interface.\"\"\"\n\n");
    for interface in interfaces {
        let name = &interface.name;
        files.push(Written { path: format!("{FOLDER}/{name}.py"), text: module(interface, interfaces) });
        let _ = writeln!(index, "from . import {name} as {name}");
    }
    files.push(Written { path: format!("{FOLDER}/__init__.py"), text: index });
    files
}

fn module(interface: &Interface, all: &[Interface]) -> String {
    let mut text = format!("# {WRITTEN}\n");
    docstring(&mut text, "", &interface.docs);
    text.push_str(
        "from __future__ import annotations\n\nfrom dataclasses import dataclass\nfrom enum import Enum\n\
         from typing import List, Optional, Sequence, Union\n\n\
         from .._calls import call, register\nfrom ..failure import CapabilityError\n\
         from ..values import Pairs, Value, Values, Variant\n",
    );
    if interface.name != "value" {
        text.push_str("from . import value\n");
    }
    for named in &interface.types {
        if (interface.name.as_str(), named.name.as_str()) != ("value", "value") {
            class(&mut text, named, all);
        }
    }
    table(&mut text, interface);
    for function in &interface.functions {
        definition(&mut text, &interface.name, function, all);
    }
    text
}

fn class(text: &mut String, named: &Named, all: &[Interface]) {
    let name = pascal(&named.name);
    match &named.kind {
        Kind::Record(fields) => {
            let keywords = if named.asked { "(kw_only=True)" } else { "" };
            let _ = writeln!(text, "\n\n@dataclass{keywords}\nclass {name}:");
            docstring(text, "    ", &named.docs);
            for field in fields {
                let default = if named.asked { default(&field.ty, all) } else { None };
                let default = default.map(|value| format!(" = {value}")).unwrap_or_default();
                let _ = writeln!(text, "    {}: {}{default}", snake(&field.name), shape(&field.ty, named.asked));
                docstring(text, "    ", &field.docs);
            }
        }
        Kind::Enum(cases) => {
            let _ = writeln!(text, "\n\nclass {name}(str, Enum):");
            docstring(text, "    ", &named.docs);
            for case in cases {
                let _ = writeln!(text, "    {} = \"{}\"", shouting(&case.name), case.name);
                docstring(text, "    ", &case.docs);
            }
        }
        Kind::Variant(cases) if named.name == "error" => {
            let _ = writeln!(text, "\n\nclass Error(CapabilityError):");
            docstring(text, "    ", &named.docs);
            for case in cases {
                let _ = writeln!(text, "\n\nclass {}(Error):", pascal(&case.name));
                docstring(text, "    ", &case.docs);
                let _ = writeln!(text, "    code = \"{}\"", case.name);
            }
        }
        Kind::Variant(cases) => {
            let _ = writeln!(text, "\n\nclass {name}(Variant):");
            docstring(text, "    ", &named.docs);
            for Case { name: case, docs, ty } in cases {
                let (param, value) = match ty {
                    Some(ty) => (format!(", value: {}", shape(ty, named.asked)), ", value"),
                    None => (String::new(), ""),
                };
                let _ = writeln!(text, "\n    @classmethod\n    def {}(cls{param}) -> {name}:", snake(case));
                docstring(text, "        ", docs);
                let _ = writeln!(text, "        return cls(\"{case}\"{value})");
            }
        }
    }
}

fn table(text: &mut String, interface: &Interface) {
    let _ = writeln!(text, "\n\nregister(\n    \"{}\",\n    __name__,\n    types={{", interface.name);
    let entries = |fields: &[Field]| {
        let entries: Vec<String> =
            fields.iter().map(|field| format!("\"{}\": \"{}\"", field.name, field.ty.text())).collect();
        entries.join(", ")
    };
    for Named { name, kind, .. } in &interface.types {
        let _ = match kind {
            Kind::Record(fields) => writeln!(text, "        \"{name}\": {{\"record\": {{{}}}}},", entries(fields)),
            Kind::Enum(cases) => {
                let cases: Vec<String> = cases.iter().map(|case| format!("\"{}\"", case.name)).collect();
                writeln!(text, "        \"{name}\": {{\"enum\": [{}]}},", cases.join(", "))
            }
            Kind::Variant(cases) => {
                let cases = cases.iter().map(|Case { name, ty, .. }| {
                    let ty = ty.as_ref().map_or("None".to_owned(), |ty| format!("\"{}\"", ty.text()));
                    format!("\"{name}\": {ty}")
                });
                let cases: Vec<String> = cases.collect();
                writeln!(text, "        \"{name}\": {{\"variant\": {{{}}}}},", cases.join(", "))
            }
        };
    }
    text.push_str("    },\n    functions={\n");
    for Function { name, params, answer, .. } in &interface.functions {
        let answer = answer.as_ref().map_or("None".to_owned(), |ty| format!("\"{}\"", ty.text()));
        let _ = writeln!(text, "        \"{name}\": {{\"params\": {{{}}}, \"answer\": {answer}}},", entries(params));
    }
    text.push_str("    },\n)\n");
}

fn definition(text: &mut String, interface: &str, function: &Function, all: &[Interface]) {
    let required =
        function.params.iter().rposition(|param| default(&param.ty, all).is_none()).map_or(0, |last| last + 1);
    let params = function.params.iter().enumerate().map(|(at, param)| {
        let default = default(&param.ty, all).filter(|_| at >= required).map(|value| format!(" = {value}"));
        format!("{}: {}{}", snake(&param.name), shape(&param.ty, true), default.unwrap_or_default())
    });
    let params: Vec<String> = params.collect();
    let answer = function.answer.as_ref().map_or("None".to_owned(), |ty| shape(ty, false));
    let _ = writeln!(text, "\n\ndef {}({}) -> {answer}:", snake(&function.name), params.join(", "));
    let raises = if function.fails { "\n\nRaises `Error`, or one of its kinds." } else { "" };
    docstring(text, "    ", &format!("{}{raises}", function.docs));
    let names: String = function.params.iter().map(|param| format!(", {}", snake(&param.name))).collect();
    let _ = writeln!(text, "    return call(\"{interface}.{}\"{names})", function.name);
}

/// What stands for a value that is left out.
fn default(ty: &Ty, all: &[Interface]) -> Option<String> {
    match ty {
        Ty::Bool => Some("False".to_owned()),
        Ty::Option(_) => Some("None".to_owned()),
        Ty::List(_) if ty.is_bytes() => Some("b\"\"".to_owned()),
        Ty::List(_) => Some("()".to_owned()),
        Ty::Named(name) if absent(ty, all) => {
            let (interface, name) = name.split_once('.')?;
            let named = all.iter().find(|i| i.name == interface)?.types.iter().find(|named| named.name == name)?;
            match &named.kind {
                Kind::Enum(cases) => Some(format!("{}.{}", pascal(name), shouting(&cases.first()?.name))),
                Kind::Variant(cases) => Some(format!("{}.{}()", pascal(name), snake(&cases.first()?.name))),
                Kind::Record(_) => None,
            }
        }
        _ => None,
    }
}

/// A type in Python; what a plugin makes may have easier forms than what it gets.
fn shape(ty: &Ty, asked: bool) -> String {
    match ty {
        Ty::Bool => "bool".to_owned(),
        Ty::Integer(_) => "int".to_owned(),
        Ty::Float => "float".to_owned(),
        Ty::String => "str".to_owned(),
        Ty::Option(inner) => format!("Optional[{}]", shape(inner, asked)),
        Ty::List(_) if ty.is_bytes() => if asked { "Union[bytes, str]" } else { "bytes" }.to_owned(),
        Ty::List(inner) => match (&**inner, asked) {
            (Ty::Named(name), true) if name == "value.pair" => "Pairs".to_owned(),
            (Ty::Named(name), true) if name == "value.named-value" => "Values".to_owned(),
            (_, true) => format!("Sequence[{}]", shape(inner, asked)),
            (_, false) => format!("List[{}]", shape(inner, asked)),
        },
        Ty::Named(name) if name == "value.value" => "Value".to_owned(),
        Ty::Named(name) => match name.split_once('.') {
            Some(("value", name)) => format!("value.{}", pascal(name)),
            _ => pascal(name.split('.').next_back().unwrap_or_default()),
        },
    }
}

fn docstring(text: &mut String, indent: &str, docs: &str) {
    if docs.is_empty() {
        return;
    }
    // The contract quotes words with backticks and quotation marks; three of the latter never.
    let lines: Vec<String> = docs.lines().map(|line| format!("{indent}{line}").trim_end().to_owned()).collect();
    let end = if docs.contains('\n') { format!("\n{indent}") } else { String::new() };
    let _ = writeln!(text, "{indent}\"\"\"{}{end}\"\"\"", lines.join("\n").trim_start());
}
