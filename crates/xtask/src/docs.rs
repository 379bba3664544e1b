//! Pages of the manual that come from the program itself.

use crate::shell;
use crate::verdict::Verdict;
use std::fs;
use std::path::Path;

/// A page and the `strait` command whose output it is.
struct Page {
    arguments: &'static [&'static str],
    file: &'static str,
}

/// Every generated page. A command that prints reference text gets its line here.
const PAGES: &[Page] = &[];

/// Writes every page anew.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    for page in PAGES {
        let text = printed(root, page)?;
        fs::write(root.join(page.file), text).map_err(|error| format!("{}: {error}", page.file))?;
        eprintln!("docs: {} written", page.file);
    }
    eprintln!("docs: {} pages", PAGES.len());
    Ok(())
}

/// Compares every page with what the program prints now.
pub(crate) fn check(root: &Path) -> Verdict {
    let found: Vec<String> = PAGES.iter().filter_map(|page| stale(root, page)).collect();
    Verdict::of(found, format!("{} generated pages", PAGES.len()))
}

fn stale(root: &Path, page: &Page) -> Option<String> {
    let kept = fs::read_to_string(root.join(page.file)).unwrap_or_default();
    match printed(root, page) {
        Ok(text) => (text != kept).then(|| format!("{} is out of date: run `cargo xtask docs`", page.file)),
        Err(reason) => Some(reason),
    }
}

fn printed(root: &Path, page: &Page) -> Result<String, String> {
    let mut command = shell::cargo(root);
    command.args(["run", "--quiet", "--package", "strait", "--"]).args(page.arguments);
    Ok(format!("{}\n", shell::capture(&mut command)?))
}
