//! A struct: a map with known keys.

use crate::input::{Container, Member, optional};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{DataStruct, DeriveInput, Fields, Type};

struct Field<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    key: String,
    member: Member,
}

pub(crate) fn expand(parsed: &DeriveInput, data: &DataStruct) -> syn::Result<TokenStream> {
    let container = Container::read(&parsed.attrs)?;
    let fields = read_fields(data)?;
    let name = &parsed.ident;
    let shape = shape(name, &container, &fields);
    let decode = decode(&container, &fields);
    let schema = schema(name, &container, &fields);
    let (absent, default) = absent(name, &container, &fields)?;
    Ok(quote! {
        const _: () = {
            #shape
            #[automatically_derived]
            impl ::strait_config::Spec for #name {
                fn decode(
                    node: &::strait_config::Node,
                    decoder: &mut ::strait_config::Decoder,
                ) -> ::core::option::Option<Self> {
                    #decode
                }
                fn schema() -> ::strait_config::schema::Schema {
                    #schema
                }
                #absent
            }
            #default
        };
    })
}

fn read_fields(data: &DataStruct) -> syn::Result<Vec<Field<'_>>> {
    let Fields::Named(named) = &data.fields else {
        return Err(syn::Error::new_spanned(&data.fields, "a spec struct has named fields"));
    };
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        let member = Member::read(&field.attrs)?;
        fields.push(Field { ident, ty: &field.ty, key: member.written(ident), member });
    }
    Ok(fields)
}

fn shape(name: &Ident, container: &Container, fields: &[Field<'_>]) -> TokenStream {
    let noun = container.noun.clone().unwrap_or_else(|| format!("`{name}`"));
    let keys = fields.iter().map(|field| &field.key);
    let short = container.short.as_ref().and_then(|s| fields.iter().position(|f| &f.key == s));
    let short = optional(short.map(|at| quote!(#at)));
    let short_if = optional(container.short_if.as_ref().map(|path| quote!(#path)));
    let peers = container.peers.iter().map(|(theirs, ours)| quote!((#theirs, #ours)));
    let unbuilt = container.unbuilt.iter().map(|(key, feature)| quote!((#key, #feature)));
    let examples = fields.iter().map(|field| optional(field.member.example.as_ref().map(|text| quote!(#text))));
    quote! {
        static SHAPE: ::strait_config::Shape = ::strait_config::Shape {
            noun: #noun,
            keys: &[#(#keys),*],
            examples: &[#(#examples),*],
            short: #short,
            short_if: #short_if,
            peers: &[#(#peers),*],
            unbuilt: &[#(#unbuilt),*],
        };
    }
}

fn decode(container: &Container, fields: &[Field<'_>]) -> TokenStream {
    let steps = fields.iter().enumerate().map(|(at, field)| decode_field(at, field));
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let check = container.check.as_ref().map(|path| quote!(#path(&value, node, decoder);));
    quote! {
        let fields = decoder.fields(node, &SHAPE)?;
        #(#steps)*
        let value = Self { #(#idents: #idents?),* };
        #check
        ::core::option::Option::Some(value)
    }
}

fn decode_field(at: usize, field: &Field<'_>) -> TokenStream {
    let (ident, ty) = (field.ident, field.ty);
    let read = match &field.member.default {
        Some(default) => quote!(decoder.field_or::<#ty>(&fields, #at, || #default)),
        None => quote!(decoder.field::<#ty>(&fields, #at)),
    };
    let min = optional(field.member.min.as_ref().map(|bound| quote!(&#bound)));
    let max = optional(field.member.max.as_ref().map(|bound| quote!(&#bound)));
    if field.member.min.is_none() && field.member.max.is_none() {
        return quote!(let #ident = #read;);
    }
    quote! {
        let #ident = #read;
        let #ident = decoder.in_range(&fields, #at, #ident, #min, #max);
    }
}

fn schema(name: &Ident, container: &Container, fields: &[Field<'_>]) -> TokenStream {
    let title = name.to_string();
    let doc = &container.doc;
    let entries = fields.iter().enumerate().map(|(at, field)| {
        let ty = field.ty;
        let (key, doc) = (&field.key, &field.member.doc);
        let example = optional(field.member.example.as_ref().map(|text| quote!(#text)));
        let default = match &field.member.default {
            Some(default) => {
                quote!({ let value: #ty = #default; ::strait_config::Spec::text(&value) })
            }
            None => quote!(::core::option::Option::None),
        };
        let has_default = field.member.default.is_some();
        let bound = |bound: &Option<syn::Expr>| match bound {
            Some(value) => quote!(::strait_config::text_of(&#value)),
            None => quote!(::core::option::Option::None),
        };
        let (min, max) = (bound(&field.member.min), bound(&field.member.max));
        quote! {
            ::strait_config::schema::Field {
                key: SHAPE.keys.get(#at).copied().unwrap_or(#key),
                doc: #doc,
                schema: <#ty as ::strait_config::Spec>::schema(),
                required: !#has_default && <#ty as ::strait_config::Spec>::absent().is_none(),
                optional: <#ty as ::strait_config::Spec>::OPTIONAL,
                default: #default,
                min: #min,
                max: #max,
                example: #example,
            }
        }
    });
    quote!(::strait_config::schema::Schema::record(#title, #doc, &SHAPE, ::std::vec![#(#entries),*]))
}

/// `absent()` and `Default`, for types whose every field may be left out.
fn absent(name: &Ident, container: &Container, fields: &[Field<'_>]) -> syn::Result<(TokenStream, TokenStream)> {
    if !container.empty_ok {
        return Ok((TokenStream::new(), TokenStream::new()));
    }
    let values = fields.iter().map(|field| {
        let ident = field.ident;
        match &field.member.default {
            Some(default) => quote!(#ident: #default),
            None => quote!(#ident: ::core::default::Default::default()),
        }
    });
    let absent = quote! {
        fn absent() -> ::core::option::Option<Self> {
            ::core::option::Option::Some(::core::default::Default::default())
        }
    };
    let default = quote! {
        #[automatically_derived]
        impl ::core::default::Default for #name {
            fn default() -> Self {
                Self { #(#values),* }
            }
        }
    };
    Ok((absent, default))
}
