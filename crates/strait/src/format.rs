//! `strait fmt`: one layout for all files.

use crate::exit::Exit;
use crate::operator::{print, say};
use crate::source::Output;
use clap::Args;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use strait_config::format_text;

/// Lines that are shown around a difference.
const AROUND: usize = 2;

/// Format configuration files in the one canonical layout
///
/// Comments, blank lines and the order of keys stay; indentation, spaces and quotes become uniform, and what tools of
/// YAML 1.1 would misread is quoted. The meaning never changes.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done, 1 with --check or --diff when a file is not formatted, 78 a file is no YAML.

Examples:
  strait fmt strait.yaml conf.d
  strait fmt --check
  strait fmt - < strait.yaml"
)]
pub(crate) struct Fmt {
    /// Files, and folders with their .yaml, .yml and .json files; `-` for standard input [default: strait.yaml]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Change nothing; name the files that are not formatted and end with 1
    #[arg(long)]
    check: bool,
    /// Change nothing; show what would change and end with 1
    #[arg(long)]
    diff: bool,
}

/// What became of a file.
enum Outcome {
    Same,
    Different,
    Failed(Exit),
}

impl Fmt {
    pub(crate) fn run(self, output: Output) -> Exit {
        let usual = || vec![PathBuf::from("strait.yaml")];
        let named = if self.paths.is_empty() { usual() } else { self.paths.clone() };
        let mut exit = Exit::Done;
        for path in named.iter().flat_map(|path| files(path)) {
            match self.one(&path, output) {
                Outcome::Same => {}
                Outcome::Different if self.check || self.diff => exit = exit.worse(Exit::Failed),
                Outcome::Different => {}
                Outcome::Failed(other) => exit = exit.worse(other),
            }
        }
        exit
    }

    fn one(&self, path: &Path, output: Output) -> Outcome {
        let is_stdin = path == Path::new("-");
        let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
        let text = match read(path, is_stdin) {
            Ok(text) => text,
            Err(error) => {
                say(&format!("{name}: {error}"));
                return Outcome::Failed(Exit::Failed);
            }
        };
        let formatted = match format_text(&name, &text) {
            Ok(formatted) => formatted,
            Err(findings) => return Outcome::Failed(output.refuse(&findings)),
        };
        if is_stdin && !self.check && !self.diff {
            print(&formatted);
            return Outcome::Same;
        }
        if formatted == text {
            return Outcome::Same;
        }
        self.different(path, &name, &text, &formatted)
    }

    fn different(&self, path: &Path, name: &str, text: &str, formatted: &str) -> Outcome {
        if self.check {
            print(&format!("{name}\n"));
        }
        if self.diff {
            print(&difference(name, text, formatted));
        }
        if self.check || self.diff {
            return Outcome::Different;
        }
        match replace(path, formatted) {
            Ok(()) => {
                say(&format!("{name}: formatted"));
                Outcome::Different
            }
            Err(error) => {
                say(&format!("{name}: {error}"));
                Outcome::Failed(Exit::Failed)
            }
        }
    }
}

fn read(path: &Path, is_stdin: bool) -> std::io::Result<String> {
    if !is_stdin {
        return std::fs::read_to_string(path);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map(|_| text)
}

/// The files a name stands for.
fn files(path: &Path) -> Vec<PathBuf> {
    let Some(entries) = Some(path).filter(|path| path.is_dir()).and_then(|path| std::fs::read_dir(path).ok()) else {
        return vec![path.to_path_buf()];
    };
    let is_known = |file: &PathBuf| file.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
    let is_hidden = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let all = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = all.filter(|file| is_known(file) && !is_hidden(file) && file.is_file()).collect();
    files.sort();
    files
}

/// Puts a text in place of a file at once, so that whoever reads it meanwhile finds the old one or the new one.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // What a link leads to is replaced, not the link.
    let path = path.canonicalize()?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    let written = std::fs::write(&beside, text)
        .and_then(|()| std::fs::set_permissions(&beside, std::fs::metadata(&path)?.permissions()))
        .and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// The lines that differ, with some around them. Formatting moves few lines, so the common start and end of two texts
/// tell most; between them a line is looked for as far ahead as needed.
fn difference(name: &str, before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut out = format!("--- {name}\n+++ {name}, formatted\n");
    let (mut a, mut b) = (0, 0);
    while a < before.len() || b < after.len() {
        if before.get(a) == after.get(b) {
            (a, b) = (a + 1, b + 1);
            continue;
        }
        let (gone, come) = apart(before.get(a..).unwrap_or_default(), after.get(b..).unwrap_or_default());
        let lines = |list: &[&str], from: usize, count: usize, mark: char| -> String {
            list.iter().skip(from).take(count).map(|line| format!("{mark}{line}\n")).collect()
        };
        let start = a.saturating_sub(AROUND);
        out.push_str(&format!("@@ -{},{} +{},{} @@\n", a + 1, gone, b + 1, come));
        out.push_str(&lines(&before, start, a - start, ' '));
        out.push_str(&lines(&before, a, gone, '-'));
        out.push_str(&lines(&after, b, come, '+'));
        (a, b) = (a + gone, b + come);
    }
    out
}

/// How many lines of each go by until the two meet again.
fn apart(before: &[&str], after: &[&str]) -> (usize, usize) {
    let most = before.len() + after.len();
    for sum in 1..=most {
        for gone in 0..=sum {
            let met = before.get(gone).zip(after.get(sum - gone)).is_some_and(|(a, b)| a == b);
            if met {
                return (gone, sum - gone);
            }
        }
        // Looking further costs more than it tells.
        if sum > 400 {
            break;
        }
    }
    (before.len(), after.len())
}
