use crate::codes;
use crate::decode::{Decoder, removal};
use crate::diagnose::Diagnostic;
use crate::syntax::Node;
use crate::source::Spanned;
use crate::value::{PathRegex, TemplateText, UrlPath};
use strait_config_derive::Spec;
use strait_filters::target::canonical_path;

/// Asks the origin for another path. Exactly one of `path`, `prefix` and `regex`; escaped octets stay escaped, and the result is made canonical again, so that no rewriting leads out by `..`. A text stands for `path`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`rewrite`",
    short = "path",
    check = one_way,
    peers(replacement = "with", to = "with", uri = "path", replace = "with", substitution = "with", pattern = "regex", path_regex = "regex", strip = "the filter `strip_prefix` does that")
)]
pub struct Rewrite {
    /// The whole new path, with values of the request where they are wanted: `/users/${path.id}`. With a query (`/search?kind=all`) that takes the place of the request's. A value that makes no path is answered with 400.
    #[spec(example = "/index.html")]
    pub path: Option<Spanned<TemplateText>>,
    /// A prefix of whole segments, in whose place comes `with`.
    #[spec(example = "/old")]
    pub prefix: Option<UrlPath>,
    /// A regular expression over the path; what it matches is replaced by `with`. Anchor it with `^` and `$` to match the whole path.
    #[spec(example = "^/user/([0-9]+)$")]
    pub regex: Option<PathRegex>,
    /// What comes in place of the prefix or of each match. After `regex`, `$1` and `$name` are its groups, and `$$` is a dollar.
    #[spec(example = "/new")]
    pub with: Option<String>,
}

fn one_way(rewrite: &Rewrite, node: &Node, decoder: &mut Decoder) {
    let ways = [rewrite.path.is_some(), rewrite.prefix.is_some(), rewrite.regex.is_some()];
    let wants_with = rewrite.path.is_none();
    if ways.iter().filter(|way| **way).count() != 1 {
        let message = "`rewrite` has exactly one of `path`, `prefix` and `regex`";
        let second = ["regex", "prefix"].into_iter().find(|key| node.value(key).is_some()).unwrap_or("prefix");
        let edits = removal(node.entries(), second).into_iter().collect();
        let finding = Diagnostic::error(codes::CONFLICTING_KEYS, node.span, message);
        decoder.report(finding.edits(format!("keep one of them: remove `{second}`"), edits));
    } else if wants_with && rewrite.with.is_none() {
        decoder.missing_key(node, "with", "/new", "`rewrite` needs the key `with`");
    } else if !wants_with && rewrite.with.is_some() {
        let message = "`path` is the whole new path: there is nothing for `with` to replace";
        let edits = removal(node.entries(), "with").into_iter().collect();
        decoder.report(Diagnostic::error(codes::CONFLICTING_KEYS, node.span, message).edits("remove `with`", edits));
    }
    // What an expression is replaced by is a path only with the rest around it.
    let whole = rewrite.path.as_ref().map(|path| path.value.outline());
    let literal = whole.or(rewrite.with.clone().filter(|_| rewrite.regex.is_none()));
    let path = literal.as_deref().and_then(|text| text.split('?').next());
    if let Some(why) = path.and_then(|path| canonical_path(path).err()) {
        let span = node.value("path").or(node.value("with")).map_or(node.span, |value| value.span);
        let finding = Diagnostic::error(codes::URL_PATH, span, "this is not a path of a URL").label(why);
        decoder.report(finding.hint("write a path such as /new"));
    }
}
