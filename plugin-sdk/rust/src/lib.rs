//! Write plugins for Windlass in Rust.
//!
//! A plugin is a type that implements [`Plugin`], handed to [`export!`]:
//!
//! ```
//! use windlass_plugin::prelude::*;
//!
//! /// Greets somebody.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct With {
//!     /// Whom to greet.
//!     name: String,
//! }
//!
//! struct Greet;
//!
//! impl Plugin for Greet {
//!     type With = With;
//!     type Outputs = ();
//!
//!     fn run(with: With, _: &Context) -> Result<(), Failure> {
//!         info!("hello, {}", with.name);
//!         Ok(())
//!     }
//! }
//!
//! windlass_plugin::export!(Greet);
//! ```
//!
//! The crate is built as a `cdylib` for `wasm32-wasip2`, which makes a component. Its name and version are
//! those of the Cargo package, its documentation is the doc comment of `With`, and the JSON Schema that
//! Windlass checks `with` against comes from the fields and their doc comments.
//!
//! What a plugin does to the world it does through the modules [`docker`], [`process`], [`health`], [`http`],
//! [`artifacts`], [`approval`], [`traffic`], [`query`], [`metrics`] and [`timer`]. A call is answered only if the plugin declares the capability in
//! [`Plugin::USES`] and `pipeline.toml` grants it. Off Wasm, in `cargo test`, there is no host: such calls
//! panic there, so keep what is to be tested apart from the calls.

pub mod approval;
pub mod artifacts;
mod describe;
pub mod docker;
mod export;
mod failure;
pub mod health;
pub mod http;
pub mod log;
pub mod metrics;
mod plugin;
pub mod prelude;
pub mod process;
pub mod query;
mod schema;
pub mod timer;
pub mod traffic;
mod value;
pub mod with;

pub use describe::{describe, undocumented};
pub use failure::{Failure, OrFail};
pub use plugin::{Capability, Context, Plugin, Use};
pub use value::{NamedValue, Pair, Value, named, pairs};

/// What the macros expand to, and the contract in its raw form. Not covered by semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use crate::export::{described, ran};
}

/// The contract as `wit-bindgen` writes it, for plugins that need `describe` or `run` in raw form.
///
/// Everything that a plugin ordinarily needs stands in the other modules, in a handier form.
#[expect(missing_docs, reason = "generated: what is not part of the contract is only for the macro")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "plugin",
        generate_all,
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_step",
        default_bindings_module: "windlass_plugin::bindings",
    });
}

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
