use std::sync::Arc;
use strait_message::{Headers, Name};

/// What a client is given to remember: a keyed hash of what it came to, in base64url. Only who has the key can make one,
/// and it tells nothing of addresses.
pub type Tag = [u8; 22];

/// Keeps a client with what it came to first: an endpoint of an upstream, or an upstream of a split.
pub struct Sticky {
    /// The cookie's name.
    pub cookie: Box<str>,
    /// What follows its value in Set-Cookie.
    pub attributes: Box<str>,
    /// Whether it is sent over TLS only; `None` for as the request came.
    pub secure: Option<bool>,
    /// Whether a client is refused whose endpoint cannot be used.
    pub is_strict: bool,
    /// What makes its tags.
    pub key: Box<[u8]>,
    /// The tags of what there is to come to, by its index.
    pub tags: Box<[Tag]>,
    /// Tags in order, with their index.
    sorted: Box<[(Tag, u16)]>,
}

/// Without its key.
impl std::fmt::Debug for Sticky {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}{} of {}, secure {:?}, strict {}",
            self.cookie,
            self.attributes,
            self.tags.len(),
            self.secure,
            self.is_strict
        )
    }
}

impl Sticky {
    /// A cookie that keeps nobody yet.
    pub fn new(cookie: &str, attributes: String, secure: Option<bool>, is_strict: bool, key: &[u8]) -> Self {
        Self {
            cookie: cookie.into(),
            attributes: attributes.into(),
            secure,
            is_strict,
            key: key.into(),
            tags: Box::default(),
            sorted: Box::default(),
        }
    }

    /// The same cookie for these tags.
    pub fn with_tags(&self, tags: Vec<Tag>) -> Arc<Self> {
        let mut sorted: Vec<_> = tags.iter().copied().zip(0..=u16::MAX).collect();
        sorted.sort_unstable();
        let Self { cookie, attributes, secure, is_strict, key, .. } = self;
        Arc::new(Self {
            cookie: cookie.clone(),
            attributes: attributes.clone(),
            secure: *secure,
            is_strict: *is_strict,
            key: key.clone(),
            tags: tags.into(),
            sorted: sorted.into(),
        })
    }

    /// What the client of this request came to, when its cookie names something that is still there.
    pub fn find(&self, headers: &Headers) -> Option<usize> {
        let tag = cookie(headers, self.cookie.as_bytes())?;
        let at = self.sorted.binary_search_by(|(known, _)| known.as_slice().cmp(tag)).ok()?;
        self.sorted.get(at).map(|&(_, index)| usize::from(index))
    }

    /// Appends the Set-Cookie field line that makes a client come back here.
    pub fn append(&self, index: usize, over_tls: bool, out: &mut Vec<u8>) {
        let Some(tag) = self.tags.get(index) else { return };
        let secure: &[u8] = if self.secure.unwrap_or(over_tls) { b"; Secure" } else { b"" };
        for part in [b"Set-Cookie: ", self.cookie.as_bytes(), b"=", tag, self.attributes.as_bytes(), secure, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}

/// The value of a cookie (RFC 6265 §4.2.1), without its quotes. The first of the name counts.
pub fn cookie<'h>(headers: &'h Headers, name: &[u8]) -> Option<&'h [u8]> {
    let lines = headers.get_all(Name::Cookie);
    let pairs = lines.flat_map(|line| line.split(|&byte| byte == b';'));
    pairs.map(<[u8]>::trim_ascii).find_map(|pair| {
        let value = pair.strip_prefix(name)?.strip_prefix(b"=")?;
        Some(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
    })
}

#[cfg(test)]
mod tests {
    use super::{Sticky, cookie};
    use strait_message::Headers;

    fn headers(lines: &[&str]) -> Headers {
        let mut headers = Headers::new();
        lines.iter().for_each(|line| headers.push(b"Cookie", line.as_bytes()));
        headers
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        for (lines, expected) in [
            (&["a=1; route=x; b=2"][..], Some("x")),
            (&["a=1", "route=y"], Some("y")),
            (&["xroute=1; routes=2; ;route"], None),
            (&["route=\"q\""], Some("q")),
            (&["route="], Some("")),
            (&["route=a=b"], Some("a=b")),
            (&[], None),
        ] {
            assert_eq!(cookie(&headers(lines), b"route"), expected.map(str::as_bytes), "{lines:?}");
        }
    }

    #[test]
    fn a_client_sticks_to_what_its_tag_names() {
        let tags = vec![[b'b'; 22], [b'a'; 22], [b'c'; 22]];
        let sticky = Sticky::new("s", "; Path=/".into(), None, false, b"key").with_tags(tags);
        let found = |value: &str| sticky.find(&headers(&[&format!("s={value}")]));
        assert_eq!(found(&"a".repeat(22)), Some(1));
        assert_eq!(found(&"c".repeat(22)), Some(2));
        assert_eq!((found(&"d".repeat(22)), found("a"), found("")), (None, None, None));
        let mut line = Vec::new();
        sticky.append(1, true, &mut line);
        assert_eq!(line, format!("Set-Cookie: s={}; Path=/; Secure\r\n", "a".repeat(22)).as_bytes());
    }
}
