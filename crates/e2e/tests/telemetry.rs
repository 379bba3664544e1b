//! What can be seen of the real program: spans and records that a receiver made of OpenTelemetry's own definitions
//! decodes, context that origins get, what `strait top`, `tail` and `why` show, and the access log after USR1.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the helpers serve several test files")]

mod inside;
mod support;

use inside::{Act, Origin, refusing, wait_for};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use support::{Program, Strait, python, run, scratch};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// A receiver that decodes OTLP, and the messages it got.
struct Receiver {
    http: u64,
    grpc: u64,
    messages: Arc<Mutex<Vec<Value>>>,
    _program: Program,
}

impl Receiver {
    fn start() -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/telemetry/receiver.py");
        let child = Command::new(python()).arg(script).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut program = Program(child.unwrap());
        let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
        let Some(Ok(first)) = lines.next() else {
            eprintln!("skipped: opentelemetry-proto or grpcio is missing; run `cargo xtask peers`");
            return None;
        };
        let ports: Value = serde_json::from_str(&first).unwrap();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let taken = messages.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                taken.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let port = |name: &str| ports[name].as_u64().unwrap();
        Some(Self { http: port("http"), grpc: port("grpc"), messages, _program: program })
    }

    /// Everything of one kind that has come by one road, once there are so many.
    fn items(&self, via: &str, lists: [&str; 3], wanted: usize) -> Vec<Value> {
        wait_for(|| {
            let messages = self.messages.lock().unwrap();
            let messages = messages.iter().filter(|message| message["via"] == via);
            let resources = messages.flat_map(|message| list(&message["message"], lists[0]));
            let scopes = resources.flat_map(|resource| list(&resource, lists[1]));
            let items: Vec<Value> = scopes.flat_map(|scope| list(&scope, lists[2])).collect();
            (items.len() >= wanted).then_some(items)
        })
    }

    fn spans(&self, via: &str, wanted: usize) -> Vec<Value> {
        self.items(via, ["resourceSpans", "scopeSpans", "spans"], wanted)
    }
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value[key].as_array().cloned().unwrap_or_default()
}

/// An attribute's value as text.
fn attribute(item: &Value, key: &str) -> String {
    let found = list(item, "attributes").into_iter().find(|attribute| attribute["key"] == key);
    let value = found.map(|attribute| attribute["value"].clone()).unwrap_or_default();
    let inner = value.as_object().and_then(|value| value.values().next().cloned()).unwrap_or_default();
    inner.as_str().map_or_else(|| inner.to_string(), str::to_owned)
}

/// Octets, which are base64 in JSON, as hexadecimal digits.
fn digits(item: &Value, key: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = item[key].as_str().unwrap_or_default().trim_end_matches('=');
    let value = |octet: u8| ALPHABET.iter().position(|letter| *letter == octet).unwrap();
    let bits: Vec<usize> =
        text.bytes().flat_map(|octet| (0..6).rev().map(move |bit| value(octet) >> bit & 1)).collect();
    bits.chunks_exact(8).map(|octet| format!("{:02x}", octet.iter().fold(0, |sum, bit| sum * 2 + bit))).collect()
}

fn fields(requests: &[String], number: usize, name: &str) -> Option<String> {
    let of = |line: &str| {
        let (field, value) = line.split_once(": ")?;
        field.eq_ignore_ascii_case(name).then(|| value.to_owned())
    };
    requests[number].lines().find_map(of)
}

/// `strait` with these arguments; what it printed and whether it was content.
fn strait(admin: &str, arguments: &[&str]) -> (bool, String) {
    let binary = std::env::var_os("STRAIT_BIN")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/debug/strait").into(), PathBuf::from);
    let Output { status, stdout, stderr } =
        Command::new(binary).args(arguments).args(["--admin", admin]).output().unwrap();
    (status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

#[test]
fn a_trace_goes_through_and_its_spans_arrive_over_http() {
    let Some(receiver) = Receiver::start() else { return };
    let origin = Origin::start(|number| if number == 0 { Act::Reset } else { Act::answer(200, "fine") });
    let Some(strait) = Strait::start_as_it_is(&format!(
        "routes: {{/items/*: app}}\nupstreams: {{app: {{endpoints: [\"{}\"], retry: 2}}}}\ntelemetry: {{access_log: {{path: otlp}}, traces: {{propagate: [w3c, b3, b3multi]}}, server_timing: true, otlp: {{endpoint: \"http://127.0.0.1:{}\", headers: {{X-Token: secret}}, service: shop}}}}\n",
        origin.address, receiver.http
    )) else {
        return;
    };
    let parent = format!("traceparent: 00-{TRACE}-{SPAN}-01");
    let answer = run("curl", &["-si", "-H", &parent, "-H", "tracestate: vendor=1", &strait.url("/items/7")]);
    assert!(
        answer.contains("Server-Timing: strait;dur=") && answer.contains(&format!("desc=\"00-{TRACE}-")),
        "{answer}"
    );

    let spans = receiver.spans("/v1/traces", 3);
    let server = spans.iter().find(|span| span["kind"] == "SPAN_KIND_SERVER").unwrap();
    assert_eq!((digits(server, "traceId").as_str(), digits(server, "parentSpanId").as_str()), (TRACE, SPAN));
    assert_eq!((&server["name"], &server["traceState"]), (&"GET /items/*".into(), &"vendor=1".into()));
    assert_eq!(attribute(server, "http.response.status_code"), "200");
    assert!(server["status"]["code"].is_null(), "{server}");
    let attempts: Vec<_> = spans.iter().filter(|span| span["kind"] == "SPAN_KIND_CLIENT").collect();
    assert_eq!(attempts.len(), 2);
    for (number, attempt) in attempts.iter().enumerate() {
        assert_eq!(digits(attempt, "parentSpanId"), digits(server, "spanId"));
        // The origin was told the span of the attempt that reached it, in all three forms.
        let (requests, span) = (origin.requests(), digits(attempt, "spanId"));
        let sent = |name: &str| fields(&requests, number, name).unwrap();
        assert_eq!(sent("traceparent"), format!("00-{TRACE}-{span}-01"));
        assert_eq!(sent("b3"), format!("{TRACE}-{span}-1"));
        assert_eq!((sent("x-b3-traceid"), sent("x-b3-spanid")), (TRACE.to_owned(), span));
        assert_eq!(sent("tracestate"), "vendor=1");
    }
    assert_eq!(attribute(attempts[0], "error.type"), "upstream.response_head.reset");
    assert_eq!(attempts[0]["status"]["code"], "STATUS_CODE_ERROR");
    assert_eq!(attribute(attempts[1], "http.request.resend_count"), "1");

    let logs = receiver.items("/v1/logs", ["resourceLogs", "scopeLogs", "logRecords"], 1);
    assert_eq!(digits(&logs[0], "traceId"), TRACE);
    assert_eq!(
        (attribute(&logs[0], "url.path"), attribute(&logs[0], "strait.attempts")),
        ("/items/7".into(), "2".into())
    );
    let messages = receiver.messages.lock().unwrap().clone();
    assert!(messages.iter().all(|message| message["headers"]["X-Token"] == "secret"));
    assert_eq!(
        attribute(&messages[0]["message"]["resourceSpans"][0]["resource"], "service.name").replace("null", "shop"),
        "shop"
    );
    // The receiver refused the first message, which came again.
    wait_for(|| (strait.metric("strait_otlp_sent_total") == 4).then_some(()));
    assert_eq!((strait.metric("strait_otlp_failures_total"), strait.metric("strait_otlp_dropped_total")), (1, 0));
}

#[test]
fn spans_arrive_over_grpc_and_parents_decide_which() {
    let Some(receiver) = Receiver::start() else { return };
    let origin = Origin::answering("fine");
    let Some(strait) = Strait::start_as_it_is(&format!(
        "routes: {{/: \"{}\"}}\ntelemetry: {{access_log: {{format: off}}, traces: {{sample: 0%, propagate: [w3c, b3], otlp: \"grpc://127.0.0.1:{}\"}}}}\n",
        origin.address, receiver.grpc
    )) else {
        return;
    };
    let ask = |field: &str| run("curl", &["-s", "-o", "/dev/null", "-H", field, &strait.url("/")]);
    ask("X-None: 1");
    ask(&format!("traceparent: 00-{TRACE}-{SPAN}-00"));
    ask(&format!("b3: {TRACE}-{SPAN}-1"));
    let spans = receiver.spans("grpc", 2);
    assert_eq!(spans.len(), 2, "one exchange, one attempt: {spans:?}");
    assert!(spans.iter().all(|span| digits(span, "traceId") == TRACE));
    // What is not kept is sent on all the same.
    let requests = origin.requests();
    assert!(fields(&requests, 0, "traceparent").unwrap().ends_with("-00"));
    assert!(fields(&requests, 1, "traceparent").unwrap().starts_with(&format!("00-{TRACE}-")));
    assert_eq!(strait.metric("strait_otlp_sent_total"), 2);
}

#[test]
fn a_collector_that_is_away_holds_up_nothing() {
    let origin = Origin::answering("fine");
    let Some(strait) = Strait::start_as_it_is(&format!(
        "routes: {{/: \"{}\"}}\ntelemetry: {{access_log: {{format: off}}, traces: {{otlp: \"http://{}\"}}}}\n",
        origin.address,
        refusing()
    )) else {
        return;
    };
    for _ in 0..20 {
        assert_eq!(run("curl", &["-s", &strait.url("/")]), "fine");
    }
    wait_for(|| (strait.metric("strait_otlp_failures_total") > 0).then_some(()));
}

#[test]
fn a_failure_is_explained_and_requests_are_watched() {
    let origin = Origin::answering("fine");
    let dead = refusing();
    let Some(running) = Strait::start(&format!(
        "routes: {{/: \"{}\", /dead: dead}}\nupstreams: {{dead: {{endpoints: [\"{dead}\"], retry: 2}}}}\n",
        origin.address
    )) else {
        return;
    };
    let problem: Value = serde_json::from_str(&run("curl", &["-s", &running.url("/dead")])).unwrap();
    let id = problem["request_id"].as_str().unwrap();
    let story = wait_for(|| Some(strait(&running.operator(), &["why", id])).filter(|(found, _)| *found)).1;
    for part in
        ["end       upstream.connect.refused", &format!("attempt 2 {dead}"), "look at   nobody listens at the endpoint"]
    {
        assert!(story.contains(part), "{part} is not in {story}");
    }
    assert!(strait(&running.operator(), &["why"]).1.contains(id));
    let (found, said) = strait(&running.operator(), &["why", "019a5394-1d15-7c3e-8b1a-2f6f0c9d1e42"]);
    assert!(!found && said.contains("no failure with this request id is remembered"), "{said}");

    let (url, dead_url, admin) = (running.url("/watched?a=b"), running.url("/dead"), &running.operator());
    // Asked until both have seen enough: watching begins with the first question.
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asking = std::thread::spawn({
        let done = done.clone();
        move || {
            while !done.load(std::sync::atomic::Ordering::Acquire) {
                run("curl", &["-s", &url]);
                run("curl", &["-s", &dead_url]);
            }
        }
    });
    let (_, lines) = strait(admin, &["tail", "--count", "2", "--json", "--filter", "request.path == '/watched'"]);
    let errors = strait(admin, &["tail", "--count", "1", "--errors", "--upstream", "dead"]).1;
    let tops: Vec<String> = ["route", "upstream", "endpoint", "client"]
        .map(|by| strait(admin, &["top", "--count", "2", "--by", by, "--json"]).1)
        .into();
    done.store(true, std::sync::atomic::Ordering::Release);
    asking.join().unwrap();
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&record["url.path"], &record["url.query"]), (&"/watched".into(), &"a=b".into()), "{lines}");
    }
    assert!(errors.contains("502") && errors.contains("refused"), "{errors}");
    for (top, name) in tops.iter().zip(["web /dead", "dead", &format!("dead {dead}"), "127.0.0.1"]) {
        let last: Value = serde_json::from_str(top.lines().last().unwrap()).unwrap();
        let row = list(&last, "rows").into_iter().find(|row| row["name"] == name);
        let row = row.unwrap_or_else(|| panic!("no row {name} in {top}"));
        assert!(row["rate"].as_f64().unwrap() > 0.0 && row["errors"].as_f64().unwrap() > 0.0, "{row}");
    }
    let (well, said) = strait(admin, &["tail", "--filter", "request.headers['a'] == 'b'"]);
    assert!(!well && said.contains("request.headers"), "{said}");
}

#[test]
fn usr1_opens_the_access_log_anew() {
    let log = scratch().join("access.log");
    let Some(strait) = Strait::start_as_it_is(&format!(
        "routes: {{/: {{respond: here}}}}\ntelemetry: {{access_log: {{format: json, path: {}}}}}\n",
        log.display()
    )) else {
        return;
    };
    let written = |text: &str| wait_for(|| std::fs::read_to_string(&log).ok().filter(|log| log.contains(text)));
    run("curl", &["-s", &strait.url("/before")]);
    written("/before");
    let moved = log.with_extension("moved");
    std::fs::rename(&log, &moved).unwrap();
    run("kill", &["-USR1", &strait.id().to_string()]);
    wait_for(|| log.is_file().then_some(()));
    run("curl", &["-s", &strait.url("/after")]);
    assert!(!written("/after").contains("/before"));
    assert!(!std::fs::read_to_string(moved).unwrap().contains("/after"));
}

/// Every metric that an expression of a board or a rule asks for.
fn metrics_of(text: &str) -> std::collections::BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let is_metric = |word: &&str| {
        ["strait_", "process_", "http_server_", "http_client_"].iter().any(|prefix| word.starts_with(prefix))
    };
    words.filter(is_metric).map(str::to_owned).collect()
}

#[test]
fn boards_and_rules_ask_for_what_a_scrape_has() {
    let origin = Origin::answering("fine");
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{}\", /dead: \"{}\"}}\n", origin.address, refusing()))
    else {
        return;
    };
    run("curl", &["-s", &strait.url("/")]);
    run("curl", &["-s", &strait.url("/dead")]);
    let scrape = run("curl", &["-s", &format!("http://{}/metrics?all", strait.admin)]);
    let samples: std::collections::BTreeSet<&str> =
        scrape.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
    let deploy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let board: Value =
        serde_json::from_str(&std::fs::read_to_string(deploy.join("grafana/strait.json")).unwrap()).unwrap();
    let targets = list(&board, "panels").into_iter().flat_map(|panel| list(&panel, "targets"));
    let mut expressions: Vec<String> = targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect();
    let rules = deploy.join("prometheus/strait-rules.yaml");
    let text = std::fs::read_to_string(&rules).unwrap();
    // An expression ends where the next key of its rule begins.
    let written = text.split("expr:").skip(1).map(|rest| rest.split("labels:").next().unwrap().to_owned());
    expressions.extend(written);
    assert!(expressions.len() > 40, "{}", expressions.len());
    for expression in expressions {
        let metrics = metrics_of(&expression);
        assert!(!metrics.is_empty(), "{expression}");
        for metric in metrics {
            assert!(samples.contains(&*metric), "{metric} is not in a scrape: {expression}");
        }
    }
    if support::has("promtool") {
        run("promtool", &["check", "rules", rules.to_str().unwrap()]);
    }
}
