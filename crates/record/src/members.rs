//! Lines that are put together name by name: one JSON object, or `key=value` pairs.

use crate::escape::json as escaped;
use crate::figures::{decimal, hexadecimal, instant_us};
use crate::{AccessRecord, Attribute};

/// A line while names are added to it.
#[derive(Debug)]
pub struct Members<'o> {
    out: &'o mut Vec<u8>,
    is_logfmt: bool,
    is_first: bool,
}

impl<'o> Members<'o> {
    /// Begins a line behind what is there.
    pub fn begin(is_logfmt: bool, out: &'o mut Vec<u8>) -> Self {
        if !is_logfmt {
            out.push(b'{');
        }
        Self { out, is_logfmt, is_first: true }
    }

    /// Adds a name and its value. In logfmt a name is one without blanks and quotes.
    pub fn add(&mut self, name: &str, value: Attribute<'_>) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.out.push(if self.is_logfmt { b' ' } else { b',' });
        }
        if self.is_logfmt {
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b'=');
        } else {
            self.quoted(name.as_bytes());
            self.out.push(b':');
        }
        match value {
            Attribute::Text(text) | Attribute::Texts(text) if self.is_logfmt && is_bare(text) => {
                self.out.extend_from_slice(text);
            }
            Attribute::Texts(text) if !self.is_logfmt => {
                self.out.push(b'[');
                self.quoted(text);
                self.out.push(b']');
            }
            Attribute::Text(text) | Attribute::Texts(text) => self.quoted(text),
            Attribute::Number(number) => decimal(number, self.out),
            Attribute::Flag(flag) => self.out.extend_from_slice(if flag { b"true" } else { b"false" }),
        }
    }

    /// Adds those names of a record that are wanted.
    pub fn add_record(&mut self, record: &AccessRecord<'_>, wanted: impl Fn(&str) -> bool) {
        if wanted("timestamp") {
            let mut text = Vec::with_capacity(27);
            instant_us(record.time_us, &mut text);
            self.add("timestamp", Attribute::Text(&text));
        }
        record.attributes(|name, value| {
            if wanted(name) {
                self.add(name, value);
            }
        });
        let Some(trace) = &record.trace else { return };
        let flags = [u8::from(trace.sampled)];
        let ids = [("trace_id", &trace.trace_id[..]), ("span_id", &trace.span_id), ("trace_flags", &flags)];
        for (name, octets) in ids.into_iter().filter(|(name, _)| wanted(name)) {
            let mut digits = Vec::with_capacity(32);
            hexadecimal(octets, &mut digits);
            self.add(name, Attribute::Text(&digits));
        }
    }

    /// Ends the line.
    pub fn end(self) {
        self.out.extend_from_slice(if self.is_logfmt { b"\n" } else { b"}\n" });
    }

    fn quoted(&mut self, text: &[u8]) {
        self.out.push(b'"');
        escaped(text, self.out);
        self.out.push(b'"');
    }
}

/// Whether nothing in it could be taken for an end.
fn is_bare(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'"' | b'=' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::Members;
    use crate::{AccessRecord, Attribute, TraceRecord};

    fn line(is_logfmt: bool, wanted: impl Fn(&str) -> bool) -> String {
        let trace = TraceRecord { trace_id: [1; 16], sampled: true, ..TraceRecord::default() };
        let record = AccessRecord {
            path: b"/a \"b",
            referer: b"r",
            duration_us: 5,
            trace: Some(trace),
            ..AccessRecord::default()
        };
        let mut out = Vec::new();
        let mut members = Members::begin(is_logfmt, &mut out);
        members.add_record(&record, wanted);
        members.add("tenant", Attribute::Text(b"x\ny"));
        members.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_are_chosen_and_added() {
        let some = |name: &str| {
            matches!(name, "url.path" | "strait.duration_us" | "http.request.header.referer" | "trace_flags")
        };
        assert_eq!(
            line(false, some),
            "{\"url.path\":\"/a \\\"b\",\"http.request.header.referer\":[\"r\"],\"strait.duration_us\":5,\"trace_flags\":\"01\",\"tenant\":\"x\\u000ay\"}\n"
        );
        assert_eq!(
            line(true, some),
            "url.path=\"/a \\\"b\" http.request.header.referer=r strait.duration_us=5 trace_flags=01 tenant=\"x\\u000ay\"\n"
        );
        assert_eq!(line(false, |_| false), "{\"tenant\":\"x\\u000ay\"}\n");
        assert!(line(false, |_| true).starts_with("{\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"url.path\""));
    }
}
