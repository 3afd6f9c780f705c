//! The command on the host.

use windlass_plugin::process::{self, Command};
use windlass_plugin::with::Duration;
use windlass_plugin::{Failure, OrFail, bail, named};

use crate::Ended;
use crate::with::With;

/// Runs it to its end.
///
/// # Errors
/// The program could not be run. One that exits with whatever code is no error.
pub(crate) fn run(with: &With) -> Result<Ended, Failure> {
    let exit = process::run(&command(with)?)?;
    Ok(Ended { code: exit.code.into(), oom_killed: false, stdout: exit.stdout_tail, stderr: exit.stderr_tail })
}

fn command(with: &With) -> Result<Command, Failure> {
    let for_containers = [
        ("pull", with.pull),
        ("mount", !with.mount.is_empty()),
        ("writable", !with.writable.is_empty()),
        ("mounts", !with.mounts.is_empty()),
        ("network", with.network),
        ("networks", !with.networks.is_empty()),
        ("memory", with.memory.is_some()),
        ("cpu", with.cpu.is_some()),
        ("user", with.user.is_some()),
        ("read-only-root", with.read_only_root),
    ];
    // On the host these would hold back nothing, and whoever wrote them believes that they do.
    if let Some((key, _)) = for_containers.iter().find(|(_, given)| *given) {
        bail!("`{key}` is for containers: add an `image`, or leave it out to run the program on the host");
    }
    let (program, args) = with.run.as_deref().and_then(<[String]>::split_first).or_fail("`run` names no program")?;
    Ok(Command {
        env: named(with.env.clone()),
        working_directory: with.working_directory.clone(),
        stdin: with.stdin.clone(),
        timeout_ms: with.timeout.map(Duration::millis),
        ..Command::new(program, args.iter().cloned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_containers_have_is_refused() {
        let read = |text| {
            let with: With = serde_json::from_str(text).unwrap();
            command(&with).map_err(|failure| failure.to_string())
        };
        let good = read(r#"{"run":["sh","-c","cat"],"stdin":"x","timeout":"2s","working-directory":"app"}"#).unwrap();
        assert_eq!((good.program.as_str(), good.args.len(), good.timeout_ms), ("sh", 2, Some(2_000)));
        assert!(read(r#"{"run":["x"],"memory":"1MiB"}"#).unwrap_err().starts_with("`memory` is for containers"));
        assert!(read(r#"{"run":[]}"#).unwrap_err().contains("no program"));
    }
}
