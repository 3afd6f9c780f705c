//! The files and folders of the command line: the pipeline's file, the state beside it, the cache.

#![allow(
    clippy::disallowed_methods,
    reason = "the command line reads the files that a person names, and the environment"
)]

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use windlass_pipeline::{MAX_BYTES, Source, decode};
use windlass_registry::MAX_COMPONENT;

use crate::error::CliError;

/// The name of the pipeline's file, unless another is named.
pub(crate) const PIPELINE: &str = "pipeline.toml";
/// The folder beside it that holds the journal.
pub(crate) const STATE: &str = ".windlass";
/// The folder in it that holds the router's table and sockets.
pub(crate) const ROUTER: &str = "router";

/// Pipes wait for somebody, and devices have no end.
const NO_FILE: &str = "it is a pipe, a device or a socket, and has to be a file";

/// Reads a pipeline as text.
pub(crate) fn read_pipeline(path: &Path) -> Result<Source, CliError> {
    read(path, "split the pipeline, or generate less", |error| help(path, error))
}

/// Reads a test case as text.
pub(crate) fn read_case(path: &Path) -> Result<Source, CliError> {
    read(path, "shorten the case", |_| None).map_err(|error| match error {
        CliError::Pipeline(mut found, notes) => {
            for found in found.iter_mut().flat_map(|found| &mut found.diagnostics).filter(|it| it.code == "empty") {
                found.help = Some("a case needs `[step]` and `[expect]`; docs/plugin-tests.md shows one".to_owned());
            }
            CliError::Pipeline(found, notes)
        }
        other => other,
    })
}

/// Reads what makes a folder a plugin's project.
pub(crate) fn read_project(path: &Path) -> Result<Source, CliError> {
    let help = "name the folder of a plugin's project; `windlass plugin new` makes one";
    read(path, "shorten it", |_| Some(help.to_owned()))
}

/// Reads a lock as text, if there is one.
pub(crate) fn read_lock(path: &Path, shown: String) -> Result<Option<Source>, CliError> {
    if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(None);
    }
    let help = "an empty lock locks nothing: let `windlass plugin update` write it";
    let read = read(path, help, |_| None).map_err(|error| match error {
        CliError::Pipeline(mut found, notes) => {
            for found in found.iter_mut().flat_map(|found| &mut found.diagnostics).filter(|it| it.code == "empty") {
                found.help = Some(help.to_owned());
            }
            CliError::Pipeline(found, notes)
        }
        other => other,
    })?;
    Ok(Some(Source { name: shown, ..read }))
}

/// Writes a file that is not there yet.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            CliError::usage(format!("{} is there already", path.display()), "name another file, or remove this one")
        }
        io::ErrorKind::NotFound => CliError::usage(
            format!("{} cannot be written: its folder is not there", path.display()),
            "make the folder, or name another file",
        ),
        _ => CliError::usage(format!("{} cannot be written: {error}", path.display()), "name another file"),
    };
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

/// The files of a folder with this extension, by name.
pub(crate) fn with_extension(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|has| has == extension) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path, too_large: &str, help: impl Fn(&io::Error) -> Option<String>) -> Result<Source, CliError> {
    let failed = |error: io::Error| CliError::file(path, &error, help(&error));
    // Before it is opened: that would wait for whoever writes into a pipe.
    let metadata = path.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        return Err(failed(io::Error::other(NO_FILE)));
    }
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).min(MAX_BYTES) + 1);
    // One byte more than is allowed tells that it is too large, whatever its size.
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_BYTES {
        let size = metadata.len().max(bytes.len() as u64);
        return Err(CliError::File {
            path: path.to_owned(),
            why: format!("the file has {size} bytes; the limit is {MAX_BYTES}"),
            help: Some(too_large.to_owned()),
        });
    }
    decode(path.display().to_string(), &bytes).map_err(|found| CliError::Pipeline(vec![found], Vec::new()))
}

fn help(path: &Path, error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::IsADirectory if path.join(PIPELINE).is_file() => {
            Some(format!("name the file in it: {}", path.join(PIPELINE).display()))
        }
        io::ErrorKind::IsADirectory => Some(format!("name the pipeline's file; the folder has no {PIPELINE}")),
        io::ErrorKind::NotFound => Some(match nearby(path) {
            Some(found) => format!("did you mean {}?", found.display()),
            None => format!("name the pipeline's file, or go to the folder of its {PIPELINE}"),
        }),
        _ => None,
    }
}

/// A pipeline that may have been meant by a path that is not there: in the folder, or further up.
fn nearby(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let here = folder.join(PIPELINE);
    if here.is_file() {
        return Some(here);
    }
    let folder = folder.canonicalize().ok()?;
    folder.ancestors().skip(1).map(|above| above.join(PIPELINE)).find(|file| file.is_file())
}

/// The folder that relative paths of the pipeline refer to: where its file is, symlinks resolved.
pub(crate) fn workspace(file: &Path) -> Result<PathBuf, CliError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().map_err(|error| CliError::file(folder, &error, None))
}

/// The folder that the person is in.
pub(crate) fn here() -> Result<PathBuf, CliError> {
    std::env::current_dir().map_err(|error| CliError::file(Path::new("."), &error, None))
}

/// The journal's folder for a reader: beside the pipeline that was named, else the nearest one from
/// here upwards.
pub(crate) fn state(within: Option<&Path>) -> Result<PathBuf, CliError> {
    if let Some(within) = within {
        let metadata = within.metadata().map_err(|error| CliError::file(within, &error, None))?;
        return Ok(if metadata.is_dir() { within.join(STATE) } else { workspace(within)?.join(STATE) });
    }
    let here = here()?;
    let found = here.ancestors().map(|folder| folder.join(STATE)).find(|state| state.exists());
    Ok(found.unwrap_or_else(|| here.join(STATE)))
}

/// The folder beside whose files the journal is.
pub(crate) fn beside(state: &Path) -> Result<PathBuf, CliError> {
    workspace(state)
}

/// A folder for what nobody needs afterwards; it goes with the value.
pub(crate) fn aside() -> Result<tempfile::TempDir, CliError> {
    tempfile::tempdir().map_err(|error| {
        CliError::machine(
            format!("no temporary folder can be made: {error}"),
            "make room in the folder for temporary files, or set TMPDIR to another one",
        )
    })
}

/// The user's cache folder for Windlass.
pub(crate) fn cache() -> Result<PathBuf, CliError> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("WINDLASS_CACHE_DIR")
        // As the XDG specification asks: a relative path there is to be ignored.
        .or_else(|| set("XDG_CACHE_HOME").filter(|path| path.is_absolute()).map(|base| base.join("windlass")))
        .or_else(|| set("HOME").map(|home| home.join(".cache").join("windlass")))
        .ok_or_else(|| {
            CliError::machine(
                "cannot find your cache folder: HOME is not set",
                "set HOME, or WINDLASS_CACHE_DIR to a folder of your own",
            )
        })
}

/// The bytes of a plugin's file, or of another that has less.
pub(crate) fn read_plugin(path: &Path) -> Result<Vec<u8>, String> {
    let words = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file {}", path.display()),
        io::ErrorKind::IsADirectory => format!("{} is a folder", path.display()),
        io::ErrorKind::PermissionDenied => format!("this user may not read {}", path.display()),
        _ => format!("{}: {error}", path.display()),
    };
    let metadata = path.metadata().map_err(words)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(format!("{}: {NO_FILE}", path.display()));
    }
    let too_large =
        |size: u64| format!("{}: it has {size} bytes, and {MAX_COMPONENT} are the most that are read", path.display());
    if metadata.len() > MAX_COMPONENT {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    File::open(path).and_then(|file| file.take(MAX_COMPONENT + 1).read_to_end(&mut bytes)).map_err(words)?;
    let size = bytes.len() as u64;
    if size > MAX_COMPONENT { Err(too_large(size)) } else { Ok(bytes) }
}

/// How many files a folder holds, if files can be made in it. A folder that is not there yet has
/// none; that it can be made is seen when it is.
pub(crate) fn probe(folder: &Path) -> io::Result<usize> {
    match std::fs::read_dir(folder) {
        Ok(listed) => {
            let test = folder.join(format!(".doctor-{}", std::process::id()));
            File::create(&test)?;
            std::fs::remove_file(&test)?;
            Ok(listed.count())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Whether a path is a symbolic link: whoever made it chose where it leads.
pub(crate) fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

/// How many bytes the files in a folder have. What is not there has none.
pub(crate) fn size(path: &Path) -> u64 {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => {
            let listed = std::fs::read_dir(path).into_iter().flatten().flatten();
            listed.map(|entry| size(&entry.path())).sum()
        }
        Ok(found) => found.len(),
        Err(_) => 0,
    }
}

/// Removes a file, or a folder with all that is in it, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    match if is_folder { windlass_engine::inputs::remove(path) } else { std::fs::remove_file(path) } {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// How many bytes the disk of a folder has left for this user. `None` where the system does not say.
pub(crate) fn room(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|path| path.exists())?;
    let found = nix::sys::statvfs::statvfs(there).ok()?;
    #[allow(clippy::unnecessary_cast, reason = "the types differ between systems")]
    Some((found.blocks_available() as u64).saturating_mul(found.fragment_size() as u64))
}

/// Writes a file as a whole: whoever looks sees the old one or the new one.
pub(crate) fn write_whole<E: From<CliError>>(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |error: io::Error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such folder".to_owned(),
            io::ErrorKind::PermissionDenied => "this user may not write there".to_owned(),
            _ => error.to_string(),
        };
        CliError::usage(format!("cannot write {}: {why}", path.display()), "name a file in a folder that is there")
    };
    if path.is_dir() {
        return Err(failed(io::Error::other("it is a folder")).into());
    }
    // Pipes and devices are written as they are; there is nothing to put in their place.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        let file = File::options().write(true).open(path).map_err(failed)?;
        return write(&mut io::BufWriter::new(file));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(".windlass-").tempfile_in(folder).map_err(failed)?;
    let mut out = io::BufWriter::new(temporary.as_file_mut());
    write(&mut out)?;
    io::Write::flush(&mut out).map_err(failed)?;
    drop(out);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    temporary.as_file().set_permissions(mode).map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes a file that is kept beside the journal, whose folder need not be there yet.
pub(crate) fn write_kept(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |why: String| {
        CliError::machine(format!("cannot write {}: {why}", path.display()), "make room, or put the folder right")
    };
    if let Some(folder) = path.parent() {
        if is_link(folder) {
            return Err(failed("its folder is a link".to_owned()));
        }
        std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
    }
    write_whole(path, |out| out.write_all(text.as_bytes()).map_err(|error| failed(error.to_string())))
}

/// What a folder has that is called after this run: its own entry, or files whose names begin with it.
pub(crate) fn named_after(folder: &Path, run: &str) -> Vec<PathBuf> {
    let is_its = |name: &str| name.strip_prefix(run).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let listed = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> =
        listed.filter(|entry| entry.file_name().to_str().is_some_and(is_its)).map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// What this machine is called, if it says so.
pub(crate) fn host_name() -> Option<String> {
    let found =
        ["/proc/sys/kernel/hostname", "/etc/hostname"].into_iter().find_map(|file| std::fs::read_to_string(file).ok());
    found.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}
