//! The context of a build: packed here, file by file, while the daemon already reads it.
//!
//! Owner and group are always root, as Docker's own command line sends them; times stay, because
//! compilers in the build go by them (the builders' caches do not). A symlink is packed as one.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use bytes::{Bytes, BytesMut};
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;
use windlass_gate::{Call, CallError};

use super::dockerignore::Dockerignore;
use crate::connect::{Body, Endpoint, stream_body};
use crate::mounts;

/// How much is sent at once.
const CHUNK: usize = 64 * 1024;
/// How many chunks may wait for the daemon.
const WAITING: usize = 8;
/// A Dockerfile larger than this is none.
const LARGEST_DOCKERFILE: u64 = 4 << 20;

/// A folder that is to be built.
#[derive(Debug)]
pub(super) struct Context {
    root: PathBuf,
    state: PathBuf,
    dockerfile: String,
    shown: String,
    text: String,
    ignore: Dockerignore,
}

/// Why packing stopped, when it did: what the daemon says about a context that ends half-way helps nobody.
pub(super) type Trouble = Arc<Mutex<Option<String>>>;

impl Context {
    /// Looks at a folder and reads what decides over the rest: its Dockerfile and `.dockerignore`.
    pub(super) fn open(
        call: &Call,
        endpoint: &Endpoint,
        folder: &str,
        dockerfile: Option<&str>,
    ) -> Result<Self, CallError> {
        let root = mounts::resolve(call, endpoint, "build", folder)?.path;
        if !root.is_dir() {
            return Err(CallError::Invalid(format!(
                "the build context `{folder}` ({}) is not a folder",
                root.display()
            )));
        }
        let dockerfile = plain(dockerfile.unwrap_or("Dockerfile"))?;
        let path = root.join(&dockerfile);
        let shown = path.strip_prefix(&call.run.workspace).unwrap_or(&path).display().to_string();
        let real = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => CallError::NotFound(format!(
                "there is no Dockerfile at {}; write one, or name another with `dockerfile`",
                path.display()
            )),
            _ => CallError::Invalid(format!("the Dockerfile {} cannot be read: {error}", path.display())),
        })?;
        if !real.starts_with(&root) {
            return Err(CallError::Denied(format!(
                "the Dockerfile {} is really {}, which is outside the build context",
                path.display(),
                real.display()
            )));
        }
        let text = read_text(&real).map_err(|error| {
            CallError::Invalid(format!("the Dockerfile {} cannot be read: {error}", path.display()))
        })?;
        let ignore = read_ignore(&root, &dockerfile)?;
        Ok(Self {
            state: call.run.state.canonicalize().unwrap_or_else(|_| call.run.state.clone()),
            root,
            dockerfile,
            shown,
            text,
            ignore,
        })
    }

    /// The Dockerfile's path in the context.
    pub(super) fn dockerfile_name(&self) -> &str {
        &self.dockerfile
    }

    /// The Dockerfile's path for people.
    pub(super) fn dockerfile_shown(&self) -> &str {
        &self.shown
    }

    /// The Dockerfile.
    pub(super) fn dockerfile_text(&self) -> &str {
        &self.text
    }

    /// The packed context, as it is packed on a thread of its own.
    pub(super) fn body(&self) -> (Body, Trouble) {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        let trouble = Trouble::default();
        let packer = Packer {
            root: self.root.clone(),
            state: self.state.clone(),
            keep: vec![
                self.dockerfile.clone(),
                ".dockerignore".to_owned(),
                format!("{}.dockerignore", self.dockerfile),
            ],
        };
        let ignore = Dockerignore::clone(&self.ignore);
        let noted = Arc::clone(&trouble);
        tokio::task::spawn_blocking(move || {
            let mut chunks = Chunks { sender, buffer: BytesMut::with_capacity(CHUNK) };
            if let Err(error) = packer.pack(&ignore, &mut chunks) {
                // A broken pipe is the daemon, which has heard enough and says why itself.
                if error.kind() != io::ErrorKind::BrokenPipe {
                    *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                }
                let _ = chunks.sender.blocking_send(Err(error));
            }
        });
        let stream = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
        (stream_body(stream), trouble)
    }
}

/// A relative path without detours.
fn plain(path: &str) -> Result<String, CallError> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() => {}
            ".." => {
                return Err(CallError::Invalid(format!(
                    "the Dockerfile `{path}` is outside the build context; it has to be within"
                )));
            }
            part => parts.push(part),
        }
    }
    if path.starts_with('/') || parts.is_empty() {
        return Err(CallError::Invalid(format!(
            "the Dockerfile `{path}` has to be a path relative to the build context"
        )));
    }
    Ok(parts.join("/"))
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path)?.take(LARGEST_DOCKERFILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST_DOCKERFILE {
        return Err(io::Error::other(format!("it is larger than {LARGEST_DOCKERFILE} bytes")));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The Dockerfile's own ignore file goes before the context's.
fn read_ignore(root: &Path, dockerfile: &str) -> Result<Dockerignore, CallError> {
    for name in [format!("{dockerfile}.dockerignore"), ".dockerignore".to_owned()] {
        let path = root.join(&name);
        match read_text(&path) {
            Ok(text) => {
                return Dockerignore::parse(&text)
                    .map_err(|error| CallError::Invalid(format!("{}: {error}", path.display())));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(CallError::Invalid(format!("{} cannot be read: {error}", path.display()))),
        }
    }
    Ok(Dockerignore::default())
}

struct Packer {
    root: PathBuf,
    state: PathBuf,
    /// What the builder itself needs, whatever is ignored.
    keep: Vec<String>,
}

impl Packer {
    fn pack(&self, ignore: &Dockerignore, out: &mut impl Write) -> io::Result<()> {
        let mut archive = Builder::new(&mut *out);
        self.folder(&mut archive, ignore, "")?;
        archive.finish()?;
        drop(archive);
        out.flush()
    }

    fn folder(&self, archive: &mut Builder<impl Write>, ignore: &Dockerignore, at: &str) -> io::Result<()> {
        let folder = self.root.join(at);
        let mut entries: Vec<_> = fs::read_dir(&folder)
            .and_then(Iterator::collect::<io::Result<_>>)
            .map_err(|error| located(&folder, &error))?;
        // The same order on every machine.
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let file = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                return Err(io::Error::other(format!(
                    "{} has a name that is no text; rename it, or leave it out by .dockerignore",
                    file.display()
                )));
            };
            if name.eq_ignore_ascii_case(mounts::STATE_FOLDER) || file == self.state {
                continue;
            }
            let path = if at.is_empty() { name } else { format!("{at}/{name}") };
            let about = entry.metadata().map_err(|error| located(&file, &error))?;
            let excluded = ignore.excludes(&path) && !self.keep.contains(&path);
            if about.is_dir() {
                if !excluded {
                    let mut header = header(&about, EntryType::Directory, 0);
                    archive.append_data(&mut header, format!("{path}/"), io::empty())?;
                }
                if !excluded
                    || ignore.may_include_beneath(&path)
                    || self.keep.iter().any(|kept| kept.starts_with(&format!("{path}/")))
                {
                    self.folder(archive, ignore, &path)?;
                }
            } else if !excluded {
                add(archive, &file, &path, &about)?;
            }
        }
        Ok(())
    }
}

fn add(archive: &mut Builder<impl Write>, file: &Path, path: &str, about: &Metadata) -> io::Result<()> {
    if about.is_symlink() {
        let target = fs::read_link(file).map_err(|error| located(file, &error))?;
        let mut header = header(about, EntryType::Symlink, 0);
        header.set_mode(0o777);
        return archive.append_link(&mut header, path, target);
    }
    if !about.is_file() {
        // Sockets, pipes and devices have no content to build from.
        return Ok(());
    }
    let opened = File::open(file).map_err(|error| located(file, &error))?;
    let now = opened.metadata().map_err(|error| located(file, &error))?;
    // Opening follows a symlink that was put there since the look; then it is another file.
    if (now.dev(), now.ino()) != (about.dev(), about.ino()) {
        return Err(changed(file));
    }
    let mut reader = BufReader::with_capacity(CHUNK, opened).take(about.len());
    let mut header = header(about, EntryType::Regular, about.len());
    archive.append_data(&mut header, path, &mut reader)?;
    let grown =
        reader.limit() == 0 && !reader.into_inner().fill_buf().map_err(|error| located(file, &error))?.is_empty();
    let shrunk = fs::symlink_metadata(file).map(|now| now.len() < about.len()).unwrap_or(true);
    if grown || shrunk {
        return Err(changed(file));
    }
    Ok(())
}

fn changed(file: &Path) -> io::Error {
    io::Error::other(format!(
        "{} changed while it was packed; leave it out by .dockerignore, or build when nobody writes to it",
        file.display()
    ))
}

fn header(about: &Metadata, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(about.permissions().mode() & 0o7777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(
        about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |time| time.as_secs()),
    );
    header
}

fn located(path: &Path, error: &io::Error) -> io::Error {
    io::Error::other(format!(
        "{} cannot be read: {error}; leave it out by .dockerignore, or make it readable",
        path.display()
    ))
}

/// Writes into a channel, in chunks.
struct Chunks {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: BytesMut,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = self.buffer.split().freeze();
        self.sender.blocking_send(Ok(chunk)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures_util::TryStreamExt as _;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::connect::Address;
    use crate::testing::call_in;

    fn endpoint() -> Endpoint {
        Endpoint { address: Address::Unix("/nowhere".into()), origin: "a test".into() }
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text).expect("written");
        }
        folder
    }

    fn open(folder: &Path, context: &str, dockerfile: Option<&str>) -> Result<Context, CallError> {
        Context::open(&call_in(folder), &endpoint(), context, dockerfile)
    }

    /// What is in the packed context: content or link target, by path and in order.
    async fn packed(context: &Context) -> Result<Vec<(String, String)>, String> {
        let (body, trouble) = context.body();
        let body = body.into_data_stream().map_ok(|data| data.to_vec()).try_concat().await;
        if let Some(trouble) = trouble.lock().expect("whole").take() {
            return Err(trouble);
        }
        let body = body.expect("packed");
        let mut archive = tar::Archive::new(body.as_slice());
        let mut found = Vec::new();
        for entry in archive.entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            assert_eq!((entry.header().uid().expect("set"), entry.header().gid().expect("set")), (0, 0));
            let path = entry.path().expect("a path").display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("text");
            if let Some(target) = entry.link_name().expect("a name") {
                text = format!("-> {}", target.display());
            }
            found.push((path, text));
        }
        Ok(found)
    }

    async fn paths(context: &Context) -> Vec<String> {
        packed(context).await.expect("packed").into_iter().map(|(path, _)| path).collect()
    }

    #[tokio::test]
    async fn everything_is_packed_in_order() {
        let folder = folder(&[("Dockerfile", "FROM x"), ("b/two", "2"), ("b/one", "1"), ("a", "a")]);
        let found = packed(&open(folder.path(), ".", None).expect("opened")).await.expect("packed");
        let expected = [("Dockerfile", "FROM x"), ("a", "a"), ("b/", ""), ("b/one", "1"), ("b/two", "2")];
        assert_eq!(found, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[tokio::test]
    async fn what_is_ignored_stays_out_but_the_builder_gets_what_it_needs() {
        let folder = folder(&[
            (".dockerignore", "*\n!src\nsrc/**/*.tmp\n"),
            ("Dockerfile", "FROM x"),
            ("src/a.rs", ""),
            ("src/deep/b.tmp", ""),
            ("target/big", ""),
        ]);
        let context = open(folder.path(), ".", None).expect("opened");
        assert_eq!(paths(&context).await, [".dockerignore", "Dockerfile", "src/", "src/a.rs", "src/deep/"]);
    }

    #[tokio::test]
    async fn a_dockerfile_has_an_ignore_file_of_its_own() {
        let files = [
            ("docker/app.Dockerfile", "FROM x"),
            ("docker/app.Dockerfile.dockerignore", "*.md"),
            (".dockerignore", "*"),
            ("a.md", ""),
            ("b", ""),
        ];
        let folder = folder(&files);
        let context = open(folder.path(), ".", Some("./docker/app.Dockerfile")).expect("opened");
        assert_eq!(
            paths(&context).await,
            [".dockerignore", "b", "docker/", "docker/app.Dockerfile", "docker/app.Dockerfile.dockerignore"]
        );
    }

    #[tokio::test]
    async fn an_ignored_dockerfile_in_an_ignored_folder_is_sent() {
        let folder = folder(&[("docker/Dockerfile", "FROM x"), (".dockerignore", "docker"), ("docker/other", "")]);
        let context = open(folder.path(), ".", Some("docker/Dockerfile")).expect("opened");
        assert_eq!(paths(&context).await, [".dockerignore", "docker/Dockerfile"]);
    }

    #[tokio::test]
    async fn symlinks_are_packed_and_never_followed() {
        let folder = folder(&[("Dockerfile", "FROM x")]);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("file")).expect("linked");
        std::os::unix::fs::symlink("/etc", folder.path().join("folder")).expect("linked");
        let found: BTreeMap<_, _> =
            packed(&open(folder.path(), ".", None).expect("opened")).await.expect("packed").into_iter().collect();
        assert_eq!(found.get("file").map(String::as_str), Some("-> /etc/passwd"));
        assert_eq!(found.get("folder").map(String::as_str), Some("-> /etc"));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_dockerfile_outside_is_refused() {
        let folder = folder(&[("app/x", ""), ("Dockerfile", "FROM x")]);
        std::os::unix::fs::symlink("../Dockerfile", folder.path().join("app/Dockerfile")).expect("linked");
        assert!(matches!(open(folder.path(), "app", None), Err(CallError::Denied(_))));
        assert!(matches!(open(folder.path(), "app", Some("../Dockerfile")), Err(CallError::Invalid(_))));
        assert!(matches!(open(folder.path(), "app", Some("/etc/passwd")), Err(CallError::Invalid(_))));
    }

    #[test]
    fn a_context_outside_is_refused() {
        let folder = folder(&[("Dockerfile", "FROM x")]);
        std::os::unix::fs::symlink("/etc", folder.path().join("link")).expect("linked");
        assert!(matches!(open(folder.path(), "link", None), Err(CallError::Denied(_))));
        assert!(matches!(open(folder.path(), "gone", None), Err(CallError::NotFound(_))));
        assert!(matches!(open(folder.path(), "Dockerfile", None), Err(CallError::Invalid(_))));
    }

    #[test]
    fn a_missing_dockerfile_is_named() {
        let folder = folder(&[("x", "")]);
        let error = open(folder.path(), ".", None).expect_err("missing");
        assert!(
            matches!(&error, CallError::NotFound(text) if text.contains(&folder.path().join("Dockerfile").display().to_string())),
            "{error}"
        );
    }

    #[tokio::test]
    async fn the_records_of_runs_stay_out() {
        let folder = folder(&[("Dockerfile", "FROM x"), (".windlass/runs/x", "secret"), ("sub/.windlass/x", "secret")]);
        assert_eq!(paths(&open(folder.path(), ".", None).expect("opened")).await, ["Dockerfile", "sub/"]);
    }

    #[tokio::test]
    async fn sockets_and_pipes_are_passed_over() {
        let folder = folder(&[("Dockerfile", "FROM x")]);
        let _listener = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).expect("bound");
        assert_eq!(paths(&open(folder.path(), ".", None).expect("opened")).await, ["Dockerfile"]);
    }

    #[tokio::test]
    async fn a_name_that_is_no_text_is_named() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = folder(&[("Dockerfile", "FROM x")]);
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"a\xff")), "").expect("written");
        let error = packed(&open(folder.path(), ".", None).expect("opened")).await.expect_err("refused");
        assert!(error.contains("no text"), "{error}");
    }

    #[tokio::test]
    async fn long_names_and_large_files_survive() {
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
        let text = "x".repeat(3 * CHUNK + 7);
        let folder = folder(&[("Dockerfile", "FROM x"), (&long, &text)]);
        let found: BTreeMap<_, _> =
            packed(&open(folder.path(), ".", None).expect("opened")).await.expect("packed").into_iter().collect();
        assert_eq!(found.get(&long), Some(&text));
    }
}
