//! Names as Go writes them.

/// Words that Go's people write in capitals.
const INITIALISMS: &[&str] = &["api", "cpu", "http", "id", "tcp", "udp", "url"];
const KEYWORDS: &[&str] = &[
    "break",
    "case",
    "chan",
    "const",
    "continue",
    "default",
    "defer",
    "else",
    "fallthrough",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "interface",
    "map",
    "package",
    "range",
    "return",
    "select",
    "struct",
    "switch",
    "type",
    "var",
];

/// The name of something that other packages see: `working-directory` is `WorkingDirectory`.
pub fn public(name: &str) -> String {
    name.split('-').map(word).collect()
}

/// The name of something that only this package sees: `timeout-ms` is `timeoutMs`.
pub fn private(name: &str) -> String {
    let (first, rest) = name.split_once('-').map_or((name, ""), |(first, rest)| (first, rest));
    let rest = if rest.is_empty() { String::new() } else { public(rest) };
    let name = format!("{first}{rest}");
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

fn word(word: &str) -> String {
    if INITIALISMS.contains(&word) {
        return word.to_uppercase();
    }
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_run_together() {
        assert_eq!(public("container-http"), "ContainerHTTP");
        assert_eq!(public("p99-us"), "P99Us");
        assert_eq!(private("timeout-ms"), "timeoutMs");
        assert_eq!(private("url"), "url");
        assert_eq!(private("type"), "type_");
    }
}
