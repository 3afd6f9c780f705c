//! The SDKs with their templates, and the contract: embedded, so that `windlass plugin new` needs no network.

use std::ops::Range;

use crate::error::CliError;

/// How many bytes all files have together, and where each of them stands.
static FILES: (usize, &[(&str, Range<usize>)]) = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sdk.zst"));

/// All files, unpacked.
pub(crate) struct Sdk {
    bytes: Vec<u8>,
}

impl Sdk {
    /// Unpacks them.
    pub(crate) fn open() -> Result<Self, CliError> {
        let bytes = zstd::bulk::decompress(PACKED, FILES.0).map_err(|error| {
            CliError::machine(format!("the SDKs are damaged within this program: {error}"), "install Windlass again")
        })?;
        Ok(Self { bytes })
    }

    /// The files of a folder, or the file of this name, with their paths in it.
    pub(crate) fn files(&self, folder: &str) -> impl Iterator<Item = (&'static str, &[u8])> {
        FILES.1.iter().filter_map(move |(name, place)| {
            let path = name.strip_prefix(folder)?.strip_prefix('/')?;
            Some((path, &self.bytes[place.clone()]))
        })
    }

    /// A single file.
    pub(crate) fn file(&self, name: &str) -> Option<&[u8]> {
        let (_, place) = FILES.1.iter().find(|(known, _)| *known == name)?;
        Some(&self.bytes[place.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_and_the_sdk_are_there() {
        let sdk = Sdk::open().unwrap();
        assert!(sdk.files("wit").any(|(path, bytes)| path == "plugin.wit" && bytes.starts_with(b"package windlass:")));
        assert!(sdk.files("rust/src").any(|(path, _)| path == "lib.rs"));
        assert!(sdk.file("rust/Cargo.lock").is_some());
        let manifest = str::from_utf8(sdk.file("rust/Cargo.toml").unwrap()).unwrap();
        assert!(!manifest.contains("workspace"), "it has to stand alone:\n{manifest}");
    }
}
