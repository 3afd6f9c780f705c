//! Whether a command prints what the document says.
//!
//! Times, sizes, digests and ids differ from machine to machine, and columns with them: any will do where one stands. A
//! line `...` stands for lines that are left out, and `...` within a line for a part of it.

use super::markdown::Command;
use super::shell::Answer;

/// A place that is left out.
const ANYTHING: &str = "...";
/// What the numbers of machines are followed by.
const UNITS: [&str; 12] = ["ms", "us", "s", "min", "bytes", "B", "kB", "KB", "MB", "KiB", "MiB", "times"];

/// What is wrong, and in which line of the document.
pub(super) fn check(command: &Command, answer: &Answer) -> Result<(), (usize, String)> {
    let said = || format!("it printed:\n{}", answer.text.trim_end());
    if answer.code != 0 && !command.may_fail {
        let why = format!(
            "`{}` ends with code {}, and no `$ echo $?` after it says so; {}",
            command.text,
            answer.code,
            said()
        );
        return Err((command.line, why));
    }
    if command.prints.is_empty() {
        return Ok(());
    }
    let printed: Vec<String> = answer.text.trim_end().lines().map(plain).collect();
    let mut at = 0;
    let mut skips = false;
    let first = command.line + command.text.lines().count();
    for (index, line) in command.prints.iter().enumerate() {
        if line.trim() == ANYTHING {
            skips = true;
            continue;
        }
        let wanted = plain(line);
        let rest = &printed[at..];
        let found = if skips {
            rest.iter().position(|line| fits(&wanted, line))
        } else {
            rest.first().filter(|line| fits(&wanted, line)).map(|_| 0)
        };
        let Some(found) = found else {
            return Err((first + index, format!("`{}` does not print this line here; {}", command.text, said())));
        };
        at += found + 1;
        skips = false;
    }
    if !skips && at < printed.len() {
        let why = format!("`{}` prints more than this, and no line `...` says so; {}", command.text, said());
        return Err((command.line, why));
    }
    Ok(())
}

/// Does the line fit one in which places may be left out?
fn fits(wanted: &str, line: &str) -> bool {
    let parts: Vec<&str> = wanted.split(ANYTHING).collect();
    let [first, .., last] = parts.as_slice() else {
        return wanted == line;
    };
    let Some(mut rest) = line.strip_prefix(first).and_then(|line| line.strip_suffix(last)) else {
        return false;
    };
    for part in &parts[1..parts.len() - 1] {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// The line without what differs between machines, and with one space where there are several.
fn plain(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut plain = Vec::with_capacity(words.len());
    let mut before = "";
    for word in words {
        let bare = word.trim_end_matches([',', '.', ')', ';', ':']);
        let punctuation = &word[bare.len()..];
        if UNITS.contains(&bare) && is_number(before) {
            // A quick machine counts in other units.
            plain.pop();
            plain.push(format!("#{punctuation}"));
        } else if matches!(before, "run" | "logs") && is_run(bare) {
            plain.push(format!("#{punctuation}"));
        } else {
            plain.push(without_ids(word));
        }
        before = word;
    }
    plain.join(" ")
}

/// The id of a run.
fn is_run(word: &str) -> bool {
    word.len() == 10 && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The word with `#` for each time, digest and id in it.
fn without_ids(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        let other = after.chars().next().map_or(0, char::len_utf8);
        plain.push_str(if is_id(part) || is_amount(part) { "#" } else { part });
        plain.push_str(&after[..other]);
        rest = &after[other..];
    }
    plain
}

/// A digest, or a part of one.
fn is_id(part: &str) -> bool {
    part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit()) && part.bytes().any(|b| b.is_ascii_digit())
}

/// A number with its unit, as `15ms`.
fn is_amount(part: &str) -> bool {
    let unit = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    unit.len() < part.len() && UNITS.contains(&unit)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(prints: &[&str], text: &str, code: i32) -> Result<(), usize> {
        let prints = prints.iter().map(|line| (*line).to_owned()).collect();
        let command = Command { line: 10, text: "do".to_owned(), prints, may_fail: false };
        check(&command, &Answer { text: text.to_owned(), code }).map_err(|(line, _)| line)
    }

    #[test]
    fn lines_have_to_be_there_in_their_order() {
        assert_eq!(checked(&[], "anything", 0), Ok(()));
        assert_eq!(checked(&["a", "b"], "a\nb\n", 0), Ok(()));
        assert_eq!(checked(&["a", "c"], "a\nb\n", 0), Err(12), "the second line is another");
        assert_eq!(checked(&["a"], "a\nb\n", 0), Err(10), "there is more");
        assert_eq!(checked(&["a", "..."], "a\nb\nc\n", 0), Ok(()));
        assert_eq!(checked(&["...", "c"], "a\nb\nc\n", 0), Ok(()));
        assert_eq!(checked(&["...", "b"], "a\nb\nc\n", 0), Err(10));
        assert_eq!(checked(&["b", "a"], "a\nb\n", 0), Err(11));
        assert_eq!(checked(&["a"], "a\n", 1), Err(10), "nobody looks at the code");
    }

    #[test]
    fn what_differs_between_machines_may() {
        let same = |a: &str, b: &str| fits(&plain(a), &plain(b));
        assert!(same("loaded in 1 ms, at last", "loaded in 900 us, at last"));
        assert!(same("run m6xqxbtjwv: started", "run aehv3zvn6g: started"));
        assert!(same("built in 1.2 s, 71,300 bytes", "built in   0.9 s, 5 bytes"));
        assert!(same("ok  a.toml 15ms", "ok  a.toml 3ms"));
        assert!(same("sha256:0a1b2c3d4e5f", "sha256:99b2c3d4e5f7"));
        assert!(same("error: ... in the file", "error: a mistake in the file"));
        assert!(!same("1 case, 1 passed", "1 case, 0 passed"));
        assert!(!same("exit code 3", "exit code 1"));
        assert!(!same("a ... b", "a b c"));
    }
}
