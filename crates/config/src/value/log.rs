//! Where logs go.

use super::{Flaw, Value};
use crate::codes;
use std::fmt;
use std::path::PathBuf;

/// Where a log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogPath {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, which is appended to.
    File(PathBuf),
}

impl fmt::Display for LogPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::Stderr => f.write_str("stderr"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Value for LogPath {
    const WHAT: &'static str = "`stdout`, `stderr` or the path of a file";
    const EXAMPLES: &'static [&'static str] = &["stdout", "stderr", "/var/log/strait/access.log"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        match text {
            "stdout" => Ok(Self::Stdout),
            "stderr" => Ok(Self::Stderr),
            "/dev/stdout" | "-" => {
                Err(Flaw::new(codes::PATH, format!("`{text}` is written `stdout`")).replace("stdout"))
            }
            "/dev/stderr" => Err(Flaw::new(codes::PATH, format!("`{text}` is written `stderr`")).replace("stderr")),
            // A bare word is more likely a mistyped `stdout` than a file.
            _ if !text.contains(['/', '.']) => {
                let flaw = Flaw::new(codes::PATH, format!("`{text}` is neither stdout, stderr nor a path"));
                Err(match crate::words::closest(text, ["stdout", "stderr"].into_iter()) {
                    Some(word) => flaw.replace(word),
                    None => flaw.label("a path contains a `/`").replace(format!("./{text}")),
                })
            }
            _ => PathBuf::parse(text).map(Self::File),
        }
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.to_string())
    }
}
