//! Lines of the access log: what they look like, and that nothing a client sends makes two of one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use proptest::prelude::*;
use serde_json::Value;
use strait_message::{Fault, Kind, Method, Phase, Status, Version};
use strait_record::{ATTRIBUTE_NAMES, AccessRecord, Attribute, End, Format, TraceRecord};

fn record() -> AccessRecord<'static> {
    AccessRecord {
        time_us: 1_762_344_896_789_012,
        request_id: "019a5394-1d15-7c3e-8b1a-2f6f0c9d1e42",
        client: Some("203.0.113.195:51234".parse().unwrap()),
        listener: "web",
        worker: 1,
        generation: 3,
        method: Some(Method::Get),
        host: b"shop.example.com:8080",
        path: b"/items/7",
        query: b"page=2",
        version: Version::Http11,
        tls: None,
        user_agent: b"curl/8.5.0",
        referer: b"http://example.com/",
        route: "shop.example.com/*",
        upstream: "shop",
        endpoint: "10.0.0.12:3000",
        attempts: 2,
        reused: false,
        status: Some(Status::OK),
        upstream_status: Some(Status::OK),
        request_bytes: 5,
        response_bytes: 1024,
        duration_us: 1234,
        first_byte_us: 1180,
        connect_us: 210,
        trace: None,
        end: End::Complete,
    }
}

#[test]
fn tls_is_written_down_with_who_the_client_is() {
    use strait_record::TlsRecord;
    let tls = TlsRecord {
        version: "TLSv1.3",
        suite: "TLS13_AES_128_GCM_SHA256",
        server_name: "shop.example.com",
        resumed: true,
        client_subject: "CN=a\\,\"b",
        client_fingerprint: "00ff",
    };
    let written: Value =
        serde_json::from_str(&line(&AccessRecord { tls: Some(tls), ..record() }, Format::Json)).unwrap();
    assert_eq!(written["tls.protocol.version"], "1.3");
    assert_eq!(written["tls.cipher"], "TLS13_AES_128_GCM_SHA256");
    assert_eq!(written["tls.client.server_name"], "shop.example.com");
    assert_eq!(written["tls.resumed"], true);
    assert_eq!(written["tls.client.subject"], "CN=a\\,\"b");
    assert_eq!(written["tls.client.hash.sha256"], "00ff");
    let without: Value = serde_json::from_str(&line(&record(), Format::Json)).unwrap();
    assert!(without.get("tls.protocol.version").is_none());
}

/// What is known of an exchange whose request line could not be read.
fn nothing_read() -> AccessRecord<'static> {
    AccessRecord {
        client: Some("[2001:db8::1]:0".parse().unwrap()),
        method: None,
        host: b"",
        path: b"",
        query: b"",
        user_agent: b"",
        referer: b"",
        route: "",
        upstream: "",
        endpoint: "",
        attempts: 0,
        status: Some(Status::BAD_REQUEST),
        upstream_status: None,
        first_byte_us: 0,
        connect_us: 0,
        end: End::Fault(Fault::client(Phase::RequestHead, Kind::Malformed).because("bare LF")),
        ..record()
    }
}

fn line(record: &AccessRecord<'_>, format: Format) -> String {
    let mut out = b"before\n".to_vec();
    record.write(format, &mut out);
    String::from_utf8(out).unwrap().strip_prefix("before\n").unwrap().to_owned()
}

#[track_caller]
fn check(record: &AccessRecord<'_>, format: Format, expected: &str) {
    assert_eq!(line(record, format), expected);
}

#[test]
fn combined_is_that_of_nginx_and_httpd() {
    let head = r#"203.0.113.195 - - [05/Nov/2025:12:14:56 +0000] "GET /items/7?page=2 HTTP/1.1" 200 1024"#;
    check(&record(), Format::Common, &format!("{head}\n"));
    check(&record(), Format::Combined, &format!("{head} \"http://example.com/\" \"curl/8.5.0\"\n"));
    let head = "2001:db8::1 - - [05/Nov/2025:12:14:56 +0000] \"-\" 400 1024";
    check(&nothing_read(), Format::Combined, &format!("{head} \"-\" \"-\"\n"));
    let left = End::Fault(Fault::client(Phase::ResponseHead, Kind::Closed));
    let left = AccessRecord { status: None, end: left, user_agent: b"a\"\\\n\xff", ..record() };
    assert!(line(&left, Format::Combined).ends_with("\" 499 1024 \"http://example.com/\" \"a\\x22\\x5c\\x0a\\xff\"\n"));
}

/// The keys of a line of logfmt, with their values.
fn pairs(line: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = line.trim_end();
    while let Some((key, behind)) = rest.split_once('=') {
        let quoted = behind.strip_prefix('"').map(|inside| inside.split_once('"').unwrap());
        let (value, behind) = quoted.unwrap_or_else(|| behind.split_once(' ').unwrap_or((behind, "")));
        pairs.push((key.trim().to_owned(), value.to_owned()));
        rest = behind;
    }
    pairs
}

#[test]
fn logfmt_has_the_keys_of_json() {
    let fault = AccessRecord { end: nothing_read().end, ..record() };
    for record in [record(), nothing_read(), fault] {
        let json: Value = serde_json::from_str(&line(&record, Format::Json)).unwrap();
        let mut expected: Vec<(String, String)> = Vec::new();
        for (key, value) in json.as_object().unwrap() {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Array(items) => items[0].as_str().unwrap().to_owned(),
                other => other.to_string(),
            };
            // Neither form leaves it out; an empty path says nothing in this one.
            if !value.is_empty() {
                expected.push((key.clone(), value));
            }
        }
        let mut written = pairs(&line(&record, Format::Logfmt));
        written.sort();
        expected.sort();
        assert_eq!(written, expected);
    }
}

#[test]
fn ecs_has_the_names_of_the_elastic_common_schema() {
    let json: Value = serde_json::from_str(&line(&record(), Format::Ecs)).unwrap();
    for (key, value) in [
        ("@timestamp", "\"2025-11-05T12:14:56.789012Z\""),
        ("ecs.version", "\"8.11.0\""),
        ("event.outcome", "\"success\""),
        ("event.duration", "1234000"),
        ("client.ip", "\"203.0.113.195\""),
        ("url.domain", "\"shop.example.com\""),
        ("url.port", "8080"),
        ("url.path", "\"/items/7\""),
        ("http.response.status_code", "200"),
        ("http.response.body.bytes", "1024"),
        ("strait.end", "\"complete\""),
    ] {
        assert_eq!(json[key].to_string(), value, "{key}");
    }
    let json: Value = serde_json::from_str(&line(&nothing_read(), Format::Ecs)).unwrap();
    assert_eq!(json["event.outcome"], "failure");
    assert_eq!(json["error.code"], "client.request_head.malformed");
}

#[test]
fn json_has_opentelemetry_names() {
    check(
        &record(),
        Format::Json,
        concat!(
            r#"{"timestamp":"2025-11-05T12:14:56.789012Z","client.address":"203.0.113.195","client.port":51234,"#,
            r#""http.request.method":"GET","server.address":"shop.example.com","server.port":8080,"#,
            r#""url.path":"/items/7","url.query":"page=2","network.protocol.version":"1.1","#,
            r#""user_agent.original":"curl/8.5.0","http.request.header.referer":["http://example.com/"],"#,
            r#""http.request.body.size":5,"http.response.status_code":200,"http.response.body.size":1024,"#,
            r#""http.route":"shop.example.com/*","strait.request_id":"019a5394-1d15-7c3e-8b1a-2f6f0c9d1e42","#,
            r#""strait.listener":"web","strait.worker":1,"strait.generation":3,"strait.upstream":"shop","#,
            r#""strait.endpoint":"10.0.0.12:3000","strait.attempts":2,"strait.reused":false,"#,
            r#""strait.duration_us":1234,"strait.first_byte_us":1180,"strait.connect_us":210,"#,
            r#""strait.upstream_status":200,"strait.end":"complete"}"#,
            "\n"
        ),
    );
}

#[test]
fn json_leaves_out_what_is_not_known() {
    check(
        &nothing_read(),
        Format::Json,
        concat!(
            r#"{"timestamp":"2025-11-05T12:14:56.789012Z","client.address":"2001:db8::1","url.path":"","#,
            r#""network.protocol.version":"1.1","http.request.body.size":5,"http.response.status_code":400,"#,
            r#""http.response.body.size":1024,"strait.request_id":"019a5394-1d15-7c3e-8b1a-2f6f0c9d1e42","#,
            r#""strait.listener":"web","strait.worker":1,"strait.generation":3,"strait.attempts":0,"#,
            r#""strait.duration_us":1234,"strait.end":"client.request_head.malformed","#,
            r#""strait.reason":"the client broke the protocol in the request head: bare LF"}"#,
            "\n"
        ),
    );
}

#[test]
fn an_uncommon_method_is_other_and_named() {
    let written = line(&AccessRecord { method: Method::from_token(b"PROPFIND"), ..record() }, Format::Json);
    assert!(written.contains(r#""http.request.method":"_OTHER","http.request.method_original":"PROPFIND""#));
}

#[test]
fn text_is_columns_then_what_varies() {
    let plain = Format::Text { color: false };
    check(
        &record(),
        plain,
        "2025-11-05T12:14:56.789Z 203.0.113.195   GET     200    1024B    1.2ms shop.example.com:8080/items/7?page=2  \
         [shop.example.com/* → shop/10.0.0.12:3000]\n",
    );
    check(
        &nothing_read(),
        plain,
        "2025-11-05T12:14:56.789Z 2001:db8::1     -       400    1024B    1.2ms -  \
         the client broke the protocol in the request head: bare LF\n",
    );
    let in_place = AccessRecord { upstream: "[::1]:80", endpoint: "[::1]:80", duration_us: 61_000_000, ..record() };
    assert!(
        line(&in_place, plain)
            .ends_with("   61.0s shop.example.com:8080/items/7?page=2  [shop.example.com/* → [::1]:80]\n")
    );
    let large = AccessRecord { response_bytes: 12_345_678, status: None, duration_us: 999, ..record() };
    assert!(line(&large, plain).contains(" ---   12.3MB    999µs "));
}

#[test]
fn text_is_coloured_by_the_class_of_the_status() {
    for (status, paint) in
        [(200, "\x1b[32m200\x1b[0m"), (304, "\x1b[36m304"), (404, "\x1b[33m404"), (502, "\x1b[31m502")]
    {
        let record = AccessRecord { status: Status::new(status), ..record() };
        assert!(line(&record, Format::Text { color: true }).contains(paint));
        assert!(!line(&record, Format::Text { color: false }).contains('\x1b'));
    }
}

#[test]
fn nothing_is_written_when_off() {
    check(&record(), Format::Off, "");
}

const FORMATS: [Format; 6] =
    [Format::Json, Format::Ecs, Format::Logfmt, Format::Common, Format::Combined, Format::Text { color: false }];

proptest! {
    #[test]
    fn whatever_is_sent_is_one_line_and_json(
        host: Vec<u8>, path: Vec<u8>, query in ".*", user_agent: Vec<u8>, referer in any::<String>(),
        route in any::<String>(), numbers: [u64; 6], kind in 0..3u8,
    ) {
        let end = match kind {
            0 => End::Complete,
            1 => End::Fault(Fault::client(Phase::RequestBody, Kind::Closed)),
            _ => End::Fault(Fault::upstream(Phase::Connect, Kind::Refused).because("a \"quoted\"\nword\\")),
        };
        let [time_us, generation, request_bytes, response_bytes, duration_us, connect_us] = numbers;
        let record = AccessRecord {
            time_us, generation, request_bytes, response_bytes, duration_us, connect_us, end,
            host: &host, path: &path, query: query.as_bytes(), user_agent: &user_agent, referer: referer.as_bytes(),
            route: &route, upstream: &route, endpoint: &route, ..record()
        };
        let json = line(&record, Format::Json);
        let parsed: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&parsed["url.path"], &Value::from(String::from_utf8_lossy(&path)));
        prop_assert_eq!(&parsed["strait.duration_us"], &Value::from(duration_us));
        prop_assert_eq!(parsed.get("http.route").map_or("", |route| route.as_str().unwrap()), &route);
        prop_assert_eq!(parsed.get("strait.reason").is_some(), end != End::Complete);
        let ecs: Value = serde_json::from_str(&line(&record, Format::Ecs)).unwrap();
        prop_assert_eq!(&ecs["url.path"], &parsed["url.path"]);
        for format in FORMATS {
            let written = line(&record, format);
            prop_assert!(written.ends_with('\n'));
            prop_assert_eq!(written.chars().filter(|c| c.is_control()).count(), 1, "{:?}", written);
            let breaks_out = written.contains(['\u{2028}', '\u{2029}', '\u{202e}']);
            prop_assert!(!breaks_out);
        }
    }
}

#[test]
fn a_record_names_its_trace() {
    let ids = TraceRecord { trace_id: [0xab; 16], span_id: [0x0c; 8], parent_id: None, sampled: true };
    let traced = AccessRecord { trace: Some(ids), ..record() };
    let (trace, span) = ("ab".repeat(16), "0c".repeat(8));
    let json = line(&traced, Format::Json);
    assert!(json.contains(&format!(r#","trace_id":"{trace}","span_id":"{span}","trace_flags":"01","#)), "{json}");
    let ecs = line(&traced, Format::Ecs);
    assert!(ecs.contains(&format!(r#","trace.id":"{trace}","span.id":"{span}","#)), "{ecs}");
    let logfmt = line(&traced, Format::Logfmt);
    assert!(logfmt.contains(&format!(" trace_id={trace} span_id={span} trace_flags=01 ")), "{logfmt}");
}

#[test]
fn attributes_are_the_members_of_the_json_form() {
    let left = End::Fault(Fault::client(Phase::ResponseHead, Kind::Closed));
    let records = [
        record(),
        nothing_read(),
        AccessRecord { end: left, status: None, method: Method::from_token(b"PROPFIND"), ..record() },
    ];
    for record in records {
        let json: Value = serde_json::from_str(&line(&record, Format::Json)).unwrap();
        let mut given = serde_json::Map::new();
        given.insert("timestamp".to_owned(), json["timestamp"].clone());
        record.attributes(|name, value| {
            let text = |text: &[u8]| Value::from(String::from_utf8_lossy(text).into_owned());
            let value = match value {
                Attribute::Text(octets) => text(octets),
                Attribute::Texts(octets) => Value::from(vec![text(octets)]),
                Attribute::Number(number) => Value::from(number),
                Attribute::Flag(flag) => Value::from(flag),
            };
            given.insert(name.to_owned(), value);
        });
        assert!(given.keys().all(|name| ATTRIBUTE_NAMES.contains(&&**name)));
        assert_eq!(Value::from(given), json);
    }
}
