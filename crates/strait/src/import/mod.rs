//! `strait import`: another product's configuration in Strait's language.

mod ask;
mod origins;
mod verify;

use crate::exit::Exit;
use crate::operator::{print, say, say_plain};
use crate::source::Output;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use strait_import::{Files, Imported, Left, Product, Why};

/// Files that one `include` may bring.
const INCLUDED_MAX: usize = 1_000;

/// Write another proxy's configuration in Strait's language
///
/// Prints YAML that says of every part which line it comes from, and on standard error every line that was not carried
/// over, with the reason. What guards access and cannot be carried over closes its routes with 501.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 done, 1 with --verify when answers differ, 78 the file cannot be read.

Examples:
  strait import /etc/nginx/nginx.conf > strait.yaml
  strait import haproxy.cfg --output strait.yaml
  strait import Caddyfile --verify")]
pub(crate) struct Import {
    /// The configuration: nginx.conf, haproxy.cfg, Caddyfile
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The product it belongs to, where the name of the file does not say it
    #[arg(long, value_name = "PRODUCT")]
    from: Option<From>,
    /// Write the YAML to this file
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Run both products on this machine, send them the same requests, and compare what clients and origins see
    ///
    /// Listeners and origins are replaced by ports of this machine; TLS is left out, since certificates need not be
    /// here. The product itself must be installed.
    #[arg(long)]
    verify: bool,
    /// The product's program, for --verify
    #[arg(long, value_name = "PATH", requires = "verify")]
    program: Option<PathBuf>,
}

/// A product by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    /// nginx.conf.
    Nginx,
}

impl From {
    const fn product(self) -> Product {
        match self {
            Self::Nginx => Product::Nginx,
        }
    }
}

impl Import {
    pub(crate) fn run(self, output: Output) -> Exit {
        let name = self.file.display().to_string();
        let text = match std::fs::read(&self.file) {
            Ok(octets) => String::from_utf8_lossy(&octets).into_owned(),
            Err(error) => return failed(&format!("{name}: {error}")),
        };
        let Some(product) = self.from.map(From::product).or_else(|| Product::guess(&name, &text)) else {
            return failed(&format!("{name}: which product is this of? say it by --from nginx"));
        };
        let short = self.file.file_name().map_or_else(|| name.clone(), |name| name.to_string_lossy().into_owned());
        let files = Beside::of(&self.file);
        let imported = match strait_import::import(product, &short, &text, &files) {
            Ok(imported) => imported,
            Err(mistake) => {
                say(&mistake.to_string());
                return Exit::Configuration;
            }
        };
        if let Err(error) = self.hand_over(&imported, output) {
            return failed(&error);
        }
        if !self.verify {
            return Exit::Done;
        }
        let case = verify::Case { product, name: &short, text: &text, files: &files, program: self.program.as_deref() };
        match verify::verify(&case) {
            Ok(verdict) => {
                say_plain(&verdict.told());
                if verdict.differing.is_empty() { Exit::Done } else { Exit::Failed }
            }
            Err(why) => failed(&format!("cannot verify: {why}")),
        }
    }

    fn hand_over(&self, imported: &Imported, output: Output) -> Result<(), String> {
        if let Some(file) = &self.output {
            std::fs::write(file, &imported.yaml).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        match (output, &self.output) {
            (Output::Text, Some(_)) => {}
            (Output::Text, None) => print(&imported.yaml),
            _ => print(&format!("{:#}\n", as_json(imported))),
        }
        if output == Output::Text {
            say_plain(&told(imported));
        }
        Ok(())
    }
}

fn failed(why: &str) -> Exit {
    say(why);
    Exit::Failed
}

fn as_json(imported: &Imported) -> serde_json::Value {
    let left = imported.left.iter().map(|Left { file, line, text, why, reason }| {
        json!({"file": file, "line": line, "statement": text, "kind": why.word(), "reason": reason})
    });
    json!({"yaml": imported.yaml, "carried": imported.carried, "left": left.collect::<Vec<_>>()})
}

/// The list of what was left, for people.
fn told(imported: &Imported) -> String {
    let mut out = format!("{} statements are carried over\n", imported.carried);
    let heads = [
        (Why::Lost, "lost"),
        (Why::Differs, "carried over, and different at an edge"),
        (Why::Needless, "without a line of their own, since Strait does it or has no use for it"),
    ];
    for (why, head) in heads {
        let some: Vec<&Left> = imported.left.iter().filter(|left| left.why == why).collect();
        if !some.is_empty() {
            let _ = writeln!(out, "{} {head}:", some.len());
        }
        for Left { file, line, text, reason, .. } in some {
            let _ = writeln!(out, "  {file}:{line}: {text}\n      {reason}");
        }
    }
    out
}

/// Files that a configuration includes, beside it or at their absolute paths.
struct Beside {
    folder: PathBuf,
}

impl Beside {
    fn of(file: &Path) -> Self {
        Self { folder: file.parent().map(Path::to_path_buf).unwrap_or_default() }
    }
}

impl Files for Beside {
    fn read(&self, pattern: &str) -> Result<Vec<(String, String)>, String> {
        let whole = self.folder.join(pattern);
        let folder = whole.parent().unwrap_or(Path::new("."));
        let last = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut paths = if last.contains('*') { matching(folder, &last)? } else { vec![whole.clone()] };
        paths.sort();
        let text = |path: &PathBuf| {
            let octets = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let name = path.strip_prefix(&self.folder).unwrap_or(path).display().to_string();
            Ok((name, String::from_utf8_lossy(&octets).into_owned()))
        };
        paths.iter().take(INCLUDED_MAX).map(text).collect()
    }
}

/// Files of a folder whose names a glob with one `*` means.
fn matching(folder: &Path, glob: &str) -> Result<Vec<PathBuf>, String> {
    let (head, tail) = glob.split_once('*').unwrap_or((glob, ""));
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let fits = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail) && path.is_file()
    };
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(fits).collect())
}
