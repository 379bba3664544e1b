//! Scalar types: how each is written, read and described.

mod address;
mod balance;
mod http;
mod key;
mod log;
mod matching;
mod measure;
mod network;
mod number;
mod otlp;
mod path;
mod target;
mod template;

pub use address::Address;
pub use balance::{CookieName, HashKey, Prime};
pub use http::{HeaderName, HeaderValue, Headers, Hex, Location, LocationTemplate, Status, StatusRange};
pub use key::KeyPart;
pub use log::LogPath;
pub use matching::{HeaderMatches, Matches, MethodName, RegexText, TextMatch};
pub use measure::{ByteRate, Duration, Percent, Rate, Size};
pub use network::Cidr;
pub use number::{Limit, OrOff};
pub use otlp::OtlpUrl;
pub use path::{FileName, PathRegex, UrlPath, WebOrigin};
pub use target::{Endpoint, Host, Share, Target, Weights};
pub(crate) use target::{is_name, looks_like_weights};
pub use template::{ExpressionText, HeaderTemplate, TemplateText, TextPiece};

use crate::codes::Code;

/// A scalar of the language. Implementing this and naming the type in `scalar_specs!` makes it a
/// [`crate::Spec`].
pub trait Value: Sized {
    /// `a duration`: how messages name it.
    const WHAT: &'static str;
    /// A regular expression (ECMA 262) for editors, if one says it all.
    const PATTERN: Option<&'static str> = None;
    /// Values to show.
    const EXAMPLES: &'static [&'static str];

    /// Reads the text.
    fn parse(text: &str) -> Result<Self, Flaw>;

    /// A better text for one with values of the request in it, around which something is wrong.
    fn mended(shown: &str) -> Option<String> {
        let _ = shown;
        None
    }

    /// Writes what [`Value::parse`] reads back.
    fn written(&self) -> String;
}

/// What is wrong with a scalar.
#[derive(Debug)]
pub struct Flaw {
    /// The code.
    pub code: &'static Code,
    /// The message; `{key}` stands for the key that holds the value.
    pub message: String,
    /// The words under the value.
    pub label: String,
    /// A better value.
    pub replacement: Option<String>,
    /// The fix in words; with a replacement it defaults to a question.
    pub hint: Option<String>,
}

impl Flaw {
    pub(crate) fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), label: String::new(), replacement: None, hint: None }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn replace(mut self, with: impl Into<String>) -> Self {
        self.replacement = Some(with.into());
        self
    }
}

macro_rules! scalar_specs {
    ($($name:ty),* $(,)?) => {$(
        impl crate::decode::Spec for $name {
            fn decode(node: &crate::syntax::Node, decoder: &mut crate::decode::Decoder) -> Option<Self> {
                decoder.value(node)
            }

            fn schema() -> crate::schema::Schema {
                crate::schema::Schema {
                    name: "",
                    doc: "",
                    kind: crate::schema::Kind::Text {
                        what: <$name as Value>::WHAT,
                        pattern: <$name as Value>::PATTERN,
                        examples: <$name as Value>::EXAMPLES,
                    },
                }
            }

            fn text(&self) -> Option<String> {
                Some(Value::written(self))
            }
        }
    )*};
}

scalar_specs!(
    Duration,
    Size,
    Rate,
    ByteRate,
    Percent,
    HashKey,
    CookieName,
    Prime,
    Address,
    Endpoint,
    Cidr,
    HeaderName,
    KeyPart,
    WebOrigin,
    HeaderValue,
    Location,
    LogPath,
    OtlpUrl,
    MethodName,
    FileName,
    PathRegex,
    RegexText,
    UrlPath,
    Status,
    StatusRange,
    Hex,
    std::path::PathBuf,
    String,
);
