//! Rows with containers: one-shot containers, and further commands in a warm one.
//!
//! What an operation costs inside a run is told from two runs that differ in nothing but how many
//! of them they have: (time of 11 - time of 1) / 10. Whatever a run does once (starting, opening
//! the journal, the sweep at its end) cancels out; whatever it puts off until its end does not.

use super::children::{Windlass, fresh};
use super::sample::{Sample, measured, sample};
use super::table::{Goal, Row, Table, Unit, millis};
use crate::failure::{Doing, Result};
use crate::proc::Cmd;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const ROUNDS: usize = 7;
/// How many operations the longer of two runs has more than the shorter.
const MORE: usize = 10;
/// Named with its registry, so that nobody looks for it at Docker Hub.
const IMAGE: &str = "localhost:5000/windlass-bench:busybox";
const REPOSITORY: &str = "localhost:5000/windlass-bench";
/// Busybox goes by the name it is called by.
const DOCKERFILE: &str = "FROM scratch\nCOPY busybox /bin/true\nCOPY busybox /bin/sleep\n";
const PEER: &str = "docker run --rm";

/// Measures them.
pub(super) fn measure(windlass: &Windlass, asks: &Path, folder: &Path, table: &mut Table) -> Result<()> {
    let folder = folder.join("containers");
    let _image = Image::build(windlass.envs(), &folder.join("image"))?;
    let asks = fs::read(asks).doing(|| format!("read {}", asks.display()))?;
    let pipeline = |name: &str, text: String| -> Result<PathBuf> {
        let folder = folder.join(name);
        fresh(&folder, &[("pipeline.toml", text.as_bytes()), ("asks.wasm", &asks)])?;
        windlass.run(&folder)?;
        Ok(folder)
    };
    let one_shot = [pipeline("shot-1", one_shot(1))?, pipeline("shot-11", one_shot(1 + MORE))?];
    let warm = [pipeline("warm-1", warm(1))?, pipeline("warm-11", warm(1 + MORE))?];

    let mut shot = Row::new("one-shot container, as a step", PEER, Unit::Millis, Goal::Times(1.0));
    let mut exec = Row::new("command in a warm container, as a step", PEER, Unit::Millis, Goal::Times(0.3));
    let mut whole = Row::new("whole run of one one-shot container", PEER, Unit::Millis, Goal::None);
    for _ in 0..ROUNDS {
        let mut peer = 0.0;
        for _ in 0..MORE / 2 {
            peer += docker_run(windlass.envs())?;
        }
        let (one, each) = slope(windlass, &one_shot)?;
        for _ in 0..MORE / 2 {
            peer += docker_run(windlass.envs())?;
        }
        let (_, each_exec) = slope(windlass, &warm)?;
        let peer = peer / MORE as f64;
        shot.push(each, peer);
        exec.push(each_exec, peer);
        whole.push(one, peer);
    }
    [shot, exec, whole].into_iter().for_each(|row| table.push(row));
    Ok(())
}

/// The time of the shorter run, and that of each further operation, in milliseconds.
fn slope(windlass: &Windlass, [short, long]: &[PathBuf; 2]) -> Result<(f64, f64)> {
    let one = millis(windlass.run(short)?.time);
    let all = millis(windlass.run(long)?.time);
    Ok((one, (all - one) / MORE as f64))
}

fn docker_run(envs: &[(String, String)]) -> Result<f64> {
    let command = measured("docker")?.args(["run", "--rm", "--network", "none", IMAGE, "true"]);
    let Sample { time, .. } = sample(command.envs(envs))?;
    Ok(millis(time))
}

/// Containers one after another, each a step of the built-in plugin.
fn one_shot(count: usize) -> String {
    let mut text = "[pipeline]\nname = \"bench-shots\"\n".to_owned();
    for number in 0..count {
        let _ = write!(
            text,
            "\n[[stages.shots.steps]]\nname = \"s{number}\"\nuses = \"builtin:command\"\n\
             with = {{ image = \"{IMAGE}\", run = [\"true\"] }}\n\
             grants = {{ docker = {{ run = {{ images = [\"{REPOSITORY}\"] }} }} }}\n"
        );
    }
    text
}

/// A container that stays, and commands in it, each a step.
fn warm(count: usize) -> String {
    let mut text = format!(
        "[pipeline]\nname = \"bench-warm\"\n\n[plugins]\nasks = {{ path = \"asks.wasm\" }}\n\
         \n[[stages.warm.steps]]\nname = \"start\"\nuses = \"asks\"\n\
         with.calls = [{{ function = \"docker.start\", or = \"fail\", args = {{ name = \"warm\", \
         spec = {{ image = \"{IMAGE}\", command = [\"sleep\", \"600\"], no-network = true }} }} }}]\n\
         grants = {{ docker = {{ run = {{ images = [\"{REPOSITORY}\"] }} }} }}\n"
    );
    for number in 0..count {
        let _ = write!(
            text,
            "\n[[stages.warm.steps]]\nname = \"s{number}\"\nuses = \"asks\"\n\
             with.calls = [{{ function = \"docker.exec\", or = \"fail\", \
             args = {{ spec = {{ container = \"warm\", command = [\"true\"] }} }} }}]\n\
             grants = {{ docker = {{ containers = [\"warm\"] }} }}\n"
        );
    }
    text
}

/// The image, as long as it is needed.
struct Image<'a> {
    envs: &'a [(String, String)],
}

impl<'a> Image<'a> {
    fn build(envs: &'a [(String, String)], folder: &Path) -> Result<Self> {
        let busybox = envs.iter().find(|(name, _)| name == "WINDLASS_TEST_BUSYBOX").map(|(_, path)| path);
        let busybox = busybox.doing(|| "find the busybox of the set-up".to_owned())?;
        fresh(folder, &[("Dockerfile", DOCKERFILE.as_bytes())])?;
        fs::copy(busybox, folder.join("busybox")).doing(|| format!("copy {busybox}"))?;
        Cmd::new("docker").args(["build", "--quiet", "--tag", IMAGE, "."]).dir(folder).envs(envs).output()?;
        Ok(Self { envs })
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        let _ = Cmd::new("docker").args(["image", "rm", "--force", IMAGE]).envs(self.envs).output();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_have_their_steps() {
        assert_eq!(one_shot(11).matches("[[stages.shots.steps]]").count(), 11);
        assert_eq!(warm(1).matches("[[stages.warm.steps]]").count(), 2);
        assert!(warm(1).contains(r#"spec = { container = "warm", command = ["true"] }"#));
    }
}
