//! `cargo xtask test`: what a change must pass, here and in CI, in one command.
//!
//! A part that fails does not keep the next from running: one run tells everything that is wrong.

mod count;

use crate::context::{Context, in_ci};
use crate::failure::{Doing as _, Failure, Result};
use crate::proc::{Cmd, on_path};
use crate::setup::{World, build_guests, guest_envs, haproxy};
use crate::ui;
pub(crate) use count::Cases;
use count::Tally;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// Hangs are failures that tell their test's name; and a report that a program can count. Its
/// path is absolute, since nextest's own folder ignores CARGO_TARGET_DIR.
const NEXTEST: &str = "\
[profile.default]
fail-fast = false
slow-timeout = { period = \"60s\", terminate-after = 5 }

[profile.default.junit]
path = REPORT
";

/// Tests act on the real engine and registry when their module's or their own name begins so.
/// (They are counted, and `--quick` leaves them out.) So it is with `haproxy_`, which is installed
/// with them.
const NO_ENGINE: &str = "not test(/(^|::)(engine|haproxy)_/)";

/// The command. With a filter only the matching tests run, without the checks around them.
pub(crate) fn command(quick: bool, filter: &[String]) -> Result<()> {
    let start = Instant::now();
    let context = Context::find()?;
    build_guests(&context)?;
    if !quick {
        haproxy()?;
    }
    let world = if quick { None } else { Some(World::ensure(&context, false)?) };
    let mut run = Run { context, envs: Vec::new(), quick, failed: Vec::new(), tally: Tally::default() };
    run.envs = guest_envs(&run.context);
    run.envs.extend(world.iter().flat_map(World::envs));
    if filter.is_empty() && !quick {
        run.part("format", Run::format)?;
        run.part("tidy", |run| crate::tidy::check(&run.context, false))?;
        run.part("clippy", Run::clippy)?;
    }
    run.part("tests", |run| run.tests(filter))?;
    if filter.is_empty() {
        run.part("cases of the plugins", Run::plugin_cases)?;
    }
    if filter.is_empty() && !quick {
        run.part("plugins in other languages", Run::languages)?;
        run.part("what the documentation says", |run| run.documents(world.as_ref()))?;
        run.part("documentation tests", Run::doc_tests)?;
        run.part("native tests of SDK, plugins and examples", Run::native_tests)?;
        run.part("a sample of the crash points", |run| run.crash_points(world.as_ref()))?;
        run.part("a sample of the traffic scenarios", |run| run.traffic(world.as_ref()))?;
        if run.tally.engine == 0 {
            // A suite that lost its most telling tests must not look like one that passed.
            run.failed.push("tests against the real engine (none ran)".into());
        }
    }
    drop(world);
    run.finish(start)
}

struct Run {
    context: Context,
    envs: Vec<(String, String)>,
    quick: bool,
    failed: Vec<String>,
    tally: Tally,
}

impl Run {
    /// Runs one part; only an interruption ends the whole.
    fn part(&mut self, name: &str, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let done = ui::part(name, || work(self));
        if crate::proc::interrupted().is_some() {
            return done;
        }
        if let Err(why) = done {
            ui::error(&why);
            self.failed.push(name.to_owned());
        }
        Ok(())
    }

    fn cargo(&self) -> Cmd {
        Cmd::new("cargo").dir(&self.context.root).envs(&self.envs)
    }

    /// A cargo in another workspace, with one target folder for them all.
    fn cargo_native(&self, folder: &Path, command: &str) -> Cmd {
        let target = self.context.target.join("native");
        Cmd::new("cargo").dir(folder).envs(&self.envs).arg(command).arg("--target-dir").arg(target)
    }

    fn format(&mut self) -> Result<()> {
        let mut wrong = Vec::new();
        for folder in std::iter::once(self.context.root.clone()).chain(self.context.other_workspaces()?) {
            if !Cmd::new("cargo").dir(&folder).args(["fmt", "--all", "--check"]).status()?.success() {
                wrong.push(folder.display().to_string());
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!("not formatted: run `cargo fmt --all` in {}", wrong.join(" and "))))
    }

    fn clippy(&mut self) -> Result<()> {
        let checks = ["--workspace", "--all-targets", "--", "-D", "warnings"];
        let mut wrong = Vec::new();
        if !self.cargo().arg("clippy").args(checks).status()?.success() {
            wrong.push("the runner".to_owned());
        }
        for folder in self.context.other_workspaces()? {
            if !self.cargo_native(&folder, "clippy").args(checks).status()?.success() {
                wrong.push(folder.display().to_string());
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(Failure::new(format!("clippy objects in {}", wrong.join(" and ")))) }
    }

    /// The workspace's tests. The program itself is built first: tests of other crates run it.
    fn tests(&mut self, filter: &[String]) -> Result<()> {
        self.cargo().args(["build", "--workspace", "--bins"]).run()?;
        let program = self.context.target.join("debug/windlass").display().to_string();
        self.envs.push(("WINDLASS_BIN".to_owned(), program));
        if on_path("cargo-nextest") {
            return self.nextest(filter);
        }
        ui::note("cargo-nextest is not installed: `cargo test` runs instead, without its limits on time");
        let mut cargo =
            self.cargo().args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests", "--"]);
        if self.quick {
            cargo = cargo.args(["--skip", "engine_", "--skip", "haproxy_"]);
        }
        self.libtest(cargo.args(filter))
    }

    fn nextest(&mut self, filter: &[String]) -> Result<()> {
        let config = self.context.target.join("windlass-nextest.toml");
        let report = self.context.target.join("windlass-junit.xml");
        // A JSON string is a TOML string.
        let path = serde_json::json!(report.display().to_string()).to_string();
        crate::bytes::write_if_changed(&config, NEXTEST.replace("REPORT", &path).as_bytes())?;
        let _ = fs::remove_file(&report);
        let mut cargo = self
            .cargo()
            .args(["nextest", "run", "--workspace", "--no-tests=warn", "--tool-config-file"])
            .arg(format!("windlass:{}", config.display()));
        if self.quick {
            cargo = cargo.args(["-E", NO_ENGINE]);
        }
        let status = cargo.args(filter).status()?;
        let before = self.tally.failed;
        if let Ok(text) = fs::read_to_string(&report) {
            self.tally.add(&count::junit(&text));
        } else if status.success() && filter.is_empty() {
            return Err(Failure::new(format!("nextest left no report at {}", report.display())));
        }
        Self::judge(status.success(), self.tally.failed - before)
    }

    /// The first-party plugins' own cases, by the program itself.
    fn plugin_cases(&mut self) -> Result<()> {
        let mut folders: Vec<String> = Vec::new();
        let plugins = self.context.root.join("plugins");
        for entry in fs::read_dir(&plugins).doing(|| format!("list {}", plugins.display()))? {
            let path = entry.doing(|| format!("list {}", plugins.display()))?.path();
            if path.join("cases").is_dir() {
                folders.push(path.display().to_string());
            }
        }
        folders.sort();
        let program = self.context.target.join("debug/windlass");
        let mut reader = count::Cases::default();
        let cases = Cmd::new(&program).envs(&self.envs).args(["plugin", "test", "--format", "json"]).args(&folders);
        let status = cases.lines(|line| {
            if let Some(told) = reader.line(line) {
                println!("{told}");
            }
        })?;
        let tally = reader.tally;
        println!("{} cases, {} passed, {} failed", tally.passed + tally.failed, tally.passed, tally.failed);
        self.tally.add(&tally);
        if tally.passed == 0 {
            return Err(Failure::new("no case of a plugin passed"));
        }
        Self::judge(status.success(), tally.failed)
    }

    /// A fresh project in each language, and the conformance suite against each SDK.
    fn languages(&mut self) -> Result<()> {
        let counted = crate::languages::check(&self.context, &[])?;
        self.tally.add(&Tally { passed: counted.passed, failed: counted.failed, engine: 0 });
        Self::judge(true, counted.failed)
    }

    /// Each command of a document counts as a test.
    fn documents(&mut self, world: Option<&World>) -> Result<()> {
        let Some(world) = world else { return Ok(()) };
        let ran = crate::docs::check(&self.context, &world.registry, &[])?;
        self.tally.add(&Tally { passed: ran, failed: 0, engine: 0 });
        Ok(())
    }

    fn doc_tests(&mut self) -> Result<()> {
        let cargo = self.cargo().args(["test", "--workspace", "--doc", "--no-fail-fast"]);
        self.libtest(cargo)
    }

    fn native_tests(&mut self) -> Result<()> {
        let mut wrong = Vec::new();
        for folder in self.context.other_workspaces()? {
            let cargo = self.cargo_native(&folder, "test").args(["--workspace", "--no-fail-fast"]);
            if let Err(why) = self.libtest(cargo) {
                wrong.push(format!("{}: {why}", folder.display()));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("\n"))) }
    }

    /// Each point that is tried counts as a test.
    fn crash_points(&mut self, world: Option<&World>) -> Result<()> {
        let Some(world) = world else { return Ok(()) };
        let tried = crate::crash::sample(&self.context, world)?;
        self.tally.add(&Tally { passed: tried, failed: 0, engine: tried });
        Ok(())
    }

    /// Each scenario counts as a test.
    fn traffic(&mut self, world: Option<&World>) -> Result<()> {
        let Some(world) = world else { return Ok(()) };
        let tried = crate::traffic::sample(&self.context, world)?;
        self.tally.add(&Tally { passed: tried, failed: 0, engine: tried });
        Ok(())
    }

    /// Runs a `cargo test` and counts by what it prints.
    fn libtest(&mut self, cargo: Cmd) -> Result<()> {
        let mut reader = count::Libtest::default();
        let status = cargo.lines(|line| {
            println!("{line}");
            reader.line(line);
        })?;
        let failed = reader.tally.failed;
        self.tally.add(&reader.tally);
        Self::judge(status.success(), failed)
    }

    fn judge(success: bool, failed: usize) -> Result<()> {
        match (success, failed) {
            (true, 0) => Ok(()),
            (_, 0) => Err(Failure::new("the tests did not build or were ended (see above)")),
            (_, failed) => Err(Failure::new(format!("{failed} tests failed (see above)"))),
        }
    }

    /// The last lines, in a shape that programs look for.
    fn finish(self, start: Instant) -> Result<()> {
        let Tally { passed, failed, engine } = self.tally;
        ui::heading(&format!("{} tests ran; all of it took {}", passed + failed, ui::took(start.elapsed())));
        if self.quick {
            println!("the tests against the real engine and registry were left out");
        }
        if !self.failed.is_empty() {
            println!("failed: {}", self.failed.join(", "));
        }
        println!("of these, {engine} ran against the real engine and registry");
        println!("{passed} passed, {failed} failed");
        if in_ci() && passed + failed == 0 {
            return Err(Failure::new("no test ran"));
        }
        if self.failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("failed: {}", self.failed.join(", ")))) }
    }
}
