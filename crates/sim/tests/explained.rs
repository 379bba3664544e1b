//! `explain` says what the serving path does: random configurations served by a whole worker in a network of the
//! simulation, random requests sent to it, and every answer compared with what is explained of the same request.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use strait_compile::{Compiler, Explanation, Outcome, Question, explain};
use strait_dataplane::sim::{Network, Random, SimFleet, SimStream, Weather};
use strait_plan::Plan;
use strait_record::RecordSink;
use tokio::task::LocalSet;

const CONFIGURATIONS: u64 = 200;
const REQUESTS: usize = 50;
const LISTENER: &str = "10.0.0.1:80";

struct Nowhere;

impl RecordSink for Nowhere {
    fn submit(&mut self, _: Vec<u8>, _records: u64) -> bool {
        true
    }

    fn recycle(&mut self) -> Option<Vec<u8>> {
        None
    }
}

const HOSTS: [&str; 5] = ["", "a.example", "b.example", "*.example", "*.b.example"];
const PATHS: [&str; 9] = ["", "/", "/x", "/x/*", "/x/{id}", "/x/{id}/y", "/{one}/{two}", "/y/*", "/{$}"];
const METHODS: [&str; 4] = ["", "", "GET ", "POST,PUT "];
const EXPRESSIONS: [&str; 9] = [
    "request.headers['x-a'] == '1'",
    "'x-a' in request.headers",
    "client.ip in ['10.0.0.0/8']",
    "request.query['v'] == '1' || request.cookies['c'] == '1'",
    "request.path.matches('^/x/[0-9]')",
    "request.headers['x-a'].size() > 1",
    "request.method != 'GET'",
    "!has(request.query['v'])",
    "listener == 'web' && request.host.endsWith('.example')",
];
const VALUES: [&str; 8] = [
    "${request.uri}",
    "${client.ip} ${request.host}",
    "${request.headers['x-a']}${request.cookies['c']}",
    "${request.query['v']}",
    "${request.method.lowerAscii()} ${protocol}",
    "plain",
    "${response.status}",
    "${request.path.split('/').size()}",
];

/// A condition of an entry of `when`.
fn conditions(random: &mut Random) -> String {
    let all = [
        "headers: {X-A: \"1\"}",
        "headers: {X-A: {prefix: \"1\"}, X-B: {present: false}}",
        "query: {v: \"1\"}",
        "query: {v: {regex: '^[0-9]+$'}}",
        "cookies: {c: {present: true}}",
        "from: [10.0.0.0/24, 192.0.2.0/24]",
        "methods: [POST, PUT]",
        "percent: 50%",
        "percent: 50%, key: \"request.cookies['c']\"",
    ];
    let one = random.one_of(&all, all[0]);
    if random.chance(300) {
        return format!("{one}, if: \"{}\"", random.one_of(&EXPRESSIONS, EXPRESSIONS[0]));
    }
    one.to_owned()
}

/// What a route or entry answers, and the header that says which it was.
fn answer(random: &mut Random, name: &str) -> String {
    let value = random.one_of(&VALUES, VALUES[0]);
    let headers = format!("response_headers: {{X-Name: \"{name} {value}\"}}");
    match random.below(3) {
        0 => format!("redirect: {{to: \"https://c.example/${{request.method}}\", status: 307}}, {headers}"),
        1 => format!("redirect: https://c.example, {headers}"),
        _ => format!("respond: {{status: {}, body: \"{name}\"}}, {headers}", 200 + random.below(5)),
    }
}

fn configuration(random: &mut Random) -> String {
    let mut routes = BTreeMap::new();
    for number in 0..random.between(4, 20) {
        let host = random.one_of(&HOSTS, "");
        let path = random.one_of(&PATHS, "/");
        let pattern = format!("{}{host}{path}", random.one_of(&METHODS, ""));
        if host.is_empty() && path.is_empty() {
            continue;
        }
        let mut route = answer(random, &format!("r{number}"));
        if random.chance(300) {
            let _ = write!(route, ", if: \"{}\"", random.one_of(&EXPRESSIONS, EXPRESSIONS[0]));
        }
        let entries: Vec<String> = (0..random.below(4))
            .map(|entry| format!("{{{}, {}}}", conditions(random), answer(random, &format!("r{number}w{entry}"))))
            .collect();
        let _ = write!(route, ", when: [{}]", entries.join(", "));
        routes.insert(pattern, route);
    }
    let trusted = if random.chance(500) { "[10.0.0.0/8]" } else { "[]" };
    let mut text = format!("listeners: {{web: {{address: \"{LISTENER}\", trusted_proxies: {trusted}}}}}\nroutes:\n");
    routes.iter().for_each(|(pattern, route)| {
        let _ = writeln!(text, "  \"{pattern}\": {{{route}}}");
    });
    text
}

/// A plan of a random configuration that compiles.
fn plan(random: &mut Random) -> (String, Arc<Plan>) {
    loop {
        let text = configuration(random);
        let Ok(snapshot) = strait_config::load_str("random.yaml", &text) else { continue };
        if let Ok(plan) = Compiler::new(1).compile(&snapshot) {
            return (text, plan);
        }
    }
}

#[derive(Debug)]
struct Request {
    method: &'static str,
    host: &'static str,
    target: String,
    headers: Vec<(String, String)>,
}

fn request(random: &mut Random) -> Request {
    let segment = |random: &mut Random| random.one_of(&["x", "y", "7", "", "%78", ".", "a%2Fb", "zz"], "x");
    let path: String = (0..random.below(5)).map(|_| format!("/{}", segment(random))).collect();
    let query = random.one_of(&["", "?", "?v=1", "?v=%31&v=2", "?a=b&v=x", "?v"], "");
    let mut headers = Vec::new();
    for (name, values) in [
        ("X-A", ["1", "12", "2"]),
        ("x-a", ["1", "", "1"]),
        ("X-B", ["", "b", "b"]),
        ("Cookie", ["c=1", "d=2; c=3", "c"]),
        ("X-Forwarded-For", ["192.0.2.7", "192.0.2.7, 10.9.9.9", "rubbish"]),
        ("X-Forwarded-Proto", ["https", "http", "ftp"]),
    ] {
        if random.chance(350) {
            headers.push((name.to_owned(), random.one_of(&values, "").to_owned()));
        }
    }
    Request {
        method: random.one_of(&["GET", "GET", "POST", "PUT", "DELETE"], "GET"),
        host: random.one_of(&["a.example", "B.example", "x.b.example", "x.B.example.", "a.example:80"], "a.example"),
        target: format!("{}{query}", if path.is_empty() { "/" } else { &path }),
        headers,
    }
}

/// Status, Location and X-Name of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    location: Option<String>,
    name: Option<String>,
}

async fn served(stream: &mut SimStream, request: &Request) -> Answer {
    let mut head =
        format!("{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n", request.method, request.target, request.host);
    request.headers.iter().for_each(|(name, value)| {
        let _ = write!(head, "{name}: {value}\r\n");
    });
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    let mut got = Vec::new();
    let end = loop {
        let mut piece = [0; 4096];
        let octets = stream.read(&mut piece).await.unwrap();
        assert!(octets > 0, "no answer to {request:?}");
        got.extend_from_slice(&piece[..octets]);
        let text = String::from_utf8_lossy(&got).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = field(head, "content-length").map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            break head.to_owned();
        }
    };
    let status = end.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, location: field(&end, "location"), name: field(&end, "x-name") }
}

fn field(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}

fn explained(explanation: &Explanation) -> Answer {
    let decided = |name: &str| {
        let found = explanation.decided.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned())
    };
    let status = match &explanation.outcome {
        Outcome::Redirect { status, .. } | Outcome::Respond { status, .. } | Outcome::Filter { status, .. } => *status,
        Outcome::MethodNotAllowed(_) => 405,
        Outcome::NoRoute => 404,
        Outcome::Files { .. } | Outcome::Forward { .. } => panic!("nothing is forwarded here"),
    };
    Answer { status, location: decided("location"), name: decided("x-name") }
}

async fn compare(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let (text, plan) = plan(&mut random);
    let network = Network::new(seed, false);
    let _entered = network.enter();
    let listener: SocketAddr = LISTENER.parse().unwrap();
    network.set_weather(listener, Weather::CALM);
    let _fleet = SimFleet::start(seed, vec![Box::new(Nowhere)], plan.clone()).unwrap();
    let client: SocketAddr = ([10, 0, 0, 9], 1).into();
    let mut told = 0;
    for _ in 0..REQUESTS {
        let asked = request(&mut random);
        let url = format!("http://{}{}", asked.host, asked.target);
        let question =
            Question { headers: &asked.headers, client: Some(client.ip()), ..Question::new(asked.method, &url) };
        let mut stream = network.connect_from(client, listener).await.unwrap();
        let answer = served(&mut stream, &asked).await;
        match explain(&plan, &question) {
            Ok(explanation) => {
                assert_eq!(answer, explained(&explanation), "seed {seed}: {asked:?}\n{text}\n{explanation}");
                told += usize::from(explanation.winner.is_some());
            }
            Err(refusal) => assert_eq!(answer.status, 400, "seed {seed}: {asked:?}: {refusal}\n{text}"),
        }
    }
    told
}

#[test]
fn what_is_explained_is_what_is_served() {
    let mut told = 0;
    for seed in 0..CONFIGURATIONS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        told += LocalSet::new().block_on(&runtime, compare(seed));
    }
    println!("{} requests, {told} with a route", CONFIGURATIONS as usize * REQUESTS);
    assert!(told > 5_000, "{told}");
}
