//! `#[with]` and `#[outputs]`: the derives that data in and out has to have.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Result};

/// Data that comes in.
pub(crate) fn taken(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let item = data(arguments, item, "with")?;
    // A misspelt key is an error when the pipeline is checked, and not when the plugin wonders.
    let fields = is_enum(&item).then(|| quote!(, rename_all_fields = "kebab-case"));
    Ok(quote! {
        #[derive(::windlass_plugin::__private::serde::Deserialize, ::windlass_plugin::__private::schemars::JsonSchema)]
        #[serde(crate = "::windlass_plugin::__private::serde", deny_unknown_fields, rename_all = "kebab-case" #fields)]
        #[schemars(crate = "::windlass_plugin::__private::schemars")]
        #item
    })
}

/// Data that goes out.
pub(crate) fn given(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let item = data(arguments, item, "outputs")?;
    let fields = is_enum(&item).then(|| quote!(, rename_all_fields = "kebab-case"));
    Ok(quote! {
        #[derive(::windlass_plugin::__private::serde::Serialize, ::windlass_plugin::__private::schemars::JsonSchema)]
        #[serde(crate = "::windlass_plugin::__private::serde", rename_all = "kebab-case" #fields)]
        #[schemars(crate = "::windlass_plugin::__private::schemars")]
        #item
    })
}

fn data(arguments: TokenStream, item: TokenStream, name: &str) -> Result<DeriveInput> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, format!("`#[{name}]` takes no arguments")));
    }
    syn::parse2(item).map_err(|error| Error::new(error.span(), format!("`#[{name}]` is for a struct or an enum")))
}

fn is_enum(item: &DeriveInput) -> bool {
    matches!(item.data, syn::Data::Enum(_))
}
