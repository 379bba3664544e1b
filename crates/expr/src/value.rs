//! Values, and their types.

use ipnet::IpNet;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::io::Write as _;
use std::net::IpAddr;

/// The type of an expression, as known when it is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A whole number without sign: `1u`.
    Uint,
    /// A number with a fraction.
    Double,
    /// Text.
    Text,
    /// Octets: `b'…'`.
    Bytes,
    /// A span of time: `1s`.
    Duration,
    /// An IP address.
    Address,
    /// A network: `cidr('10.0.0.0/8')`.
    Network,
    /// A list.
    List(Box<Kind>),
    /// Whatever a document (claims of a token, say) holds.
    Any,
}

impl Kind {
    /// How messages name it.
    pub fn words(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool => "true or false".into(),
            Self::Int | Self::Uint | Self::Double => "a number".into(),
            Self::Text => "text".into(),
            Self::Bytes => "octets".into(),
            Self::Duration => "a duration".into(),
            Self::Address => "an IP address".into(),
            Self::Network => "a network".into(),
            Self::List(item) if **item == Self::Any => "a list".into(),
            Self::List(item) => format!("a list of {}", item.words().trim_start_matches("a ")),
            Self::Any => "anything".into(),
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double | Self::Any)
    }

    /// Whether values of the two types can be equal.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (a, b) if a.is_number() && b.is_number() => true,
            (Self::List(a), Self::List(b)) => a.meets(b),
            (a, b) => a == b,
        }
    }
}

/// A value. Text is octets, since header fields need not be UTF-8.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number without sign.
    Uint(u64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    Text(Cow<'a, [u8]>),
    /// Octets.
    Bytes(Cow<'a, [u8]>),
    /// Nanoseconds.
    Duration(i64),
    /// An IP address.
    Address(IpAddr),
    /// A network.
    Network(IpNet),
    /// A list.
    List(List<'a>),
    /// A list or map of a document; its scalars are values of their own.
    Json(&'a serde_json::Value),
}

/// A list, borrowed from the expression or built by it.
#[derive(Clone, Debug)]
pub enum List<'a> {
    /// From the expression.
    Borrowed(&'a [Value<'a>]),
    /// Built.
    Owned(Vec<Value<'a>>),
}

impl<'a> List<'a> {
    /// The items.
    pub fn items(&self) -> &[Value<'a>] {
        match self {
            Self::Borrowed(items) => items,
            Self::Owned(items) => items,
        }
    }
}

impl<'a> Value<'a> {
    /// Text that is borrowed.
    pub fn text(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self::Text(Cow::Borrowed(text.as_ref()))
    }

    /// A value of a document. Scalars become values of their own.
    pub fn json(json: &'a serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::String(value) => Self::text(value),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Self::Int(value),
                (None, Some(value)) => Self::Uint(value),
                (None, None) => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => Self::Json(json),
        }
    }

    /// The same, borrowed from this one.
    pub(crate) fn borrowed(&'a self) -> Self {
        match self {
            Self::Text(text) => Self::Text(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
            Self::List(list) => Self::List(List::Borrowed(list.items())),
            other => other.clone(),
        }
    }

    /// Equality as in CEL: numbers of all types compare by value; values of different types are unequal.
    pub(crate) fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(a), Value::Bool(b)) => a == b,
            (Self::Text(a), Value::Text(b)) | (Self::Bytes(a), Value::Bytes(b)) => a == b,
            (Self::Duration(a), Value::Duration(b)) => a == b,
            (Self::Address(a), Value::Address(b)) => a == b,
            (Self::Network(a), Value::Network(b)) => a == b,
            (Self::Json(a), Value::Json(b)) => a == b,
            (Self::List(_) | Self::Json(_), Value::List(_) | Value::Json(_)) => self.equal_lists(other),
            _ => self.compare_numbers(other) == Some(Ordering::Equal),
        }
    }

    fn equal_lists(&self, other: &Value<'_>) -> bool {
        let (Some(count), Some(others)) = (self.items_count(), other.items_count()) else { return false };
        count == others
            && (0..count).all(|at| match (self.item(at), other.item(at)) {
                (Some(a), Some(b)) => a.equals(&b),
                _ => false,
            })
    }

    /// Items of a list; `None` for anything else.
    pub(crate) fn items_count(&self) -> Option<usize> {
        match self {
            Self::List(list) => Some(list.items().len()),
            Self::Json(serde_json::Value::Array(items)) => Some(items.len()),
            _ => None,
        }
    }

    /// The item of a list at a place.
    pub(crate) fn item<'s>(&'s self, at: usize) -> Option<Value<'s>> {
        match self {
            Self::List(list) => list.items().get(at).map(Value::borrowed),
            Self::Json(serde_json::Value::Array(items)) => items.get(at).map(Value::json),
            _ => None,
        }
    }

    /// The order of two values; `None` when they have none.
    pub(crate) fn compare(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Value::Text(b)) | (Self::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            _ => self.compare_numbers(other),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "CEL compares whole numbers with fractions as doubles")]
    fn compare_numbers(&self, other: &Value<'_>) -> Option<Ordering> {
        let whole = |value: &Value<'_>| match value {
            Value::Int(number) => Some(i128::from(*number)),
            Value::Uint(number) => Some(i128::from(*number)),
            _ => None,
        };
        let double = |value: &Value<'_>| match value {
            Value::Double(number) => Some(*number),
            other => whole(other).map(|number| number as f64),
        };
        match (whole(self), whole(other)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => double(self)?.partial_cmp(&double(other)?),
        }
    }

    /// Appends the value as text: what `string(…)` and templates write. `false` for what has no text.
    pub fn write_text(&self, out: &mut Vec<u8>) -> bool {
        let _ = match self {
            Self::Text(text) | Self::Bytes(text) => out.write_all(text),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Int(value) => write!(out, "{value}"),
            Self::Uint(value) => write!(out, "{value}"),
            Self::Double(value) => write!(out, "{value}"),
            Self::Duration(nanoseconds) => write!(out, "{}", Seconds(*nanoseconds)),
            Self::Address(address) => write!(out, "{address}"),
            Self::Network(network) => write!(out, "{network}"),
            Self::Json(json) => write!(out, "{json}"),
            Self::Null | Self::List(_) => return false,
        };
        true
    }
}

/// Nanoseconds as CEL writes them: `1.5s`.
struct Seconds(i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000_000_000, (self.0 % 1_000_000_000).unsigned_abs());
        let sign = if self.0 < 0 && whole == 0 { "-" } else { "" };
        match part {
            0 => write!(f, "{whole}s"),
            _ => write!(f, "{sign}{whole}.{}s", format!("{part:09}").trim_end_matches('0')),
        }
    }
}

impl Value<'_> {
    /// The same, owning its text; `None` for a part of a document.
    pub(crate) fn into_owned(self) -> Option<Value<'static>> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Uint(value) => Value::Uint(value),
            Self::Double(value) => Value::Double(value),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Duration(value) => Value::Duration(value),
            Self::Address(value) => Value::Address(value),
            Self::Network(value) => Value::Network(value),
            Self::List(list) => {
                let items = list.items().iter().map(|item| item.clone().into_owned());
                Value::List(List::Owned(items.collect::<Option<_>>()?))
            }
            Self::Json(_) => return None,
        })
    }
}
