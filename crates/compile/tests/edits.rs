//! What filters make of targets and fields, as data: `tests/edits/*.txt`. Each case begins with `=== ` and a list of
//! filters as it is written in a file; the lines behind it are `before => after`:
//!
//! - `/path?query => …` a target; `=> 400` when a filter answers with that;
//! - `> A: 1 | B: 2 => …` fields of a request; what is told the origin about the client follows behind `||`;
//! - `< A: 1 | B: 2 => …` fields of a response.
//!
//! Whatever is not named must keep its octets. `UPDATE=1 cargo test` writes the right sides anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use strait_compile::Compiler;
use strait_filters::chain::Progress;
use strait_filters::{Chain, Facts, Notes, Now, Request, Response, Stop, Target};
use strait_message::{BodyLength, Headers, Method, RequestHead, ResponseHead, Status};

fn chain(filters: &str) -> Arc<Chain> {
    let text = format!("routes: {{example.com/*: {{respond: hi, filters: {filters}}}}}");
    let snapshot = strait_config::load_str("case.yaml", &text).unwrap_or_else(|found| panic!("{found}"));
    let plan = Compiler::new(1).compile(&snapshot).unwrap_or_else(|found| panic!("{found}"));
    plan.listeners[0].routes.routes[0].filters.clone().expect("filters")
}

fn facts(path: &str) -> Facts<'_> {
    Facts {
        client: "192.0.2.1".parse().unwrap(),
        scheme: "http",
        host: b"example.com",
        path: path.as_bytes(),
        query: None,
        route: "example.com/*",
        request_id: "0190",
        listener: "http",
        client_address: Some("192.0.2.1:4711".parse().unwrap()),
        captures: Default::default(),
        tls: None,
        now: Now { us: 1_000_000, wall_us: 1_767_225_600_000_000 },
        draw: 7,
        trial: false,
    }
}

fn fields(text: &str) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in text.split(" | ").filter_map(|line| line.split_once(':')) {
        headers.push(name.trim().as_bytes(), value.trim().as_bytes());
    }
    headers
}

fn shown(headers: &Headers) -> String {
    let line = |field: strait_message::Field<'_>| {
        format!("{}: {}", String::from_utf8_lossy(field.name), String::from_utf8_lossy(field.value))
    };
    headers.iter().map(line).collect::<Vec<_>>().join(" | ")
}

/// A request through the chain: its target, its fields and what is told about the client, or the status of an answer.
fn request(chain: &Chain, target: &str, headers: Headers) -> (String, String) {
    let mut head = RequestHead::new(Method::Get);
    head.headers = headers;
    let (mut rewritten, mut spare, mut notes) = (Vec::new(), Vec::new(), Notes::default());
    let mut request = Request {
        facts: facts(target.split('?').next().unwrap()),
        head: &mut head,
        target: Target::new(target.as_bytes(), &mut rewritten, &mut spare),
        body: BodyLength::None,
        notes: &mut notes,
        meter: None,
    };
    if let Stop::Reply(reply) = chain.request(&mut request, &mut Progress::default()) {
        return (reply.head.status.code().to_string(), String::new());
    }
    let target = String::from_utf8_lossy(request.target.as_bytes()).into_owned();
    let forced = if notes.forced.is_empty() { String::new() } else { format!(" || {}", shown(&notes.forced)) };
    (target, format!("{}{forced}", shown(&head.headers)))
}

fn response(chain: &Chain, headers: Headers) -> String {
    let mut head = ResponseHead::new(Status::OK);
    head.headers = headers;
    chain.response(
        chain.steps().len(),
        &mut Response {
            facts: facts("/"),
            request: &RequestHead::new(Method::Get),
            head: &mut head,
            body: BodyLength::Unknown,
            notes: &mut Notes::default(),
        },
    );
    shown(&head.headers)
}

fn outcome(chain: &Chain, before: &str) -> String {
    match before.split_at(2.min(before.len())) {
        ("> ", headers) => request(chain, "/", fields(headers)).1,
        ("< ", headers) => response(chain, fields(headers)),
        _ => request(chain, before, Headers::new()).0,
    }
}

/// The file as it should be, and how many lines it checks.
fn rewritten(text: &str) -> (String, usize) {
    let (mut out, mut cases) = (String::new(), 0);
    let mut current = None;
    for line in text.lines() {
        if let Some(filters) = line.strip_prefix("=== ") {
            current = Some(chain(filters));
        } else if let (Some((before, _)), Some(chain)) = (line.split_once("=>"), &current) {
            let before = before.trim_end();
            writeln!(out, "{}", format!("{before} => {}", outcome(chain, before)).trim_end()).unwrap();
            cases += 1;
            continue;
        }
        writeln!(out, "{line}").unwrap();
    }
    (out, cases)
}

#[test]
fn targets_and_fields_become_what_the_corpus_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edits");
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let (expected, count) = rewritten(&text);
        cases += count;
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, expected).unwrap();
        } else {
            for (is, should) in expected.lines().zip(text.lines()) {
                assert_eq!(is, should, "{}", path.display());
            }
        }
    }
    assert!(cases >= 200, "{cases} cases");
}
