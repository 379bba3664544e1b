//! The example files: each loads, or is refused only for what is not built yet.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs)]

use std::path::Path;
use strait_config::{Surroundings, load_str, load_str_with, print_config};

struct World;

impl Surroundings for World {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn secret(&self, _: &Path) -> Result<String, String> {
        Ok("secret".to_owned())
    }
}

fn check(name: &str, text: &str) -> bool {
    match load_str_with(name, text, &World) {
        Ok(snapshot) => {
            assert!(snapshot.warnings.is_empty(), "{}", snapshot.refuse(Vec::new()));
            let printed = print_config(&snapshot);
            let again = load_str("printed.yaml", &printed).unwrap_or_else(|d| panic!("{d}\n{printed}"));
            assert_eq!(again.spec, snapshot.spec, "{printed}");
            true
        }
        Err(found) => {
            for finding in &found.list {
                assert_eq!(finding.code.id, "E0501", "{found}");
            }
            false
        }
    }
}

#[test]
fn every_example_loads_or_names_what_is_not_built() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    let mut loaded = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if check(&name, &std::fs::read_to_string(&path).unwrap()) {
            loaded.push(name);
        }
    }
    loaded.sort();
    assert_eq!(
        loaded,
        [
            "01-two-backends.yaml",
            "02-https.yaml",
            "03-least-request-active-health-checks-retry.yaml",
            "04-host-and-path-routing.yaml",
            "05-rate-limit-10-s-per-client.yaml",
            "08-json-access-log-traces-metrics-and-dashboard-are-on-by-default.yaml",
            "09-canary-5.yaml",
            "10-mtls-in-and-out.yaml"
        ]
    );
}
