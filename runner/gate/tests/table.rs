//! The table of functions and the WIT say the same.
#![allow(clippy::disallowed_methods, reason = "a test reads files of the repository")]

use std::collections::BTreeSet;
use std::path::Path;

use windlass_gate::{Function, Kind, Need, Want};
use wit_parser::{Resolve, WorldItem};

fn functions_of_the_wit() -> BTreeSet<String> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(&wit).expect("the WIT parses");
    let world = resolve.select_world(&[package], Some("plugin")).expect("there is a world `plugin`");
    let mut functions = BTreeSet::new();
    for item in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = item else { continue };
        let interface = &resolve.interfaces[*id];
        let name = interface.name.as_deref().expect("a named interface");
        functions.extend(interface.functions.keys().map(|function| format!("{name}.{function}")));
    }
    functions
}

#[test]
fn every_function_of_the_wit_has_a_row_and_every_exported_row_has_a_function() {
    let table: BTreeSet<String> =
        Function::all().filter(|function| function.row().exported).map(|function| function.name().to_owned()).collect();
    let wit = functions_of_the_wit();
    assert_eq!(table, wit);
    assert!(wit.len() > 25, "the WIT has been read: {wit:?}");
}

#[test]
fn names_lead_back_to_their_function() {
    for function in Function::all() {
        assert_eq!(Function::by_name(function.name()), Some(function));
        assert_eq!(function.row().function, function);
    }
    assert_eq!(Function::by_name("docker.privileged"), None);
}

#[test]
fn what_is_not_of_the_right_form_is_an_error_and_no_free_pass() {
    for function in
        Function::all().filter(|function| !matches!(function.name().split('.').next(), Some("log" | "wasi")))
    {
        assert!((function.row().needs)("\"text\"").is_err(), "{}", function.name());
    }
}

/// `tests/conformance/calls.json` has a call of each function, and what the reference in `docs/` says that it needs.
#[test]
fn what_the_reference_says_that_a_call_needs_is_what_is_checked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/calls.json");
    let text = std::fs::read_to_string(path).expect("the calls are there");
    let suite: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let calls = suite["calls"].as_object().expect("calls by their functions");
    for (name, call) in calls {
        let row = Function::by_name(name).expect("a function of the table").row();
        if row.kind == Kind::Composite {
            continue;
        }
        let mut args = call["args"].clone();
        // Bytes stand as text in the suite, and as base64 at the gate.
        for bytes in ["/content", "/request/body"] {
            args.pointer_mut(bytes).into_iter().for_each(|bytes| *bytes = "".into());
        }
        let needs = (row.needs)(&args.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut found: Vec<String> = needs.iter().map(told).collect();
        found.dedup();
        let said = call["needs"].as_array().into_iter().flatten().filter_map(|need| need.as_str());
        // A password may be a secret, and is plain where the suite tries that.
        let names_secret = args.to_string().contains("\"secret\":");
        let said: Vec<&str> = said.filter(|need| *need != "secrets.use" || names_secret).collect();
        assert_eq!(found, said, "{name}");
    }
}

fn told(need: &Need) -> String {
    let of = |want: &Want| match (want.capability, &*want.verb) {
        ("http", _) => "http.METHOD".to_owned(),
        (capability, "") => capability.to_owned(),
        (capability, verb) => format!("{capability}.{verb}"),
    };
    let mut ways: Vec<String> = need.any_of.iter().map(of).collect();
    ways.extend(need.owned_as.as_ref().map(|_| "its own".to_owned()));
    ways.join(" or ")
}
