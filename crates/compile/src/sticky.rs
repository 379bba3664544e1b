//! Sticky cookies: who may be stuck to, as tags that only the holder of the key can make.

use aws_lc_rs::hmac;
use std::fmt::Write as _;
use std::sync::Arc;
use strait_config::spec::{self, SameSite, StickyMode};
use strait_plan::{Sticky, Tag};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The cookie of these names, under the key of the spec or else this one. `scope` keeps a tag of one upstream or route
/// from meaning anything in another.
pub(crate) fn sticky<'n>(
    spec: &spec::Sticky,
    own_key: &[u8],
    scope: &str,
    names: impl Iterator<Item = &'n str>,
) -> Arc<Sticky> {
    let key = spec.key.as_ref().map_or(own_key, |key| key.trim().as_bytes());
    let is_strict = spec.mode == StickyMode::Strict;
    renewed(&Sticky::new(spec.cookie.as_str(), attributes(spec), spec.secure, is_strict, key), scope, names)
}

/// The same cookie for these names.
pub(crate) fn renewed<'n>(sticky: &Sticky, scope: &str, names: impl Iterator<Item = &'n str>) -> Arc<Sticky> {
    sticky.with_tags(names.map(|name| tag(&sticky.key, scope, name)).collect())
}

/// 128 bits of HMAC-SHA-256, in base64url (RFC 4648 §5).
fn tag(key: &[u8], scope: &str, name: &str) -> Tag {
    let mut tag = [b'A'; 22];
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let digest = hmac::sign(&key, [scope, "\0", name].concat().as_bytes());
    let bits = digest.as_ref().iter().take(16).fold(0u128, |bits, &byte| bits << 8 | u128::from(byte));
    for (at, place) in tag.iter_mut().enumerate() {
        // The last character holds two bits and four zeros.
        let six = if at < 21 { (bits >> (122 - 6 * at)) & 63 } else { (bits & 3) << 4 };
        *place = ALPHABET.get(six as usize).copied().unwrap_or(b'A');
    }
    tag
}

fn attributes(spec: &spec::Sticky) -> String {
    let same_site = match spec.same_site {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
        SameSite::None => "None",
    };
    let mut attributes = format!("; Path=/; HttpOnly; SameSite={same_site}");
    if let Some(ttl) = spec.ttl {
        let _ = write!(attributes, "; Max-Age={}", std::time::Duration::from(ttl).as_secs());
    }
    attributes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::tag;

    /// Computed with `printf 'app\0localhost:1' | openssl dgst -sha256 -hmac secret -binary | head -c16 | basenc --base64url`.
    #[test]
    fn tags_are_those_of_other_tools_and_differ_by_key_scope_and_name() {
        assert_eq!(std::str::from_utf8(&tag(b"secret", "app", "localhost:1")).unwrap(), "KOpnWilZFMCsyWxdpb3lyA");
        let all =
            [tag(b"k", "a", "b"), tag(b"l", "a", "b"), tag(b"k", "b", "b"), tag(b"k", "a", "c"), tag(b"k", "ab", "")];
        assert!((0..5).all(|i| (0..i).all(|j| all[i] != all[j])));
    }
}
