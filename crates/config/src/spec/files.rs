//! Static files.

use crate::decode::OneOrMany;
use crate::filter::Encoding;
use crate::source::Spanned;
use crate::value::FileName;
use std::path::PathBuf;
use strait_config_derive::Spec;

/// Serves files of a folder, with ranges, conditional requests and validators. What the pattern's `*` matches is the name below the folder: under `/static/*`, `/static/a.css` is `a.css`. A target that a filter rewrote is the name whole. A text stands for `root`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`files`",
    short = "root",
    peers(
        path = "root",
        dir = "root",
        directory = "root",
        folder = "root",
        alias = "root",
        document_root = "root",
        file = "root",
        autoindex = "listing",
        browse = "listing",
        directory_listing = "listing",
        indexes = "index",
        directory_index = "index",
        try_files = "fallback",
        spa = "fallback",
        try_extensions = "extensions",
        default_extension = "extensions",
        gzip_static = "precompressed",
        brotli_static = "precompressed",
        pre_compressed = "precompressed",
        dotfiles = "hidden",
        hide = "hidden",
        disable_symlinks = "symlinks",
        follow_symlinks = "symlinks",
        expires = "write `response_headers: {Cache-Control: max-age=3600}` in the route",
    )
)]
pub struct Files {
    /// The folder, or one file that is served whatever the path. Relative to this file. It is looked up for every request, so that a folder put in its place is served at once.
    #[spec(example = "./public")]
    pub root: Spanned<PathBuf>,
    /// Files that are served for a folder; the first that exists.
    #[spec(default = OneOrMany(vec![FileName::of("index.html")]))]
    pub index: OneOrMany<FileName>,
    /// Endings that are tried behind a name that does not exist: with `.html`, `/about` is served from `about.html`.
    #[spec(default = OneOrMany::default(), example = ".html")]
    pub extensions: OneOrMany<FileName>,
    /// The file that is served with 200 where there is none: the page of an application that routes in the browser.
    #[spec(example = "index.html")]
    pub fallback: Option<FileName>,
    /// Whether a folder without an index is listed, as a page or, for `Accept: application/json`, as JSON. Otherwise it is answered with 404.
    #[spec(default = false)]
    pub listing: bool,
    /// Codings of which there may be a file beside each (`app.js.br` beside `app.js`), the preferred one first; it is served to clients that accept it.
    #[spec(default = OneOrMany::default(), example = "[br, gzip]")]
    pub precompressed: OneOrMany<Encoding>,
    /// Whether names that begin with a dot are served. `.well-known` always is.
    #[spec(default = false)]
    pub hidden: bool,
    /// Which symbolic links are followed.
    #[spec(default = Symlinks::Inside)]
    pub symlinks: Symlinks,
}

/// Which symbolic links are followed. The folder itself may be one in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a rule for symbolic links", peers(on = "none", off = "anywhere", "true" = "anywhere", "false" = "none", all = "anywhere", if_not_owner = "inside"))]
pub enum Symlinks {
    /// Relative ones that stay below the folder.
    Inside,
    /// None.
    None,
    /// All, wherever they lead.
    Anywhere,
}
