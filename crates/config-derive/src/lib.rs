//! `#[derive(Spec)]`: everything the configuration language knows about a type, from the type.
//!
//! The derive reads a struct or enum with its doc comments and writes an implementation of
//! `strait_config::Spec`: decoding with all errors collected, defaults, ranges, unknown-key answers
//! and the schema from which manual, JSON schema and completion come. Nothing is written twice.
//!
//! # A struct is a map
//! Container: `noun = "an upstream"` (used in messages), `short = "endpoints"` (a value that is not a
//! map stands for this key), `short_if = path` (a map for which `fn(&Node, &Shape) -> bool` holds stands for
//! it too), `check = path` (`fn(&Self, &Node, &mut Decoder)`, for rules between keys),
//! `peers(lb_policy = "balance")` (words of other products), `unbuilt(health_check = "health checks")`
//! (words of the language that the product cannot do yet), `empty_ok` (the key may be left out: every
//! field takes its default; also derives `Default`).
//!
//! Field: `default = expr`, `min = expr`, `max = expr`, `example = "text"`, `name = "key"`.
//!
//! # An enum is a choice
//! Of words if no variant has a field; otherwise of forms, each variant marked `form = "scalar"`,
//! `"list"` or `"map"` and holding one type.

mod choice;
mod input;
mod record;

use proc_macro::TokenStream;
use syn::{Data, DeriveInput, parse_macro_input};

/// Derives `strait_config::Spec`; the attributes are described at the head of this crate.
#[proc_macro_derive(Spec, attributes(spec))]
pub fn derive_spec(tokens: TokenStream) -> TokenStream {
    let parsed = parse_macro_input!(tokens as DeriveInput);
    let expanded = match &parsed.data {
        Data::Struct(data) => record::expand(&parsed, data),
        Data::Enum(data) => choice::expand(&parsed, data),
        Data::Union(_) => Err(syn::Error::new_spanned(&parsed.ident, "a union cannot be a spec type")),
    };
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}
