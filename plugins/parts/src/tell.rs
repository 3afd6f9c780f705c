//! How output and commands are told in messages.

use std::fmt::Write as _;

/// How many lines of output a message holds: what most programs need to say why they failed.
pub const LINES: usize = 20;

/// The last lines of output as the end of a message, indented, with a heading; empty if there are none.
/// Standard error says more often why something failed, so it goes first.
pub fn last_lines(stderr: &str, stdout: &str) -> String {
    let (name, text) = match (stderr.trim(), stdout.trim()) {
        ("", "") => return String::new(),
        ("", stdout) => ("standard output", stdout),
        (stderr, _) => ("standard error", stderr),
    };
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(LINES);
    let mut told = format!("\nthe last of its {name}:");
    for line in &lines[from..] {
        // A message is for people; colours and cursor movements of the program are not.
        let _ = write!(told, "\n  {}", plain(line.trim_end()));
    }
    told
}

/// Text without terminal sequences and other control characters.
fn plain(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                // `ESC [` up to a letter; any other sequence is two characters.
                if characters.next() == Some('[') {
                    characters.by_ref().find(|c| ('@'..='~').contains(c));
                }
            }
            '\t' => kept.push('\t'),
            control if control.is_control() => {}
            other => kept.push(other),
        }
    }
    kept
}

/// The end of a text, of so many bytes at most, whole characters only.
pub fn tail_of(text: &str, bytes: usize) -> &str {
    let mut from = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

/// A command as one would type it, cut where it gets long.
pub fn shell_words(words: &[String]) -> String {
    let mut told = String::new();
    for word in words {
        if !told.is_empty() {
            told.push(' ');
        }
        if told.len() + word.len() > 200 {
            told.push('…');
            break;
        }
        let simple = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
        match !word.is_empty() && word.chars().all(simple) {
            true => told.push_str(word),
            false => {
                let _ = write!(told, "'{}'", word.replace('\'', r"'\''"));
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_told() {
        let output: String = (1..=30).map(|line| format!("line {line}\n")).collect();
        let told = last_lines("", &output);
        assert!(told.starts_with("\nthe last of its standard output:\n  line 11\n"), "{told}");
        assert!(told.ends_with("\n  line 30"), "{told}");
        assert_eq!(last_lines("\u{1b}[1;31mno\u{1b}[0m\x07\r\n", "x"), "\nthe last of its standard error:\n  no");
        assert_eq!(last_lines(" ", "\n"), "");
    }

    #[test]
    fn commands_can_be_typed() {
        let words: Vec<_> = ["cargo", "test", "", "a b", "it's"].map(str::to_owned).into();
        assert_eq!(shell_words(&words), r"cargo test '' 'a b' 'it'\''s'");
        assert!(shell_words(&vec!["word".to_owned(); 100]).ends_with(" …"));
    }

    #[test]
    fn tails_keep_characters_whole() {
        assert_eq!(tail_of("añb", 2), "b");
        assert_eq!(tail_of("ab", 5), "ab");
    }
}
