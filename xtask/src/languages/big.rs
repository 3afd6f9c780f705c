//! A case that is too large for the repository: ten megabytes that a plugin gets, and passes on.

use crate::failure::{Doing, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What a plugin can get at once has room for this, base64 included.
const SIZE: usize = 10_000_000;

/// Writes the case, and gives its file.
pub(super) fn write(folder: &Path) -> Result<PathBuf> {
    let bytes = bytes();
    let sum = bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    let text = base64(&bytes);
    let file = folder.join("big.toml");
    let case = format!(
        r#"name = "10 MB there and back"

[step]
uses = "./conformance.wasm"
grants = {{ artifacts = ["**"] }}

[[step.with.calls]]
function = "artifacts.get"
args = {{ name = "big" }}

[[step.with.calls]]
function = "artifacts.put"
args = {{ name = "copy" }}
pass = "content"

[[calls]]
function = "artifacts.get"
answer = {{ ok = "{text}" }}

[[calls]]
function = "artifacts.put"
args = {{ name = "copy", content = "{text}" }}
answer = {{ ok = {{ name = "copy", size = {SIZE}, digest = "sha256:0" }} }}

[expect]
match = "partial"
outputs = {{ answers = [{{ ok = {{ size = {SIZE}, sum = {sum} }} }}, {{ ok = {{ size = {SIZE} }} }}] }}
"#
    );
    fs::write(&file, case).doing(|| format!("write {}", file.display()))?;
    Ok(file)
}

/// Bytes of every value, in no order that a mistake would keep.
fn bytes() -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    next.flatten().take(SIZE).collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| u32::from(part.get(at).copied().unwrap_or(0)));
        let all = a << 16 | b << 8 | c;
        for at in 0..4 {
            let letter = LETTERS[(all >> (18 - 6 * at) & 63) as usize];
            let _ = text.write_char(if at <= part.len() { letter.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_each_length() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn every_byte_is_there() {
        let bytes = bytes();
        assert_eq!(bytes.len(), SIZE);
        assert!((0..=255).all(|value| bytes.contains(&value)));
    }
}
