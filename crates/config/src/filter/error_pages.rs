use crate::codes;
use crate::decode::{Decoder, Spec, Table};
use crate::diagnose::Diagnostic;
use crate::schema::Schema;
use crate::source::Spanned;
use crate::syntax::Node;
use crate::value::Status;
use std::path::PathBuf;
use strait_config_derive::Spec;

/// Own bodies for responses of some statuses, be they the origin's or Strait's own: a map from statuses (`404`, `5xx`, `500-504`) to pages. The narrowest range that holds a status counts.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorPages(pub Table<ErrorPage>);

/// The page for some statuses. A text stands for `body`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "an error page", short = "body", peers(text = "body", content = "body", path = "file", type = "content_type", code = "status"))]
pub struct ErrorPage {
    /// The body.
    #[spec(example = "Back soon.")]
    pub body: Option<String>,
    /// A file with the body, read again at each reload.
    #[spec(example = "pages/500.html")]
    pub file: Option<Spanned<PathBuf>>,
    /// The `Content-Type`. By default that of the file's name, and `text/plain` for a body.
    #[spec(example = "text/html; charset=utf-8")]
    pub content_type: Option<String>,
    /// The status that is sent in place of the response's own.
    pub status: Option<Status>,
}

impl Spec for ErrorPages {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let table = Table::<ErrorPage>::decode(node, decoder)?;
        for (name, page) in &table {
            if statuses(&name.value).is_none() {
                let message = format!("`{}` is no status and no range of statuses", name.value);
                let finding = Diagnostic::error(codes::STATUS, name.span, message).label("such as 404, 5xx, 500-504");
                decoder.report(finding.replace("such as 5xx", name.span, "5xx"));
            }
            if page.body.is_some() == page.file.is_some() {
                let message = "an error page has either `body` or `file`";
                decoder.report(Diagnostic::error(codes::CONFLICTING_KEYS, name.span, message).hint("write one of them"));
            }
        }
        Some(Self(table))
    }

    fn schema() -> Schema {
        Schema { doc: "Own bodies for responses of some statuses, be they the origin's or Strait's own: a map from statuses (`404`, `5xx`, `500-504`) to pages. The narrowest range that holds a status counts.", ..Table::<ErrorPage>::schema() }
    }
}

/// The first and last status of `404`, `5xx` or `500-504`.
pub fn statuses(text: &str) -> Option<(u16, u16)> {
    let one = |text: &str| text.parse::<u16>().ok().filter(|code| (200..=599).contains(code));
    let class = text.strip_suffix("xx").and_then(|class| class.parse::<u16>().ok()).filter(|class| (2..=5).contains(class));
    if let Some(class) = class {
        return Some((class * 100, class * 100 + 99));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    one(first).zip(one(last)).filter(|(first, last)| first <= last)
}
