//! What is read from the type: doc comments and `#[spec(...)]` attributes.

use proc_macro2::{Ident, TokenStream};
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, LitStr, Path};

/// The attributes of the whole type.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) doc: String,
    pub(crate) noun: Option<String>,
    pub(crate) short: Option<String>,
    pub(crate) short_if: Option<Path>,
    pub(crate) check: Option<Path>,
    pub(crate) peers: Vec<(String, String)>,
    pub(crate) unbuilt: Vec<(String, String)>,
    pub(crate) empty_ok: bool,
}

/// The attributes of one field or variant.
#[derive(Default)]
pub(crate) struct Member {
    pub(crate) doc: String,
    pub(crate) name: Option<String>,
    pub(crate) default: Option<Expr>,
    pub(crate) min: Option<Expr>,
    pub(crate) max: Option<Expr>,
    pub(crate) example: Option<String>,
    pub(crate) form: Option<String>,
}

impl Container {
    pub(crate) fn read(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut found = Self { doc: doc_text(attributes)?, ..Self::default() };
        for attribute in attributes.iter().filter(|a| a.path().is_ident("spec")) {
            attribute.parse_nested_meta(|meta| found.read_one(&meta))?;
        }
        Ok(found)
    }

    fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match word(&meta.path).as_str() {
            "noun" => self.noun = Some(text(meta)?),
            "short" => self.short = Some(text(meta)?),
            "short_if" => self.short_if = Some(meta.value()?.parse()?),
            "check" => self.check = Some(meta.value()?.parse()?),
            "empty_ok" => self.empty_ok = true,
            "peers" => self.peers.extend(pairs(meta)?),
            "unbuilt" => self.unbuilt.extend(pairs(meta)?),
            other => return Err(meta.error(format!("`{other}` is not an attribute of a spec type"))),
        }
        Ok(())
    }
}

impl Member {
    pub(crate) fn read(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut found = Self { doc: doc_text(attributes)?, ..Self::default() };
        for attribute in attributes.iter().filter(|a| a.path().is_ident("spec")) {
            attribute.parse_nested_meta(|meta| found.read_one(&meta))?;
        }
        Ok(found)
    }

    fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match word(&meta.path).as_str() {
            "name" => self.name = Some(text(meta)?),
            "default" => self.default = Some(meta.value()?.parse()?),
            "min" => self.min = Some(meta.value()?.parse()?),
            "max" => self.max = Some(meta.value()?.parse()?),
            "example" => self.example = Some(text(meta)?),
            "form" => self.form = Some(text(meta)?),
            other => return Err(meta.error(format!("`{other}` is not an attribute of a field or variant"))),
        }
        Ok(())
    }

    /// The key or word users write for this member.
    pub(crate) fn written(&self, ident: &Ident) -> String {
        self.name.clone().unwrap_or_else(|| snake(&ident.to_string()))
    }
}

/// `Option` as tokens, for statics.
pub(crate) fn optional(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote::quote!(::core::option::Option::Some(#value)),
        None => quote::quote!(::core::option::Option::None),
    }
}

fn word(path: &Path) -> String {
    path.get_ident().map(ToString::to_string).unwrap_or_default()
}

fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<String> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}

/// `name(a = "x", b = "y")`; a word that is no Rust identifier is written as a string literal.
fn pairs(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<(String, String)>> {
    let content;
    syn::parenthesized!(content in meta.input);
    let mut found = Vec::new();
    while !content.is_empty() {
        let key = if content.peek(LitStr) {
            content.parse::<LitStr>()?.value()
        } else {
            content.call(<Ident as syn::ext::IdentExt>::parse_any)?.to_string()
        };
        content.parse::<syn::Token![=]>()?;
        found.push((key, content.parse::<LitStr>()?.value()));
        if !content.is_empty() {
            content.parse::<syn::Token![,]>()?;
        }
    }
    Ok(found)
}

fn doc_text(attributes: &[Attribute]) -> syn::Result<String> {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        if let Expr::Lit(literal) = &attribute.meta.require_name_value()?.value
            && let syn::Lit::Str(line) = &literal.lit
        {
            lines.push(line.value().trim().to_owned());
        }
    }
    Ok(lines.join("\n"))
}

/// `RoundRobin` → `round_robin`; what is in snake case stays.
fn snake(name: &str) -> String {
    let name = name.trim_start_matches("r#");
    let mut written = String::with_capacity(name.len() + 4);
    for (at, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            written.push('_');
        }
        written.extend(letter.to_lowercase());
    }
    written
}
