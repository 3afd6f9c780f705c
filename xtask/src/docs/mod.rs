//! `cargo xtask docs`: what the documentation tells a reader to type is typed, and what it says that comes of it comes.
//!
//! A document is gone through from its top, as a reader does. `<!-- in FOLDER -->` says where one is from there on; a
//! block of source with the name of a file above it becomes that file; a block `console` is run, and its lines of output
//! are held against what is printed.

mod builtins;
mod compare;
mod markdown;
mod shell;

use crate::context::{Context, in_ci};
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::setup::{LANGUAGES, Registry, build_guests, guest_envs};
use crate::ui;
use markdown::{Block, What};
use shell::Shell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The documents that are run.
const DOCUMENTS: [&str; 2] = ["docs/first-plugin.md", "docs/writing-plugins.md"];

/// `cargo xtask docs`, for the documents that are named or for all.
pub(crate) fn command(only: &[String]) -> Result<()> {
    if let Some(odd) = only.iter().find(|name| !DOCUMENTS.contains(&name.as_str())) {
        return Err(Failure::new(format!("`{odd}` is not run; these are: {}", DOCUMENTS.join(", "))));
    }
    let context = Context::find()?;
    build_guests(&context)?;
    let registry = Registry::ensure()?;
    let program = Cmd::new("cargo").dir(&context.root).envs(&guest_envs(&context));
    program.args(["build", "-p", "windlass", "--bins"]).run()?;
    let ran = check(&context, &registry, only)?;
    println!("{ran} commands ran");
    Ok(())
}

/// `cargo xtask reference`: writes what is told of the contract and of the plugins anew.
pub(crate) fn reference() -> Result<()> {
    let context = Context::find()?;
    crate::tidy::check(&context, true)?;
    build_guests(&context)?;
    let program = Cmd::new("cargo").dir(&context.root).envs(&guest_envs(&context));
    program.args(["build", "-p", "windlass", "--bins"]).run()?;
    builtins::check(&context, true)
}

/// Goes through the documents, and gives how many commands were run. One that is wrong does not keep the next from
/// its turn.
pub(crate) fn check(context: &Context, registry: &Registry, only: &[String]) -> Result<usize> {
    let tools = Tools::find(context)?;
    let mut ran = 0;
    let mut wrong = Vec::new();
    if let (true, Err(why)) = (only.is_empty(), builtins::check(context, false)) {
        ui::error(&why);
        wrong.push("docs/reference/plugins.md");
    }
    for document in DOCUMENTS.iter().filter(|name| only.is_empty() || only.iter().any(|wanted| wanted == *name)) {
        match ui::part(document, || Reader::new(context, registry, &tools, document)?.read(document)) {
            Ok(commands) => ran += commands,
            Err(why) if crate::proc::interrupted().is_some() => return Err(why),
            Err(why) => {
                ui::error(&why);
                wrong.push(*document);
            }
        }
    }
    if wrong.is_empty() { Ok(ran) } else { Err(Failure::new(format!("not as it is written: {}", wrong.join(", ")))) }
}

/// The tools of all languages, for a reader who has them installed.
struct Tools {
    shell: shell::Tools,
    /// Languages whose tools cannot be had here, and why.
    missing: BTreeMap<&'static str, Failure>,
}

impl Tools {
    fn find(context: &Context) -> Result<Self> {
        let mut tools = Self { shell: shell::Tools::new(context), missing: BTreeMap::new() };
        for language in LANGUAGES {
            match language.ensure(context) {
                Ok(toolchain) => tools.shell.add(toolchain),
                Err(why) if in_ci() => return Err(why),
                // A developer without a network does without; CI leaves nothing out.
                Err(why) => tools.missing.extend(language.names.iter().map(|name| (*name, why.clone()))),
            }
        }
        Ok(tools)
    }
}

/// Who goes through one document.
struct Reader<'a> {
    context: &'a Context,
    tools: &'a Tools,
    shell: Shell,
}

impl<'a> Reader<'a> {
    fn new(context: &'a Context, registry: &Registry, tools: &'a Tools, document: &str) -> Result<Self> {
        let name = Path::new(document).file_stem().unwrap_or_default();
        let folder = context.target.join("docs").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).doing(|| format!("remove {}", folder.display()))?;
        }
        Ok(Self { context, tools, shell: Shell::new(folder, &tools.shell, registry) })
    }

    fn read(mut self, document: &str) -> Result<usize> {
        let path = self.context.root.join(document);
        let text = fs::read_to_string(&path).doing(|| format!("read {}", path.display()))?;
        let at = |line: usize, why: String| Failure::new(format!("{document}:{line}: {why}"));
        let mut ran = 0;
        let mut left_out = None;
        for Block { line, what } in markdown::blocks(&text).map_err(|(line, why)| at(line, why))? {
            match what {
                What::In(folder) => {
                    let language = folder.split('/').next().unwrap_or_default();
                    left_out = self.tools.missing.get(language);
                    if let Some(why) = left_out {
                        ui::warn(&format!("{document}:{line}: left out: {why}"));
                    }
                    self.shell.enter(&folder)?;
                }
                _ if left_out.is_some() => {}
                What::File { name, text } => {
                    self.shell.write(&name, &text).map_err(|why| at(line, why.to_string()))?;
                }
                What::Console(commands) => {
                    let answers = self.shell.run(&commands).map_err(|why| at(line, why.to_string()))?;
                    for (command, answer) in commands.iter().zip(&answers) {
                        compare::check(command, answer).map_err(|(line, why)| at(line, why))?;
                    }
                    if answers.len() < commands.len() {
                        return Err(at(line, "a command ended the shell, and those after it did not run".to_owned()));
                    }
                    ran += commands.len();
                }
            }
        }
        if ran == 0 && left_out.is_none() {
            return Err(at(1, "has no command that could be run".to_owned()));
        }
        ui::note(&format!("{ran} commands, each with what it is said to print"));
        Ok(ran)
    }
}
