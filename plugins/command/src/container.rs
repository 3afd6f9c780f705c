//! The command in a container.

use windlass_plugin::docker::{self, ContainerSpec, Lifetime, Mount};
use windlass_plugin::with::Duration;
use windlass_plugin::{Failure, bail, named};
use windlass_plugin_parts::{cpu_millis, create_volumes, join_networks, not_made, run_or_pull};

use crate::Ended;
use crate::with::With;

/// Where a container sees the pipeline's folder.
const WORKSPACE: &str = "/workspace";

/// Runs it to its end.
///
/// # Errors
/// The container could not be run. A program that exits with whatever code is no error.
pub(crate) fn run(with: &With, image: &str) -> Result<Ended, Failure> {
    let spec = spec(with, image)?;
    join_networks(&with.networks, Lifetime::Run)?;
    create_volumes(&with.mounts, Lifetime::Run)?;
    let timeout = with.timeout.map(Duration::millis);
    let exit = run_or_pull(image, with.pull, || docker::run(&spec, timeout)).map_err(not_made)?;
    Ok(Ended { code: exit.code, oom_killed: exit.oom_killed, stdout: exit.stdout_tail, stderr: exit.stderr_tail })
}

fn spec(with: &With, image: &str) -> Result<ContainerSpec, Failure> {
    if with.stdin.is_some() {
        bail!("`stdin` is for programs on the host: a container reads nothing");
    }
    let read_only = with.mount.iter().filter(|folder| !with.writable.contains(folder));
    let mut mounts =
        read_only.map(|folder| Ok(Mount::folder(folder, target(folder)?))).collect::<Result<Vec<_>, Failure>>()?;
    for folder in with.writable.iter() {
        mounts.push(Mount::folder(folder, target(folder)?).writable());
    }
    // A folder within another has to be mounted after it.
    mounts.sort_by(|one, other| one.target.cmp(&other.target));
    for mount in &with.mounts {
        mounts.push(mount.of_contract()?);
    }
    let workspace = !with.mount.is_empty() || !with.writable.is_empty();
    let spec = ContainerSpec {
        env: named(with.env.clone()),
        user: with.user.clone(),
        working_directory: working_directory(with.working_directory.as_deref(), workspace),
        mounts,
        networks: with.networks.clone(),
        no_network: !with.network && with.networks.is_empty(),
        memory: with.memory.map(|size| size.bytes()),
        cpu_millis: with.cpu.map(cpu_millis).transpose()?,
        read_only_root: with.read_only_root,
        ..ContainerSpec::new(image)
    };
    Ok(match &with.run {
        Some(command) => spec.program(command.clone()),
        None => spec,
    })
}

/// Where a folder is mounted.
fn target(folder: &str) -> Result<String, Failure> {
    let mut target = WORKSPACE.to_owned();
    for part in folder.split('/') {
        match part {
            "" if folder.starts_with('/') => {
                bail!("`{folder}` is no folder of the pipeline: write it relative to the pipeline's own")
            }
            ".." => bail!(
                "`{folder}` leads out of the pipeline's folder; `mounts` takes a folder with a `target` of its own"
            ),
            "" | "." => {}
            part => {
                target.push('/');
                target.push_str(part);
            }
        }
    }
    Ok(target)
}

fn working_directory(given: Option<&str>, workspace: bool) -> Option<String> {
    match given {
        Some(folder) if folder.starts_with('/') => Some(folder.to_owned()),
        Some(".") => Some(WORKSPACE.to_owned()),
        Some(folder) => Some(format!("{WORKSPACE}/{}", folder.trim_start_matches("./"))),
        // Nothing mounted there: the image's own is the better guess.
        None => workspace.then(|| WORKSPACE.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<ContainerSpec, String> {
        let with: With = serde_json::from_str(text).map_err(|error| error.to_string())?;
        spec(&with, "i").map_err(|failure| failure.to_string())
    }

    #[test]
    fn folders_stand_where_they_are_in_the_workspace() {
        let spec = of(r#"{"run":["cargo","test"],"mount":["src","."],"writable":["./target"]}"#).unwrap();
        let expected = [
            Mount::folder(".", "/workspace"),
            Mount::folder("src", "/workspace/src"),
            Mount::folder("./target", "/workspace/target").writable(),
        ];
        assert_eq!(spec.mounts, expected);
        assert_eq!(spec.working_directory.as_deref(), Some("/workspace"));
        assert_eq!((spec.entrypoint, spec.command), (Some(vec!["cargo".to_owned()]), Some(vec!["test".to_owned()])));
    }

    #[test]
    fn a_folder_that_is_writable_is_mounted_once() {
        let spec = of(r#"{"run":["x"],"mount":".","writable":"."}"#).unwrap();
        assert_eq!(spec.mounts, [Mount::folder(".", "/workspace").writable()]);
    }

    #[test]
    fn no_network_unless_asked_for() {
        assert!(of(r#"{"run":["x"]}"#).unwrap().no_network);
        assert!(!of(r#"{"run":["x"],"network":true}"#).unwrap().no_network);
        let joined = of(r#"{"run":["x"],"networks":["backend"]}"#).unwrap();
        assert!(!joined.no_network && joined.networks == ["backend"]);
    }

    #[test]
    fn folders_outside_and_input_are_refused() {
        assert!(of(r#"{"run":["x"],"mount":"../x"}"#).unwrap_err().contains("leads out"));
        assert!(of(r#"{"run":["x"],"mount":"/etc"}"#).unwrap_err().contains("no folder of the pipeline"));
        assert!(of(r#"{"run":["x"],"stdin":"y"}"#).unwrap_err().contains("`stdin`"));
    }

    #[test]
    fn working_directories() {
        assert_eq!(working_directory(Some("app"), true).as_deref(), Some("/workspace/app"));
        assert_eq!(working_directory(Some("./app"), true).as_deref(), Some("/workspace/app"));
        assert_eq!(working_directory(Some("/tmp"), true).as_deref(), Some("/tmp"));
        assert_eq!(working_directory(None, false), None);
    }
}
