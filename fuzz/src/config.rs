//! The configuration language.

use std::path::Path;
use strait_config::{Format, Surroundings, load_str_with};

/// A world with a variable and a secret, and no files.
struct World;

impl Surroundings for World {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "PORT").then(|| "8080".to_owned())
    }

    fn secret(&self, _: &Path) -> Result<String, String> {
        Ok("secret".to_owned())
    }
}

/// Any text is a snapshot or is refused with at least one error, and every finding can be shown.
pub fn config_load(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if text.contains("include") {
        return;
    }
    if let Err(diagnostics) = load_str_with("strait.yaml", text, &World) {
        assert!(diagnostics.errors() > 0, "refused without an error");
        for format in [Format::Text { colour: true }, Format::Json, Format::Sarif, Format::Github] {
            assert!(!diagnostics.render(format).is_empty());
        }
    }
}
