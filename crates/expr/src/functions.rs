//! The functions of the language, as the manual lists them and the checker reads them.

use crate::node::{FoldKind, Function};
use crate::value::Kind;

/// A function of the language.
#[derive(Debug)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub form: &'static str,
    /// What it answers.
    pub doc: &'static str,
}

const fn function(name: &'static str, form: &'static str, doc: &'static str) -> FunctionDoc {
    FunctionDoc { name, form, doc }
}

/// Every function, in the order of the manual.
pub const FUNCTIONS: &[FunctionDoc] = &[
    function("startsWith", "text.startsWith(text)", "whether it begins so"),
    function("endsWith", "text.endsWith(text)", "whether it ends so"),
    function("contains", "text.contains(text)", "whether it holds this anywhere"),
    function(
        "matches",
        "text.matches('pattern')",
        "whether the regular expression is found in it; the pattern is built when the file is loaded and runs in linear time",
    ),
    function("size", "size(text), list.size()", "characters of a text, octets, items of a list or document"),
    function("lowerAscii", "text.lowerAscii()", "with A to Z in lower case"),
    function("upperAscii", "text.upperAscii()", "with a to z in upper case"),
    function("trim", "text.trim()", "without blanks at both ends"),
    function("split", "text.split(',')", "a list of the parts between"),
    function("replace", "text.replace('a', 'b')", "every occurrence replaced"),
    function(
        "substring",
        "text.substring(1, 4)",
        "characters from one place up to another; without the second, to the end",
    ),
    function("has", "has(claims.groups)", "whether the value is there"),
    function("exists", "list.exists(x, x == 'a')", "whether some item fulfils it"),
    function("all", "list.all(x, x != 'a')", "whether every item fulfils it"),
    function("exists_one", "list.exists_one(x, x == 'a')", "whether exactly one does"),
    function("filter", "list.filter(x, x != 'a')", "the items that fulfil it"),
    function("map", "list.map(x, x + '!')", "a list of the values"),
    function("ip", "ip('192.0.2.1')", "text as an IP address"),
    function("cidr", "cidr('10.0.0.0/8')", "text as a network"),
    function(
        "containsIP",
        "cidr('10.0.0.0/8').containsIP(client.ip)",
        "whether the network holds the address; shorter: `client.ip in ['10.0.0.0/8']`",
    ),
    function("string", "string(5)", "a value as text"),
    function("int", "int('5')", "text or a number as a whole number"),
    function("uint", "uint('5')", "the same without sign"),
    function("double", "double('0.5')", "the same with a fraction"),
    function("duration", "duration('1s')", "text as a span of time; `1s` alone is one too"),
];

/// What a function wants and answers; the receiver is the first argument.
pub(crate) struct Signature {
    pub(crate) function: Function,
    pub(crate) arguments: &'static [&'static [Kind]],
    pub(crate) result: Kind,
    /// How many arguments may be left out at the end.
    pub(crate) optional: usize,
}

const TEXT: &[Kind] = &[Kind::Text];
const INT: &[Kind] = &[Kind::Int];
/// Anything that [`Kind::Any`] converts from.
const SCALAR: &[Kind] = &[
    Kind::Text,
    Kind::Int,
    Kind::Uint,
    Kind::Double,
    Kind::Bool,
    Kind::Duration,
    Kind::Address,
    Kind::Network,
    Kind::Bytes,
];
const NUMBER: &[Kind] = &[Kind::Int, Kind::Uint, Kind::Double, Kind::Text];

pub(crate) fn signature(name: &str) -> Option<Signature> {
    let of = |function, arguments, result| Some(Signature { function, arguments, result, optional: 0 });
    match name {
        "startsWith" => of(Function::StartsWith, &[TEXT, TEXT], Kind::Bool),
        "endsWith" => of(Function::EndsWith, &[TEXT, TEXT], Kind::Bool),
        "contains" => of(Function::Contains, &[TEXT, TEXT], Kind::Bool),
        "containsIP" => of(Function::ContainsAddress, &[&[Kind::Network], &[Kind::Address, Kind::Text]], Kind::Bool),
        "lowerAscii" => of(Function::LowerAscii, &[TEXT], Kind::Text),
        "upperAscii" => of(Function::UpperAscii, &[TEXT], Kind::Text),
        "trim" => of(Function::Trim, &[TEXT], Kind::Text),
        "replace" => of(Function::Replace, &[TEXT, TEXT, TEXT], Kind::Text),
        "substring" => {
            let signature = of(Function::Substring, &[TEXT, INT, INT], Kind::Text)?;
            Some(Signature { optional: 1, ..signature })
        }
        "split" => {
            let result = Kind::List(Box::new(Kind::Text));
            of(Function::Split, &[TEXT, TEXT], result)
        }
        "string" => of(Function::ToText, &[SCALAR], Kind::Text),
        "int" => of(Function::ToInt, &[NUMBER], Kind::Int),
        "uint" => of(Function::ToUint, &[NUMBER], Kind::Uint),
        "double" => of(Function::ToDouble, &[NUMBER], Kind::Double),
        "duration" => of(Function::ToDuration, &[TEXT], Kind::Duration),
        "ip" => of(Function::ToAddress, &[TEXT], Kind::Address),
        "cidr" => of(Function::ToNetwork, &[TEXT], Kind::Network),
        _ => None,
    }
}

pub(crate) fn fold(name: &str) -> Option<FoldKind> {
    Some(match name {
        "all" => FoldKind::All,
        "exists" => FoldKind::Exists,
        "exists_one" => FoldKind::ExistsOne,
        "filter" => FoldKind::Filter,
        "map" => FoldKind::Map,
        _ => return None,
    })
}

/// Names of functions elsewhere, with ours.
pub(crate) const PEERS: &[(&str, &str)] = &[
    ("starts_with", "startsWith"),
    ("hasPrefix", "startsWith"),
    ("ends_with", "endsWith"),
    ("hasSuffix", "endsWith"),
    ("includes", "contains"),
    ("lower", "lowerAscii"),
    ("toLowerCase", "lowerAscii"),
    ("upper", "upperAscii"),
    ("toUpperCase", "upperAscii"),
    ("len", "size"),
    ("length", "size"),
    ("regex", "matches"),
    ("match", "matches"),
    ("any", "exists"),
];
