//! `windlass plugin inspect`.

use crate::support::{Folder, snapshot};

#[test]
fn a_built_in_plugin() {
    snapshot!(Folder::new().windlass(&["plugin", "inspect", "http-check"]));
}

#[test]
fn every_built_in_plugin_is_documented() {
    for name in ["command", "deploy", "http-check", "image", "service", "stack"] {
        let done =
            Folder::new().windlass(&["plugin", "inspect", &format!("builtin:{name}"), "--format", "json"]).exits(0);
        let plugin = &done.json()[0];
        assert_eq!(plugin["source"], format!("builtin:{name}"));
        let description = &plugin["description"];
        assert!(description["documentation"].as_str().unwrap().len() > 40, "{description}");
        assert_eq!(description["with-schema"]["type"], "object");
        for used in description["capabilities"].as_array().unwrap() {
            assert!(!used["reason"].as_str().unwrap().is_empty(), "{used}");
        }
        for property in description["with-schema"]["properties"].as_object().unwrap() {
            assert!(
                property.1["description"].is_string()
                    || property.1["$ref"].is_string()
                    || property.1["anyOf"].is_array(),
                "{name}: {property:?}"
            );
        }
    }
}

#[test]
fn a_file_is_inspected_like_any_other() {
    let folder = Folder::new().file("x.wasm", wat::parse_str("(module)").unwrap());
    snapshot!(folder.windlass(&["plugin", "inspect", "x.wasm"]));
    let error = &folder.windlass(&["plugin", "inspect", "x.wasm", "--format", "json"]).exits(2).json()[0]["error"];
    assert_eq!(error["code"], "bad-plugin");
}

#[test]
fn what_is_not_there() {
    Folder::new().windlass(&["plugin", "inspect", "imgae"]).exits(2).says("did you mean `builtin:image`?");
    Folder::new().windlass(&["plugin", "inspect", "gone.wasm"]).exits(2).says("there is no file gone.wasm");
    Folder::new().windlass(&["plugin", "inspect", "builtin:x.y"]).exits(2).says("there is no built-in plugin `x.y`");
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = crate::support::Folder::new();
    let pipe = folder.path().join("pipe.wasm");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in ["./pipe.wasm", "/dev/zero"] {
        folder.windlass(&["plugin", "inspect", path]).exits(2).says("it is a pipe, a device or a socket");
        folder.windlass(&["check", path]).exits(2).says("it is a pipe, a device or a socket");
    }
}
