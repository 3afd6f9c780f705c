//! Run ids: ten characters that a person can read out, type and shorten.

/// Crockford's base 32: no `i`, `l`, `o` or `u`, so nothing looks like something else.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// How many characters an id has: 50 random bits.
const LENGTH: usize = 10;

/// The fewest characters that may stand for an id.
pub(crate) const SHORTEST_PREFIX: usize = 3;

/// A fresh run id: ten random characters of Crockford's base 32, in lower case.
pub fn new_run_id() -> String {
    (0..LENGTH).map(|_| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())])).collect()
}

/// What a person typed, as an id would spell it: lower case, and the letters that the alphabet
/// leaves out read as the digits they look like. `None` if it cannot begin an id.
pub(crate) fn normalise(typed: &str) -> Option<String> {
    typed
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            'i' | 'l' => Some('1'),
            'o' => Some('0'),
            c if u8::try_from(c).is_ok_and(|b| ALPHABET.contains(&b)) => Some(c),
            _ => None,
        })
        .collect()
}

/// Whether this is an id as [`new_run_id`] makes them. Ids name files, so nothing else is let in.
pub(crate) fn is_run_id(id: &str) -> bool {
    id.len() == LENGTH && id.bytes().all(|b| ALPHABET.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ten_readable_characters_and_differ() {
        let (a, b) = (new_run_id(), new_run_id());
        assert!(is_run_id(&a), "{a}");
        assert_ne!(a, b);
    }

    #[test]
    fn what_people_type_is_read_kindly() {
        assert_eq!(normalise("7QOIL").as_deref(), Some("7q011"));
        assert_eq!(normalise("../x"), None);
        assert_eq!(normalise("u"), None);
    }

    #[test]
    fn only_ids_name_files() {
        for bad in ["", "abc", "../../../x", "ABCDEFGHJK", "0123456789a"] {
            assert!(!is_run_id(bad), "{bad}");
        }
    }
}
