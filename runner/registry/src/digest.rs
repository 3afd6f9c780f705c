//! `sha256:...`: the only kind of digest that is used here.

use sha2::{Digest as _, Sha256};

const PREFIX: &str = "sha256:";

/// The digest of these bytes.
pub(crate) fn of(bytes: &[u8]) -> String {
    finish(Sha256::new().chain_update(bytes))
}

/// The digest of what was hashed.
pub(crate) fn finish(hasher: Sha256) -> String {
    format!("{PREFIX}{}", hex::encode(hasher.finalize()))
}

/// The hexadecimal digits of a digest; nothing if it is none. They are safe in a path.
pub(crate) fn digits(digest: &str) -> Option<&str> {
    let digits = digest.strip_prefix(PREFIX)?;
    let good = digits.len() == 64 && digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    good.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lower_case_sha256_digests_have_digits() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(of(b""), format!("sha256:{empty}"));
        assert_eq!(digits(&of(b"")), Some(empty));
        for bad in ["", "sha256:", empty, "sha256:../x", &format!("sha512:{empty}"), &of(b"").to_uppercase()] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }
}
