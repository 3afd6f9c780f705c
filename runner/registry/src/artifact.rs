//! The layout of a plugin in a registry, as the CNCF's Wasm working group describes it.

use std::collections::BTreeMap;

use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest};
use serde::Serialize;

use crate::MAX_COMPONENT;
use crate::digest;
use crate::error::{RegistryError, plain};

/// The type of the layer.
pub(crate) const COMPONENT: &str = "application/wasm";
/// The type of the config.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The config has to say when it was made. The same component is the same artifact, whenever it is pushed.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// What a manifest and its config say of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentInfo {
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The interfaces that it exports, with their versions.
    pub exports: Vec<String>,
    /// The interfaces that it imports, with their versions.
    pub imports: Vec<String>,
    /// Whether it is a core module for WASI 0.1, and no component.
    pub core_module: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: &'a str,
    architecture: &'a str,
    os: &'a str,
    layer_digests: [&'a str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Interfaces<'a>>,
}

#[derive(Serialize)]
struct Interfaces<'a> {
    exports: &'a [String],
    imports: &'a [String],
}

/// An artifact that can be pushed.
pub(crate) struct Artifact {
    pub(crate) config: Vec<u8>,
    pub(crate) config_digest: String,
    pub(crate) manifest: Vec<u8>,
    pub(crate) component_digest: String,
}

impl Artifact {
    /// The artifact of a component.
    pub(crate) fn of(component: &[u8], info: &ComponentInfo) -> Result<Self, serde_json::Error> {
        let component_digest = digest::of(component);
        let config = serde_json::to_vec(&Config {
            created: CREATED,
            architecture: "wasm",
            os: if info.core_module { "wasip1" } else { "wasip2" },
            layer_digests: [&component_digest],
            component: (!info.core_module).then_some(Interfaces { exports: &info.exports, imports: &info.imports }),
        })?;
        let config_digest = digest::of(&config);
        let annotations =
            [("org.opencontainers.image.title", &info.name), ("org.opencontainers.image.version", &info.version)];
        let annotations: BTreeMap<String, String> = annotations
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
        let manifest = serde_json::to_vec(&OciImageManifest {
            media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
            config: descriptor(CONFIG, &config_digest, config.len()),
            layers: vec![descriptor(COMPONENT, &component_digest, component.len())],
            annotations: Some(annotations),
            ..OciImageManifest::default()
        })?;
        Ok(Self { config, config_digest, manifest, component_digest })
    }
}

fn descriptor(media_type: &str, digest: &str, size: usize) -> OciDescriptor {
    OciDescriptor {
        media_type: media_type.to_owned(),
        digest: digest.to_owned(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    }
}

/// The digest and size of the component that a manifest describes.
pub(crate) fn component(manifest: &[u8], what: &str) -> Result<(String, u64), RegistryError> {
    let not = |reason: String| RegistryError::NotAPlugin { what: what.to_owned(), reason };
    let manifest: OciImageManifest = serde_json::from_slice(manifest)
        .map_err(|error| not(format!("its manifest is not that of an artifact ({})", plain(&error.to_string()))))?;
    let layer = match manifest.layers.as_slice() {
        [layer] if layer.media_type == COMPONENT => layer,
        [] => return Err(not("it has no layer".to_owned())),
        [layer] => return Err(not(format!("its layer is of the type {}", plain(&layer.media_type)))),
        layers => return Err(not(format!("it has {} layers", layers.len()))),
    };
    if digest::digits(&layer.digest).is_none() {
        return Err(not(format!("its component has no sha256 digest, but {}", plain(&layer.digest))));
    }
    let size = u64::try_from(layer.size).map_err(|_| not("its component has less than no bytes".to_owned()))?;
    if size > MAX_COMPONENT {
        return Err(RegistryError::TooLarge { what: what.to_owned(), size, limit: MAX_COMPONENT });
    }
    Ok((layer.digest.clone(), size))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn info() -> ComponentInfo {
        ComponentInfo {
            name: "audit".to_owned(),
            version: "1.2.0".to_owned(),
            exports: vec!["windlass:step/step@0.1.0".to_owned()],
            imports: vec!["windlass:log/log@0.1.0".to_owned()],
            core_module: false,
        }
    }

    #[test]
    fn an_artifact_has_the_layout_of_the_working_group() {
        let made = Artifact::of(b"\0asm", &info()).unwrap();
        let manifest: Value = serde_json::from_slice(&made.manifest).unwrap();
        assert_eq!(manifest["schemaVersion"], 2);
        assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
        assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
        assert_eq!(manifest["config"]["digest"], digest::of(&made.config));
        assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
        assert_eq!(manifest["layers"][0]["size"], 4);
        assert_eq!(manifest["annotations"]["org.opencontainers.image.version"], "1.2.0");
        let config: Value = serde_json::from_slice(&made.config).unwrap();
        assert_eq!((&config["architecture"], &config["os"]), (&json!("wasm"), &json!("wasip2")));
        assert_eq!(config["layerDigests"], json!([digest::of(b"\0asm")]));
        assert_eq!(config["component"]["exports"], json!(["windlass:step/step@0.1.0"]));
        assert_eq!(component(&made.manifest, "it").unwrap(), (digest::of(b"\0asm"), 4));
    }

    #[test]
    fn the_same_component_is_the_same_artifact() {
        assert_eq!(Artifact::of(b"x", &info()).unwrap().manifest, Artifact::of(b"x", &info()).unwrap().manifest);
    }

    #[test]
    fn a_core_module_has_no_interfaces() {
        let made = Artifact::of(b"x", &ComponentInfo { core_module: true, ..info() }).unwrap();
        let config: Value = serde_json::from_slice(&made.config).unwrap();
        assert_eq!((&config["os"], config.get("component")), (&json!("wasip1"), None));
    }

    #[test]
    fn what_is_no_plugin_is_told_as_what_it_is() {
        let layer = |media_type: &str, digest: &str, size: i64| json!({ "mediaType": media_type, "digest": digest, "size": size });
        let manifest = |layers: Value| {
            json!({ "schemaVersion": 2, "config": layer("x", "y", 1), "layers": layers }).to_string().into_bytes()
        };
        let good = digest::of(b"x");
        for (bytes, part) in [
            (b"{}".to_vec(), "manifest is not that of an artifact"),
            (manifest(json!([])), "no layer"),
            (manifest(json!([layer("application/vnd.oci.image.layer.v1.tar+gzip", &good, 1)])), "tar+gzip"),
            (manifest(json!([layer(COMPONENT, &good, 1), layer(COMPONENT, &good, 1)])), "2 layers"),
            (manifest(json!([layer(COMPONENT, "sha256:../../x", 1)])), "no sha256 digest"),
            (manifest(json!([layer(COMPONENT, &good, -1)])), "less than no bytes"),
            (manifest(json!([layer(COMPONENT, &good, 1 << 40)])), "too large"),
        ] {
            let error = component(&bytes, "it").unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
