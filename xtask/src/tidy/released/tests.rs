//! What of an edit is refused, and what passes.

use super::compare::broken;
use super::list::{Release, line, listed};
use super::shape::{Contract, contract};
use super::{CONTRACTS, PLUGINS, SUMS, freeze, frozen};
use std::path::Path;
use wit_parser::Resolve;

const RELEASED: &str = "
    package windlass:plugin@0.1.0;

    world plugin {
        import windlass:box/box@0.1.0;
        export windlass:step/step@0.1.0;
    }

    package windlass:box@0.1.0 {
        interface box {
            use windlass:step/step@0.1.0.{mood};
            /// A box.
            record crate { name: string, size: u32, mood: mood }
            variant failure { denied(string), absent, other(string) }
            enum colour { red, green }
            flags marks { open, full }
            type label = option<string>;
            pack: func(what: crate, label: label) -> result<u32, failure>;
            empty: func();
        }
        interface lid { shut: func(); }
    }

    package windlass:step@0.1.0 {
        interface step { enum mood { glad } run: func() -> result<mood, string>; }
    }
";

fn read(text: &str) -> Contract {
    let mut resolve = Resolve::default();
    let _ = resolve.push_source("test.wit", text).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    contract(&resolve).unwrap_or_else(|error| panic!("{error}"))
}

/// What an edit of the released contract breaks, as whole findings.
#[track_caller]
fn edited(edits: &[(&str, &str)]) -> Vec<String> {
    let mut text = RELEASED.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "`{from}` is not in the contract");
        text = text.replace(from, to);
    }
    broken(&read(RELEASED), &read(&text)).into_iter().map(|broken| broken.text).collect()
}

/// Exactly this is refused.
#[track_caller]
fn refused(from: &str, to: &str, wanted: &str) {
    let found = edited(&[(from, to)]);
    assert!(found.len() == 1 && found[0].starts_with(wanted), "wanted: {wanted}\nfound: {found:#?}");
}

#[track_caller]
fn passes(from: &str, to: &str) {
    assert_eq!(edited(&[(from, to)]), Vec::<String>::new());
}

#[test]
fn additions_pass_and_so_do_words() {
    passes("empty: func();", "empty: func(); fill: func(what: list<u8>);");
    passes("interface lid {", "interface handle { turn: func(); } interface lid {");
    passes("enum colour {", "record tape { colour: colour } enum colour {");
    passes("/// A box.", "/// Something to put things into.");
    passes("import windlass:box/box@0.1.0;", "import windlass:box/box@0.1.0; import windlass:box/lid@0.1.0;");
    passes(
        "package windlass:step",
        "package windlass:tape@0.1.0 { interface tape { cut: func(); } } package windlass:step",
    );
    // What no value's layout depends on.
    passes(
        "type label = option<string>;\n            pack",
        "type label = option<string>;\n            kick: func(); pack",
    );
}

#[test]
fn a_patch_of_the_version_passes() {
    assert_eq!(edited(&[("windlass:box@0.1.0", "windlass:box@0.1.3"), ("box/box@0.1.0", "box/box@0.1.3")]), [""; 0]);
    assert_eq!(
        edited(&[("windlass:step@0.1.0", "windlass:step@0.1.1"), ("step/step@0.1.0", "step/step@0.1.1")]),
        [""; 0]
    );
}

#[test]
fn a_new_minor_version_beside_the_released_one_passes() {
    let beside = "package windlass:box@0.2.0 { interface box { empty: func(all: bool); } } package windlass:step";
    passes("package windlass:step", beside);
}

#[test]
fn a_new_minor_version_in_the_place_of_the_released_one_is_refused() {
    let found = edited(&[("windlass:box@0.1.0", "windlass:box@0.2.0"), ("box/box@0.1.0", "box/box@0.2.0")]);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("windlass:box@0.1.0 is released, and its package is gone"), "{found:#?}");
    assert!(found[1].starts_with("world `plugin` of windlass:plugin@0.1.0 no longer imports `windlass:box/box@0.1`"));
}

#[test]
fn an_older_version_is_refused() {
    let newer =
        RELEASED.replace("windlass:step@0.1.0", "windlass:step@0.1.4").replace("step/step@0.1.0", "step/step@0.1.4");
    let found = broken(&read(&newer), &read(RELEASED));
    assert!(found.len() == 1 && found[0].text.starts_with("windlass:step@0.1.0 is older than"), "{found:#?}");
}

#[test]
fn the_words_name_the_place_and_what_to_do() {
    let found = broken(&read(RELEASED), &read(&RELEASED.replace("{ red, green }", "{ red, green, blue }")));
    assert_eq!(found[0].package.as_deref(), Some("windlass:box@0.1.0"));
    assert_eq!(
        found[0].text,
        "case `blue` of enum `colour` in interface `box` of windlass:box@0.1.0 is new, but windlass:box@0.1.0 is \
         released, and plugins that were built against it would no longer run: leave it as it was, and make the change \
         in a new minor version, windlass:box@0.2.0, beside this one"
    );
}

#[test]
fn cases_stay() {
    refused("denied(string), absent,", "denied(string), absent, late,", "case `late` of variant `failure` in");
    refused("absent, other", "other", "case `absent` of variant `failure` in");
    refused("absent, other(string)", "other(string), absent", "the cases of variant `failure` in");
    refused(
        "absent, other",
        "absent(u32), other",
        "case `absent` of variant `failure` in interface `box` of \
        windlass:box@0.1.0 was without a value and is now `u32`",
    );
    refused("enum colour { red, green }", "enum colour { green, red }", "the cases of enum `colour` in");
    refused("enum colour { red, green }", "enum colour { red }", "case `green` of enum `colour` in");
    refused("{ open, full }", "{ open, full, wet }", "flag `wet` of flags `marks` in");
    refused("{ open, full }", "{ open }", "flag `full` of flags `marks` in");
    refused("{ open, full }", "{ full, open }", "the flags of flags `marks` in");
}

#[test]
fn fields_stay() {
    refused("size: u32, mood", "size: u32, depth: u32, mood", "field `depth` of record `crate` in");
    refused("size: u32, mood", "mood", "field `size` of record `crate` in");
    refused(
        "size: u32, mood",
        "size: u64, mood",
        "field `size` of record `crate` in interface `box` of \
        windlass:box@0.1.0 was `u32` and is now `u64`",
    );
    refused("name: string, size: u32", "size: u32, name: string", "the fields of record `crate` in");
}

#[test]
fn types_stay() {
    refused(
        "type label = option<string>;",
        "type label = string;",
        "type `label` in interface `box` of \
        windlass:box@0.1.0 was `option<string>` and is now `string`",
    );
    refused(
        "enum colour { red, green }",
        "flags colour { red, green }",
        "type `colour` in interface `box` of \
        windlass:box@0.1.0 was of kind enum and is now of kind flags",
    );
    refused("enum colour { red, green }", "", "type `colour` in interface `box` of windlass:box@0.1.0 is gone");
    let moved = "enum mood { sad } record crate {";
    let found = edited(&[("use windlass:step/step@0.1.0.{mood};", ""), ("record crate {", moved)]);
    // And the world no longer imports what the type came from.
    assert!(found.len() == 2 && found[0].starts_with("type `mood` in"), "{found:#?}");
}

#[test]
fn functions_and_interfaces_stay() {
    refused("empty: func();", "", "function `empty` in interface `box` of windlass:box@0.1.0 is gone");
    refused(
        "empty: func();",
        "empty: func(all: bool);",
        "function `empty` in interface `box` of windlass:box@0.1.0 was \
        `func()` and is now `func(all: bool)`",
    );
    refused("empty: func();", "empty: func() -> bool;", "function `empty` in");
    refused("empty: func();", "empty: async func();", "function `empty` in");
    refused("what: crate, label", "which: crate, label", "function `pack` in");
    refused("result<u32, failure>", "result<u32, string>", "function `pack` in");
    refused("interface lid { shut: func(); }", "", "interface `lid` of windlass:box@0.1.0 is gone");
}

#[test]
fn a_world_imports_more_at_most_and_exports_the_same() {
    // With the interface that `box` has a type from.
    let found = edited(&[("import windlass:box/box@0.1.0;", "")]);
    assert!(found.len() == 2, "{found:#?}");
    assert!(found[0].starts_with("world `plugin` of windlass:plugin@0.1.0 no longer imports `windlass:box/box@0.1`"));
    refused(
        "export windlass:step/step@0.1.0;",
        "",
        "world `plugin` of windlass:plugin@0.1.0 no longer exports \
        `windlass:step/step@0.1`",
    );
    refused(
        "export windlass:step/step@0.1.0;",
        "export windlass:step/step@0.1.0; export windlass:box/lid@0.1.0;",
        "world `plugin` of windlass:plugin@0.1.0 asks plugins for `windlass:box/lid@0.1` besides",
    );
    refused("world plugin {", "world step {", "world `plugin` of windlass:plugin@0.1.0 is gone");
}

#[test]
fn what_was_released_is_not_touched() {
    let root = std::env::temp_dir().join(format!("windlass-xtask-released-{}", std::process::id()));
    let folder = Path::new("0.1.0");
    let file = |name: &str| root.join(folder).join(name);
    std::fs::create_dir_all(file("deps")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(file(name), text).unwrap();
    let places =
        || -> Vec<String> { frozen(&root, folder).unwrap().into_iter().map(|finding| finding.place).collect() };
    write("a.wit", "a");
    write("deps/b.wit", "b");
    assert_eq!(places(), ["0.1.0"], "nothing says what was released");
    freeze(&root.join(folder)).unwrap();
    assert_eq!(places(), [""; 0]);
    write("deps/b.wit", "c");
    write("new.wit", "");
    std::fs::remove_file(file("a.wit")).unwrap();
    assert_eq!(places(), ["0.1.0/a.wit", "0.1.0/deps/b.wit", "0.1.0/new.wit"]);
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn a_release_is_not_taken_away_and_its_list_is_not_edited() {
    let root = std::env::temp_dir().join(format!("windlass-xtask-listed-{}", std::process::id()));
    let folder = |kind: &str| root.join(kind).join("0.1.0");
    for kind in [CONTRACTS, PLUGINS] {
        std::fs::create_dir_all(folder(kind)).unwrap();
        std::fs::write(folder(kind).join("a"), kind).unwrap();
        freeze(&folder(kind)).unwrap();
    }
    let told = line(&root, "0.1.0").unwrap();
    let sums: Vec<&str> = told.split('"').filter(|part| part.len() == 64).collect();
    assert!(sums.len() == 2 && sums[0] != sums[1], "{told}");
    let releases = [Release { version: "0.1.0", contract: sums[0], plugins: sums[1] }];
    let found = |releases: &[Release<'_>]| -> Vec<String> {
        let findings = listed(&root, releases).unwrap().into_iter();
        findings.map(|finding| format!("{} {}", finding.place, finding.text)).collect()
    };
    assert_eq!(found(&releases), [""; 0]);
    let unlisted = found(&[]);
    assert!(unlisted.len() == 2 && unlisted.iter().all(|text| text.contains(&told)), "{unlisted:#?}");

    // A file and its list edited together are in order as far as the list knows.
    std::fs::write(folder(CONTRACTS).join("a"), "b").unwrap();
    freeze(&folder(CONTRACTS)).unwrap();
    assert_eq!(frozen(&root, &Path::new(CONTRACTS).join("0.1.0")).unwrap(), []);
    std::fs::remove_dir_all(folder(PLUGINS)).unwrap();
    let edited = found(&releases);
    assert!(edited.len() == 2, "{edited:#?}");
    assert!(edited[0].starts_with(&format!("{CONTRACTS}/0.1.0/{SUMS} is not the list of that release")), "{edited:#?}");
    assert!(edited[1].starts_with(&format!("{PLUGINS}/0.1.0 is gone")), "{edited:#?}");
    std::fs::remove_file(folder(CONTRACTS).join(SUMS)).unwrap();
    assert!(found(&releases)[0].starts_with(&format!("{CONTRACTS}/0.1.0/{SUMS} is gone")));
    std::fs::remove_dir_all(&root).unwrap();
}
