use crate::codes;
use crate::decode::{Decoder, removal};
use crate::diagnose::Diagnostic;
use crate::source::Spanned;
use crate::spec::RedirectStatus;
use crate::syntax::Node;
use crate::value::PathRegex;
use std::path::PathBuf;
use strait_config_derive::Spec;

/// Redirects some requests and lets the others go on. With `to` alone, every request; with `regex`, those whose path matches; with `file`, those whose path is in it; with `https`, those without TLS. A text stands for `to`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`redirect`", short = "to", check = one_rule, peers(code = "status", location = "to", replacement = "to", with = "to", url = "to", redirectScheme = "https", redirectRegex = "regex", list = "file", map = "file"))]
pub struct FilterRedirect {
    /// The URL or path. After `regex`, `$1` and `$name` are its groups.
    #[spec(example = "https://example.com/new")]
    pub to: Option<Spanned<String>>,
    /// A regular expression over the path.
    #[spec(example = "^/blog/([0-9]+)$")]
    pub regex: Option<PathRegex>,
    /// A file of redirects, one a line: the path, where it leads, and the status if it is another one. What follows `#` is a comment. Read again at each reload.
    #[spec(example = "lists/moved.txt")]
    pub file: Option<Spanned<PathBuf>>,
    /// Redirects requests without TLS to the same URL with it.
    #[spec(default = false)]
    pub https: bool,
    /// The status.
    #[spec(default = RedirectStatus::Found)]
    pub status: RedirectStatus,
}

fn one_rule(redirect: &FilterRedirect, node: &Node, decoder: &mut Decoder) {
    let rules = [redirect.to.is_some(), redirect.file.is_some(), redirect.https];
    if rules.iter().filter(|rule| **rule).count() != 1 {
        let message = "`redirect` has exactly one of `to`, `file` and `https`";
        let second = ["https", "file"].into_iter().find(|key| node.value(key).is_some()).unwrap_or("file");
        let edits = removal(node.entries(), second).into_iter().collect();
        let finding = Diagnostic::error(codes::CONFLICTING_KEYS, node.span, message);
        decoder.report(finding.edits(format!("keep one of them: remove `{second}`"), edits));
    }
    if redirect.regex.is_some() && redirect.to.is_none() {
        decoder.missing_key(node, "to", "/new/$1", "`regex` needs `to`");
    }
}
