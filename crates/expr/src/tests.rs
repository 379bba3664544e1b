#![allow(clippy::disallowed_methods, reason = "a test may look at its environment")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use crate::*;
use std::borrow::Cow;
use std::net::IpAddr;

mod properties;

/// A request for the tests.
struct Request {
    jwt: serde_json::Value,
}

impl Facts for Request {
    fn fact(&self, fact: Fact) -> Option<Value<'_>> {
        Some(match fact {
            Fact::ClientIp => Value::Address(IpAddr::from([192, 0, 2, 7])),
            Fact::ClientPort => Value::Int(4711),
            Fact::RequestMethod => Value::text("GET"),
            Fact::RequestScheme => Value::text("https"),
            Fact::RequestHost => Value::text("example.com"),
            Fact::RequestPath => Value::text("/users/7"),
            Fact::RequestQueryString => Value::text("v=2&empty="),
            Fact::RequestUri => Value::text("/users/7?v=2&empty="),
            Fact::Listener => Value::text("https"),
            Fact::Protocol => Value::text("HTTP/2"),
            Fact::TlsClientSan => Value::List(List::Owned(vec![Value::text("DNS:a"), Value::text("URI:spiffe://x/y")])),
            Fact::ResponseStatus => Value::Int(503),
            Fact::Duration => Value::Duration(1_500_000_000),
            _ => return None,
        })
    }

    fn entry(&self, map: MapFact, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let entries: &[(&str, &[u8])] = match map {
            MapFact::RequestHeaders => {
                &[("x-canary", b"1"), ("user-agent", b"curl/8.5"), ("latin", b"caf\xe9"), ("lines", b"a\r\nb")]
            }
            MapFact::RequestCookies => &[("session", b"abc")],
            MapFact::RequestQuery => &[("v", b"2"), ("empty", b"")],
            MapFact::ResponseHeaders => &[("content-type", b"text/html")],
        };
        entries.iter().find(|(name, _)| name.as_bytes() == key).map(|(_, value)| Cow::Borrowed(*value))
    }

    fn capture(&self, place: usize) -> Option<Cow<'_, [u8]>> {
        (place == 0).then_some(Cow::Borrowed(b"7"))
    }

    fn added(&self, name: &str) -> Option<Value<'_>> {
        (name == "jwt").then_some(Value::json(&self.jwt))
    }
}

fn request() -> Request {
    Request {
        jwt: serde_json::json!({
            "sub": "alice", "age": 42, "score": 0.5, "admin": true, "none": null, "groups": ["staff", "ops"],
            "org": {"id": 7, "ips": ["10.0.0.1"]},
        }),
    }
}

fn names() -> Environment {
    Environment::response().with_captures(["id"]).with("jwt", Kind::Any)
}

/// The value as text, or why there is none.
fn answer(text: &str) -> String {
    let expression = Expression::compile(text, &names()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let request = request();
    expression.evaluate(&request).map_or_else(|failure| expression.explain(failure), |value| show(&value))
}

fn show(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::List(list) => format!("[{}]", list.items().iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
        other => {
            let mut text = Vec::new();
            assert!(other.write_text(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}

/// Lines of `expression => answer`.
#[track_caller]
fn check(lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (text, expected) = line.rsplit_once(" => ").unwrap();
        assert_eq!(answer(text), expected, "{text}");
    }
}

#[test]
fn values_of_a_request() {
    check(
        "
        request.method => 'GET'
        request.headers['X-Canary'] => '1'
        request.headers['x-none'] => `request.headers['x-none']` is not there
        request.headers.latin.size() => 4
        'x-canary' in request.headers => true
        'X-Canary' in request.headers => true
        'x-none' in request.headers => false
        has(request.headers.none) => false
        has(request.cookies['session']) => true
        request.query['v'] == '2' => true
        request.query['empty'] == '' => true
        request.headers['x-' + 'canary'] => '1'
        request.headers[request.query['v'] == '2' ? 'user-agent' : 'x'] => 'curl/8.5'
        path.id => '7'
        client.ip => 192.0.2.7
        client.ip == '192.0.2.7' => true
        '192.0.2.8' == client.ip => false
        client.ip in ['10.0.0.0/8', '192.0.2.0/24'] => true
        client.ip in ['10.0.0.0/8', '192.0.2.8'] => false
        cidr('192.0.2.0/24').containsIP(client.ip) => true
        cidr('192.0.2.0/24').containsIP('192.0.3.1') => false
        client.ip in cidr('192.0.0.0/16') => true
        string(client.ip).startsWith('192.') => true
        ip('::ffff:192.0.2.7') == client.ip => false
        tls.sni => `tls.sni` is not there
        has(tls.sni) || protocol == 'HTTP/2' => true
        tls.client.san.exists(name, name.startsWith('URI:spiffe://')) => true
        status >= 500 || duration > 1s => true
        duration => 1.5s
        response.headers['Content-Type'].startsWith('text/') => true
        ",
    );
}

#[test]
fn values_of_a_document() {
    check(
        "
        jwt.sub => 'alice'
        jwt['sub'] => 'alice'
        jwt.groups[1] => 'ops'
        'staff' in jwt.groups => true
        'admin' in jwt.groups => false
        'sub' in jwt => true
        jwt.org.id == 7 => true
        jwt.org.id == 7.0 => true
        jwt.org.id == '7' => false
        jwt.none == null => true
        jwt.admin && jwt.age > 40 => true
        jwt.nothing => `jwt.nothing` is not there
        has(jwt.nothing) => false
        has(jwt.org.id) => true
        jwt.sub.id => `jwt.sub.id` is of another type
        jwt.groups.exists(group, group.startsWith('st')) => true
        jwt.groups.all(group, group.size() > 3) => false
        jwt.groups.map(group, group.upperAscii()) => ['STAFF', 'OPS']
        jwt.groups.filter(group, group != 'ops') => ['staff']
        jwt.groups.exists_one(group, group == 'ops') => true
        jwt.groups + ['x'] => ['staff', 'ops', 'x']
        jwt.org.ips.exists(at, client.ip in [at]) => false
        jwt.groups == ['staff', 'ops'] => true
        jwt.exists(key, key == 'sub') => true
        jwt.groups[5] => `jwt.groups[5]` is beyond the end of the list
        jwt.groups.filter(a, ['staff'].exists(b, a == b)) => ['staff']
        ",
    );
}

#[test]
fn operators() {
    check(
        r"
        1 + 2 * 3 - 4 / 2 => 5
        -7 % 3 => -1
        2.5 * 2.0 => 5
        1u + 2u => 3
        0x1F => 31
        1 < 2 && 2 <= 2 && 3 > 2u && 3.0 >= 3 => true
        1 == 1.0 => true
        !true || !!true => true
        true ? 'a' : 'b' => 'a'
        false ? 'a' : false ? 'b' : 'c' => 'c'
        'a' + 'b' == 'ab' => true
        'abc' < 'abd' => true
        [1, 2] + [3] => [1, 2, 3]
        2 in [1, 2] => true
        'b' in ['a', 'b'] => true
        [1, 2][1] => 2
        1h > 59m && 90s == 1m + 30s => true
        500ms => 0.5s
        1.5s - 2s => -0.5s
        r'\d' + '\x41\u00e4\101\n'.trim() => '\dAäA'
        '''a'b''' => 'a'b'
        b'\xff' == b'\xff' => true
        // a comment is nothing \n 1
        "
        .replace("// a comment is nothing \\n 1", "1 => 1")
        .as_str(),
    );
}

#[test]
fn functions() {
    check(
        "
        'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b') => true
        request.headers['user-agent'].matches('^curl/[0-9.]+$') => true
        matches('xay', 'a') => true
        request.headers.latin.matches('^caf') => true
        size('äöü') + 'x'.size() + size([1, 2]) => 6
        'AbC'.lowerAscii() + 'AbC'.upperAscii() => 'abcABC'
        ' a '.trim() => 'a'
        'a,b,c'.split(',') => ['a', 'b', 'c']
        'a-b-c'.replace('-', '') => 'abc'
        'täxt'.substring(1, 3) => 'äx'
        'täxt'.substring(4) => ''
        string(1) + string(true) + string(1.5) + string(90s) => '1true1.590s'
        int('42') + int(1.9) + int(3u) => 46
        double('0.5') + double(1) => 1.5
        uint(7) => 7
        duration('1h30m') > 89m => true
        int(request.query['v']) * 2 => 4
        int(request.headers['user-agent']) => `int(request.headers['user-agent'])` cannot be converted
        request.path.split('/')[2] => '7'
        request.path.substring(99) => `request.path.substring(99)` is beyond the end of the list
        ",
    );
}

#[test]
fn an_operand_without_value_decides_nothing() {
    check(
        "
        request.headers['none'] == 'x' || true => true
        true || request.headers['none'] == 'x' => true
        request.headers['none'] == 'x' && false => false
        request.headers['none'] == 'x' && true => `request.headers['none']` is not there
        request.headers['none'] == 'x' || false => `request.headers['none']` is not there
        !(request.headers['none'] == 'x') => `request.headers['none']` is not there
        [false, true].exists(x, x || request.headers['none'] == '') => true
        client.port / (client.port - 4711) => `client.port / (client.port - 4711)` divides by zero
        client.port + 9223372036854775807 => `client.port + 9223372036854775807` is too large a number
        ",
    );
}

#[test]
fn a_condition_without_value_does_not_hold() {
    let holds = |text| Expression::condition(text, &names()).unwrap().holds(&request());
    assert!(holds("request.method == 'GET'"));
    assert!(!holds("request.headers['none'] != 'x'"));
    assert!(holds("jwt.admin"));
    assert!(!holds("jwt.sub"));
}

#[test]
fn templates() {
    let check = |text: &str, expected: &str| {
        let template = Template::compile(text, &names()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut out = Vec::new();
        template.render_field(&request(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{text}");
        assert_eq!(template.to_string(), text);
    };
    check("plain", "plain");
    check("", "");
    check("a ${client.ip} b", "a 192.0.2.7 b");
    check("${path.id}${request.method}", "7GET");
    check("/u/${jwt.sub}/${jwt.none}${jwt.nothing}!", "/u/alice/!");
    check("${'}' + \"}\"}", "}}");
    check("$${env} costs 5$", "${env} costs 5$");
    check("${request.headers['lines']}", "a  b");
    check("${jwt.org}", r#"{"id":7,"ips":["10.0.0.1"]}"#);
    assert_eq!(Template::compile("a$${b", &names()).unwrap().as_literal(), Some(&b"a${b"[..]));
    assert_eq!(Template::compile("${path.id}", &names()).unwrap().as_literal(), None);
    let secret =
        Template::of_pieces(&[Piece::Literal("${path.id} ".to_owned()), Piece::Value("path.id".to_owned())], &names())
            .unwrap();
    let mut out = Vec::new();
    secret.render(&request(), &mut out);
    assert_eq!(String::from_utf8_lossy(&out), "${path.id} 7");
}

fn complaint(text: &str, names: &Environment) -> String {
    let error = match Expression::condition(text, names) {
        Ok(expression) => panic!("{expression} compiles"),
        Err(error) => error,
    };
    let marks = "^".repeat(error.span.len().max(1));
    let fix = error.fix.as_ref().map_or_else(String::new, |fix| format!("\n= fix: {}", fix.message));
    if let Some((span, with)) = error.fix.and_then(|fix| fix.edit) {
        let mut mended = text.to_owned();
        mended.replace_range(span, &with);
        if let Err(again) = Expression::condition(&mended, names) {
            assert_ne!(again.span, error.span, "{mended}: {again}");
        }
    }
    let label = if error.label.is_empty() { String::new() } else { format!(" {}", error.label) };
    format!("{text}\n{}{marks}{label}\n{}{fix}\n", " ".repeat(error.span.start), error.message)
}

#[test]
fn mistakes_name_place_and_fix() {
    let request = Environment::request().with_captures(["id"]);
    let mistakes = [
        "request.headerz['x'] == '1'",
        "client.country == 'DE'",
        "remote_addr == '10.0.0.1'",
        "wibble",
        "client == '1'",
        "request.headers == '1'",
        "path.idd == '1'",
        "path.name == '1'",
        "response.status == 200",
        "request.query['v'] == 2",
        "client.port == '80'",
        "client.ip == '10.0.0.0/8'",
        "client.ip in ['10.0.0.0/33']",
        "client.ip.startsWith('10.')",
        "request.path",
        "client.port",
        "request.path && true",
        "request.method = 'GET'",
        "request.method == 'GET' and true",
        "not true",
        "request.method == 'GET' & true",
        "request.method == GET",
        "request.method.startswith('G')",
        "request.method.frobnicate()",
        "request.method.startsWith()",
        "request.method.startsWith(1)",
        "request.path.matches('^/v[0-9+')",
        "request.path.matches(request.host)",
        "request.path.matches('(a{100}){100}{100}')",
        "'abc",
        "'a\\qb' == ''",
        "(true",
        "[1, 2",
        "true)",
        "true ? 1",
        "",
        "  ",
        "{'a': 1}",
        "[1, 'a'] == []",
        "1 + 'a' == ''",
        "1 + 1.0 == 2.0",
        "'x' in request.path",
        "'x' in 5",
        "5 in ['a']",
        "request.path.id == ''",
        "request.path[0] == ''",
        "request.headers[1] == ''",
        "request.path > 5",
        "-request.path == ''",
        "true ? 'a' : 1",
        "1 / 0 == 1",
        "int('x') == 1",
        "12abc == 1",
        "if (true) { 1 }",
        "$request",
        "tls.sni.size",
        "has(1)",
        "client.ip < '10.0.0.1'",
        "request.path.split('/').exists(x > 1, true)",
        "99999999999999999999 == 1",
        "request.headers['a'].split(',').all(a, request.headers['b'].split(',').all(b, request.headers['c'].split(',').all(c, a == b)))",
    ];
    let all: Vec<_> = mistakes.into_iter().map(|text| complaint(text, &request)).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_is_too_large_is_refused() {
    let refused = |text: &str, part: &str| {
        let error = Expression::compile(text, &names()).unwrap_err();
        assert!(error.message.contains(part), "{}", error.message);
    };
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expression::compile(&nested(60), &names()).is_ok());
    refused(&nested(64), "levels deep");
    refused(&nested(3_000), "levels deep");
    refused(&format!("1{}", " + 1".repeat(100)), "levels deep");
    refused(&"!".repeat(5_000), "ends too early");
    refused(&format!("{}true", "!".repeat(5_000)), "levels deep");
    refused(&format!("jwt{}", ".a".repeat(100)), "levels deep");
    assert!(Expression::compile(&format!("true{}", " || true".repeat(900)), &names()).is_ok());
    refused(&format!("[{}]", "1,".repeat(2_050)), "parts");
    refused(&format!("'{}'", "a".repeat(9_000)), "8192 bytes");
    refused(&format!("request.path.matches('{}')", "a".repeat(1_025)), "longer than 1024");
    refused("request.path.matches('[^a]{1000}{100}')", "1 MiB");
}

#[test]
fn an_evaluation_is_bounded() {
    let many = serde_json::Value::Array((0..10_000).map(serde_json::Value::from).collect());
    let request = Request { jwt: serde_json::json!({"many": many}) };
    let expression = Expression::compile("jwt.many.exists(a, jwt.many.exists(b, a + b < 0))", &names()).unwrap();
    let failure = expression.evaluate(&request).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Fuel);
    let doubled = "jwt.many.map(a, string(a) + string(a)).map(a, a + a + a + a + a + a).size() > 0";
    let failure = Expression::compile(doubled, &names()).unwrap().evaluate(&request).map(|_| ()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Fuel);
}

#[test]
fn a_local_name_hides_one_of_the_request() {
    check(
        "
        ['a'].map(listener, listener + '!') => ['a!']
        ['a'].exists(jwt, jwt == 'a') => true
        ['a'].map(x, ['b'].map(x, x)) => [['b']]
        [1, 2].map(x, [3, 4].exists(y, y == 3) ? x : 0) => [1, 2]
        ",
    );
}

/// The manual's tables of names and functions are those of the code. `UPDATE=1` writes them anew.
#[test]
fn the_manual_lists_every_name_and_function() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/expressions.md");
    let manual = std::fs::read_to_string(path).unwrap();
    let names: String = NAMES.iter().map(name_line).collect();
    let functions: String = FUNCTIONS.iter().map(|f| format!("| `{}` | {} |\n", f.form, f.doc)).collect();
    let written = section(&manual, "names", &format!("| name | type | what it is |\n|---|---|---|\n{names}"));
    let written = section(&written, "functions", &format!("| written | what it answers |\n|---|---|\n{functions}"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &written).unwrap();
    } else {
        assert!(manual == written, "docs/expressions.md is not up to date: UPDATE=1 cargo test -p strait-expr");
    }
}

fn name_line(name: &NameDoc) -> String {
    let (kind, key) = match name.kind().as_str() {
        "text, by name" => ("text".to_owned(), "['…']"),
        kind => (kind.to_owned(), ""),
    };
    let since = if name.since == Since::Request { "" } else { "; once there is a response" };
    format!("| `{}{key}` | {kind} | {}{since} |\n", name.name, name.doc)
}

/// The text with what stands between two marks replaced.
fn section(text: &str, mark: &str, with: &str) -> String {
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- end of {mark} -->"));
    let (before, rest) = text.split_once(&open).unwrap();
    let (_, after) = rest.split_once(&close).unwrap();
    format!("{before}{open}{with}{close}{after}")
}
