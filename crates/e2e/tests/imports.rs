//! `strait import --verify` on configurations in the manner of public ones, written for this test: both products run, get
//! the same requests, and clients and origins see the same of both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{binary, has};

/// The configurations of a product.
fn files(product: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(product);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "ten configurations of {product}");
    files
}

fn verify(product: &str, program: &Path) {
    let Some(strait) = binary() else { return };
    let mut failed = Vec::new();
    for file in files(product) {
        let output = Command::new(&strait)
            .args(["import", "--verify", "--from", product, "--program"])
            .arg(program)
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() || !said.contains("verified: ") || said.contains("verified: 0 ") {
            failed.push(format!("{}:\n{}\n{said}", file.display(), String::from_utf8_lossy(&output.stdout)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn what_is_imported_from_nginx_answers_as_nginx_does() {
    if has("nginx") {
        verify("nginx", Path::new("nginx"));
    }
}
