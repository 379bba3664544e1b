//! Configurations of other products.

use strait_import::{NoFiles, Product, Stage, import, staged};

struct Stays;

impl Stage for Stays {
    fn listen(&mut self, address: &str) -> String {
        address.to_owned()
    }

    fn origin(&mut self, address: &str) -> String {
        address.to_owned()
    }
}

/// Any text is imported or refused with its place. What comes out is YAML, accounts for what it left, and the text for
/// the product itself can be read again.
fn any(product: Product, input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(imported) = import(product, "file", text, &NoFiles) else { return };
    assert!(strait_config::format_text("imported", &imported.yaml).is_ok(), "no YAML: {}", imported.yaml);
    assert!(imported.left.iter().all(|left| !left.reason.is_empty()));
    if let Ok(again) = staged(product, "file", text, &NoFiles, &mut Stays) {
        assert!(staged(product, "file", &again, &NoFiles, &mut Stays).is_ok(), "cannot be read again: {again}");
    }
}

/// `nginx.conf`.
pub fn import_nginx(input: &[u8]) {
    any(Product::Nginx, input);
}
