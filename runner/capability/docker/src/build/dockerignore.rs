//! `.dockerignore`: which files of a folder are part of a build.
//!
//! Docker's rules, which are not those of `.gitignore`: a pattern is held against the whole path
//! from the context's root (and against every folder above it), `**` stands for any number of
//! folders, `!` makes an exception, and of several patterns that match the last one decides.

/// The patterns of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Dockerignore {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    exception: bool,
    parts: Vec<Part>,
}

/// A pattern's part between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `**` on its own: any number of folders, none among them.
    Any,
    /// Anything else.
    One(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    AnyChar,
    /// `*`, and `**` beside other characters.
    AnyChars,
    /// `[a-z]`, or `[^a-z]`.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Dockerignore {
    /// Reads a file. The error says which line is no pattern.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            let line = line.trim();
            let (exception, rest) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let mut parts = Vec::new();
            for part in rest.split('/') {
                match part {
                    "" | "." => {}
                    // As a path is cleaned: `a/..` is nothing, and nothing is above the root.
                    ".." => drop(parts.pop()),
                    "**" => parts.push(Part::Any),
                    part => parts.push(Part::One(tokens(part).ok_or_else(|| {
                        format!(
                            "line {}: `{line}` is no pattern: a `[` has no `]`, or a `\\` nothing after it",
                            number + 1
                        )
                    })?)),
                }
            }
            if !parts.is_empty() {
                patterns.push(Pattern { exception, parts });
            }
        }
        Ok(Self { patterns })
    }

    /// Whether the path, from the context's root on, is left out.
    pub(super) fn excludes(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        // The last pattern that matches decides, so look from the end.
        self.patterns.iter().rev().find(|pattern| pattern.matches(&parts)).is_some_and(|pattern| !pattern.exception)
    }

    /// Whether something beneath a folder that is left out may be an exception.
    pub(super) fn may_include_beneath(&self, folder: &str) -> bool {
        let parts: Vec<&str> = folder.split('/').collect();
        self.patterns.iter().any(|pattern| pattern.exception && may_match_beneath(&pattern.parts, &parts))
    }
}

impl Pattern {
    /// Whether it matches the path, or a folder above it.
    fn matches(&self, path: &[&str]) -> bool {
        (1..=path.len()).any(|length| matches(&self.parts, &path[..length]))
    }
}

fn matches(pattern: &[Part], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        // At the end of a pattern `**` needs something to stand for.
        (Some((Part::Any, [])), _) => !path.is_empty(),
        (Some((Part::Any, rest)), _) => (0..=path.len()).any(|skipped| matches(rest, &path[skipped..])),
        (Some((Part::One(_), _)), None) => false,
        (Some((Part::One(tokens), rest)), Some((first, others))) => {
            let text: Vec<char> = first.chars().collect();
            matches_part(tokens, &text) && matches(rest, others)
        }
    }
}

fn may_match_beneath(pattern: &[Part], folder: &[&str]) -> bool {
    match (pattern.split_first(), folder.split_first()) {
        (Some(_), None) | (Some((Part::Any, _)), _) => true,
        // It ends at a folder above: then everything beneath is an exception.
        (None, _) => true,
        (Some((Part::One(tokens), rest)), Some((first, others))) => {
            let text: Vec<char> = first.chars().collect();
            matches_part(tokens, &text) && may_match_beneath(rest, others)
        }
    }
}

fn matches_part(tokens: &[Token], text: &[char]) -> bool {
    // The usual walk with one place to come back to, so that many `*` cost no more than one.
    let (mut token, mut at) = (0, 0);
    let mut back = None;
    while at < text.len() {
        let fits = match tokens.get(token) {
            Some(Token::AnyChars) => {
                back = Some((token, at));
                token += 1;
                continue;
            }
            Some(Token::AnyChar) => true,
            Some(Token::Char(c)) => *c == text[at],
            Some(Token::Class { negated, ranges }) => {
                ranges.iter().any(|(from, to)| (from..=to).contains(&&text[at])) != *negated
            }
            None => false,
        };
        if fits {
            token += 1;
            at += 1;
        } else if let Some((star, from)) = back {
            back = Some((star, from + 1));
            token = star + 1;
            at = from + 1;
        } else {
            return false;
        }
    }
    tokens[token..].iter().all(|token| *token == Token::AnyChars)
}

fn tokens(part: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = part.chars().peekable();
    while let Some(c) = chars.next() {
        let token = match c {
            '*' => Token::AnyChars,
            '?' => Token::AnyChar,
            '\\' => Token::Char(chars.next()?),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                loop {
                    let from = match chars.next()? {
                        ']' if !ranges.is_empty() => break,
                        '\\' => chars.next()?,
                        c => c,
                    };
                    let to = if chars.next_if_eq(&'-').is_some() {
                        match chars.next()? {
                            '\\' => chars.next()?,
                            c => c,
                        }
                    } else {
                        from
                    };
                    ranges.push((from, to));
                }
                Token::Class { negated, ranges }
            }
            c => Token::Char(c),
        };
        if token != Token::AnyChars || tokens.last() != Some(&Token::AnyChars) {
            tokens.push(token);
        }
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn excluded(file: &str, path: &str) -> bool {
        Dockerignore::parse(file).expect("patterns").excludes(path)
    }

    /// The examples of Docker's own documentation.
    #[test]
    fn the_documented_patterns_do_what_is_documented() {
        for (pattern, out, within) in [
            ("*/temp*", &["somedir/temporary.txt", "somedir/temp", "somedir/temp/x"][..], &["temp", "a/b/temp"][..]),
            ("*/*/temp*", &["somedir/subdir/temporary.txt"], &["somedir/temp"]),
            ("temp?", &["tempa", "tempb", "tempb/x"], &["temp", "tempab"]),
            ("**/*.go", &["a.go", "x/a.go", "x/y/a.go"], &["a.god", "go"]),
            ("/foo/bar", &["foo/bar", "foo/bar/x"], &["x/foo/bar", "foo"]),
            ("foo/**", &["foo/a", "foo/a/b"], &["foo", "xfoo/a"]),
            ("foo/**/bar", &["foo/bar", "foo/a/bar", "foo/a/b/bar"], &["foo/a"]),
            ("**", &["a", "a/b"], &[]),
            ("a**b", &["ab", "axxb"], &["a/b"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
            ("[^a]x", &["bx"], &["ax"]),
            (r"\*x", &["*x"], &["ax"]),
            ("{a,b}", &["{a,b}"], &["a"]),
            ("a/../b", &["b"], &["a"]),
            ("  spaced  ", &["spaced"], &[]),
        ] {
            for path in out {
                assert!(excluded(pattern, path), "`{pattern}` leaves out `{path}`");
            }
            for path in within {
                assert!(!excluded(pattern, path), "`{pattern}` keeps `{path}`");
            }
        }
    }

    #[test]
    fn the_last_match_decides() {
        let file = "*.md\n!README*.md\nREADME-secret.md\n";
        assert!(excluded(file, "notes.md") && excluded(file, "README-secret.md") && !excluded(file, "README.md"));
        let file = "*.md\nREADME-secret.md\n!README*.md\n";
        assert!(!excluded(file, "README-secret.md"));
    }

    #[test]
    fn an_exception_reaches_into_a_folder_that_is_left_out() {
        let file = "node_modules\n!node_modules/keep/me.js\n";
        assert!(excluded(file, "node_modules/x.js") && !excluded(file, "node_modules/keep/me.js"));
        let ignore = Dockerignore::parse(file).expect("patterns");
        assert!(ignore.may_include_beneath("node_modules") && ignore.may_include_beneath("node_modules/keep"));
        assert!(!ignore.may_include_beneath("node_modules/other") && !ignore.may_include_beneath("target"));
        assert!(Dockerignore::parse("*\n!**/x").expect("patterns").may_include_beneath("deep/down"));
    }

    #[test]
    fn comments_and_empty_lines_are_no_patterns() {
        assert!(!excluded("\u{feff}# *\n\n   \n.\n/\n", "a"));
        // Only at the very beginning of the line.
        assert!(excluded(" #a", "#a"));
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        assert_eq!(Dockerignore::parse("a\n[b").map(|_| ()).map_err(|error| error.contains("line 2: `[b`")), Err(true));
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic_or_hang(file in "[a\\[\\]\\\\*?!/.^-]{0,40}", path in "[a-c/]{1,20}") {
            if let Ok(ignore) = Dockerignore::parse(&file) {
                let _ = (ignore.excludes(&path), ignore.may_include_beneath(&path));
            }
        }

        #[test]
        fn a_path_matches_itself(path in "[a-z]{1,5}(/[a-z]{1,5}){0,3}") {
            prop_assert!(excluded(&path, &path));
            let with_exception = format!("**\n!{path}");
            prop_assert!(!excluded(&with_exception, &path));
        }
    }
}
