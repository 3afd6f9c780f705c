//! The attributes of `windlass-plugin`: the short way to write a plugin. Use them through that crate.

mod data;
mod plugin;

use proc_macro::TokenStream;

/// Makes a function the plugin.
///
/// The function takes the step's `with` and a `&Context`, either of them or none, and gives what later steps can use.
/// It stays a function, so tests can call it. Its doc comment documents the plugin, whose name and version are those of
/// the Cargo package; the type that implements `Plugin` is called like the function, `greet` as `Greet`.
///
/// What the plugin does to the world has to be declared, with the reason for the person who grants it:
///
/// ```ignore
/// #[plugin(requires(docker = "to run the migrations"), can_use(http = "to tell the team"))]
/// fn migrate(with: With) -> Result<Outputs> { ... }
/// ```
#[proc_macro_attribute]
pub fn plugin(arguments: TokenStream, item: TokenStream) -> TokenStream {
    plugin::expand(arguments.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a type what a plugin takes: the step's `with`, or a part of it.
///
/// It derives `Deserialize` and `JsonSchema`; the keys are those of the fields in kebab-case, and others are errors.
#[proc_macro_attribute]
pub fn with(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data::taken(arguments.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a struct what a plugin gives: a field for each output, named in kebab-case; or a part of one.
///
/// It derives `Serialize` and `JsonSchema`.
#[proc_macro_attribute]
pub fn outputs(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data::given(arguments.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
