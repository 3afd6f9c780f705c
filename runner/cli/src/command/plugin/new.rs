//! `windlass plugin new`: a project that builds, with a test case.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::project::{Project, check_name};
use crate::sdk::Sdk;
use crate::style::{BOLD, GOOD};
use crate::toolchain::{Lang, Language, Need};
use crate::{output, tree};

/// Begin a plugin: a project that builds, with a test case and a README
///
/// The project has everything with it that the language's own tools do not bring: the SDK and the contract with
/// Windlass stand in its folder `windlass`, so it builds the same way for as long as they stand there.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The plugin's name, as `image-sizes`
    #[arg(value_name = "NAME")]
    name: String,
    /// What it is to be written in
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Lang,
    /// The folder to make [default: one with the plugin's name]
    #[arg(long = "in", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &New) -> Result<Exit, CliError> {
    const OTHER: &str = "choose another name, as `image-sizes`";
    check_name(&args.name).map_err(|why| CliError::usage(why, OTHER))?;
    let language = args.lang.language();
    if language.taken().contains(&args.name.as_str()) {
        let (name, title) = (&args.name, args.lang.title());
        let why =
            format!("`{name}` cannot be a plugin's name in {title}: its project depends on a package of that name");
        return Err(CliError::usage(why, OTHER));
    }
    let folder = args.folder.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let sdk = Sdk::open()?;
    let files = files(&sdk, language, &args.name)?;
    tree::write(&folder, &files)?;
    let project = Project::read(&folder)?;
    let missing: Vec<Need> = language.needs(&project).into_iter().filter(|need| need.found.is_none()).collect();
    match args.format.format {
        Format::Human => output::text(&human(&folder, args, &missing))?,
        Format::Json => output::json(&json!({
            "type": "project",
            "name": args.name,
            "language": args.lang.name(),
            "folder": folder,
            "files": files.iter().map(|(path, _)| path).collect::<Vec<_>>(),
            "missing": missing.iter().map(|need| json!({ "what": need.what, "get": need.get })).collect::<Vec<_>>(),
        }))?,
    }
    Ok(Exit::SUCCESS)
}

/// A file of a project: its path there, and what is in it.
type Written<'s> = (String, Cow<'s, [u8]>);

/// The files of a new project, with its name filled in where the template has a place for it.
fn files<'s>(sdk: &'s Sdk, language: &dyn Language, name: &str) -> Result<Vec<Written<'s>>, CliError> {
    let ident = name.replace('-', "_");
    let filled = |text: &str| text.replace("{{name}}", name).replace("{{ident}}", &ident);
    let mut files = Vec::new();
    for (index, (from, to)) in language.parts().into_iter().enumerate() {
        if let Some(bytes) = sdk.file(from) {
            files.push((to.to_owned(), Cow::Borrowed(bytes)));
            continue;
        }
        let before = files.len();
        for (path, bytes) in sdk.files(from) {
            let path = if to.is_empty() { path.to_owned() } else { format!("{to}/{path}") };
            files.push(match (index, str::from_utf8(bytes)) {
                (0, Ok(text)) => (filled(&path), Cow::Owned(filled(text).into_bytes())),
                _ => (path, Cow::Borrowed(bytes)),
            });
        }
        if index == 0 && files.len() == before {
            return Err(CliError::machine(
                "this Windlass was built without the SDK of that language",
                "use a released one, or build it in the whole repository",
            ));
        }
    }
    files.sort();
    Ok(files)
}

fn human(folder: &Path, args: &New, missing: &[Need]) -> String {
    let mut text =
        format!("{GOOD}made{GOOD:#} {BOLD}{}{BOLD:#}, a plugin in {}\n", folder.display(), args.lang.title());
    let mut then = |line: &str| text.push_str(&format!("{line}\n"));
    then("\nnext:");
    then(&format!("  cd {}", folder.display()));
    let before = args.lang.language().before();
    if let Some(before) = before {
        then(&format!("  {before}"));
    }
    then("  windlass plugin build");
    then("  windlass plugin test .");
    // What is fetched into the project cannot be there yet.
    let elsewhere = missing.iter().filter(|need| !need.in_project);
    for need in elsewhere {
        then(&format!("\nto build it, {} has to be there:\n  {}", need.what, need.get));
    }
    text
}
