//! Names as text, whatever bytes they are made of: `%` and two hexadecimal digits stand for a byte
//! that is no printable text, and for `%` itself.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

/// A name in readable form.
pub(super) fn escape(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '%' || c.is_control() {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| percent(&mut text, byte));
            } else {
                text.push(c);
            }
        }
        chunk.invalid().iter().for_each(|byte| percent(&mut text, *byte));
    }
    text
}

fn percent(text: &mut String, byte: u8) {
    text.push('%');
    text.push_str(&hex::encode_upper([byte]));
}

/// The bytes again; nothing if the text is not of this form.
pub(super) fn unescape(text: &str) -> Option<OsString> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.extend(hex::decode(digits).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    (!bytes.contains(&0)).then(|| OsString::from_vec(bytes))
}

/// A path in its folder, with `/` between its names.
pub(super) fn of_path(path: &Path) -> String {
    escape(path.as_os_str())
}

/// The path again; nothing if it is empty or could lead out of its folder.
pub(super) fn to_path(text: &str) -> Option<PathBuf> {
    let path = PathBuf::from(unescape(text)?);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    // Components pass over `.` and doubled separators, which no name of ours has.
    let plain = path.components().collect::<PathBuf>().as_os_str() == path.as_os_str();
    (inside && plain && !path.as_os_str().is_empty()).then_some(path)
}
