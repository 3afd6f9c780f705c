//! `windlass plugin check`.

use crate::support::Folder;

fn component(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/guests/wat/{name}.wat", env!("CARGO_MANIFEST_DIR"));
    wat::parse_file(path).unwrap()
}

#[test]
fn a_plugin_says_what_it_needs_and_how_quick_it_is() {
    let done = Folder::new().windlass(&["plugin", "check", "http-check"]).exits(0);
    for wanted in
        ["builtin:http-check: a plugin", "windlass:step/step@0.1.0", "windlass:http/http 0.1.0", "can use http: "]
    {
        assert!(done.out.contains(wanted), "{wanted}: {}", done.out);
    }
    assert!(done.out.contains("this Windlass runs it"), "{}", done.out);
}

#[test]
fn programs_are_told_in_json() {
    let folder = Folder::new();
    let told = folder.windlass(&["plugin", "check", "builtin:image", "--format", "json"]).exits(0).json().remove(0);
    assert_eq!((&told["kind"], &told["description"]["name"]), (&"plugin".into(), &"image".into()));
    assert!(told["imports"].as_array().unwrap().iter().all(|import| import["served"] == true));
    assert!(told["size"].as_u64().unwrap() > 10_000 && told["starts-us"].as_u64().unwrap() > 0);
}

#[test]
fn a_program_is_a_step_as_well() {
    let folder = Folder::new().file("a.wasm", component("command")).file("b.wasm", component("wasip1"));
    folder.windlass(&["plugin", "check", "a.wasm"]).exits(0).says("a.wasm: a program").says("wasi:cli/run@0.2");
    folder.windlass(&["plugin", "check", "b.wasm"]).exits(0).says("adapted when it is loaded");
}

#[test]
fn what_is_not_served_ends_with_2() {
    let folder =
        Folder::new().file("next.wasm", component("docker-next")).file("x.wasm", component("unknown-interface"));
    folder.windlass(&["plugin", "check", "next.wasm"]).exits(2).says("windlass:docker/docker").says("not served");
    let told = folder.windlass(&["plugin", "check", "x.wasm", "--format", "json"]).exits(2).json().remove(0);
    assert_eq!(told["error"]["code"], "bad-plugin");
    let problems: Vec<_> =
        told["imports"].as_array().unwrap().iter().filter(|import| import["served"] == false).collect();
    assert_eq!(problems.len(), 1);
    assert!(problems[0]["problem"].as_str().unwrap().contains("there is no such interface"));
}

#[test]
fn what_has_more_of_something_than_an_instance_can_get_is_told_so() {
    let path = format!("{}/../../tests/guests/wat/step.wat", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let inner = text.trim_end().strip_suffix(')').unwrap();
    let many = "(core module $m (memory 1))".to_owned() + &"(core instance (instantiate $m))".repeat(9);
    let folder = Folder::new().file("x.wasm", wat::parse_str(format!("{inner} {many})")).unwrap());
    folder.windlass(&["plugin", "check", "x.wasm"]).exits(2).says("10 Wasm linear memories").says("maximum of 8");
}

#[test]
fn what_is_too_large_is_not_even_read() {
    let folder = Folder::new().file("x.wasm", "");
    let file = std::fs::File::options().write(true).open(folder.path().join("x.wasm")).unwrap();
    // A hole: it takes no room on the disk.
    file.set_len(5 << 30).unwrap();
    folder.windlass(&["plugin", "check", "x.wasm"]).exits(2).says("5368709120 bytes").says("67108864 are the most");
}

#[test]
fn what_is_no_webassembly() {
    let folder = Folder::new().file("x.wasm", "#!/bin/sh");
    folder.windlass(&["plugin", "check", "x.wasm"]).exits(2).says("is not WebAssembly");
    folder.windlass(&["plugin", "check", "gone.wasm"]).exits(2).says("there is no file gone.wasm");
}
