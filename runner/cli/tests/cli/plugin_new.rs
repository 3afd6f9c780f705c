//! `windlass plugin new`.

use std::path::Path;

use crate::support::Folder;

const LANGUAGES: [&str; 6] = ["rust", "js", "ts", "python", "c", "go"];

/// The texts of a folder and those in it, by their paths.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(texts(&path));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path.display().to_string(), text));
        }
    }
    found
}

#[test]
fn each_language_gets_a_project_with_all_that_it_needs() {
    for language in LANGUAGES {
        let folder = Folder::new();
        folder.windlass(&["plugin", "new", "image-sizes", "--lang", language]).exits(0).says("windlass plugin build");
        let project = folder.path().join("image-sizes");
        for file in ["README.md", "windlass-plugin.toml", "cases/hello.toml", ".gitignore"] {
            assert!(project.join(file).is_file(), "{language}: no {file}");
        }
        let said = std::fs::read_to_string(project.join("windlass-plugin.toml")).unwrap();
        assert!(
            said.contains("name = \"image-sizes\"") && said.contains(&format!("language = \"{language}\"")),
            "{said}"
        );
        let all = texts(&project);
        let contract = all.iter().filter(|(path, _)| path.ends_with("wit/plugin.wit")).count();
        assert_eq!(contract, 1, "{language}: the contract goes along once");
        for (path, text) in all.iter().filter(|(path, _)| !path.contains("/image-sizes/windlass/")) {
            for place in ["{{name}}", "{{ident}}"] {
                assert!(!text.contains(place) && !path.contains(place), "{place} is left in {path}");
            }
        }
    }
}

#[test]
fn programs_are_told_in_json() {
    let folder = Folder::new();
    let args = ["plugin", "new", "sizes", "--lang", "rust", "--in", "a/b", "--format", "json"];
    let told = folder.windlass(&args).exits(0).json().remove(0);
    assert_eq!((&told["name"], &told["language"], &told["folder"]), (&"sizes".into(), &"rust".into(), &"a/b".into()));
    for file in told["files"].as_array().unwrap() {
        assert!(folder.path().join("a/b").join(file.as_str().unwrap()).is_file(), "{file}");
    }
}

#[test]
fn what_is_there_is_left_alone() {
    let folder = Folder::new().file("sizes/mine.txt", "x").file("file", "x");
    folder.windlass(&["plugin", "new", "sizes", "--lang", "rust"]).exits(2).says("sizes is there already");
    folder.windlass(&["plugin", "new", "sizes", "--lang", "rust", "--in", "file"]).exits(2).says("there already");
    let left: Vec<_> = folder.path().join("sizes").read_dir().unwrap().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(folder.path().read_dir().unwrap().count(), 2, "nothing half made is left");
}

#[test]
fn a_name_is_that_of_a_file_a_package_and_a_step() {
    for name in ["Sizes", "../sizes", "1st", "a_b", "-"] {
        Folder::new()
            .windlass(&["plugin", "new", "--lang", "rust", "--", name])
            .exits(2)
            .says("cannot be a plugin's name");
    }
    for (name, language) in
        [("windlass", "go"), ("windlass-plugin", "rust"), ("windlass-plugin", "js"), ("windlass-plugin", "ts")]
    {
        let folder = Folder::new();
        folder
            .windlass(&["plugin", "new", name, "--lang", language])
            .exits(2)
            .says("depends on a package of that name");
        assert!(!folder.path().join(name).exists(), "nothing is made");
    }
    Folder::new().windlass(&["plugin", "new", "sizes", "--lang", "cobol"]).exits(2).says("possible values: rust");
}

#[test]
fn what_a_build_will_miss_is_said_at_once() {
    let folder = Folder::new().env("PATH", "/nowhere");
    folder.windlass(&["plugin", "new", "sizes", "--lang", "rust"]).exits(0).says("https://rustup.rs");
}
