//! Static files, as a route serves them.

use std::path::PathBuf;
use strait_filters::compress::Coding;

/// A folder whose files are served.
#[derive(Clone, Debug)]
pub struct Files {
    /// The folder, or one file; absolute, or relative to the working directory.
    pub root: PathBuf,
    /// Segments of the path that the pattern took, and that are no part of a file's name.
    pub skip: usize,
    /// Names that are served for a folder.
    pub index: Vec<String>,
    /// Endings that are tried behind a name that does not exist.
    pub extensions: Vec<String>,
    /// The name that is served where there is none.
    pub fallback: Option<String>,
    /// Whether folders are listed.
    pub listing: bool,
    /// Codings of which there may be a file beside each, the preferred one first.
    pub precompressed: Vec<Coding>,
    /// Whether names that begin with a dot are served.
    pub hidden: bool,
    /// Which symbolic links are followed.
    pub symlinks: Symlinks,
}

/// Which symbolic links are followed below the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symlinks {
    /// Relative ones that stay below it.
    Inside,
    /// None.
    None,
    /// All.
    Anywhere,
}

/// The end of the name of a file that is coded so.
pub fn coded_extension(coding: Coding) -> &'static str {
    match coding {
        Coding::Gzip => ".gz",
        Coding::Brotli => ".br",
        Coding::Zstd => ".zst",
    }
}
