//! The static table (RFC 7541 Appendix A).

use strait_message::Name;

/// Entries of the static table.
pub(super) const STATIC_ENTRIES: usize = 61;

/// An entry: name and value.
type Entry = (&'static [u8], &'static [u8]);

const TABLE: [Entry; STATIC_ENTRIES] = [
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    (b":status", b"200"),
    (b":status", b"204"),
    (b":status", b"206"),
    (b":status", b"304"),
    (b":status", b"400"),
    (b":status", b"404"),
    (b":status", b"500"),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
    (b"accept-language", b""),
    (b"accept-ranges", b""),
    (b"accept", b""),
    (b"access-control-allow-origin", b""),
    (b"age", b""),
    (b"allow", b""),
    (b"authorization", b""),
    (b"cache-control", b""),
    (b"content-disposition", b""),
    (b"content-encoding", b""),
    (b"content-language", b""),
    (b"content-length", b""),
    (b"content-location", b""),
    (b"content-range", b""),
    (b"content-type", b""),
    (b"cookie", b""),
    (b"date", b""),
    (b"etag", b""),
    (b"expect", b""),
    (b"expires", b""),
    (b"from", b""),
    (b"host", b""),
    (b"if-match", b""),
    (b"if-modified-since", b""),
    (b"if-none-match", b""),
    (b"if-range", b""),
    (b"if-unmodified-since", b""),
    (b"last-modified", b""),
    (b"link", b""),
    (b"location", b""),
    (b"max-forwards", b""),
    (b"proxy-authenticate", b""),
    (b"proxy-authorization", b""),
    (b"range", b""),
    (b"referer", b""),
    (b"refresh", b""),
    (b"retry-after", b""),
    (b"server", b""),
    (b"set-cookie", b""),
    (b"strict-transport-security", b""),
    (b"transfer-encoding", b""),
    (b"user-agent", b""),
    (b"vary", b""),
    (b"via", b""),
    (b"www-authenticate", b""),
];

/// What each entry's name is among the known ones.
static KNOWN: [Name; STATIC_ENTRIES] = build_known();
/// For each known name, by its number, the first entry with it, from 1; zero for none.
static INDEX_OF: [u8; 256] = build_index();

static ENTRIES: [Entry; STATIC_ENTRIES] = TABLE;

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time: out of bounds does not build")]
const fn build_known() -> [Name; STATIC_ENTRIES] {
    let mut known = [Name::Other; STATIC_ENTRIES];
    let mut at = 0;
    while at < STATIC_ENTRIES {
        let mut candidate = 0;
        while candidate < Name::ALL.len() {
            if TABLE[at].0.eq_ignore_ascii_case(Name::ALL[candidate].as_str().as_bytes()) {
                known[at] = Name::ALL[candidate];
            }
            candidate += 1;
        }
        at += 1;
    }
    known
}

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time: out of bounds does not build")]
const fn build_index() -> [u8; 256] {
    let known = build_known();
    let mut index = [0; 256];
    let mut at = STATIC_ENTRIES;
    while at > 0 {
        index[known[at - 1] as usize] = at as u8;
        at -= 1;
    }
    index[Name::Other as usize] = 0;
    index
}

/// The entry at an index from 1.
pub(super) fn entry(index: usize) -> Option<(Name, &'static [u8], &'static [u8])> {
    let at = index.checked_sub(1)?;
    let (name, value) = ENTRIES.get(at)?;
    Some((*KNOWN.get(at)?, name, value))
}

/// The first entry with this name, from 1.
pub(super) fn index_of(name: Name) -> Option<usize> {
    INDEX_OF.get(name as usize).map(|&index| usize::from(index)).filter(|&index| index > 0)
}
