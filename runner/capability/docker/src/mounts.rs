//! Folders of the host that a container or a build may see.

use std::io;
use std::path::{Component, Path, PathBuf};

use windlass_gate::{Authority, Call, CallError};
use windlass_pipeline::Demand;

use crate::connect::{Address, Endpoint};

/// The folder with the runs' records, wherever it is.
pub(crate) const STATE_FOLDER: &str = ".windlass";

/// A path of the host that may be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    /// Where it really is.
    pub(crate) path: PathBuf,
    /// Folders of the runs' records beneath it, relative to it: whoever sees the path must not see them.
    pub(crate) hidden: Vec<PathBuf>,
}

/// Where `text` really is, if the call may use it. The gate has compared the text with the grants;
/// here it is held against the disk, where symlinks may lead elsewhere.
pub(crate) fn resolve(call: &Call, endpoint: &Endpoint, verb: &str, text: &str) -> Result<Granted, CallError> {
    let run = &call.run;
    let asked = run.workspace.join(text);
    let path = asked.canonicalize().map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "does not exist".to_owned(),
            _ => format!("cannot be looked at: {error}"),
        };
        CallError::NotFound(format!(
            "the folder `{text}` ({}) {why}; paths are relative to the pipeline's folder",
            asked.display()
        ))
    })?;
    let workspace = run.workspace.canonicalize().unwrap_or_else(|_| run.workspace.clone());
    if !path.starts_with(&workspace) && !is_granted_as_it_is(call, verb, text, &path) {
        return Err(CallError::Denied(format!(
            "the folder `{text}` is really {}, which is outside the pipeline's folder {} and not what the grant names; grant that path itself if it is meant",
            path.display(),
            workspace.display()
        )));
    }
    let state = run.state.canonicalize().unwrap_or_else(|_| run.state.clone());
    if path.starts_with(&state) || path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(STATE_FOLDER)) {
        return Err(CallError::Denied(format!(
            "`{text}` is in {}, where the records of runs are kept; no step sees them",
            state.display()
        )));
    }
    for socket in sockets(endpoint) {
        let at = socket.canonicalize().unwrap_or(socket);
        if at.starts_with(&path) {
            return Err(CallError::Denied(format!(
                "`{text}` has the Docker daemon's socket ({}) in it, and whoever has that socket has the machine; mount a folder beneath it instead",
                at.display()
            )));
        }
    }
    let mut hidden = Vec::new();
    if let Ok(beneath) = state.strip_prefix(&path) {
        hidden.push(beneath.to_owned());
    }
    let beside = Path::new(STATE_FOLDER);
    if path.join(beside).is_dir() && !hidden.iter().any(|hidden| hidden == beside) {
        hidden.push(beside.to_owned());
    }
    Ok(Granted { path, hidden })
}

/// An absolute path outside the pipeline's folder: the grants have to name the real one, so a symlink
/// (or somebody who can write one) cannot make it another.
fn is_granted_as_it_is(call: &Call, verb: &str, text: &str, path: &Path) -> bool {
    if !Path::new(text).is_absolute() {
        return false;
    }
    match &call.authority {
        Authority::Host => true,
        Authority::Step(step) => step.grants.allows(&Demand::new("docker", verb, path.to_string_lossy())).is_some(),
    }
}

fn sockets(endpoint: &Endpoint) -> Vec<PathBuf> {
    let mut sockets: Vec<PathBuf> =
        ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock"]
            .map(PathBuf::from)
            .into();
    if let Address::Unix(path) = &endpoint.address {
        sockets.push(path.clone());
    }
    sockets.retain(|socket| socket.exists());
    sockets
}

/// Refuses what is neither a folder nor a file: sockets and devices speak to somebody.
pub(crate) fn check_kind(text: &str, path: &Path) -> Result<(), CallError> {
    let kind = path
        .metadata()
        .map_err(|error| CallError::NotFound(format!("the folder `{text}` cannot be looked at: {error}")))?
        .file_type();
    if kind.is_dir() || kind.is_file() {
        return Ok(());
    }
    Err(CallError::Denied(format!(
        "`{text}` ({}) is neither a folder nor a file; sockets and devices are never mounted",
        path.display()
    )))
}

/// Refuses a place in the container that is not one.
pub(crate) fn check_target(target: &str) -> Result<(), CallError> {
    let path = Path::new(target);
    let fits = path.is_absolute()
        && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
        && path.parent().is_some();
    if fits {
        return Ok(());
    }
    Err(CallError::Invalid(format!(
        "`{target}` cannot be a mount's target: it has to be an absolute path in the container, other than `/`, without `..`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call_in, call_of_step};

    fn endpoint(socket: &Path) -> Endpoint {
        Endpoint { address: Address::Unix(socket.to_owned()), origin: "a test".into() }
    }

    #[test]
    fn folders_within_the_workspace_are_fine() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("a/b")).expect("made");
        let call = call_in(folder.path());
        let found = resolve(&call, &endpoint(Path::new("/nowhere")), "mount", "a/../a/./b").expect("fine");
        assert_eq!(found, Granted { path: folder.path().canonicalize().expect("there").join("a/b"), hidden: vec![] });
    }

    #[test]
    fn a_symlink_that_leads_out_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/etc", folder.path().join("etc")).expect("linked");
        let call = call_in(folder.path());
        for text in ["etc", "etc/ssl", "..", "a/../../.."] {
            std::fs::create_dir_all(folder.path().join("a")).expect("made");
            let error = resolve(&call, &endpoint(Path::new("/nowhere")), "mount", text).expect_err(text);
            assert!(matches!(&error, CallError::Denied(message) if message.contains("outside")), "{text}: {error}");
        }
    }

    #[test]
    fn an_absolute_path_has_to_be_granted_as_what_it_really_is() {
        let outside = tempfile::tempdir().expect("a folder");
        let real = outside.path().canonicalize().expect("there");
        std::fs::create_dir(real.join("data")).expect("made");
        std::fs::create_dir(real.join("secret")).expect("made");
        std::os::unix::fs::symlink(real.join("secret"), real.join("link")).expect("linked");
        let folder = tempfile::tempdir().expect("a folder");
        let data = real.join("data").display().to_string();
        let link = real.join("link").display().to_string();
        let call = call_of_step(
            folder.path(),
            &format!("docker = {{ run = {{ images = [\"x\"], mounts = [\"{data}\", \"{link}\"] }} }}"),
        );
        assert!(resolve(&call, &endpoint(Path::new("/nowhere")), "mount", &data).is_ok());
        assert!(matches!(resolve(&call, &endpoint(Path::new("/nowhere")), "mount", &link), Err(CallError::Denied(_))));
    }

    #[test]
    fn the_state_folder_is_refused_or_hidden() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join(".windlass/runs")).expect("made");
        let call = call_in(folder.path());
        for text in [".windlass", ".windlass/runs"] {
            assert!(
                matches!(resolve(&call, &endpoint(Path::new("/nowhere")), "mount", text), Err(CallError::Denied(_))),
                "{text}"
            );
        }
        let found = resolve(&call, &endpoint(Path::new("/nowhere")), "mount", ".").expect("the rest is fine");
        assert_eq!(found.hidden, [PathBuf::from(".windlass")]);
    }

    #[test]
    fn the_daemons_socket_stays_out() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("run")).expect("made");
        let socket = folder.path().join("run/d.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
        let call = call_in(folder.path());
        for text in ["run", "run/d.sock", "."] {
            assert!(matches!(resolve(&call, &endpoint(&socket), "mount", text), Err(CallError::Denied(_))), "{text}");
        }
        assert!(check_kind("run/d.sock", &socket).is_err(), "no socket at all");
    }

    #[test]
    fn targets_are_absolute() {
        for target in ["", "data", "/", "/a/../b", "./x"] {
            assert!(check_target(target).is_err(), "{target}");
        }
        assert!(check_target("/var/lib/data").is_ok());
    }
}
