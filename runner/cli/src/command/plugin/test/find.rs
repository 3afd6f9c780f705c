//! Which cases are meant by the paths of the command line.

use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::files;

/// The folder of cases in a plugin's folder.
const CASES: &str = "cases";

/// A case to run.
pub(super) struct Found {
    pub(super) file: PathBuf,
    /// The component to test, if it was named; else the one that the case names.
    pub(super) component: Option<PathBuf>,
}

/// The cases of all paths, by name. `component` is what to test, whatever else is named.
pub(super) fn cases(paths: &[PathBuf], component: Option<&Path>) -> Result<Vec<Found>, CliError> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = path.metadata().map_err(|error| CliError::file(path, &error, None))?;
        if metadata.is_dir() {
            found.extend(within(path, component)?);
        } else if path.extension().is_some_and(|extension| extension == "wasm") {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            found.extend(within(folder, component.or(Some(path)))?);
        } else {
            found.push(Found { file: path.clone(), component: component.map(Path::to_owned) });
        }
    }
    Ok(found)
}

fn within(folder: &Path, component: Option<&Path>) -> Result<Vec<Found>, CliError> {
    let beside = if folder == Path::new(".") { PathBuf::from(CASES) } else { folder.join(CASES) };
    // A folder of cases may be named itself.
    let cases = if folder.file_name().is_some_and(|name| name == CASES) && !beside.is_dir() { folder } else { &beside };
    let listed = files::with_extension(cases, "toml").map_err(|error| CliError::file(cases, &error, help(folder)))?;
    if listed.is_empty() {
        return Err(CliError::Usage { message: format!("{} has no test cases", cases.display()), help: help(folder) });
    }
    Ok(listed.into_iter().map(|file| Found { file, component: component.map(Path::to_owned) }).collect())
}

fn help(folder: &Path) -> Option<String> {
    Some(format!("write a case to {}; docs/plugin-tests.md says how", folder.join(CASES).join("NAME.toml").display()))
}
