//! `cargo xtask languages`: plugins in every language there is an SDK for, as their authors meet them.
//!
//! In a fresh folder each: `windlass plugin new`, `build`, `test` and `run`; then the conformance suite, whose cases are the
//! same for all, against the plugin of `tests/conformance` in that language; then all of them in one pipeline.

mod big;
mod hook;
mod polyglot;
mod project;

pub(crate) use polyglot::run as polyglot;
pub(crate) use project::Project;

use crate::context::{Context, in_ci};
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::setup::{LANGUAGES, Language, Toolchain, build_guests, guest_envs};
use crate::test::Cases;
use crate::ui;
use std::fs;
use std::path::{Path, PathBuf};

/// The example with all languages, where a language is named.
const POLYGLOT: &str = "polyglot";

/// `cargo xtask languages`, for those that are named or for all.
pub(crate) fn command(only: &[String]) -> Result<()> {
    let names = LANGUAGES.iter().flat_map(|language| language.names).copied();
    let names: Vec<&str> = names.chain([POLYGLOT]).collect();
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
    let program = context.target.join("debug/windlass");
    let wanted = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    let folder = context.target.join("languages");
    fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
    let big = big::write(&folder)?;
    let mut counted = Counted::default();
    let mut wrong = Vec::new();
    let mut complete = true;
    for language in LANGUAGES {
        let names: Vec<&str> = language.names.iter().copied().filter(|name| wanted(name)).collect();
        if names.is_empty() {
            continue;
        }
        let toolchain = match language.ensure(context) {
            Ok(toolchain) => toolchain,
            Err(why) if in_ci() => return Err(why),
            // A developer without a network does without; CI leaves nothing out.
            Err(why) => {
                ui::warn(&format!("plugins in {} are left out: {why}", names.join(" and ")));
                complete = false;
                continue;
            }
        };
        for name in names {
            let suite =
                Suite { context, program: &program, language, name, toolchain: &toolchain, folder: &folder, big: &big };
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
    if wanted(POLYGLOT) && complete {
        match ui::part("a pipeline in all languages", || polyglot(context, &program)) {
            Ok(()) => counted.passed += 1,
            Err(why) if crate::proc::interrupted().is_some() => return Err(why),
            Err(why) => {
                ui::error(&why);
                wrong.push(POLYGLOT);
            }
        }
    }
    if wrong.is_empty() { Ok(counted) } else { Err(Failure::new(format!("plugins fail: {}", wrong.join(", ")))) }
}

/// The suite's plugin in each language, freshly built. What a release keeps has passed all cases.
pub(crate) fn plugins(context: &Context) -> Result<Vec<(&'static str, PathBuf)>> {
    let folder = context.target.join("languages");
    fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
    let big = big::write(&folder)?;
    let program = context.target.join("debug/windlass");
    let mut plugins = Vec::new();
    for language in LANGUAGES {
        let Some(name) = language.names.first() else { continue };
        let toolchain = language.ensure(context)?;
        let suite =
            Suite { context, program: &program, language, name, toolchain: &toolchain, folder: &folder, big: &big };
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
    program: &'a Path,
    language: &'a Language,
    name: &'a str,
    toolchain: &'a Toolchain,
    folder: &'a PathBuf,
    big: &'a PathBuf,
}

impl Suite<'_> {
    fn run(&self) -> Result<Counted> {
        let project = self.project("greet")?;
        project.build()?;
        let mut counted = project.test(std::slice::from_ref(&project.folder))?;
        project.greets()?;
        if let (true, Some((program, args))) = (self.name == self.base(), self.language.tests.split_first()) {
            let tests = Cmd::new(program).args(args).dir(&self.context.root).envs(&project.envs);
            tests.hint(format!("The tests of the SDK for {} fail.", self.name)).output()?;
        }
        let suite = self.conformance()?.test(&self.cases())?;
        counted.passed += suite.passed;
        counted.failed += suite.failed;
        Ok(counted)
    }

    /// The language whose plugin and cases this one builds on: TypeScript on JavaScript's, the others on their own.
    fn base(&self) -> &str {
        self.language.names.first().copied().unwrap_or(self.name)
    }

    /// Where the suite's cases for this language are.
    fn cases(&self) -> Vec<PathBuf> {
        let root = &self.context.root;
        let mut cases = vec![root.join("tests/conformance/cases"), self.big.clone()];
        cases.extend(own_cases(root, self.base()));
        cases
    }

    /// A new project in a folder of its own.
    fn project(&self, name: &str) -> Result<Project> {
        let folder = self.folder.join(format!("{name}-{}", self.name));
        Project::new(self.context, self.program, self.toolchain, &folder, self.name, name)
    }

    /// The suite's plugin in this language, built.
    fn conformance(&self) -> Result<Project> {
        if self.name == "rust" {
            let component = self.context.test_guests().join("asks.wasm");
            let folder = self.context.test_guests();
            return Ok(Project::at(self.context, self.program, self.toolchain, &folder, component));
        }
        let sources = self.context.root.join("tests/conformance");
        let source = sources.join(self.base());
        if !source.is_dir() {
            return Err(Failure::new(format!("there is no {}: write the suite's plugin", source.display())));
        }
        let project = self.project("conformance")?;
        project.replace(&source)?;
        if self.name != self.base() {
            project::copy(&sources.join(self.name), &project.folder)?;
        }
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
