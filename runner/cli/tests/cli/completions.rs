//! `windlass completions`.

use crate::support::Folder;

#[test]
fn every_shell_has_them() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let done = Folder::new().windlass(&["completions", shell]).exits(0);
        for command in
            ["run", "plan", "check", "runs", "show", "logs", "deployments", "rollback", "router", "doctor", "plugin"]
        {
            assert!(done.out.contains(command), "{shell} has no {command}");
        }
    }
}

#[test]
fn bash_takes_them() {
    let script = Folder::new().windlass(&["completions", "bash"]).exits(0).out;
    let parsed = std::process::Command::new("bash").args(["-n", "-c", &script]).status().unwrap();
    assert!(parsed.success());
}

#[test]
fn an_unknown_shell() {
    Folder::new().windlass(&["completions", "tcsh"]).exits(2).says("bash");
}
