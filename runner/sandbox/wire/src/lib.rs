//! Derives the journal's JSON form for the types that wasmtime generates from the WIT.
//!
//! The generated types have Rust's names; the journal has WIT's. serde's own derive would need
//! attributes on types that nobody writes by hand, so this one derives serde for a shadow of the
//! type that does carry them: kebab-case names, and bytes as base64.

use proc_macro::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DeriveInput, Field, Fields, parse_macro_input, parse_quote};

/// `Serialize` and `Deserialize` in the journal's form.
#[proc_macro_derive(Wire)]
pub fn wire(input: TokenStream) -> TokenStream {
    let original = parse_macro_input!(input as DeriveInput);
    let name = &original.ident;
    let path = name.to_string();
    let mut shadow = original.clone();
    shadow.ident = format_ident!("{name}Shadow");
    shadow.attrs = Vec::new();
    match &mut shadow.data {
        Data::Struct(data) => prepare(&mut data.fields),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                variant.attrs = Vec::new();
                prepare(&mut variant.fields);
            }
        }
        Data::Union(_) => return syn::Error::new_spanned(name, "WIT has no unions").into_compile_error().into(),
    }
    let shadow_name = &shadow.ident;
    quote! {
        const _: () = {
            #[derive(::serde::Serialize, ::serde::Deserialize)]
            #[serde(remote = #path, rename_all = "kebab-case")]
            #shadow

            impl ::serde::Serialize for #name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                    #shadow_name::serialize(self, serializer)
                }
            }

            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                    #shadow_name::deserialize(deserializer)
                }
            }
        };
    }
    .into()
}

fn prepare(fields: &mut Fields) {
    for field in fields {
        field.attrs = Vec::new();
        if let Some(module) = bytes_module(field) {
            field.attrs.push(parse_quote!(#[serde(with = #module)]));
        }
    }
}

fn bytes_module(field: &Field) -> Option<&'static str> {
    let ty: String = field.ty.to_token_stream().to_string().split_whitespace().collect();
    if !ty.ends_with("Vec<u8>") && !ty.ends_with("Vec<u8>>") {
        return None;
    }
    match ty.split_once('<')?.0.rsplit("::").next()? {
        "Vec" => Some("::windlass_gate::api::base64_bytes"),
        "Option" => Some("::windlass_gate::api::base64_bytes::option"),
        _ => None,
    }
}
