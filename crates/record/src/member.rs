//! Members of a JSON object: a key with its punctuation is one constant, so that writing it is one copy.

/// Writes a member whose value is a string.
macro_rules! string {
    ($out:expr, $key:literal, $value:expr) => {{
        $out.extend_from_slice(concat!(",\"", $key, "\":\"").as_bytes());
        $crate::escape::json($value, $out);
        $out.push(b'"');
    }};
}

/// Writes a member whose value is a number.
macro_rules! number {
    ($out:expr, $key:literal, $value:expr) => {{
        $out.extend_from_slice(concat!(",\"", $key, "\":").as_bytes());
        $crate::figures::decimal($value, $out);
    }};
}

pub(crate) use {number, string};
