use crate::{Name, NameSet};
use std::fmt;

/// A place in the buffer of a [`Headers`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

/// The fields of a head or of a trailer section: one buffer, and offsets into it.
///
/// Order and spelling are kept. Clearing keeps the memory, so that a recycled value allocates nothing in the steady
/// state. Holds less than 4 GiB; the engines' limits are far below.
#[derive(Clone, Default)]
pub struct Headers {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// The known names that may be present; a hint that saves the search.
    present: NameSet,
    /// Some name holds `_` or `.`, which servers may read as `-`.
    alias_spelled: bool,
}

#[derive(Clone, Copy)]
struct Entry {
    name: Span,
    value: Span,
    known: Name,
    /// Name and value stand in the buffer as `name: value`, ready to be copied at once.
    tidy: bool,
}

/// One field, borrowed.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    /// Which known field this is.
    pub known: Name,
    /// The name as it was spelled.
    pub name: &'a [u8],
    /// The value without surrounding whitespace.
    pub value: &'a [u8],
    /// `name: value` as one piece, where the buffer happens to hold it so.
    pub line: Option<&'a [u8]>,
}

/// A line `name ":" OWS value OWS` of a block, as a parser found it. Positions count from the line's first octet.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where in the block the line begins.
    pub at: usize,
    /// What [`Name::from_bytes`] makes of the name.
    pub known: Name,
    /// The name is none that is known, and holds `_` or `.`.
    pub aliased: bool,
    /// Position of the colon.
    pub colon: usize,
    /// The octet behind the colon is a space.
    pub one_space: bool,
    /// The value without surrounding whitespace.
    pub value: std::ops::Range<usize>,
}

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes everything, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.present = NameSet::EMPTY;
        self.alias_spelled = false;
    }

    /// Octets of memory held.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Keeps `bytes` beside the fields (a request target, say) and tells where.
    pub fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        Span { start, end: self.bytes.len() as u32 }
    }

    /// The bytes at `span`; empty when it is not of this value.
    pub fn bytes_at(&self, span: Span) -> &[u8] {
        self.bytes.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Adds a field after the others. The caller vouches that name and value are valid (RFC 9110 §5.1, §5.5).
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        self.push_known(Name::from_bytes(name), name, value);
    }

    /// Adds a field by its known name.
    pub fn push_name(&mut self, name: Name, value: &[u8]) {
        self.push_known(name, name.as_str().as_bytes(), value);
    }

    fn push_known(&mut self, known: Name, name: &[u8], value: &[u8]) {
        let name = self.keep(name);
        self.keep(b": ");
        let value = self.keep(value);
        self.push_entry(Entry { name, value, known, tidy: true });
    }

    /// Adds a field of a block of lines, which [`Headers::keep`] must take as a whole before anything else is called:
    /// one copy for all lines instead of one for each.
    #[inline]
    pub fn push_line(&mut self, line: Line) {
        let base = self.bytes.len() + line.at;
        let span =
            |range: std::ops::Range<usize>| Span { start: (base + range.start) as u32, end: (base + range.end) as u32 };
        let tidy = line.one_space && line.value.start == line.colon + 2;
        self.alias_spelled |= line.aliased;
        self.present.insert(line.known);
        self.entries.push(Entry { name: span(0..line.colon), value: span(line.value), known: line.known, tidy });
    }

    fn push_entry(&mut self, entry: Entry) {
        self.present.insert(entry.known);
        if entry.known == Name::Other {
            self.alias_spelled |= self.bytes_at(entry.name).iter().any(|b| matches!(b, b'_' | b'.'));
        }
        self.entries.push(entry);
    }

    /// Replaces every field of this name by one with `value`.
    pub fn set(&mut self, name: Name, value: &[u8]) {
        self.remove(name);
        self.push_name(name, value);
    }

    /// Removes every field of this known name.
    pub fn remove(&mut self, name: Name) {
        if self.may_contain(name) {
            self.entries.retain(|entry| entry.known != name);
            self.present.remove(name);
        }
    }

    /// Removes the fields whose names are elements of the list field `list`, except the known names in `kept`.
    pub fn remove_listed(&mut self, list: Name, kept: NameSet) {
        let listed: Vec<Vec<u8>> = self.list(list).map(<[u8]>::to_vec).collect();
        self.retain(|field| {
            kept.contains(field.known) || !listed.iter().any(|name| name.eq_ignore_ascii_case(field.name))
        });
    }

    /// Keeps only the fields that `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(Field<'_>) -> bool) {
        let bytes = &self.bytes;
        self.entries.retain(|entry| keep(entry.field(bytes)));
    }

    /// Whether a field of this known name is here.
    pub fn contains(&self, name: Name) -> bool {
        self.get(name).is_some()
    }

    /// The value of the first field of this known name.
    pub fn get(&self, name: Name) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// The values of all fields of this known name, in order.
    pub fn get_all(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        let entries = if self.may_contain(name) { self.entries.as_slice() } else { &[] };
        entries.iter().filter(move |entry| entry.known == name).map(|entry| self.bytes_at(entry.value))
    }

    /// The value of the first field with this name in any case.
    pub fn get_by_text(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// The elements of a comma-separated list field (RFC 9110 §5.6.1), over all its lines, without empty ones.
    pub fn list(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.get_all(name)
            .flat_map(|value| value.split(|&b| b == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|e| !e.is_empty())
    }

    /// Whether a comma-separated list field holds this token, in any case.
    pub fn list_contains(&self, name: Name, token: &[u8]) -> bool {
        self.list(name).any(|element| element.eq_ignore_ascii_case(token))
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.entries.iter().map(|entry| entry.field(&self.bytes))
    }

    /// Appends the fields as lines that end with CRLF, except those in `skip`. Lines that stand beside each other in the
    /// buffer, as they do in a head that was received, are copied as one piece.
    pub fn append_lines(&self, skip: NameSet, out: &mut Vec<u8>) {
        let mut run = Span::default();
        for entry in self.entries.iter().filter(|entry| !skip.contains(entry.known)) {
            let line = Span { start: entry.name.start, end: entry.value.end };
            if entry.tidy
                && run != Span::default()
                && self.bytes_at(Span { start: run.end, end: line.start }) == b"\r\n"
            {
                run.end = line.end;
                continue;
            }
            self.append_run(run, out);
            run = if entry.tidy { line } else { Span::default() };
            if !entry.tidy {
                out.extend_from_slice(self.bytes_at(entry.name));
                out.extend_from_slice(b": ");
                out.extend_from_slice(self.bytes_at(entry.value));
                out.extend_from_slice(b"\r\n");
            }
        }
        self.append_run(run, out);
    }

    fn append_run(&self, run: Span, out: &mut Vec<u8>) {
        let lines = self.bytes_at(run);
        if !lines.is_empty() {
            out.extend_from_slice(lines);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Whether a field of one of these names may be present. `false` is certain, `true` is a hint.
    pub fn may_contain_any(&self, names: NameSet) -> bool {
        self.present.intersects(names)
    }

    /// Whether some field name holds `_` or `.`, which an origin may take for `-`.
    pub fn has_alias_spelling(&self) -> bool {
        self.alias_spelled
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn may_contain(&self, name: Name) -> bool {
        self.present.contains(name)
    }
}

impl Entry {
    fn field<'a>(&self, bytes: &'a [u8]) -> Field<'a> {
        let at = |span: Span| bytes.get(span.start as usize..span.end as usize).unwrap_or_default();
        let line = self.tidy.then(|| at(Span { start: self.name.start, end: self.value.end }));
        Field { known: self.known, name: at(self.name), value: at(self.value), line }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|field| (field.name.escape_ascii().to_string(), field.value.escape_ascii().to_string())),
            )
            .finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::{Headers, Line};
    use crate::{Name, NameSet};

    #[test]
    fn fields_keep_order_and_spelling_and_are_found_by_name() {
        let mut headers = Headers::new();
        headers.push(b"hOsT", b"a");
        let accept = Line { at: 0, known: Name::Accept, aliased: false, colon: 6, one_space: true, value: 9..18 };
        headers.push_line(accept.clone());
        headers.push_line(Line { at: 21, value: 8..11, ..accept });
        headers.keep(b"Accept:  text/html \r\naccept: */*\r\n");
        headers.push(b"X-Own", b"1");
        let all: Vec<_> = headers.get_all(Name::Accept).collect();
        assert_eq!(all, [b"text/html".as_slice(), b"*/*"]);
        assert_eq!(headers.get_by_text(b"x-own"), Some(b"1".as_slice()));
        let lines: Vec<_> =
            headers.iter().filter(|field| field.known == Name::Accept).map(|field| field.line).collect();
        assert_eq!(lines, [None, Some(b"accept: */*".as_slice())], "only a line that is tidy is one piece");
        headers.set(Name::Host, b"b");
        headers.remove(Name::Accept);
        assert_eq!(format!("{headers:?}"), r#"{"X-Own": "1", "Host": "b"}"#);
    }

    #[test]
    fn lines_are_appended_as_they_stand_except_skipped_and_untidy_ones() {
        let lines = b"Host: a\r\nAccept:  b\r\nCookie: c\r\nVia: d \r\nAge: 5\r\nX-A: e\r\nX-B: f\r\n";
        let mut headers = Headers::new();
        let mut at = 0;
        for line in lines.split_inclusive(|&b| b == b'\n') {
            let colon = line.iter().position(|&b| b == b':').unwrap();
            let behind = &line[colon + 1..line.len() - 2];
            let start = colon + 1 + behind.iter().position(|&b| b != b' ').unwrap();
            let value = start..start + behind.trim_ascii().len();
            let known = Name::from_bytes(&line[..colon]);
            headers.push_line(Line {
                at,
                known,
                aliased: false,
                colon,
                one_space: behind.first() == Some(&b' '),
                value,
            });
            at += line.len();
        }
        headers.keep(lines);
        headers.push(b"X-C", b"");
        headers.push(b"X-D", b"h");
        let mut out = Vec::new();
        headers.append_lines(NameSet::of(&[Name::Age]), &mut out);
        let expected = "Host: a\r\nAccept: b\r\nCookie: c\r\nVia: d\r\nX-A: e\r\nX-B: f\r\nX-C: \r\nX-D: h\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut every = Vec::new();
        headers.append_lines(NameSet::EMPTY, &mut every);
        assert_eq!(String::from_utf8(every).unwrap(), expected.replace("X-A", "Age: 5\r\nX-A"));
    }

    #[test]
    fn lists_are_split_over_lines() {
        let mut headers = Headers::new();
        headers.push_name(Name::Connection, b"close, , X-A");
        headers.push_name(Name::Connection, b"Upgrade");
        assert!(headers.list_contains(Name::Connection, b"upgrade"));
        assert_eq!(headers.list(Name::Connection).count(), 3);
    }

    #[test]
    fn listed_fields_are_removed_but_for_the_kept_ones() {
        let mut headers = Headers::new();
        for (name, value) in [("connection", "x-a, HOST, Cookie"), ("Host", "h"), ("X-A", "1"), ("cookie", "c")] {
            headers.push(name.as_bytes(), value.as_bytes());
        }
        headers.remove_listed(Name::Connection, NameSet::of(&[Name::Connection, Name::Host]));
        assert_eq!(format!("{headers:?}"), r#"{"connection": "x-a, HOST, Cookie", "Host": "h"}"#);
    }
}
