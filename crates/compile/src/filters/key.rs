//! What limits count by.

use strait_config::value::KeyPart;
use strait_filters::FieldName;
use strait_filters::key::{Key, Part};

pub(super) fn key(spec: &[KeyPart], v4_bits: u32, v6_bits: u32) -> Key {
    let bits = |bits: u32| u8::try_from(bits).unwrap_or(u8::MAX);
    let part = |part: &KeyPart| match part {
        KeyPart::Client => Part::Client { v4_bits: bits(v4_bits), v6_bits: bits(v6_bits) },
        KeyPart::Header(name) => Part::Header(FieldName::new(name)),
        KeyPart::Cookie(name) => Part::Cookie(name.as_str().into()),
        KeyPart::Route => Part::Route,
        KeyPart::Host => Part::Host,
        KeyPart::Path => Part::Path,
        KeyPart::Method => Part::Method,
    };
    Key { parts: spec.iter().map(part).collect() }
}
