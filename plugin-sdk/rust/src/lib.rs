//! Write plugins for Windlass in Rust.
//!
//! A plugin is a function:
//!
//! ```
//! use windlass_plugin::prelude::*;
//!
//! #[with]
//! struct With {
//!     /// Whom to greet.
//!     name: String,
//! }
//!
//! /// Greets somebody.
//! #[plugin]
//! fn greet(with: With) -> Result {
//!     info!("hello, {}", with.name);
//!     Ok(())
//! }
//! ```
//!
//! The attributes are short for a type that implements [`Plugin`], handed to [`export!`]; the long way says more, and
//! any of the derives can be written by hand:
//!
//! ```
//! use windlass_plugin::prelude::*;
//!
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
//!     const DOCUMENTATION: &str = "Greets somebody.";
//!
//!     fn run(with: With, _: &Context) -> Result<()> {
//!         info!("hello, {}", with.name);
//!         Ok(())
//!     }
//! }
//!
//! windlass_plugin::export!(Greet);
//! ```
//!
//! The crate is built as a `cdylib` for `wasm32-wasip2`, which makes a component. Its name and version are
//! those of the Cargo package, its documentation is the doc comment of the function, and the JSON Schema that
//! Windlass checks `with` against comes from the fields and their doc comments.
//!
//! What a plugin does to the world it does through the modules [`docker`], [`process`], [`health`], [`http`],
//! [`artifacts`], [`approval`], [`traffic`], [`query`], [`metrics`] and [`timer`]. A call is answered only if the plugin declares the capability in
//! [`Plugin::USES`] and `pipeline.toml` grants it. Off Wasm, in `cargo test`, [`mock::Host`] answers in the host's place.

pub mod approval;
pub mod artifacts;
mod describe;
pub mod docker;
mod export;
mod failure;
pub mod health;
mod host;
pub mod http;
pub mod log;
pub mod metrics;
#[cfg(not(target_arch = "wasm32"))]
pub mod mock;
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
pub use failure::{Failure, OrFail, Result};
pub use plugin::{Capability, Context, Planned, Plugin, Use};
pub use value::{NamedValue, Pair, Value, named, pairs};
pub use windlass_plugin_macros::{outputs, plugin, with};

/// What the macros expand to, and the contract in its raw form. Not covered by semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use crate::export::{Nothing, Returned, checked, described, ran};
    pub use {schemars, serde};
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

/// The contract of plugins that can say beforehand what makes no sense.
#[doc(hidden)]
pub mod checking {
    wit_bindgen::generate!({
        inline: "package windlass:checking; world checking { export windlass:step/check@0.1.0; }",
        path: "wit",
        world: "windlass:checking/checking",
        pub_export_macro: true,
        export_macro_name: "export_check",
        default_bindings_module: "windlass_plugin::checking",
    });
}

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
