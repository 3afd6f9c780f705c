//! Where the values of secrets come from: environment variables and files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use windlass_gate::SecretStore;
use windlass_pipeline::SecretSource;

/// Larger than any key or certificate chain; a larger file was named by mistake.
const LARGEST: u64 = 1 << 20;

/// Secrets as `[secrets]` of `pipeline.toml` names them. A value is read when it is first needed.
pub struct FileAndEnvSecrets {
    sources: BTreeMap<String, SecretSource>,
    workspace: PathBuf,
    variable: Box<Variable>,
}

/// Looks up a variable of the host.
type Variable = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl FileAndEnvSecrets {
    /// Secrets from these sources.
    ///
    /// Files are relative to `workspace`. `variable` looks up a variable of the host; it is asked for
    /// those that `sources` name and for no others.
    pub fn new(
        sources: BTreeMap<String, SecretSource>,
        workspace: impl Into<PathBuf>,
        variable: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        Self { sources, workspace: workspace.into(), variable: Box::new(variable) }
    }

    /// The host's variables that hold secrets. They are no ordinary variables: no grant of `env`
    /// should let them through, because nobody would know to take them out of output.
    pub fn variables(sources: &BTreeMap<String, SecretSource>) -> impl Iterator<Item = &str> {
        sources.values().filter_map(|source| match source {
            SecretSource::Env(variable) => Some(variable.as_str()),
            SecretSource::File(_) => None,
        })
    }

    fn in_variable(&self, name: &str) -> Result<String, String> {
        let value = (self.variable)(name).ok_or("which is not set; set it for the command that runs the pipeline")?;
        value.into_string().map_err(|_| "whose value is not UTF-8 text; give the secret as a file of text".to_owned())
    }

    fn in_file(path: &Path) -> Result<String, String> {
        let why = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => {
                "which does not exist; create it, or change `[secrets]` in pipeline.toml".to_owned()
            }
            io::ErrorKind::PermissionDenied => {
                "which this user may not read; change its permissions or its owner".to_owned()
            }
            io::ErrorKind::IsADirectory => "which is a folder; name a file".to_owned(),
            _ => format!("which cannot be read: {error}"),
        };
        let mut text = Vec::new();
        File::open(path).map_err(why)?.take(LARGEST + 1).read_to_end(&mut text).map_err(why)?;
        if text.len() as u64 > LARGEST {
            return Err(
                "which is larger than 1 MiB; a secret is a key or a password, so this is hardly the right file"
                    .to_owned(),
            );
        }
        let mut text = String::from_utf8(text)
            .map_err(|_| "which is not UTF-8 text; encode binary keys (base64, PEM)".to_owned())?;
        // Editors and `echo` end a file with a line break that is not part of the password.
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Ok(text)
    }
}

impl SecretStore for FileAndEnvSecrets {
    fn read(&self, name: &str) -> Result<String, String> {
        let source =
            self.sources.get(name).ok_or_else(|| format!("there is no secret `{name}`; {}", known(&self.sources)))?;
        let (place, value) = match source {
            SecretSource::Env(variable) => (format!("environment variable `{variable}`"), self.in_variable(variable)),
            SecretSource::File(file) => {
                let path = self.workspace.join(file);
                (format!("file {}", path.display()), Self::in_file(&path))
            }
        };
        match value {
            Ok(value) if value.is_empty() => {
                Err(format!("secret `{name}` comes from {place}, which is empty; put the value there"))
            }
            Ok(value) => Ok(value),
            Err(why) => Err(format!("secret `{name}` comes from {place}, {why}")),
        }
    }
}

fn known(sources: &BTreeMap<String, SecretSource>) -> String {
    if sources.is_empty() {
        return "pipeline.toml has no `[secrets]`".to_owned();
    }
    let names: Vec<_> = sources.keys().map(|name| format!("`{name}`")).collect();
    format!("`[secrets]` of pipeline.toml has {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secrets(dir: &Path) -> FileAndEnvSecrets {
        let sources = BTreeMap::from([
            ("from-env".to_owned(), SecretSource::Env("TOKEN".to_owned())),
            ("unset".to_owned(), SecretSource::Env("UNSET".to_owned())),
            ("empty".to_owned(), SecretSource::Env("EMPTY".to_owned())),
            ("from-file".to_owned(), SecretSource::File("secret.txt".to_owned())),
            ("folder".to_owned(), SecretSource::File(".".to_owned())),
        ]);
        FileAndEnvSecrets::new(sources, dir, |variable| match variable {
            "TOKEN" => Some("geheim".into()),
            "EMPTY" => Some("".into()),
            "UNSET" => None,
            other => panic!("asked for {other}, which no source names"),
        })
    }

    #[test]
    fn reads_variables_and_files() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("secret.txt"), "pass word\r\n").expect("written");
        let secrets = secrets(dir.path());
        assert_eq!(secrets.read("from-env"), Ok("geheim".to_owned()));
        assert_eq!(secrets.read("from-file"), Ok("pass word".to_owned()));
    }

    #[test]
    fn says_what_is_missing_and_where_it_was_looked_for() {
        let dir = tempfile::tempdir().expect("a folder");
        let secrets = secrets(dir.path());
        let error = |name| secrets.read(name).expect_err("nothing there");
        assert_eq!(
            error("unset"),
            "secret `unset` comes from environment variable `UNSET`, which is not set; set it for the command that runs the pipeline"
        );
        assert_eq!(
            error("empty"),
            "secret `empty` comes from environment variable `EMPTY`, which is empty; put the value there"
        );
        assert!(
            error("from-file")
                .ends_with("secret.txt, which does not exist; create it, or change `[secrets]` in pipeline.toml")
        );
        assert!(error("folder").ends_with("which is a folder; name a file"));
        assert!(
            error("other")
                .starts_with("there is no secret `other`; `[secrets]` of pipeline.toml has `empty`, `folder`")
        );
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let secrets = secrets(dir.path());
        let file = dir.path().join("secret.txt");
        std::fs::write(&file, [0xff, 0xfe]).expect("written");
        assert!(secrets.read("from-file").expect_err("binary").contains("not UTF-8"));
        std::fs::write(&file, vec![b'x'; (1 << 20) + 1]).expect("written");
        assert!(secrets.read("from-file").expect_err("huge").contains("larger than 1 MiB"));
        std::fs::write(&file, "\n").expect("written");
        assert!(secrets.read("from-file").expect_err("empty").contains("which is empty"));
    }

    proptest! {
        #[test]
        fn only_one_line_break_is_cut(text in "[a-z \\n\\r]{1,20}") {
            let dir = tempfile::tempdir().expect("a folder");
            let path = dir.path().join("x");
            std::fs::write(&path, format!("{text}.\n")).expect("written");
            prop_assert_eq!(FileAndEnvSecrets::in_file(&path), Ok(format!("{text}.")));
            std::fs::write(&path, format!("{text}.")).expect("written");
            prop_assert_eq!(FileAndEnvSecrets::in_file(&path), Ok(format!("{text}.")));
        }
    }
}
