//! An enum: a choice of words, or of forms.

use crate::input::{Container, Member};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{DataEnum, DeriveInput, Fields, Type};

pub(crate) fn expand(parsed: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let container = Container::read(&parsed.attrs)?;
    if data.variants.iter().all(|variant| variant.fields.is_empty()) {
        words(&parsed.ident, &container, data)
    } else {
        forms(&parsed.ident, &container, data)
    }
}

fn words(name: &Ident, container: &Container, data: &DataEnum) -> syn::Result<TokenStream> {
    let (mut idents, mut written, mut docs) = (Vec::new(), Vec::new(), Vec::new());
    for variant in &data.variants {
        let member = Member::read(&variant.attrs)?;
        written.push(member.written(&variant.ident));
        docs.push(member.doc);
        idents.push(&variant.ident);
    }
    let at: Vec<usize> = (0..idents.len()).collect();
    let title = name.to_string();
    let noun = container.noun.clone().unwrap_or_else(|| format!("`{name}`"));
    let doc = &container.doc;
    let peers = container.peers.iter().map(|(theirs, ours)| quote!((#theirs, #ours)));
    let unbuilt = container.unbuilt.iter().map(|(key, feature)| quote!((#key, #feature)));
    Ok(quote! {
        const _: () = {
            static SHAPE: ::strait_config::Shape = ::strait_config::Shape {
                noun: #noun,
                keys: &[#(#written),*],
                examples: &[],
                short: ::core::option::Option::None,
                short_if: ::core::option::Option::None,
                peers: &[#(#peers),*],
                unbuilt: &[#(#unbuilt),*],
            };
            #[automatically_derived]
            impl ::strait_config::Spec for #name {
                fn decode(
                    node: &::strait_config::Node,
                    decoder: &mut ::strait_config::Decoder,
                ) -> ::core::option::Option<Self> {
                    match decoder.word(node, &SHAPE)? {
                        #(#at => ::core::option::Option::Some(Self::#idents),)*
                        _ => ::core::option::Option::None,
                    }
                }
                fn schema() -> ::strait_config::schema::Schema {
                    ::strait_config::schema::Schema::words(#title, #doc, &SHAPE, &[#(#docs),*])
                }
                fn text(&self) -> ::core::option::Option<::std::string::String> {
                    let word = match self { #(Self::#idents => #written,)* };
                    ::core::option::Option::Some(::std::string::String::from(word))
                }
            }
        };
    })
}

/// One variant of a choice of forms: its name, its type and the form that selects it.
struct Form<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    form: String,
}

fn forms(name: &Ident, container: &Container, data: &DataEnum) -> syn::Result<TokenStream> {
    let mut forms = Vec::new();
    for variant in &data.variants {
        let member = Member::read(&variant.attrs)?;
        let (Fields::Unnamed(fields), Some(form)) = (&variant.fields, member.form) else {
            return Err(syn::Error::new_spanned(variant, "a form holds one type and names its `form`"));
        };
        let Some(field) = fields.unnamed.first() else { continue };
        forms.push(Form { ident: &variant.ident, ty: &field.ty, form });
    }
    let tries = forms.iter().map(|Form { ident, ty, form }| {
        quote! {
            if node.form() == #form {
                return <#ty as ::strait_config::Spec>::decode(node, decoder).map(Self::#ident);
            }
        }
    });
    let names = forms.iter().map(|form| &form.form);
    let schemas = forms.iter().map(|Form { ty, .. }| quote!(<#ty as ::strait_config::Spec>::schema()));
    let title = name.to_string();
    let noun = container.noun.clone().unwrap_or_else(|| format!("`{name}`"));
    let doc = &container.doc;
    Ok(quote! {
        #[automatically_derived]
        impl ::strait_config::Spec for #name {
            fn decode(
                node: &::strait_config::Node,
                decoder: &mut ::strait_config::Decoder,
            ) -> ::core::option::Option<Self> {
                #(#tries)*
                decoder.wrong_form(node, #noun, &[#(#names),*]);
                ::core::option::Option::None
            }
            fn schema() -> ::strait_config::schema::Schema {
                ::strait_config::schema::Schema::forms(#title, #doc, ::std::vec![#(#schemas),*])
            }
        }
    })
}
