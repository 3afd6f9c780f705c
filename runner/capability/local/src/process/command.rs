//! From what a step asks to what is run: the program's file, the environment, the folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use windlass_gate::api::process::Command;
use windlass_gate::{Authority, Call, CallError, RunContext};
use windlass_pipeline::Demand;

use crate::keeper::Order;

/// The order for the keeper.
pub(super) fn order(call: &Call, command: &Command, path: &OsStr) -> Result<Order, CallError> {
    if let Some(bad) = command.args.iter().find(|argument| argument.contains('\0')) {
        return Err(CallError::Invalid(format!("the argument {bad:?} has a zero byte, which no argument can have")));
    }
    if command.timeout_ms == Some(0) {
        return Err(CallError::Invalid("`timeout-ms` is 0; leave it out for no limit but the step's own".to_owned()));
    }
    Ok(Order {
        program: program(&command.program, path)?,
        args: command.args.clone(),
        env: environment(call, command)?.into_iter().collect(),
        folder: folder(&call.run, command.working_directory.as_deref().unwrap_or("."))?,
        stdin: command.stdin.clone(),
    })
}

/// The program's file. The gate has checked that the step is granted this name.
fn program(name: &str, path: &OsStr) -> Result<PathBuf, CallError> {
    if Path::new(name).is_absolute() {
        return if is_program(Path::new(name)) {
            Ok(name.into())
        } else {
            Err(CallError::NotFound(format!(
                "there is no program {name} on this host; install it, or change its path in the step and in its grant"
            )))
        };
    }
    if name.is_empty() || name.contains(['/', '\0']) {
        return Err(CallError::Invalid(format!(
            "{name:?} is no program: give the name of one, like `cargo`, or its absolute path"
        )));
    }
    // Relative folders of the PATH would be looked up in whatever folder Windlass was started in.
    let found = std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_program(file));
    found.ok_or_else(|| {
        CallError::NotFound(format!(
            "there is no program `{name}` in the PATH of this host ({}); \
             install it, or start Windlass with its folder in PATH",
            path.display()
        ))
    })
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// What the grants let through of the host's variables, and over it what the step gives.
fn environment(call: &Call, command: &Command) -> Result<BTreeMap<String, String>, CallError> {
    let mut env = BTreeMap::new();
    if let Authority::Step(authority) = &call.authority {
        let granted = call
            .run
            .env
            .iter()
            .filter(|(name, _)| authority.grants.allows(&Demand::new("env", "read", name.as_str())).is_some());
        env.extend(granted.map(|(name, value)| (name.clone(), value.clone())));
    }
    for variable in &command.env {
        let name = &variable.name;
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(CallError::Invalid(format!("{name:?} cannot be the name of an environment variable")));
        }
        let value = call.run.secrets.reveal(&variable.value)?;
        if value.contains('\0') {
            // It may be a secret, so it is not shown.
            return Err(CallError::Invalid(format!(
                "the value of the environment variable `{name}` has a zero byte, which none can have"
            )));
        }
        env.insert(name.clone(), value);
    }
    Ok(env)
}

/// The folder to run in: inside the workspace, wherever symbolic links lead, and not Windlass's own.
fn folder(run: &RunContext, given: &str) -> Result<PathBuf, CallError> {
    let asked = run.workspace.join(given);
    let folder = asked.canonicalize().map_err(|error| {
        CallError::NotFound(format!("there is no folder `{given}` to run in: {}: {error}", asked.display()))
    })?;
    if !folder.starts_with(&run.workspace) {
        return Err(CallError::Denied(format!(
            "`{given}` is {}, outside of the pipeline's folder {}; programs run inside of it",
            folder.display(),
            run.workspace.display()
        )));
    }
    let state = run.state.canonicalize().unwrap_or_else(|_| run.state.clone());
    if folder.starts_with(state) {
        return Err(CallError::Denied(format!(
            "`{given}` belongs to the state of Windlass, in which nothing else runs"
        )));
    }
    if !folder.is_dir() {
        return Err(CallError::NotFound(format!("`{given}` is a file, not a folder to run in")));
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn executable(path: &Path) {
        fs::write(path, "").expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
    }

    #[test]
    fn programs_are_found_in_absolute_folders_of_the_path_only() {
        let dir = tempfile::tempdir().expect("a folder");
        executable(&dir.path().join("tool"));
        fs::write(dir.path().join("text"), "").expect("written");
        let path = format!("relative:::/nowhere:{}", dir.path().display());
        assert_eq!(program("tool", OsStr::new(&path)), Ok(dir.path().join("tool")));
        for absent in ["text", "other", "/nowhere/tool"] {
            assert!(matches!(program(absent, OsStr::new(&path)), Err(CallError::NotFound(_))), "{absent}");
        }
        for bad in ["", "./tool", "a/tool", "to\0ol"] {
            assert!(matches!(program(bad, OsStr::new(&path)), Err(CallError::Invalid(_))), "{bad}");
        }
        assert!(matches!(program("tool", OsStr::new(".:relative:")), Err(CallError::NotFound(_))));
    }

    #[test]
    fn folders_stay_inside() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("there");
        let workspace = root.join("work");
        fs::create_dir_all(workspace.join("src/deep")).expect("made");
        fs::create_dir_all(workspace.join(".windlass/artifacts")).expect("made");
        fs::create_dir_all(root.join("work-too")).expect("made");
        fs::write(workspace.join("file"), "").expect("written");
        symlink("/", workspace.join("out")).expect("linked");
        symlink(".windlass", workspace.join("state")).expect("linked");
        symlink("src/deep", workspace.join("in")).expect("linked");
        struct None;
        impl windlass_gate::SecretStore for None {
            fn read(&self, _: &str) -> Result<String, String> {
                Err(String::new())
            }
        }
        let run = RunContext {
            run: "0000000000".to_owned(),
            pipeline: "p".to_owned(),
            state: workspace.join(".windlass"),
            workspace: workspace.clone(),
            env: BTreeMap::new(),
            secrets: windlass_gate::Secrets::new(None),
        };
        assert_eq!(folder(&run, "."), Ok(workspace.clone()));
        assert_eq!(folder(&run, "src/../src"), Ok(workspace.join("src")));
        assert_eq!(folder(&run, "in"), Ok(workspace.join("src/deep")));
        for outside in ["..", "../work-too", "out", "out/tmp", "/", ".windlass", ".windlass/artifacts", "state"] {
            assert!(matches!(folder(&run, outside), Err(CallError::Denied(_))), "{outside}");
        }
        for absent in ["nowhere", "file"] {
            assert!(matches!(folder(&run, absent), Err(CallError::NotFound(_))), "{absent}");
        }
    }
}
