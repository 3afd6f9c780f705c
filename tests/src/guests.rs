//! The hostile and test guests in `tests/guests`, as the set-up built them.

use std::path::PathBuf;

/// The component of this name.
pub fn guest(name: &str) -> PathBuf {
    let folder = std::env::var_os("WINDLASS_TEST_GUESTS_DIR").map_or_else(
        || {
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
            target.join("test-guests")
        },
        PathBuf::from,
    );
    let path = folder.join(format!("{name}.wasm"));
    assert!(path.exists(), "{} is missing; `cargo xtask guests` builds it", path.display());
    path
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| panic!("the root is above tests")).to_owned()
}
