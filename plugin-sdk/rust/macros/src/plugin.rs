//! `#[plugin]`: a function becomes a type that implements `Plugin`, and that becomes the component's own.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Error, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, LitStr, Meta, Result, ReturnType, Token, Type, parenthesized,
};

/// The capabilities by their names in the attribute, and as `Capability` has them.
const CAPABILITIES: &[(&str, &str)] = &[
    ("approval", "Approval"),
    ("artifacts", "Artifacts"),
    ("docker", "Docker"),
    ("files", "Files"),
    ("health", "Health"),
    ("http", "Http"),
    ("process", "Process"),
    ("query", "Query"),
    ("traffic", "Traffic"),
];

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Uses(uses) = syn::parse2(arguments)?;
    let function: ItemFn = syn::parse2(item)
        .map_err(|error| Error::new(error.span(), "`#[plugin]` is for the function that does the work"))?;
    let signature = &function.sig;
    if let Some(not) = &signature.asyncness {
        return Err(Error::new_spanned(not, "a plugin's function is not `async`: every call waits for its answer"));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(&signature.generics, "a plugin's function is not generic"));
    }
    let name = &signature.ident;
    let plugin = format_ident!("{}", upper_camel(&name.to_string()), span = name.span());
    let documentation = documentation(&function);
    let visibility = &function.vis;
    let (with, arguments) = parameters(&function)?;
    let returned = match &signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, of) => quote!(#of),
    };
    let summary = format!("The plugin that [`{name}`] is.");
    Ok(quote! {
        #function

        #[doc = #summary]
        #visibility struct #plugin;

        impl ::windlass_plugin::Plugin for #plugin {
            type With = #with;
            type Outputs = <#returned as ::windlass_plugin::__private::Returned>::Outputs;
            const DOCUMENTATION: &'static str = #documentation;
            const USES: &'static [::windlass_plugin::Use] = &[#(#uses),*];

            fn run(
                with: Self::With,
                context: &::windlass_plugin::Context,
            ) -> ::core::result::Result<Self::Outputs, ::windlass_plugin::Failure> {
                let _ = (&with, context);
                ::windlass_plugin::__private::Returned::returned(#name(#(#arguments),*))
            }
        }

        ::windlass_plugin::export!(#plugin);
    })
}

/// The type of `with`, and what the function is called with.
fn parameters(function: &ItemFn) -> Result<(TokenStream, Vec<TokenStream>)> {
    let mut with = None;
    let mut arguments = Vec::new();
    for parameter in &function.sig.inputs {
        let of = match parameter {
            FnArg::Typed(parameter) => &*parameter.ty,
            _ => return Err(Error::new_spanned(parameter, "a plugin's function has no `self`")),
        };
        arguments.push(match of {
            Type::Reference(_) => quote!(context),
            of if with.is_none() => {
                with = Some(quote!(#of));
                quote!(with)
            }
            _ => {
                let text = "a plugin's function takes `with` and a `&Context`; make one type of all that it is given";
                return Err(Error::new_spanned(parameter, text));
            }
        });
    }
    Ok((with.unwrap_or_else(|| quote!(::windlass_plugin::__private::Nothing)), arguments))
}

/// What the doc comment says, each line without the blank that stands before it.
fn documentation(function: &ItemFn) -> String {
    let lines = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
        match &attribute.meta {
            Meta::NameValue(said) => match &said.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        }
    });
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// `image_sizes` as `ImageSizes`.
fn upper_camel(name: &str) -> String {
    let words = name.trim_start_matches("r#").split('_').filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// `requires(docker = "why"), can_use(http = "why")`.
struct Uses(Vec<TokenStream>);

impl Parse for Uses {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut uses = Vec::new();
        while !input.is_empty() {
            let how: Ident = input.parse()?;
            let constructor = match how.to_string().as_str() {
                "requires" => format_ident!("required"),
                "can_use" => format_ident!("optional"),
                _ => {
                    let text = "write `requires(docker = \"what for\")` or `can_use(docker = \"what for\")`";
                    return Err(Error::new(how.span(), text));
                }
            };
            let inner;
            parenthesized!(inner in input);
            for Used { capability, reason } in Punctuated::<Used, Token![,]>::parse_terminated(&inner)? {
                uses.push(quote! {
                    ::windlass_plugin::Use::#constructor(::windlass_plugin::Capability::#capability, #reason)
                });
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Self(uses))
    }
}

/// `docker = "why"`.
struct Used {
    capability: Ident,
    reason: LitStr,
}

impl Parse for Used {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        let Some((_, known)) = CAPABILITIES.iter().find(|(known, _)| name == known) else {
            let known: Vec<&str> = CAPABILITIES.iter().map(|(known, _)| *known).collect();
            return Err(Error::new(
                name.span(),
                format!("there is no such capability; there are {}", known.join(", ")),
            ));
        };
        input.parse::<Token![=]>()?;
        Ok(Self { capability: Ident::new(known, name.span()), reason: input.parse()? })
    }
}
