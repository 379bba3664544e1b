//! Web origins (RFC 6454 §4) and which of them are meant.

/// Origins: all, exact ones, and those of every host below a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Every origin.
    pub all: bool,
    /// `https://example.com`, in lower case.
    pub exact: Vec<Box<str>>,
    /// `https://` and `.example.com` of `https://*.example.com`, in lower case.
    pub below: Vec<(Box<str>, Box<str>)>,
}

impl Origins {
    /// The origins of a list as it is written: `*`, `https://example.com`, `https://*.example.com`.
    pub fn new<'t>(list: impl IntoIterator<Item = &'t str>) -> Self {
        let mut origins = Self::default();
        for text in list {
            let text = text.trim_end_matches('/').to_ascii_lowercase();
            match text.split_once('*') {
                Some(("", "")) => origins.all = true,
                Some((scheme, domain)) => origins.below.push((scheme.into(), domain.into())),
                None => origins.exact.push(text.into()),
            }
        }
        origins
    }

    /// Whether an origin, as a browser sends it, is meant. `null` is nobody's and never is, unless all are.
    pub fn contains(&self, origin: &[u8]) -> bool {
        let exact = |known: &str| known.as_bytes().eq_ignore_ascii_case(origin);
        self.all
            || self.exact.iter().any(|known| exact(known))
            || self.below.iter().any(|(scheme, domain)| is_below(origin, scheme, domain))
    }
}

fn is_below(origin: &[u8], scheme: &str, domain: &str) -> bool {
    let Some((start, rest)) = origin.split_at_checked(scheme.len()) else { return false };
    let Some((label, end)) = rest.len().checked_sub(domain.len()).and_then(|at| rest.split_at_checked(at)) else {
        return false;
    };
    // What stands for `*` is part of a host name, never a port, a path or another scheme.
    let is_host = !label.is_empty() && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    is_host && start.eq_ignore_ascii_case(scheme.as_bytes()) && end.eq_ignore_ascii_case(domain.as_bytes())
}

/// The host and port of an origin or URL: what stands between `//` and the path.
pub(crate) fn authority(url: &[u8]) -> Option<&[u8]> {
    let at = url.windows(3).position(|window| window == b"://")?;
    let rest = url.get(at + 3..)?;
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    // `https://good.example@evil.example` is evil.example.
    authority.rsplit(|&b| b == b'@').next()
}

#[cfg(test)]
mod tests {
    use super::{Origins, authority};

    #[test]
    fn origins_are_compared_whole_and_stars_stand_for_labels() {
        let origins = Origins::new(["https://Shop.example.com/", "https://*.example.org", "http://localhost:3000"]);
        for (origin, is) in [
            ("https://shop.example.com", true),
            ("HTTPS://SHOP.EXAMPLE.COM", true),
            ("http://shop.example.com", false),
            ("https://shop.example.com:444", false),
            ("https://shop.example.com.evil.example", false),
            ("https://a.example.org", true),
            ("https://a.b.example.org", true),
            ("https://example.org", false),
            ("https://.example.org", false),
            ("https://evil.example/.example.org", false),
            ("https://evil:1.example.org", false),
            ("http://localhost:3000", true),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(origins.contains(origin.as_bytes()), is, "{origin}");
        }
        assert!(Origins::new(["*"]).contains(b"null"));
    }

    #[test]
    fn the_authority_of_a_url_is_where_it_leads() {
        for (url, expected) in [
            ("https://a.example/x?y", Some("a.example")),
            ("https://a.example:8443", Some("a.example:8443")),
            ("https://good@evil.example/", Some("evil.example")),
            ("/relative", None),
        ] {
            assert_eq!(authority(url.as_bytes()), expected.map(str::as_bytes), "{url}");
        }
    }
}
