//! From a path of a URL to a name below a folder.

/// A name below a folder. It has no `..`, no empty segment and no octet that a file system reads otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name, relative, without a slash at either end; empty for the folder itself.
    pub name: Vec<u8>,
    /// Whether the path ended in a slash: only a folder is meant.
    pub is_folder: bool,
}

/// What a canonical path stands for, once its first `skip` segments are taken off. `None` when no file can have the
/// name, or it is hidden: one that begins with a dot, but for `.well-known` (RFC 8615), unless `hidden` files are served.
pub fn below(path: &[u8], skip: usize, hidden: bool) -> Option<Place> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let is_folder = path.is_empty() || path.ends_with(b"/");
    let mut name = Vec::with_capacity(path.len());
    for segment in path.split(|&octet| octet == b'/').skip(skip).filter(|segment| !segment.is_empty()) {
        if !name.is_empty() {
            name.push(b'/');
        }
        let start = name.len();
        decode(segment, &mut name)?;
        let decoded = name.get(start..).unwrap_or_default();
        let is_hidden = decoded.starts_with(b".") && decoded != b".well-known";
        if matches!(decoded, b"." | b"..") || (is_hidden && !hidden) {
            return None;
        }
    }
    // Everything was taken off: the folder itself is asked for, with a slash or without.
    let is_folder = is_folder || name.is_empty();
    Some(Place { name, is_folder })
}

/// Decodes `%XX`. Neither a slash nor a NUL may come out: a name cannot hold them (RFC 3986 §2.2).
fn decode(segment: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = segment.iter();
    while let Some(&octet) = rest.next() {
        let octet = match octet {
            b'%' => hex(*rest.next()?)? << 4 | hex(*rest.next()?)?,
            octet => octet,
        };
        if matches!(octet, b'/' | 0) {
            return None;
        }
        out.push(octet);
    }
    Some(())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::below;

    #[track_caller]
    fn check(path: &str, skip: usize, expected: Option<(&str, bool)>) {
        let place = below(path.as_bytes(), skip, false);
        let place = place.map(|place| (String::from_utf8_lossy(&place.name).into_owned(), place.is_folder));
        assert_eq!(place, expected.map(|(name, folder)| (name.to_owned(), folder)), "{path}");
    }

    #[test]
    fn paths_become_names() {
        check("/", 0, Some(("", true)));
        check("/a.txt", 0, Some(("a.txt", false)));
        check("/a/b.txt", 0, Some(("a/b.txt", false)));
        check("/a/b/", 0, Some(("a/b", true)));
        check("/static/a.css", 1, Some(("a.css", false)));
        check("/static/", 1, Some(("", true)));
        check("/static", 1, Some(("", true)));
        check("/a%20b", 0, Some(("a b", false)));
        check("/%C3%A4", 0, Some(("ä", false)));
        check("/.well-known/security.txt", 0, Some((".well-known/security.txt", false)));
        check("/a//b", 0, Some(("a/b", false)));
    }

    #[test]
    fn names_that_no_file_may_have_are_none() {
        for path in ["/.git/config", "/a/.env", "/a%2Fb", "/a%00", "/%2e%2e/a", "/%2E", "/a%", "/a%4", "/a%zz"] {
            check(path, 0, None);
        }
        assert!(below(b"/.git/config", 0, true).is_some());
        assert!(below(b"/%2e%2e/a", 0, true).is_none());
    }
}
