//! The admin API over real sockets, with workers that only have figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use strait_compile::Compiler;
use strait_control::admin::{
    AdminError, AdminServer, AdminSettings, Change, Deed, Hooks, Refused, Served, SocketError, SocketPlace, Token,
};
use strait_control::client::{AdminAddress, Answer, ClientError};
use strait_message::Status;
use strait_plan::{Endpoint, EndpointAddress, EndpointState, Plan, PublishError, Upstream, Workers};
use strait_record::WorkerMeter;

#[derive(Default)]
struct FakeWorkers {
    plan: Mutex<Arc<Plan>>,
    meters: Vec<Arc<WorkerMeter>>,
    draining: AtomicBool,
}

impl Workers for FakeWorkers {
    fn publish(&self, plan: Arc<Plan>) -> Result<(), PublishError> {
        *self.plan.lock().unwrap() = plan;
        Ok(())
    }

    fn plan(&self) -> Arc<Plan> {
        self.plan.lock().unwrap().clone()
    }

    fn now_ms(&self) -> u64 {
        1_000
    }

    fn meters(&self) -> &[Arc<WorkerMeter>] {
        &self.meters
    }

    fn listening(&self) -> Vec<(Arc<str>, SocketAddr)> {
        vec![("web".into(), "127.0.0.1:8080".parse().unwrap())]
    }

    fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

fn upstream() -> Upstream {
    let unix = EndpointAddress::Unix("/run/origin.sock".into());
    let named = EndpointState::new(EndpointAddress::Name("origin.example".into(), 80), 2);
    named.set_resolved(&["192.0.2.1:80".parse().unwrap()]);
    named.meter.of(1).unwrap().attempts.add(4);
    let endpoint = |name: &str, state| Endpoint {
        name: name.into(),
        authority: name.into(),
        weight: 1,
        tier: 0,
        connections_max: Some(10),
        state: Arc::new(state),
    };
    Upstream::new(
        "shop",
        vec![endpoint("origin.example:80", named), endpoint("unix:/run/origin.sock", EndpointState::new(unix, 2))],
    )
}

struct Running {
    server: AdminServer,
    workers: Arc<FakeWorkers>,
    calls: Receiver<&'static str>,
    socket: PathBuf,
}

impl Running {
    fn tcp(&self) -> AdminAddress {
        AdminAddress::Tcp(self.server.address().unwrap())
    }

    fn unix(&self) -> AdminAddress {
        AdminAddress::Unix(self.socket.clone())
    }
}

fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("strait-control-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn start() -> Running {
    try_start(folder().join("admin.sock")).unwrap()
}

fn try_start(socket: PathBuf) -> Result<Running, AdminError> {
    start_with(socket, None)
}

fn start_with(socket: PathBuf, token: Option<Token>) -> Result<Running, AdminError> {
    let meters: Vec<Arc<WorkerMeter>> = vec![Arc::default(), Arc::default()];
    meters[1].exchanges.add(3);
    meters[1].connections_open.up();
    let plan = Plan { generation: 5, upstreams: vec![Arc::new(upstream())], ..Plan::default() };
    let workers = Arc::new(FakeWorkers { plan: Mutex::new(Arc::new(plan)), meters, ..FakeWorkers::default() });
    let (called, calls) = mpsc::channel();
    let reopened = called.clone();
    let hooks = Hooks {
        explain: Box::new(|asked| match asked.url.as_str() {
            "panic" => panic!("a defect"),
            "http://" => Err("no host".to_owned()),
            _ if asked.json => Ok(format!("{:?} {:?} {:?}", asked.headers, asked.listener, asked.client)),
            url => Ok(format!("{} {url} goes to shop", asked.method)),
        }),
        config: Box::new(|| Served {
            effective: serde_json::json!({"config": {"workers": 2}, "sources": {}}),
            patch: serde_json::json!({}),
            state_file: None,
            tag: "\"one\"".to_owned(),
        }),
        change: Box::new({
            let called = called.clone();
            move |change| {
                called
                    .send(match change.deed {
                        Deed::Reload => "reload",
                        Deed::TakeBack => "take back",
                        Deed::Edit { .. } => "edit",
                    })
                    .unwrap();
                match change {
                    Change { if_match: Some(tags), .. } if tags != ["\"one\""] => Err(Refused::Stale("\"one\"".into())),
                    Change { dry_run: true, deed: Deed::Edit { at, with }, .. } => {
                        Ok((serde_json::json!({"at": at, "with": format!("{with:?}")}), "\"two\"".into()))
                    }
                    _ => Err(Refused::Configuration("refused", "it is wrong".to_owned())),
                }
            }
        }),
        stop: Box::new({
            let workers = workers.clone();
            move || {
                workers.drain();
                called.send("stop").unwrap();
            }
        }),
        reopen: Box::new(move || reopened.send("reopen").unwrap()),
        access_log: None,
        sightings: None,
    };
    let place = SocketPlace::Named(socket.clone());
    let settings = AdminSettings { address: Some("127.0.0.1:0".parse().unwrap()), socket: Some(place), token };
    let server = AdminServer::start(settings, workers.clone(), hooks)?;
    Ok(Running { server, workers, calls, socket })
}

/// Sends octets as they are and gives what comes back.
fn raw(address: &AdminAddress, question: &str) -> String {
    match address {
        AdminAddress::Unix(path) => converse(UnixStream::connect(path).unwrap(), question),
        AdminAddress::Tcp(address) | AdminAddress::Guarded(address, _) => {
            converse(TcpStream::connect(address).unwrap(), question)
        }
    }
}

fn converse(mut stream: impl Read + Write, question: &str) -> String {
    stream.write_all(question.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn status_of(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

#[test]
fn both_doors_answer_alike() {
    let running = start();
    for address in [running.tcp(), running.unix()] {
        assert_eq!(address.get("/livez").unwrap(), Answer { status: 200, body: r#"{"live":true}"#.into() });
        assert_eq!(address.get("/nowhere").unwrap().status, 404);
        assert_eq!(address.post("/status").unwrap().status, 405);
    }
}

#[test]
fn the_status_names_workers_listeners_and_endpoints() {
    let running = start();
    let status = json(&running.unix().get("/status").unwrap());
    assert_eq!((&status["generation"], &status["draining"]), (&5.into(), &false.into()));
    assert_eq!(status["workers"][1]["exchanges"], 3);
    assert_eq!(status["listeners"][0]["address"], "127.0.0.1:8080");
    let endpoints = &status["upstreams"][0]["endpoints"];
    assert_eq!((&endpoints[0]["addresses"][0], &endpoints[0]["attempts"]), (&"192.0.2.1:80".into(), &4.into()));
    assert_eq!(endpoints[1]["addresses"][0], "unix:/run/origin.sock");
    assert!(status["faults"].as_array().unwrap().is_empty());
}

#[test]
fn readiness_says_why_not() {
    let running = start();
    let unready = running.tcp().get("/readyz").unwrap();
    assert_eq!((unready.status, &json(&unready)["ready"]), (503, &false.into()));
    assert_eq!(json(&unready)["reason"], "no plan with a listener has been published");
    running.workers.drain();
    assert!(json(&running.tcp().get("/readyz").unwrap())["reason"].as_str().unwrap().starts_with("draining"));
}

#[test]
fn metrics_come_as_the_scraper_asks() {
    let running = start();
    let page = running.tcp().get("/metrics").unwrap().body;
    for line in [
        r#"strait_worker_exchanges_total{worker="1"} 3"#,
        r#"strait_endpoint_attempts_total{upstream="shop",endpoint="origin.example:80"} 4"#,
        r#"strait_endpoint_addresses{upstream="shop",endpoint="unix:/run/origin.sock"} 1"#,
        r#"strait_limit_max{limit="endpoint_connections",of="shop/origin.example:80"} 10"#,
        "strait_plan_generation 5",
    ] {
        assert!(page.lines().any(|other| other == line), "{line} is not in\n{page}");
    }
    let question = "GET /metrics?all HTTP/1.0\r\nHost: localhost\r\nAccept: application/openmetrics-text\r\n\r\n";
    let answer = raw(&running.tcp(), question);
    assert!(answer.contains("application/openmetrics-text; version=1.0.0") && answer.ends_with("# EOF\n"));
}

#[test]
fn a_published_plan_makes_it_ready_and_its_routes_are_counted() {
    let running = start();
    let text = "
listeners: {one: {address: 127.0.0.1:0}, two: {address: 127.0.0.1:0}}
routes:
  example.com/api/*: localhost:3001
  /: {respond: hello}
";
    let plan = Compiler::new(2).compile(&strait_config::load_str("strait.yaml", text).unwrap()).unwrap();
    let route = plan.listeners[0].routes.routes.iter().find(|route| &*route.pattern == "example.com/api/*").unwrap();
    route.meter.of(1).unwrap().answers.record(None, Some(Status::OK), 1);
    running.workers.publish(plan.clone()).unwrap();
    assert_eq!(running.tcp().get("/readyz").unwrap().status, 200);
    let page = running.tcp().get("/metrics").unwrap().body;
    let counted: Vec<_> = page.lines().filter(|line| line.starts_with("strait_route_responses_total{")).collect();
    // Both listeners use one table: its meters come once.
    let expected = r#"strait_route_responses_total{listener="one,two",route="example.com/api/*",class="2xx"} 1"#;
    assert_eq!(counted, [expected], "{page}");
    assert!(page.contains(r#"strait_limit_used{limit="connections",of=""} 1"#));
}

#[test]
fn explain_is_asked_and_its_panic_is_contained() {
    let running = start();
    let explained = running.unix().get("/explain?method=POST&url=http%3A%2F%2Fa.example%2Fb%3Fc").unwrap();
    assert_eq!(explained, Answer { status: 200, body: "POST http://a.example/b?c goes to shop".into() });
    let refused = running.unix().get("/explain?url=http://").unwrap();
    assert_eq!((refused.status, &json(&refused)["detail"]), (400, &"no host".into()));
    assert_eq!(running.unix().get("/explain").unwrap().status, 400);
    assert_eq!(running.unix().get("/explain?url=/&nonsense=1").unwrap().status, 400);
    let all = "/explain?url=/&header=A:%20b&header=C:d&listener=web&from=192.0.2.1&format=json";
    let body = r#"[("A", "b"), ("C", "d")] Some("web") Some(192.0.2.1)"#.to_owned();
    assert_eq!(running.unix().get(all).unwrap(), Answer { status: 200, body });
    assert_eq!(running.unix().get("/explain?url=panic").unwrap().status, 500);
    assert_eq!(running.unix().get("/livez").unwrap().status, 200);
}

#[test]
fn state_is_changed_by_post_only() {
    let running = start();
    for path in ["/stop", "/log/reopen"] {
        assert_eq!(running.unix().get(path).unwrap().status, 405);
    }
    assert!(running.calls.try_recv().is_err());
    assert_eq!(running.unix().post("/log/reopen").unwrap().status, 200);
    assert_eq!(running.unix().post("/stop").unwrap().status, 202);
    assert_eq!((running.calls.recv().unwrap(), running.calls.recv().unwrap()), ("reopen", "stop"));
    assert!(running.workers.is_draining());
}

#[test]
fn another_site_can_neither_read_nor_stop() {
    let running = start_with(folder().join("admin.sock"), Some(Token::new("0123456789abcdef"))).unwrap();
    let ask = |line: &str, fields: &str| {
        let token = "Authorization: Bearer 0123456789abcdef\r\n";
        let answer = raw(&running.tcp(), &format!("{line} HTTP/1.1\r\n{fields}{token}\r\n"));
        status_of(&answer).to_owned()
    };
    assert_eq!(ask("GET /status", "Host: rebound.example\r\n"), "403");
    assert_eq!(ask("POST /stop", "Host: rebound.example\r\n"), "403");
    assert_eq!(ask("POST /stop", "Host: localhost\r\nOrigin: https://evil.example\r\n"), "403");
    assert_eq!(ask("POST /stop", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"), "403");
    assert!(running.calls.try_recv().is_err());
    assert_eq!(ask("POST /stop", "Host: localhost\r\nOrigin: http://localhost\r\n"), "202");
}

#[test]
fn heads_are_bounded() {
    let running = start();
    let long = format!("GET /livez HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let AdminAddress::Tcp(address) = running.tcp() else { panic!("an address") };
    let mut stream = TcpStream::connect(address).unwrap();
    // It may be refused before all of it was written.
    let _ = stream.write_all(long.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(running.tcp().get("/livez").unwrap().status, 200);
}

#[test]
fn the_socket_is_private_and_goes_with_the_server() {
    let running = start();
    let socket = running.socket.clone();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    running.server.stop();
    assert!(!socket.exists());
    assert_eq!(fs::read_dir(socket.parent().unwrap()).unwrap().count(), 0, "nothing is left behind");
    assert!(matches!(AdminAddress::Unix(socket).get("/livez"), Err(ClientError::NotRunning(_))));
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let socket = folder().join("admin.sock");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists(), "nobody answers on it, as after a crash");
    let running = try_start(socket.clone()).unwrap();
    assert!(matches!(try_start(socket.clone()), Err(AdminError::Socket(_, SocketError::InUse))));
    assert_eq!(running.unix().get("/livez").unwrap().status, 200);
    // A successor has taken the name over: it is not removed.
    fs::remove_file(&socket).unwrap();
    let _successor = UnixListener::bind(&socket).unwrap();
    drop(running);
    assert!(UnixStream::connect(&socket).is_ok());
    let file = socket.with_extension("txt");
    fs::write(&file, "precious").unwrap();
    assert!(matches!(try_start(file.clone()), Err(AdminError::Socket(_, SocketError::NotASocket))));
    assert_eq!(fs::read_to_string(file).unwrap(), "precious");
}

#[test]
fn a_taken_address_is_an_error_with_its_name() {
    let running = start();
    let address = running.server.address().unwrap();
    let settings = AdminSettings { address: Some(address), socket: None, token: None };
    let error = AdminServer::start(settings, running.workers.clone(), no_hooks()).unwrap_err();
    assert!(error.to_string().starts_with(&format!("the admin address {address} cannot be bound: ")));
}

fn no_hooks() -> Hooks {
    Hooks {
        explain: Box::new(|_| Err(String::new())),
        config: Box::new(Served::default),
        change: Box::new(|_| Err(Refused::Failed(String::new()))),
        stop: Box::new(|| {}),
        reopen: Box::new(|| {}),
        access_log: None,
        sightings: None,
    }
}

#[test]
fn callers_that_say_nothing_do_not_keep_others_out() {
    let running = start();
    let AdminAddress::Tcp(address) = running.tcp() else { panic!("an address") };
    // All but one place of this door, and the other door is untouched.
    let silent: Vec<_> = (0..63).map(|_| TcpStream::connect(address).unwrap()).collect();
    assert_eq!(running.tcp().get("/livez").unwrap().status, 200);
    assert_eq!(running.unix().get("/livez").unwrap().status, 200);
    drop(silent);
}

#[test]
fn the_configuration_is_read_and_reloaded_on_demand() {
    let running = start();
    let config = running.unix().get("/config").unwrap();
    assert_eq!(config.body, r#"{"config":{"workers":2},"generation":5,"patch":{},"sources":{}}"#);
    let refused = running.unix().post("/reload").unwrap();
    let body = r#"{"detail":"it is wrong","error":"refused","status":422,"title":"Unprocessable Entity"}"#;
    assert_eq!((refused.status, refused.body.as_str()), (422, body));
    assert_eq!(running.calls.recv().unwrap(), "reload");
}

/// Sends a request with these fields and this body to the socket; the status and the answer as it came.
fn send(running: &Running, line: &str, fields: &str, body: &str) -> (String, String) {
    send_to(&running.unix(), line, fields, body)
}

fn send_to(address: &AdminAddress, line: &str, fields: &str, body: &str) -> (String, String) {
    let length = body.len();
    let question = format!("{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{fields}\r\n{body}");
    let answer = raw(address, &question);
    (status_of(&answer).to_owned(), answer)
}

#[test]
fn without_a_token_the_address_neither_changes_nor_shows_the_configuration() {
    let running = start();
    let endpoint = "/upstreams/shop/endpoints/origin.example:80";
    let private = [
        ["GET /config", ""],
        ["GET /config/workers", ""],
        ["GET /patch", ""],
        ["GET /explain?url=http://a/", ""],
        ["GET /top", ""],
        ["GET /tail", ""],
        ["GET /why", ""],
        ["PATCH /config", "{}"],
        ["PATCH /config/workers", "{}"],
        ["PUT /config/workers", "3"],
        ["DELETE /config/workers", ""],
        ["DELETE /patch", ""],
        ["POST /reload", ""],
        ["POST /reload?dry_run", ""],
        [&format!("PATCH {endpoint}"), r#"{"drain": true}"#],
        [&format!("POST {endpoint}?drain=true"), ""],
        ["POST /log/reopen", ""],
        ["POST /stop", ""],
    ];
    let way_in = format!("ask on the socket unix:{}, or set `admin.token`", running.socket.display());
    for [line, body] in private {
        for token in ["", "Authorization: Bearer \r\n", "Authorization: Bearer 0123456789abcdef\r\n"] {
            let (status, answer) = send_to(&running.tcp(), line, token, body);
            assert!(status == "403" && answer.contains(&way_in), "{line}: {answer}");
            assert!(answer.contains("content-type: application/problem+json"), "{answer}");
        }
    }
    assert!(running.calls.try_recv().is_err() && !running.workers.is_draining());
    for line in ["GET /status", "GET /metrics", "GET /livez", "GET /upstreams", "GET /connections", "GET /certificates"]
    {
        assert_eq!(send_to(&running.tcp(), line, "", "").0, "200", "{line}");
    }
    for [line, body] in private {
        assert_ne!(send(&running, line, "", body).0, "403", "{line}: the socket's owner may");
    }
}

#[test]
fn a_socket_that_nobody_named_is_its_owners_alone() {
    let running = start();
    let folder = folder();
    let settings = AdminSettings {
        address: Some("127.0.0.1:0".parse().unwrap()),
        socket: Some(SocketPlace::In(folder.clone())),
        token: None,
    };
    let server = AdminServer::start(settings, running.workers.clone(), no_hooks()).unwrap();
    let socket = server.socket().unwrap();
    assert_eq!(socket, folder.join(format!("admin-{}.sock", server.address().unwrap().port())));
    assert_eq!(fs::metadata(socket).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn patches_are_read_and_conditions_heeded() {
    let running = start();
    let json_patch = "Content-Type: application/json-patch+json\r\n";
    let (status, answer) = send(&running, "PATCH /config?dry_run", json_patch, r#"[{"op":"test"}]"#);
    assert!(status == "200" && answer.contains("etag: \"two\"") && answer.contains("Operations"), "{answer}");
    let (status, answer) = send(&running, "PATCH /config/routes/a%2Fb?dry_run=true", "", r#"{"to": "x"}"#);
    assert!(status == "200" && answer.contains(r#""at":["routes","a/b"]"#) && answer.contains("Merge"), "{answer}");
    let (status, answer) = send(&running, "DELETE /config/routes?dry_run=true", "", "");
    assert!(status == "200" && answer.contains("Remove"), "{answer}");
    assert_eq!(send(&running, "PUT /config/workers?dry_run", "If-Match: \"one\"\r\n", "3").0, "200");
    let (status, answer) = send(&running, "PUT /config/workers", "If-Match: \"zero\"\r\n", "3");
    assert!(status == "412" && answer.contains("etag: \"one\""), "{answer}");
    assert_eq!(send(&running, "GET /config", "If-None-Match: \"one\"\r\n", "").0, "304");
    assert_eq!(send(&running, "GET /config/workers", "", "").0, "200");
    assert_eq!(send(&running, "GET /config/nothing", "", "").0, "404");
    assert_eq!(send(&running, "PATCH /config", "", "{").0, "400");
    assert_eq!(send(&running, "PATCH /config", "", "").0, "400");
    assert_eq!(send(&running, "PATCH /config", "Content-Type: text/plain\r\n", "{}").0, "415");
    assert_eq!(send(&running, "PATCH /config", "", &"x".repeat((1 << 20) + 1)).0, "413");
    assert_eq!(send(&running, "DELETE /patch", "", "").0, "422");
}

#[test]
fn an_endpoint_is_drained_weighed_and_called_ill() {
    let running = start();
    let path = "/upstreams/shop/endpoints/origin.example:80";
    let (status, answer) = send(&running, &format!("GET {path}"), "", "");
    assert_eq!(status, "200");
    let tag = answer.split("etag: ").nth(1).unwrap().split('\r').next().unwrap().to_owned();
    let fields = format!("If-Match: {tag}\r\nContent-Type: application/json\r\n");
    let body = r#"{"weight": 7, "drain": true, "health": "unhealthy"}"#;
    let (_, rehearsed) = send(&running, &format!("PATCH {path}?dry_run"), &fields, body);
    assert!(rehearsed.contains(r#""weight":1"#), "{rehearsed}");
    let (status, answer) = send(&running, &format!("PATCH {path}"), &fields, body);
    assert!(status == "200" && answer.contains(r#""weight":7"#) && answer.contains("draining"), "{answer}");
    assert!(answer.contains(r#""checked":"unhealthy""#), "{answer}");
    assert_eq!(send(&running, &format!("PATCH {path}"), &fields, body).0, "412", "it is set otherwise by now");
    assert_eq!(send(&running, &format!("POST {path}?drain=false&weight=null&health=healthy"), "", "").0, "200");
    assert_eq!(send(&running, "PATCH /upstreams/shop/endpoints/nobody:1", "", "{\"weight\": 1}").0, "404");
    assert_eq!(send(&running, "GET /upstreams/shop/endpoints/unix:/run/origin.sock", "", "").0, "200");
}

#[test]
fn a_token_opens_the_address_and_the_socket_needs_none() {
    let running = start_with(folder().join("admin.sock"), Some(Token::new("0123456789abcdef"))).unwrap();
    let ask = |line: &str, fields: &str| send_to(&running.tcp(), line, fields, "");
    for line in ["GET /status", "GET /config", "POST /log/reopen"] {
        let (status, answer) = ask(line, "");
        assert!(status == "401" && answer.contains("www-authenticate: Bearer"), "{answer}");
        assert_eq!(ask(line, "Authorization: Bearer 0123456789abcdef\r\n").0, "200");
    }
    assert_eq!(ask("GET /livez", "").0, "200");
    assert_eq!(running.unix().get("/status").unwrap().status, 200);
    let document = json(&running.tcp().get("/openapi.json").unwrap());
    assert_eq!(document["paths"]["/status"]["get"]["security"][0]["token"], serde_json::json!([]));
}

#[test]
fn what_there_is_is_told() {
    let running = start();
    let connections = json(&running.unix().get("/connections").unwrap());
    assert_eq!((&connections["open"], &connections["workers"][1]["open"]), (&1.into(), &1.into()));
    assert_eq!(connections["upstreams"][0]["endpoints"][0]["name"], "origin.example:80");
    assert_eq!(json(&running.unix().get("/certificates").unwrap())["certificates"], serde_json::json!([]));
    let (status, answer) = send(&running, "DELETE /status", "", "");
    assert!(status == "405" && answer.contains("allow: GET, HEAD"), "{answer}");
}
