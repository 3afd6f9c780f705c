//! `cargo xtask languages`: plugins in every language there is an SDK for, as their authors meet them.
//!
//! In a fresh folder each: `windlass plugin new`, `build`, `test` and `run`; then the conformance suite, whose cases are the
//! same for all, against the plugin of `tests/conformance` in that language.

mod big;
mod project;

use crate::context::{Context, in_ci};
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::setup::{LANGUAGES, Language, Toolchain, build_guests, guest_envs};
use crate::test::Cases;
use crate::ui;
use project::Project;
use std::fs;
use std::path::{Path, PathBuf};

/// `cargo xtask languages`, for those that are named or for all.
pub(crate) fn command(only: &[String]) -> Result<()> {
    let names: Vec<&str> = LANGUAGES.iter().flat_map(|language| language.names).copied().collect();
    if let Some(odd) = only.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Failure::new(format!("there is no SDK for `{odd}`, but for {}", names.join(", "))));
    }
    let context = Context::find()?;
    build_guests(&context)?;
    Cmd::new("cargo")
        .dir(&context.root)
        .envs(&guest_envs(&context))
        .args(["build", "-p", "windlass", "--bins"])
        .run()?;
    let cases = check(&context, only)?;
    println!("{} cases, {} passed", cases.passed + cases.failed, cases.passed);
    if cases.failed > 0 { Err(Failure::new(format!("{} cases failed (see above)", cases.failed))) } else { Ok(()) }
}

/// How many cases passed, and how many did not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

/// Goes through the languages. One that fails does not keep the next from its turn.
pub(crate) fn check(context: &Context, only: &[String]) -> Result<Counted> {
    let folder = context.target.join("languages");
    fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
    let big = big::write(&folder)?;
    let mut counted = Counted::default();
    let mut wrong = Vec::new();
    for language in LANGUAGES {
        let names = language.names.iter().filter(|name| only.is_empty() || only.iter().any(|wanted| wanted == *name));
        let names: Vec<&str> = names.copied().collect();
        if names.is_empty() {
            continue;
        }
        let toolchain = match language.ensure(context) {
            Ok(toolchain) => toolchain,
            Err(why) if in_ci() => return Err(why),
            // A developer without a network does without; CI leaves nothing out.
            Err(why) => {
                ui::warn(&format!("plugins in {} are left out: {why}", names.join(" and ")));
                continue;
            }
        };
        for name in names {
            let suite = Suite { context, language, name, toolchain: &toolchain, folder: &folder, big: &big };
            match ui::part(&format!("a plugin in {name}"), || suite.run()) {
                Ok(cases) => {
                    counted.passed += cases.passed;
                    counted.failed += cases.failed;
                }
                Err(why) if crate::proc::interrupted().is_some() => return Err(why),
                Err(why) => {
                    ui::error(&why);
                    wrong.push(name);
                }
            }
        }
    }
    if wrong.is_empty() { Ok(counted) } else { Err(Failure::new(format!("plugins in {} fail", wrong.join(", ")))) }
}

/// The suite's plugin in each language, freshly built. What a release keeps has passed all cases.
pub(crate) fn plugins(context: &Context) -> Result<Vec<(&'static str, PathBuf)>> {
    let folder = context.target.join("languages");
    fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
    let big = big::write(&folder)?;
    let mut plugins = Vec::new();
    for language in LANGUAGES {
        let Some(name) = language.names.first() else { continue };
        let toolchain = language.ensure(context)?;
        let suite = Suite { context, language, name, toolchain: &toolchain, folder: &folder, big: &big };
        let plugin = ui::part(&format!("a plugin in {name}"), || {
            let project = suite.conformance()?;
            let failed = project.test(&suite.cases())?.failed;
            if failed == 0 { Ok(project.component) } else { Err(Failure::new(format!("{failed} cases failed"))) }
        })?;
        plugins.push((*name, plugin));
    }
    Ok(plugins)
}

/// The folder of the cases that only one language has, if it has any.
pub(crate) fn own_cases(root: &Path, language: &str) -> Option<PathBuf> {
    let own = root.join("tests/conformance").join(language).join("cases");
    own.is_dir().then_some(own)
}

/// One language's turn.
struct Suite<'a> {
    context: &'a Context,
    language: &'a Language,
    name: &'a str,
    toolchain: &'a Toolchain,
    folder: &'a PathBuf,
    big: &'a PathBuf,
}

impl Suite<'_> {
    fn run(&self) -> Result<Counted> {
        let project = Project::new(self.context, self.toolchain, self.folder, self.name, "greet")?;
        project.build()?;
        let mut counted = project.test(std::slice::from_ref(&project.folder))?;
        project.greets()?;
        // TypeScript has JavaScript's: what differs is gone once it is built.
        let first = self.language.names.first() == Some(&self.name);
        if let (true, Some((program, args))) = (first, self.language.tests.split_first()) {
            let tests = Cmd::new(program).args(args).dir(&self.context.root).envs(&project.envs);
            tests.hint(format!("The tests of the SDK for {} fail.", self.name)).output()?;
        }
        if first {
            let suite = self.conformance()?.test(&self.cases())?;
            counted.passed += suite.passed;
            counted.failed += suite.failed;
        }
        Ok(counted)
    }

    /// Where the suite's cases for this language are.
    fn cases(&self) -> Vec<PathBuf> {
        let root = &self.context.root;
        let mut cases = vec![root.join("tests/conformance/cases"), self.big.clone()];
        cases.extend(own_cases(root, self.name));
        cases
    }

    /// The suite's plugin in this language, built.
    fn conformance(&self) -> Result<Project> {
        if self.name == "rust" {
            let component = self.context.test_guests().join("asks.wasm");
            return Ok(Project::built(self.context, self.toolchain, component));
        }
        let source = self.context.root.join("tests/conformance").join(self.name);
        if !source.is_dir() {
            return Err(Failure::new(format!("there is no {}: write the suite's plugin", source.display())));
        }
        let project = Project::new(self.context, self.toolchain, self.folder, self.name, "conformance")?;
        project.replace(&source)?;
        project.build()?;
        Ok(project)
    }
}

/// Counts what `windlass plugin test --format json` prints.
fn count(cases: Cmd) -> Result<Counted> {
    let mut reader = Cases::default();
    let status = cases.lines(|line| {
        if let Some(told) = reader.line(line) {
            println!("{told}");
        }
    })?;
    let (passed, failed) = reader.totals();
    ui::note(&format!("{} cases, {passed} passed", passed + failed));
    match (status.success(), passed) {
        (false, _) if failed == 0 => Err(Failure::new("the cases could not be run (see above)")),
        (_, 0) => Err(Failure::new("no case passed")),
        _ => Ok(Counted { passed, failed }),
    }
}
