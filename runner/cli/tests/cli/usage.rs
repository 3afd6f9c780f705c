//! What holds for every command.

use std::path::Path;

use crate::support::{Folder, HELLO, snapshot};

#[test]
fn help() {
    snapshot!(Folder::new().windlass(&["--help"]));
    snapshot!(Folder::new().windlass(&["run", "--help"]));
}

#[test]
fn the_version() {
    let done = Folder::new().windlass(&["--version"]).exits(0);
    assert_eq!(done.out, concat!("windlass ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [&[][..], &["fly"], &["run", "--jobs", "0"], &["run", "a", "b"], &["check", "--format", "xml"]] {
        Folder::new().windlass(args).exits(2);
    }
    Folder::new().windlass(&["chekc"]).exits(2).says("check");
}

#[test]
fn commands_of_later_versions_are_not_there() {
    for command in ["schema", "serve"] {
        Folder::new().windlass(&[command]).exits(2).says("unrecognized subcommand");
    }
}

#[test]
fn colours_are_for_those_who_see_them() {
    let folder = Folder::with(HELLO);
    let colored = |args: &[&str], folder: &Folder| folder.windlass(args).exits(0).out.contains("\u{1b}[");
    assert!(!colored(&["check"], &folder));
    assert!(colored(&["check", "--color", "always"], &folder));
    assert!(!colored(&["check", "--color", "never"], &folder));
    assert!(colored(&["run", "--color", "always"], &folder));
    let folder = folder.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1");
    assert!(!colored(&["check"], &folder), "NO_COLOR holds");
}

#[test]
fn the_host_tells_what_it_does_only_when_asked() {
    Folder::with(HELLO).windlass(&["--log", "wndlss=loud=1", "check"]).exits(2).says("is no filter");
    let done = Folder::with(HELLO).windlass(&["check", "--log", "trace"]).exits(0);
    assert!(done.out.starts_with("good: "), "{}", done.out);
}

#[test]
fn who_closes_the_pipe_has_seen_enough() {
    let folder = Folder::with(HELLO);
    let mut child = folder.start(&["plugin", "inspect", "command"]);
    drop(child.stdout.take());
    assert_eq!(folder.wait(child).exits(0).err, "");
    // The exit code of a run tells how it ended, whoever reads.
    let folder = Folder::with(&crate::run::host(r#"["false"]"#, "false"));
    let mut child = folder.start(&["run"]);
    drop(child.stdout.take());
    folder.wait(child).exits(1);
}

#[test]
fn every_command_has_its_tests() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (folder, prefix) in [("src/command", ""), ("src/command/plugin", "plugin_")] {
        for entry in here.join(folder).read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if name != "mod" && name != "plugin" {
                let tests = here.join(format!("tests/cli/{prefix}{name}.rs"));
                assert!(tests.is_file(), "{} has no tests in {}", path.display(), tests.display());
            }
        }
    }
}
