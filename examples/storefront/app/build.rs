//! The version that is built is told from outside: by the pipeline, or else it is the package's own.

fn main() {
    println!("cargo:rerun-if-env-changed=STOREFRONT_VERSION");
    let own = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = std::env::var("STOREFRONT_VERSION").unwrap_or(own);
    println!("cargo:rustc-env=STOREFRONT_VERSION={version}");
}
