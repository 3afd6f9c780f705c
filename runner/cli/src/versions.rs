//! What a run is pinned to besides its plugins: a resume must find the same again.

use std::collections::BTreeMap;

use windlass_sandbox::Sandbox;

/// The packages of the contract with plugins, with their versions.
static INTERFACES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/interfaces.rs"));

/// This Windlass.
pub(crate) const WINDLASS: &str = env!("CARGO_PKG_VERSION");

/// The versions, by name.
pub(crate) fn all() -> BTreeMap<String, String> {
    let own = [("windlass", WINDLASS), ("gate", windlass_gate::VERSION), ("wasmtime", Sandbox::WASMTIME)];
    own.iter().chain(INTERFACES).map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_interface_has_its_version() {
        let all = super::all();
        assert_eq!(all.get("windlass:step").map(String::as_str), Some("0.1.0"));
        assert!(all.contains_key("windlass:docker"));
    }
}
