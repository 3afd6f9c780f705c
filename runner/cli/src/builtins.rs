//! The first-party plugins, embedded compressed.

use windlass_sandbox::Component;

/// One embedded plugin.
pub(crate) struct Builtin {
    /// Its name behind `builtin:`.
    pub(crate) name: &'static str,
    /// `sha256:...` of the component.
    pub(crate) digest: &'static str,
    /// Bytes of the component.
    pub(crate) size: usize,
    packed: &'static [u8],
}

/// All of them, by name.
pub(crate) static BUILTINS: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/builtins.rs"));

impl Builtin {
    /// The plugin of this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        BUILTINS.iter().find(|builtin| builtin.name == name)
    }

    /// For the sandbox. Nothing is unpacked unless the sandbox wants the bytes.
    pub(crate) fn component(&'static self) -> Component {
        Component {
            name: format!("builtin:{}", self.name),
            digest: self.digest.to_owned(),
            read: Box::new(|| {
                zstd::bulk::decompress(self.packed, self.size)
                    .map_err(|error| format!("it is damaged within this program: {error}"))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn every_plugin_unpacks_to_what_its_digest_says() {
        for builtin in BUILTINS {
            let bytes = (builtin.component().read)().unwrap();
            assert_eq!(bytes.len(), builtin.size);
            assert_eq!(builtin.digest, format!("sha256:{}", hex::encode(Sha256::digest(&bytes))));
        }
    }
}
