//! Every example configuration, and every YAML block of the README and the manual, loads and compiles.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use strait_compile::Compiler;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[track_caller]
fn compiles(name: &str, text: &str) {
    let snapshot = strait_config::load_str(name, text).unwrap_or_else(|found| panic!("{name}:\n{found}"));
    Compiler::new(2).compile(&snapshot).unwrap_or_else(|found| panic!("{name}:\n{found}"));
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

#[test]
fn every_example_configuration_compiles() {
    let examples = files("conf", "yaml");
    assert!(examples.len() >= 5, "{examples:?}");
    for path in examples {
        compiles(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
    }
}

#[test]
fn every_yaml_block_of_the_readme_and_the_manual_compiles() {
    let pages = files("docs", "md").into_iter().chain([root().join("README.md")]);
    let mut blocks = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for block in text.split("```yaml\n").skip(1) {
            compiles(&page.display().to_string(), block.split("```").next().unwrap());
            blocks += 1;
        }
    }
    assert!(blocks >= 2, "{blocks}");
}
