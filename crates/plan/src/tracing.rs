//! Trace context: who asked, whether the trace is kept, and what the origin is told. W3C Trace Context, and B3.

use strait_message::{Headers, Name};
use strait_record::TraceRecord;

/// How exchanges are traced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracing {
    /// How many of 100,000 traces that begin here are kept.
    pub of_100_000: u32,
    /// Whose traces are continued.
    pub parents: Parents,
    /// The forms in which context is read and sent on.
    pub forms: TraceForms,
}

/// The forms of trace context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceForms {
    /// `traceparent` and `tracestate`.
    pub w3c: bool,
    /// The one field `b3`.
    pub b3: bool,
    /// The fields `X-B3-TraceId` and so on.
    pub b3_multi: bool,
}

/// Whose traces are continued, and whose word on keeping them counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parents {
    /// Anybody's.
    #[default]
    Anyone,
    /// Those of trusted proxies.
    Trusted,
    /// Nobody's: every exchange begins a trace.
    Nobody,
}

impl Tracing {
    /// Where an exchange stands. `random` gives numbers that nobody guesses.
    pub fn begin(&self, headers: &Headers, is_trusted: bool, mut random: impl FnMut() -> u64) -> TraceRecord {
        let heard = match self.parents {
            Parents::Anyone => true,
            Parents::Trusted => is_trusted,
            Parents::Nobody => false,
        };
        let parent = heard.then(|| self.parent(headers)).flatten();
        let span_id = some_id(&mut random);
        let draw = |random: u64| u32::try_from(random % 100_000).unwrap_or(0) < self.of_100_000;
        match parent {
            Some(Parent { trace_id, span_id: parent_id, sampled }) => {
                let sampled = sampled.unwrap_or_else(|| draw(random()));
                TraceRecord { trace_id, span_id, parent_id: Some(parent_id), sampled }
            }
            None => {
                let mut trace_id = [0; 16];
                let (high, low) = trace_id.split_at_mut(8);
                high.copy_from_slice(&some_id(&mut random));
                low.copy_from_slice(&some_id(&mut random));
                TraceRecord { trace_id, span_id, parent_id: None, sampled: draw(random()) }
            }
        }
    }

    fn parent(&self, headers: &Headers) -> Option<Parent> {
        let w3c = || headers.get(Name::Traceparent).filter(|_| self.forms.w3c).and_then(traceparent);
        let b3 = || (self.forms.b3 || self.forms.b3_multi).then(|| b3_of(headers)).flatten();
        w3c().or_else(b3)
    }

    /// Whether a field carries context, which is taken off before ours is put on. `tracestate` stays, as long as its
    /// trace goes on.
    pub fn is_trace_field(name: &[u8]) -> bool {
        let is = |text: &str| name.eq_ignore_ascii_case(text.as_bytes());
        is("traceparent") || is("b3") || name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"x-b3-"))
    }

    /// Appends the field lines that tell an origin where it stands, under the span of an attempt. Where in `out` the
    /// span's digits begin is added to `places`, so that another attempt can write its own there.
    pub fn append(&self, trace: &TraceRecord, span_id: [u8; 8], out: &mut Vec<u8>, places: &mut Vec<usize>) {
        let flag: &[u8] = if trace.sampled { b"1" } else { b"0" };
        let mut span = |out: &mut Vec<u8>| {
            places.push(out.len());
            hexadecimal(&span_id, out);
        };
        if self.forms.w3c {
            out.extend_from_slice(b"traceparent: 00-");
            hexadecimal(&trace.trace_id, out);
            out.push(b'-');
            span(out);
            out.extend_from_slice(b"-0");
            out.extend_from_slice(flag);
            out.extend_from_slice(b"\r\n");
        }
        if self.forms.b3 {
            out.extend_from_slice(b"b3: ");
            hexadecimal(&trace.trace_id, out);
            out.push(b'-');
            span(out);
            out.push(b'-');
            out.extend_from_slice(flag);
            out.extend_from_slice(b"\r\n");
        }
        if self.forms.b3_multi {
            out.extend_from_slice(b"X-B3-TraceId: ");
            hexadecimal(&trace.trace_id, out);
            out.extend_from_slice(b"\r\nX-B3-SpanId: ");
            span(out);
            out.extend_from_slice(b"\r\nX-B3-ParentSpanId: ");
            hexadecimal(&trace.span_id, out);
            out.extend_from_slice(b"\r\nX-B3-Sampled: ");
            out.extend_from_slice(flag);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Octets as hexadecimal digits.
pub fn hexadecimal(octets: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    for octet in octets {
        out.extend_from_slice(&[digit(octet >> 4), digit(octet & 15)]);
    }
}

/// What whoever asked says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parent {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    /// `None` when the decision is left to us.
    sampled: Option<bool>,
}

/// An id that is not all zeros, which would mean that there is none (W3C Trace Context §3.2.2.3).
fn some_id(random: &mut impl FnMut() -> u64) -> [u8; 8] {
    random().max(1).to_be_bytes()
}

/// `00-TRACE-SPAN-FLAGS` (W3C Trace Context §3.2). Of a version that is not known yet the parts that are known count.
fn traceparent(text: &[u8]) -> Option<Parent> {
    let (known, rest) = text.split_at_checked(55)?;
    let mut parts = known.split(|octet| *octet == b'-');
    let version: [u8; 1] = lower(parts.next()?)?;
    let (trace_id, span_id, flags): ([u8; 16], [u8; 8], [u8; 1]) =
        (lower(parts.next()?)?, lower(parts.next()?)?, lower(parts.next()?)?);
    let whole = match version {
        [0] => rest.is_empty(),
        [0xff] => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    let [flags] = flags;
    some(trace_id, span_id).filter(|_| whole).map(|parent| Parent { sampled: Some(flags & 1 == 1), ..parent })
}

/// The single field, or the several, of B3.
fn b3_of(headers: &Headers) -> Option<Parent> {
    match headers.get_by_text(b"b3") {
        Some(text) => b3_single(text),
        None => b3_multi(headers),
    }
}

/// `TRACE-SPAN[-SAMPLED[-PARENT]]`.
fn b3_single(text: &[u8]) -> Option<Parent> {
    let mut parts = text.split(|octet| *octet == b'-');
    let parent = some(b3_trace(parts.next()?)?, digits(parts.next()?)?)?;
    Some(Parent { sampled: parts.next().and_then(b3_sampled), ..parent })
}

fn b3_multi(headers: &Headers) -> Option<Parent> {
    let trace_id = b3_trace(headers.get_by_text(b"x-b3-traceid")?)?;
    let parent = some(trace_id, digits(headers.get_by_text(b"x-b3-spanid")?)?)?;
    let debug = headers.get_by_text(b"x-b3-flags") == Some(b"1");
    let sampled = headers.get_by_text(b"x-b3-sampled").and_then(b3_sampled);
    Some(Parent { sampled: if debug { Some(true) } else { sampled }, ..parent })
}

/// A trace of B3 may have half as many digits; it is then the lower half.
fn b3_trace(text: &[u8]) -> Option<[u8; 16]> {
    let short = || digits::<8>(text).map(|low| u128::from(u64::from_be_bytes(low)).to_be_bytes());
    digits(text).or_else(short)
}

fn b3_sampled(text: &[u8]) -> Option<bool> {
    match text {
        b"1" | b"d" | b"true" => Some(true),
        b"0" | b"false" => Some(false),
        _ => None,
    }
}

fn some(trace_id: [u8; 16], span_id: [u8; 8]) -> Option<Parent> {
    (trace_id != [0; 16] && span_id != [0; 8]).then_some(Parent { trace_id, span_id, sampled: None })
}

/// Octets written in lower case, as W3C demands.
fn lower<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    text.iter().all(|octet| !octet.is_ascii_uppercase()).then(|| digits(text)).flatten()
}

fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut octets = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(text.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *octet = *octet << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]
    use super::{Parents, TraceForms, Tracing};
    use strait_message::Headers;
    use strait_record::TraceRecord;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn tracing(of_100_000: u32) -> Tracing {
        let forms = TraceForms { w3c: true, b3: true, b3_multi: true };
        Tracing { of_100_000, parents: Parents::Anyone, forms }
    }

    fn begin(tracing: &Tracing, fields: &[(&str, &str)]) -> TraceRecord {
        let mut headers = Headers::new();
        fields.iter().for_each(|(name, value)| headers.push(name.as_bytes(), value.as_bytes()));
        let mut number = 0;
        tracing.begin(&headers, false, || {
            number += 1;
            number
        })
    }

    /// The trace, the parent's span, and whether it is kept; for a trace that began here, dots.
    fn heard(fields: &[(&str, &str)]) -> String {
        let trace = begin(&tracing(0), fields);
        let Some(parent) = trace.parent_id else { return "..".to_owned() };
        let mut text = Vec::new();
        super::hexadecimal(&trace.trace_id, &mut text);
        text.push(b' ');
        super::hexadecimal(&parent, &mut text);
        format!("{} {}", String::from_utf8(text).unwrap(), trace.sampled)
    }

    #[test]
    fn traceparent_is_read_strictly() {
        let parsed = |text: &str| heard(&[("traceparent", text)]);
        assert_eq!(parsed(&format!("00-{TRACE}-{SPAN}-01")), format!("{TRACE} {SPAN} true"));
        assert_eq!(parsed(&format!("00-{TRACE}-{SPAN}-00")), format!("{TRACE} {SPAN} false"));
        assert_eq!(parsed(&format!("cc-{TRACE}-{SPAN}-09-more")), format!("{TRACE} {SPAN} true"));
        for wrong in [
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}{SPAN}--01"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("cc-{TRACE}-{SPAN}-01more"),
            String::new(),
        ] {
            assert_eq!(parsed(&wrong), "..", "{wrong}");
        }
    }

    #[test]
    fn b3_is_read_in_both_forms() {
        let whole = format!("{TRACE} {SPAN} true");
        assert_eq!(heard(&[("b3", &format!("{TRACE}-{SPAN}-1"))]), whole);
        assert_eq!(heard(&[("b3", &format!("{TRACE}-{SPAN}-d-{SPAN}"))]), whole);
        assert_eq!(heard(&[("b3", &format!("{TRACE}-{SPAN}"))]), format!("{TRACE} {SPAN} false"));
        let short = &TRACE[16..];
        assert_eq!(heard(&[("b3", &format!("{short}-{SPAN}-0"))]), format!("{:0>32} {SPAN} false", short));
        let several = [("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN), ("X-B3-Sampled", "1")];
        assert_eq!(heard(&several), whole);
        assert_eq!(heard(&[several[0], several[1], ("X-B3-Flags", "1")]), whole);
        assert_eq!(heard(&[("b3", "0")]), "..");
        let w3c = ("traceparent", &*format!("00-{TRACE}-{SPAN}-00"));
        assert_eq!(heard(&[w3c, ("b3", &format!("{SPAN}{SPAN}-{SPAN}-1"))]), format!("{TRACE} {SPAN} false"));
    }

    #[test]
    fn a_parent_decides_and_else_chance_does() {
        let no = ("traceparent", &*format!("00-{TRACE}-{SPAN}-00"));
        assert!(!begin(&tracing(100_000), &[no]).sampled);
        assert!(begin(&tracing(100_000), &[]).sampled && !begin(&tracing(0), &[]).sampled);
        assert!(begin(&tracing(100_000), &[("b3", &format!("{TRACE}-{SPAN}"))]).sampled);
        let deaf = Tracing { parents: Parents::Nobody, ..tracing(100_000) };
        assert!(begin(&deaf, &[no]).parent_id.is_none());
        let wary = Tracing { parents: Parents::Trusted, ..tracing(100_000) };
        assert!(begin(&wary, &[no]).parent_id.is_none());
    }

    #[test]
    fn what_is_sent_on_is_read_again() {
        let trace = TraceRecord { sampled: true, ..begin(&tracing(0), &[]) };
        let (mut out, mut places) = (Vec::new(), Vec::new());
        tracing(0).append(&trace, [9; 8], &mut out, &mut places);
        let text = String::from_utf8(out).unwrap();
        let fields: Vec<_> = text.lines().map(|line| line.split_once(": ").unwrap()).collect();
        let mut id = Vec::new();
        super::hexadecimal(&trace.trace_id, &mut id);
        let expected = format!("{} {} true", String::from_utf8(id).unwrap(), "09".repeat(8));
        assert_eq!(heard(&fields[..1]), expected);
        assert_eq!(heard(&fields[1..2]), expected);
        assert_eq!(heard(&fields[2..]), expected);
        assert!(places.iter().all(|place| text[*place..].starts_with("0909090909090909")));
        assert!(fields.iter().all(|(name, _)| Tracing::is_trace_field(name.as_bytes())));
        assert!(!Tracing::is_trace_field(b"tracestate"));
    }
}
