//! Does to files what it is told to, and says what came of each attempt: what a step sees of the host's folders, and
//! whether it gets out of them.

use std::fs;
use std::io;

use windlass_plugin::prelude::*;

/// Does to files what it is told to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {
    /// What to do, in this order.
    attempts: Vec<Attempt>,
}

/// One thing to do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Attempt {
    /// What.
    act: Act,
    /// The path.
    path: String,
    /// What to write, or what a link or a new name points to.
    #[serde(default)]
    to: String,
}

/// What can be done.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Act {
    /// Reads a file.
    Read,
    /// Writes a file.
    Write,
    /// Adds to a file.
    Append,
    /// Lists a folder.
    List,
    /// Makes a folder with those above it.
    Mkdir,
    /// Removes a file.
    Remove,
    /// Removes a folder with everything in it.
    RemoveAll,
    /// Gives a file another name.
    Rename,
    /// Makes a symbolic link at `path` that points to `to`.
    Symlink,
    /// Makes another name for a file, `to`.
    Link,
    /// Where a symbolic link points.
    Readlink,
    /// The type and size of what a path leads to.
    Stat,
}

#[derive(Serialize, JsonSchema)]
struct Outputs {
    /// What came of each attempt.
    results: Vec<Outcome>,
    /// How many succeeded.
    succeeded: u32,
}

#[derive(Serialize, JsonSchema)]
struct Outcome {
    /// Whether it succeeded.
    ok: bool,
    /// What was read, or the error.
    text: String,
}

struct Files;

impl Plugin for Files {
    type With = With;
    type Outputs = Outputs;
    const USES: &[Use] = &[Use::optional(Capability::Files, "to try what it is told to try")];

    fn run(with: With, _: &Context) -> Result<Outputs, Failure> {
        let results: Vec<_> = with
            .attempts
            .iter()
            .map(|attempt| match act(attempt) {
                Ok(text) => Outcome { ok: true, text },
                Err(error) => Outcome { ok: false, text: format!("{:?}: {error}", error.kind()) },
            })
            .collect();
        let succeeded = results.iter().filter(|result| result.ok).count() as u32;
        Ok(Outputs { results, succeeded })
    }
}

windlass_plugin::export!(Files);

fn act(Attempt { act, path, to }: &Attempt) -> io::Result<String> {
    let done = |()| String::new();
    match act {
        Act::Read => fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Act::Write => fs::write(path, to).map(done),
        Act::Append => {
            let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
            io::Write::write_all(&mut file, to.as_bytes()).map(done)
        }
        Act::List => {
            let entries =
                fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
            let mut names = entries.collect::<io::Result<Vec<_>>>()?;
            names.sort();
            Ok(names.join("\n"))
        }
        Act::Mkdir => fs::create_dir_all(path).map(done),
        Act::Remove => fs::remove_file(path).map(done),
        Act::RemoveAll => fs::remove_dir_all(path).map(done),
        Act::Rename => fs::rename(path, to).map(done),
        #[expect(deprecated, reason = "the one that replaces it is unstable on this target")]
        Act::Symlink => fs::soft_link(to, path).map(done),
        Act::Link => fs::hard_link(path, to).map(done),
        Act::Readlink => fs::read_link(path).map(|target| target.display().to_string()),
        Act::Stat => fs::metadata(path)
            .map(|found| format!("{} {}", if found.is_dir() { "folder" } else { "file" }, found.len())),
    }
}
