//! What the pipeline wants to know of git, and no more: each question is a process.

#![allow(
    clippy::disallowed_methods,
    reason = "git facts come from the `git` program, which only the command line starts"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

/// What git says, and why it says nothing, if so.
#[derive(Debug, Default)]
pub(crate) struct GitFacts {
    pub(crate) facts: BTreeMap<String, String>,
    pub(crate) problem: Option<String>,
}

/// Asks for the facts that the text of a pipeline mentions as `${git.NAME}`.
///
/// A mention in a comment costs a process and does no harm.
pub(crate) fn facts(text: &str, workspace: &Path) -> GitFacts {
    let wanted = mentioned(text);
    let mut found = GitFacts::default();
    if wanted.is_empty() {
        return found;
    }
    let mut set = |name: &str, value: String| found.facts.insert(name.to_owned(), value);
    let asked = (|| {
        if wanted.contains("sha") || wanted.contains("short") {
            set("sha", ask(workspace, &["rev-parse", "HEAD"])?);
        }
        if wanted.contains("short") {
            set("short", ask(workspace, &["rev-parse", "--short", "HEAD"])?);
        }
        if wanted.contains("branch") {
            // A detached HEAD is on no branch, and CI checks out just that.
            let branch = ask(workspace, &["symbolic-ref", "--quiet", "--short", "HEAD"]);
            if let Some(branch) = optional(branch)? {
                set("branch", branch);
            }
        }
        if wanted.contains("tag") {
            let tag = ask(workspace, &["describe", "--tags", "--exact-match", "HEAD"]);
            if let Some(tag) = optional(tag)? {
                set("tag", tag);
            }
        }
        if wanted.contains("dirty") {
            let changes = ask(workspace, &["status", "--porcelain"])?;
            set("dirty", (!changes.is_empty()).to_string());
        }
        Ok(())
    })();
    if let Err(Silence { why, .. }) = asked {
        found.problem = Some(format!("nothing is known of git: {why}"));
    }
    found
}

/// The version of git, for `doctor`.
pub(crate) fn version() -> Result<String, String> {
    ask(Path::new("."), &["--version"]).map_err(|silence| silence.why)
}

/// The names after `${git.`, whatever blanks stand between.
fn mentioned(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("${") {
        let inside = text[at + 2..].trim_start();
        if let Some(name) = inside.strip_prefix("git").map(str::trim_start).and_then(|rest| rest.strip_prefix('.')) {
            let name = name.trim_start();
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(name.len());
            names.insert(&name[..end]);
        }
    }
    names
}

/// Why git gives no answer.
struct Silence {
    why: String,
    /// There is no repository, or no git at all: the other questions have no answer either.
    total: bool,
}

/// An answer that a good repository need not have.
fn optional(answer: Result<String, Silence>) -> Result<Option<String>, Silence> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(silence) if silence.total => Err(silence),
        Err(_) => Ok(None),
    }
}

fn ask(folder: &Path, question: &[&str]) -> Result<String, Silence> {
    let answer = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(question)
        // Reading must not take the lock that a person's own git may need.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output();
    match answer {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Silence { why: "there is no program `git` in PATH".to_owned(), total: true })
        }
        Err(error) => Err(Silence { why: format!("`git` cannot be started: {error}"), total: true }),
        Ok(answer) if answer.status.success() => Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned()),
        Ok(answer) => {
            let said = String::from_utf8_lossy(&answer.stderr);
            let total = said.contains("not a git repository") || said.contains("dubious ownership");
            let line = said.lines().next().unwrap_or("it does not say why").trim_start_matches("fatal: ").to_owned();
            Err(Silence { why: format!("`git {}` says: {line}", question.join(" ")), total })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_mentioned_is_asked_for() {
        let text = "a = \"${git.short}-${ git.branch }\"\nb = \"${vars.git}\" # ${git.dirty:-false}\n";
        assert_eq!(mentioned(text), ["branch", "dirty", "short"].into());
        assert_eq!(mentioned("nothing of git.sha"), BTreeSet::new());
    }

    #[test]
    fn outside_of_a_repository_nothing_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let found = facts("${git.sha}", folder.path());
        assert!(found.facts.is_empty());
        assert!(found.problem.unwrap().contains("not a git repository"));
    }
}
