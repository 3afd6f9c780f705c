//! `*` for any characters but the separator, `**` for any characters at all. Nothing else is special.

/// Whether the whole of `text` matches.
///
/// Linear in practice and never worse than the product of the lengths: after a mismatch only the last `*` and the last
/// `**` can still be stretched, because a later star can take up whatever an earlier one could.
pub(super) fn matches(pattern: &str, text: &str, separator: char) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    // Separators are ASCII, and UTF-8 never has an ASCII byte within a character, so bytes will do.
    let separator = separator as u8;
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut globstar: Option<(usize, usize)> = None;
    loop {
        if pattern[p..].starts_with(b"**") {
            while pattern.get(p) == Some(&b'*') {
                p += 1;
            }
            globstar = Some((p, t));
            star = None;
            continue;
        }
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, t));
            continue;
        }
        match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some(want), Some(have)) if want == have => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        if let Some((after, taken)) = star
            && text.get(taken).is_some_and(|byte| *byte != separator)
        {
            star = Some((after, taken + 1));
            (p, t) = (after, taken + 1);
        } else if let Some((after, taken)) = globstar
            && taken < text.len()
        {
            star = None;
            globstar = Some((after, taken + 1));
            (p, t) = (after, taken + 1);
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    /// The definition, without any cleverness.
    fn plain(pattern: &[u8], text: &[u8]) -> bool {
        if pattern.starts_with(b"**") {
            let rest = &pattern[pattern.iter().take_while(|b| **b == b'*').count()..];
            return (0..=text.len()).any(|at| plain(rest, &text[at..]));
        }
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some(b'*'), _) => {
                let reach = text.iter().take_while(|b| **b != b'/').count();
                (0..=reach).any(|at| plain(&pattern[1..], &text[at..]))
            }
            (Some(a), Some(b)) if a == b => plain(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    #[test]
    fn stars_stop_at_separators_and_double_stars_do_not() {
        assert!(matches("/api/*", "/api/users", '/'));
        assert!(!matches("/api/*", "/api/users/7", '/'));
        assert!(matches("/api/**", "/api/users/7", '/'));
        assert!(!matches("/api/**", "/api", '/'));
        assert!(matches("**", "", '/'));
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab/*]{0,10}", text in "[ab/]{0,12}") {
            prop_assert_eq!(matches(&pattern, &text, '/'), plain(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
