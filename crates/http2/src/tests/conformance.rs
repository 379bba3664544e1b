//! What a peer may and may not do, by section of RFC 9113, 7541, 8441 and 9218. Each case is fed whole and octet by
//! octet, and must end the same way.

use super::drive::{
    self, Driven, GET, POST, block, data, frame, get, headers, opening, post, reset, settings, window_update,
};
use crate::ErrorCode;

/// How a case ends.
#[derive(Clone, Debug, PartialEq)]
enum End {
    /// With the connection open and no stream reset.
    Fine,
    /// With this stream reset, and the connection open.
    Stream(u32, ErrorCode),
    /// With GOAWAY.
    Connection(ErrorCode),
}

use End::{Connection, Fine, Stream};
use ErrorCode::{
    CompressionError, EnhanceYourCalm, FlowControlError, FrameSizeError, ProtocolError, RefusedStream, StreamClosed,
};

fn check(name: &str, input: &[u8], expected: &End) {
    for piece in [input.len().max(1), 1] {
        let mut driven = Driven::server();
        let failed = input.chunks(piece).find_map(|octets| driven.feed(octets).err());
        let (resets, goaway) = drive::ends(&driven.sent());
        let end = match (failed, resets.first(), goaway) {
            (Some(_), _, Some(code)) => Connection(ErrorCode::from_number(code)),
            (None, Some(&(stream, code)), _) => Stream(stream, ErrorCode::from_number(code)),
            (None, None, None) => Fine,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(end, *expected, "{name}, in pieces of {piece}: {failed:?}");
    }
}

/// Runs cases behind an ordinary opening.
fn all(cases: &[(&str, Vec<u8>, End)]) {
    for (name, input, expected) in cases {
        check(name, &[opening(), input.clone()].concat(), expected);
    }
}

fn with(fields: &[(&str, &str)], more: &[(&str, &str)]) -> Vec<u8> {
    headers(1, 5, &[fields, more].concat())
}

fn without(name: &str) -> Vec<u8> {
    let fields: Vec<_> = GET.iter().copied().filter(|field| field.0 != name).collect();
    headers(1, 5, &fields)
}

fn replaced(name: &str, value: &'static str) -> Vec<u8> {
    let fields: Vec<_> = GET.iter().map(|&(held, old)| (held, if held == name { value } else { old })).collect();
    headers(1, 5, &fields)
}

#[test]
fn s3_4_the_connection_preface() {
    check("3.4/whole", &opening(), &Fine);
    check("3.4/http1", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &Connection(ProtocolError));
    check("3.4/other-preface", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", &Connection(ProtocolError));
    let preface = crate::frame::PREFACE.to_vec();
    check("3.4/no-settings", &[preface.clone(), get(1)].concat(), &Connection(ProtocolError));
    check("3.4/ping-first", &[preface.clone(), frame(6, 0, 0, &[0; 8])].concat(), &Connection(ProtocolError));
    check("3.4/ack-first", &[preface, frame(4, 1, 0, &[])].concat(), &Connection(ProtocolError));
}

#[test]
fn s4_frames() {
    all(&[
        ("4.1/unknown-type", frame(0x16, 0, 0, &[0; 8]), Fine),
        ("4.1/unknown-type-on-a-stream", [get(1), frame(0xfe, 0xff, 1, b"x")].concat(), Fine),
        ("4.1/unknown-flags", frame(6, 0xfe, 0, &[0; 8]), Fine),
        ("4.1/reserved-bit", [get(1), frame(8, 0, 1 | 1 << 31, &1u32.to_be_bytes())].concat(), Fine),
        ("4.2/data-of-the-largest-size", [post(1), data(1, 1, &[0; 16384])].concat(), Fine),
        ("4.2/data-over-the-largest-size", [post(1), data(1, 0, &[0; 16385])].concat(), Connection(FrameSizeError)),
        ("4.2/headers-over-the-largest-size", frame(1, 5, 1, &[0; 16385]), Connection(FrameSizeError)),
        ("4.2/settings-over-the-largest-size", frame(4, 0, 0, &[0; 16386]), Connection(FrameSizeError)),
        ("4.3/undecodable", frame(1, 5, 1, &[0xff, 0xff]), Connection(CompressionError)),
        (
            "4.3/undecodable-continued",
            [frame(1, 1, 1, &[0xff]), frame(9, 4, 1, &[0xff])].concat(),
            Connection(CompressionError),
        ),
        ("4.3/interrupted-by-data", [frame(1, 1, 1, &block(GET)), data(1, 0, b"")].concat(), Connection(ProtocolError)),
        (
            "4.3/interrupted-by-priority",
            [frame(1, 1, 1, &block(GET)), frame(2, 0, 1, &[0; 5])].concat(),
            Connection(ProtocolError),
        ),
        (
            "4.3/interrupted-by-unknown",
            [frame(1, 1, 1, &block(GET)), frame(0x16, 0, 0, &[])].concat(),
            Connection(ProtocolError),
        ),
        ("4.3/interrupted-by-other-headers", [frame(1, 1, 1, &block(GET)), get(3)].concat(), Connection(ProtocolError)),
    ]);
}

#[test]
fn s5_1_stream_states() {
    all(&[
        ("5.1/idle-data", data(1, 0, b"x"), Connection(ProtocolError)),
        ("5.1/idle-reset", reset(1), Connection(ProtocolError)),
        ("5.1/idle-window-update", window_update(1, 1), Connection(ProtocolError)),
        ("5.1/idle-continuation", frame(9, 4, 1, &block(GET)), Connection(ProtocolError)),
        ("5.1/idle-priority", frame(2, 0, 1, &[0, 0, 0, 0, 1]), Fine),
        ("5.1/half-closed-data", [get(1), data(1, 0, b"x")].concat(), Stream(1, StreamClosed)),
        ("5.1/half-closed-headers", [get(1), get(1)].concat(), Stream(1, StreamClosed)),
        ("5.1/half-closed-window-update", [get(1), window_update(1, 1)].concat(), Fine),
        ("5.1/half-closed-priority", [get(1), frame(2, 0, 1, &[0; 5])].concat(), Fine),
        ("5.1/half-closed-continuation", [get(1), frame(9, 4, 1, &block(GET))].concat(), Connection(ProtocolError)),
        ("5.1/reset-then-window-update", [post(1), reset(1), window_update(1, 1)].concat(), Fine),
        ("5.1/reset-then-reset", [post(1), reset(1), reset(1)].concat(), Fine),
        ("5.1/reset-then-priority", [post(1), reset(1), frame(2, 0, 1, &[0; 5])].concat(), Fine),
        ("5.1.1/even-number", get(2), Connection(ProtocolError)),
        ("5.1.1/lower-number", [get(5), get(3)].concat(), Connection(StreamClosed)),
        ("5.1.1/gaps", [get(5), get(99)].concat(), Fine),
        ("5.1.2/as-many-as-allowed", (0..128).flat_map(|n| get(2 * n + 1)).collect(), Fine),
        ("5.1.2/one-more", (0..129).flat_map(|n| get(2 * n + 1)).collect(), Stream(257, RefusedStream)),
        (
            "5.1.2/reset-streams-count-on",
            (0..129).flat_map(|n| [get(2 * n + 1), reset(2 * n + 1)].concat()).collect(),
            Stream(257, RefusedStream),
        ),
        ("5.5/unknown-setting", settings(&[(0xff00, 7)]), Fine),
    ]);
}

#[test]
fn s6_1_data() {
    all(&[
        ("6.1/stream-0", data(0, 0, b"x"), Connection(ProtocolError)),
        ("6.1/padded", [post(1), data(1, 9, &[3, b'x', 0, 0, 0])].concat(), Fine),
        ("6.1/only-padding", [post(1), data(1, 9, &[3, 0, 0, 0])].concat(), Fine),
        ("6.1/padding-of-the-whole-frame", [post(1), data(1, 8, &[4, 0, 0, 0])].concat(), Connection(ProtocolError)),
        ("6.1/padding-longer-than-the-frame", [post(1), data(1, 8, &[200, b'x'])].concat(), Connection(ProtocolError)),
        ("6.1/padded-and-empty", [post(1), data(1, 8, &[])].concat(), Connection(FrameSizeError)),
        ("6.1/empty-with-end", [post(1), data(1, 1, b"")].concat(), Fine),
        ("6.1/behind-the-end", [post(1), data(1, 1, b"x"), data(1, 1, b"x")].concat(), Stream(1, StreamClosed)),
    ]);
}

#[test]
fn s6_2_headers_and_continuation() {
    let whole = block(GET);
    let (front, back) = whole.split_at(7);
    let pieces = |frames: usize| {
        let mut out = frame(1, 1, 1, &whole);
        (0..frames).for_each(|_| out.extend(frame(9, 0, 1, b"")));
        [out, frame(9, 4, 1, b"")].concat()
    };
    let long: Vec<u8> = (0..3).flat_map(|_| frame(9, 0, 1, &[0x88; 16000])).collect();
    all(&[
        ("6.2/stream-0", headers(0, 5, GET), Connection(ProtocolError)),
        ("6.2/padded", frame(1, 13, 1, &[&[2], &*whole, &[0, 0]].concat()), Fine),
        ("6.2/padding-longer-than-the-frame", frame(1, 13, 1, &[255, 0x82]), Connection(ProtocolError)),
        ("6.2/padded-and-empty", frame(1, 13, 1, &[]), Connection(FrameSizeError)),
        ("6.2/with-priority", frame(1, 0x25, 1, &[&[0, 0, 0, 0, 1], &*whole].concat()), Fine),
        ("6.2/priority-cut-off", frame(1, 0x25, 1, &[0, 0]), Connection(FrameSizeError)),
        ("6.10/continued", [frame(1, 1, 1, front), frame(9, 4, 1, back)].concat(), Fine),
        (
            "6.10/continued-at-every-octet",
            whole
                .iter()
                .enumerate()
                .map(|(at, octet)| match at {
                    0 => frame(1, 1, 1, &[*octet]),
                    _ if at < 20 => frame(9, 0, 1, &[*octet]),
                    20 => frame(9, 4, 1, &whole[20..]),
                    _ => Vec::new(),
                })
                .collect::<Vec<_>>()
                .concat(),
            Fine,
        ),
        ("6.10/another-stream", [frame(1, 1, 1, front), frame(9, 4, 3, back)].concat(), Connection(ProtocolError)),
        ("6.10/stray", frame(9, 4, 1, back), Connection(ProtocolError)),
        ("6.10/stray-on-stream-0", frame(9, 4, 0, back), Connection(ProtocolError)),
        ("6.10/behind-the-end-of-the-block", [get(1), frame(9, 4, 1, back)].concat(), Connection(ProtocolError)),
        ("10.5/empty-continuations", pieces(20), Fine),
        ("10.5/too-many-continuations", pieces(40), Connection(EnhanceYourCalm)),
        ("10.5/a-block-without-end", [frame(1, 1, 1, &whole), long].concat(), Connection(EnhanceYourCalm)),
    ]);
}

#[test]
fn s6_3_to_6_9_the_other_frames() {
    let u32s = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    all(&[
        ("6.3/stream-0", frame(2, 0, 0, &[0; 5]), Connection(ProtocolError)),
        ("6.3/size-on-an-open-stream", [post(1), frame(2, 0, 1, &[0; 4])].concat(), Stream(1, FrameSizeError)),
        ("6.3/size-on-an-idle-stream", frame(2, 0, 1, &[0; 4]), Connection(FrameSizeError)),
        ("6.4/stream-0", frame(3, 0, 0, &[0; 4]), Connection(ProtocolError)),
        ("6.4/size", [post(1), frame(3, 0, 1, &[0; 3])].concat(), Connection(FrameSizeError)),
        ("6.4/unknown-code", [post(1), frame(3, 0, 1, &u32s(&[0xffff]))].concat(), Fine),
        ("6.5/on-a-stream", frame(4, 0, 1, &[]), Connection(ProtocolError)),
        ("6.5/size", frame(4, 0, 0, &[0; 5]), Connection(FrameSizeError)),
        ("6.5/acknowledgement-with-payload", frame(4, 1, 0, &[0; 6]), Connection(FrameSizeError)),
        ("6.5/acknowledgement", frame(4, 1, 0, &[]), Fine),
        (
            "6.5/two-acknowledgements-of-one",
            [frame(4, 1, 0, &[]), frame(4, 1, 0, &[])].concat(),
            Connection(ProtocolError),
        ),
        ("6.5.2/enable-push-2", settings(&[(2, 2)]), Connection(ProtocolError)),
        ("6.5.2/enable-push-1", settings(&[(2, 1)]), Fine),
        ("6.5.2/window-too-large", settings(&[(4, 1 << 31)]), Connection(FlowControlError)),
        ("6.5.2/largest-window", settings(&[(4, (1 << 31) - 1)]), Fine),
        ("6.5.2/frame-size-too-small", settings(&[(5, 16383)]), Connection(ProtocolError)),
        ("6.5.2/frame-size-too-large", settings(&[(5, 1 << 24)]), Connection(ProtocolError)),
        ("6.5.2/frame-size-largest", settings(&[(5, (1 << 24) - 1)]), Fine),
        ("8441.3/connect-protocol-2", settings(&[(8, 2)]), Connection(ProtocolError)),
        ("8441.3/connect-protocol-taken-back", settings(&[(8, 1), (8, 0)]), Connection(ProtocolError)),
        ("6.6/push-promise", [post(1), frame(5, 4, 1, &[0, 0, 0, 2])].concat(), Connection(ProtocolError)),
        ("6.7/on-a-stream", frame(6, 0, 1, &[0; 8]), Connection(ProtocolError)),
        ("6.7/size", frame(6, 0, 0, &[0; 6]), Connection(FrameSizeError)),
        ("6.7/acknowledgement-of-nothing", frame(6, 1, 0, &[0; 8]), Fine),
        ("6.8/on-a-stream", frame(7, 0, 1, &[0; 8]), Connection(ProtocolError)),
        ("6.8/size", frame(7, 0, 0, &[0; 7]), Connection(FrameSizeError)),
        ("6.8/with-debug-data", frame(7, 0, 0, &[&u32s(&[0, 0]), &b"bye"[..]].concat()), Fine),
        ("6.9/size", frame(8, 0, 0, &[0; 3]), Connection(FrameSizeError)),
        ("6.9/nothing-on-the-connection", window_update(0, 0), Connection(ProtocolError)),
        ("6.9/nothing-on-a-stream", [post(1), window_update(1, 0)].concat(), Stream(1, ProtocolError)),
        ("6.9.1/overflow-on-the-connection", window_update(0, (1 << 31) - 1), Connection(FlowControlError)),
        (
            "6.9.1/overflow-on-a-stream",
            [post(1), window_update(1, (1 << 31) - 1)].concat(),
            Stream(1, FlowControlError),
        ),
        (
            "6.9.2/overflow-by-a-setting",
            [post(1), window_update(1, 1), settings(&[(4, (1 << 31) - 1)])].concat(),
            Connection(FlowControlError),
        ),
        (
            "9218.7.1/priority-update",
            [post(1), frame(0x10, 0, 0, &[&u32s(&[1]), &b"u=0, i"[..]].concat())].concat(),
            Fine,
        ),
        ("9218.7.1/on-a-stream", [post(1), frame(0x10, 0, 1, &u32s(&[1]))].concat(), Connection(ProtocolError)),
        ("9218.7.1/size", frame(0x10, 0, 0, &[0; 3]), Connection(FrameSizeError)),
        ("9218.7.1/of-stream-0", frame(0x10, 0, 0, &u32s(&[0])), Connection(ProtocolError)),
    ]);
}

#[test]
fn s8_1_messages() {
    let trailers = |flags, fields: &[(&str, &str)]| [post(1), data(1, 0, b"abc"), headers(1, flags, fields)].concat();
    let sized = |length| headers(1, 4, &[POST, &[("content-length", length)]].concat());
    all(&[
        ("8.1/trailers", trailers(5, &[("x-sum", "1")]), Fine),
        ("8.1/trailers-without-end", trailers(4, &[("x-sum", "1")]), Stream(1, ProtocolError)),
        ("8.1/trailers-with-pseudo", trailers(5, &[(":path", "/")]), Stream(1, ProtocolError)),
        ("8.1/trailers-with-connection", trailers(5, &[("connection", "close")]), Stream(1, ProtocolError)),
        ("8.1/trailers-in-upper-case", trailers(5, &[("X-Sum", "1")]), Stream(1, ProtocolError)),
        (
            "8.1/frames-behind-trailers",
            [trailers(5, &[("x-sum", "1")]), data(1, 1, b"x")].concat(),
            Stream(1, StreamClosed),
        ),
        ("8.1.1/length-exact", [sized("3"), data(1, 1, b"abc")].concat(), Fine),
        ("8.1.1/length-in-two-frames", [sized("3"), data(1, 0, b"a"), data(1, 1, b"bc")].concat(), Fine),
        ("8.1.1/shorter", [sized("3"), data(1, 1, b"ab")].concat(), Stream(1, ProtocolError)),
        ("8.1.1/longer", [sized("3"), data(1, 1, b"abcd")].concat(), Stream(1, ProtocolError)),
        (
            "8.1.1/longer-in-two-frames",
            [sized("1"), data(1, 0, b"a"), data(1, 1, b"b")].concat(),
            Stream(1, ProtocolError),
        ),
        (
            "8.1.1/shorter-with-trailers",
            [sized("3"), data(1, 0, b"a"), headers(1, 5, &[("x", "1")])].concat(),
            Stream(1, ProtocolError),
        ),
        (
            "8.1.1/length-without-body",
            headers(1, 5, &[POST, &[("content-length", "3")]].concat()),
            Stream(1, ProtocolError),
        ),
        ("8.1.1/length-zero-without-body", headers(1, 5, &[POST, &[("content-length", "0")]].concat()), Fine),
        ("8.1.1/not-a-number", sized("3a"), Stream(1, ProtocolError)),
        ("8.1.1/negative", sized("-1"), Stream(1, ProtocolError)),
        (
            "8.1.1/two-lengths",
            headers(1, 4, &[POST, &[("content-length", "3"), ("content-length", "3")]].concat()),
            Stream(1, ProtocolError),
        ),
        ("8.1.1/too-large-to-count", sized("99999999999999999999"), Stream(1, ProtocolError)),
    ]);
}

#[test]
fn s8_2_fields() {
    all(&[
        ("8.2.1/upper-case-name", with(GET, &[("X-Name", "1")]), Stream(1, ProtocolError)),
        ("8.2.1/upper-case-known-name", with(GET, &[("Accept", "1")]), Stream(1, ProtocolError)),
        ("8.2.1/empty-name", with(GET, &[("", "1")]), Stream(1, ProtocolError)),
        ("8.2.1/space-in-name", with(GET, &[("x name", "1")]), Stream(1, ProtocolError)),
        ("8.2.1/colon-in-name", with(GET, &[("x:name", "1")]), Stream(1, ProtocolError)),
        ("8.2.1/line-feed-in-name", with(GET, &[("x\nname", "1")]), Stream(1, ProtocolError)),
        ("8.2.1/octet-above-ascii-in-name", with(GET, &[("x\u{e9}", "1")]), Stream(1, ProtocolError)),
        ("8.2.1/nul-in-value", with(GET, &[("x", "a\0b")]), Stream(1, ProtocolError)),
        ("8.2.1/line-feed-in-value", with(GET, &[("x", "a\nb: c")]), Stream(1, ProtocolError)),
        ("8.2.1/carriage-return-in-value", with(GET, &[("x", "a\rb")]), Stream(1, ProtocolError)),
        ("8.2.1/space-before-value", with(GET, &[("x", " a")]), Stream(1, ProtocolError)),
        ("8.2.1/tab-behind-value", with(GET, &[("x", "a\t")]), Stream(1, ProtocolError)),
        ("8.2.1/empty-value", with(GET, &[("x", "")]), Fine),
        ("8.2.1/tab-inside-value", with(GET, &[("x", "a\tb")]), Fine),
        ("8.2.2/connection", with(GET, &[("connection", "keep-alive")]), Stream(1, ProtocolError)),
        ("8.2.2/proxy-connection", with(GET, &[("proxy-connection", "keep-alive")]), Stream(1, ProtocolError)),
        ("8.2.2/keep-alive", with(GET, &[("keep-alive", "timeout=5")]), Stream(1, ProtocolError)),
        (
            "8.2.2/transfer-encoding",
            headers(1, 4, &[POST, &[("transfer-encoding", "chunked")]].concat()),
            Stream(1, ProtocolError),
        ),
        ("8.2.2/upgrade", with(GET, &[("upgrade", "h2c")]), Stream(1, ProtocolError)),
        ("8.2.2/http2-settings", with(GET, &[("http2-settings", "AAMAAABkAAQAAP__")]), Stream(1, ProtocolError)),
        ("8.2.2/te-trailers", with(GET, &[("te", "trailers")]), Fine),
        ("8.2.2/te-other", with(GET, &[("te", "trailers, deflate")]), Stream(1, ProtocolError)),
        ("8.2.3/cookie-crumbs", with(GET, &[("cookie", "a=1"), ("cookie", "b=2")]), Fine),
    ]);
}

#[test]
fn s8_3_pseudo_header_fields() {
    let connect = |fields: &[(&str, &str)]| headers(1, 4, fields);
    all(&[
        ("8.3/behind-a-field", headers(1, 5, &[&[("x", "1")], GET].concat()), Stream(1, ProtocolError)),
        ("8.3/one-behind-a-field", with(&GET[..3], &[("x", "1"), (":authority", "a")]), Stream(1, ProtocolError)),
        ("8.3/unknown", with(&[(":x", "1")], GET), Stream(1, ProtocolError)),
        ("8.3/of-a-response", with(&[(":status", "200")], GET), Stream(1, ProtocolError)),
        ("8.3/upper-case", headers(1, 5, &[&[(":Method", "GET")], &GET[1..]].concat()), Stream(1, ProtocolError)),
        ("8.3.1/no-method", without(":method"), Stream(1, ProtocolError)),
        ("8.3.1/no-scheme", without(":scheme"), Stream(1, ProtocolError)),
        ("8.3.1/no-path", without(":path"), Stream(1, ProtocolError)),
        ("8.3.1/no-authority", without(":authority"), Stream(1, ProtocolError)),
        ("8.3.1/host-for-authority", headers(1, 5, &[&GET[..3], &[("host", "a.example")]].concat()), Fine),
        ("8.3.1/host-is-the-authority", with(GET, &[("host", "A.example")]), Fine),
        ("8.3.1/host-differs", with(GET, &[("host", "b.example")]), Stream(1, ProtocolError)),
        (
            "8.3.1/two-hosts-that-differ",
            headers(1, 5, &[&GET[..3], &[("host", "a"), ("host", "b")]].concat()),
            Stream(1, ProtocolError),
        ),
        ("8.3.1/authority-with-userinfo", replaced(":authority", "u@a.example"), Stream(1, ProtocolError)),
        ("8.3.1/empty-authority", replaced(":authority", ""), Stream(1, ProtocolError)),
        ("8.3.1/two-methods", with(&[(":method", "GET")], GET), Stream(1, ProtocolError)),
        ("8.3.1/two-schemes", with(&[(":scheme", "http")], GET), Stream(1, ProtocolError)),
        ("8.3.1/two-paths", with(&[(":path", "/")], GET), Stream(1, ProtocolError)),
        ("8.3.1/two-authorities", with(&[(":authority", "a.example")], GET), Stream(1, ProtocolError)),
        ("8.3.1/empty-path", replaced(":path", ""), Stream(1, ProtocolError)),
        ("8.3.1/relative-path", replaced(":path", "a/b"), Stream(1, ProtocolError)),
        ("8.3.1/absolute-form", replaced(":path", "http://a.example/"), Stream(1, ProtocolError)),
        ("8.3.1/path-with-space", replaced(":path", "/a b"), Stream(1, ProtocolError)),
        ("8.3.1/path-with-fragment", replaced(":path", "/a#b"), Stream(1, ProtocolError)),
        ("8.3.1/path-with-line-feed", replaced(":path", "/a\nb"), Stream(1, ProtocolError)),
        ("8.3.1/asterisk-of-get", replaced(":path", "*"), Stream(1, ProtocolError)),
        (
            "8.3.1/asterisk-of-options",
            headers(1, 5, &[&[(":method", "OPTIONS"), (":path", "*")], &GET[1..2], &GET[3..]].concat()),
            Fine,
        ),
        ("8.3.1/scheme-ftp", replaced(":scheme", "ftp"), Stream(1, ProtocolError)),
        ("8.3.1/scheme-smuggled", replaced(":scheme", "http://b/?"), Stream(1, ProtocolError)),
        ("8.3.1/method-with-space", replaced(":method", "GET /x HTTP/1.1"), Stream(1, ProtocolError)),
        ("8.3.1/method-empty", replaced(":method", ""), Stream(1, ProtocolError)),
        ("8.5/connect", connect(&[(":method", "CONNECT"), (":authority", "a:443")]), Fine),
        (
            "8.5/connect-with-path",
            connect(&[(":method", "CONNECT"), (":authority", "a:443"), (":path", "/")]),
            Stream(1, ProtocolError),
        ),
        (
            "8.5/connect-with-scheme",
            connect(&[(":method", "CONNECT"), (":authority", "a:443"), (":scheme", "http")]),
            Stream(1, ProtocolError),
        ),
        ("8.5/connect-without-authority", connect(&[(":method", "CONNECT")]), Stream(1, ProtocolError)),
        (
            "8441.4/extended-connect",
            connect(&[&[(":method", "CONNECT"), (":protocol", "websocket")], &GET[1..]].concat()),
            Fine,
        ),
        ("8441.4/protocol-of-get", connect(&[&[(":protocol", "websocket")], GET].concat()), Stream(1, ProtocolError)),
        (
            "8441.4/without-path",
            connect(&[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "a")]),
            Stream(1, ProtocolError),
        ),
    ]);
}

#[test]
fn s10_5_limits() {
    let many: Vec<(&str, &str)> = GET.iter().copied().chain((0..96).map(|_| ("x", "1"))).collect();
    let more: Vec<(&str, &str)> = GET.iter().copied().chain((0..97).map(|_| ("x", "1"))).collect();
    let crumbs: Vec<(&str, &str)> = GET.iter().copied().chain((0..97).map(|_| ("cookie", "a"))).collect();
    all(&[("10.5/fields-max", headers(1, 5, &many), Fine)]);
    for (fields, misdeed) in [(more, "TooManyFields"), (crumbs, "TooManyFields")] {
        let mut driven = Driven::open();
        let events = driven.feed(&headers(1, 5, &fields)).unwrap();
        assert_eq!(drive::words(&events), format!("refused 1 {misdeed}"));
    }
    // One octet of the block stands for an entry of 4,000: the decoded size is what counts.
    let value = "v".repeat(200);
    let mut bomb = block(GET);
    bomb.extend([0x40, 1, b'x', 0x7f, 73]);
    bomb.extend(value.as_bytes());
    bomb.extend([0xbe; 4000]);
    let mut driven = Driven::open();
    let events = driven.feed(&frame(1, 5, 1, &bomb)).unwrap();
    assert!(drive::words(&events).starts_with("refused 1"), "{}", drive::words(&events));
    assert!(driven.scratch.request.headers.capacity() < 128 * 1024);
}
