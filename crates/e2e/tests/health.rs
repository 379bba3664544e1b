//! Endpoints that fail, are slow, come back and say how they are: who gets the requests then.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the helpers serve several test files")]

mod inside;
mod support;

use inside::{Act, Inside, Origin, refusing, wait_for};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use strait_plan::Health;
use support::{Program, authority, free_port, has, python, scratch, serve};

fn upstream(endpoints: &[SocketAddr], keys: &str) -> String {
    let endpoints: Vec<String> = endpoints.iter().map(|address| format!("\"{address}\"")).collect();
    format!("routes: {{/: app}}\nupstreams: {{app: {{endpoints: [{}], {keys}}}}}\n", endpoints.join(", "))
}

const OFTEN: &str = "interval: 100ms, recheck: 10ms, timeout: 5s";

/// An origin whose checks and requests fail as long as it is told so.
fn moody(name: &'static str) -> (Origin, Arc<AtomicBool>) {
    let ill = Arc::new(AtomicBool::new(false));
    let asked = ill.clone();
    let origin = Origin::start(move |_| match asked.load(Ordering::Acquire) {
        true => Act::answer(500, "ill"),
        false => Act::answer(200, name),
    });
    (origin, ill)
}

#[test]
fn an_endpoint_that_fails_its_checks_gets_no_requests_until_it_passes_them() {
    let ((first, first_is_ill), (second, _)) = (moody("first"), moody("second"));
    let check = format!("health_check: {{path: /healthz, {OFTEN}, unhealthy_after: 2, healthy_after: 2}}");
    let strait = Inside::serve(&upstream(&[first.address, second.address], &check));
    first_is_ill.store(true, Ordering::Release);
    strait.wait_until(0, false);
    for _ in 0..10 {
        assert!(strait.get("/").ends_with("second"));
    }
    let why = strait.endpoints()[0].state.checks.last_failure().unwrap();
    assert_eq!(&*why, "GET /healthz was answered with 500");
    first_is_ill.store(false, Ordering::Release);
    strait.wait_until(0, true);
    let answers: Vec<String> = (0..10).map(|_| strait.get("/")).collect();
    assert!(answers.iter().any(|answer| answer.ends_with("first")));
}

#[test]
fn an_endpoint_is_asked_once_however_many_workers_and_routes_there_are() {
    let origin = Origin::answering("ok");
    let body = format!(
        "routes: {{/: app, /a: app, /b/*: {{to: app, timeout: 3s}}, /c: {{to: app, timeout: {{connect: 2s}}}}}}\n\
         upstreams: {{app: {{endpoints: [\"{}\"], health_check: {{path: /healthz, interval: 1h}}}}}}\n",
        origin.address
    );
    let strait = Inside::serve_by(4, &body);
    wait_for(|| (strait.endpoints()[0].state.checks.passed() == 1).then_some(()));
    // A reload that changes something else asks nobody again; one that changes the check does, once.
    strait.reload(&body.replace("/a: app", "/other: app"));
    strait.reload(&body.replace("/healthz", "/ready"));
    wait_for(|| (strait.endpoints()[0].state.checks.passed() == 2).then_some(()));
    let asked: Vec<String> = origin.requests().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
    assert_eq!(asked, ["GET /healthz HTTP/1.1", "GET /ready HTTP/1.1"]);
}

#[test]
fn an_endpoint_that_is_added_is_asked_at_once_and_one_that_is_not_checked_any_more_is_unknown() {
    let (first, second) = (Origin::answering("1"), Origin::answering("2"));
    let check = "health_check: {path: /healthz, interval: 1h, start: unhealthy}";
    let strait = Inside::serve(&upstream(&[first.address], check));
    strait.wait_until(0, true);
    strait.reload(&upstream(&[first.address, second.address], check));
    strait.wait_until(1, true);
    strait.reload(&upstream(&[first.address, second.address], "retry: 1"));
    wait_for(|| {
        let unknown = |endpoint: &strait_plan::Endpoint| endpoint.state.standing.health() == Health::Unknown;
        strait.endpoints().iter().all(unknown).then_some(())
    });
}

#[test]
fn when_all_are_unhealthy_all_serve() {
    let (first, second) = (Origin::start(|_| Act::answer(503, "1")), Origin::start(|_| Act::answer(503, "2")));
    let check = format!("health_check: {{path: /healthz, {OFTEN}}}");
    let strait = Inside::serve(&upstream(&[first.address, second.address], &check));
    strait.wait_until(0, false);
    strait.wait_until(1, false);
    let answers: Vec<String> = (0..4).map(|_| strait.get("/")).collect();
    assert!(answers.iter().any(|answer| answer.ends_with('1')) && answers.iter().any(|answer| answer.ends_with('2')));
}

#[test]
fn errors_in_a_row_eject_and_time_brings_back() {
    let ((first, first_is_ill), (second, _)) = (moody("first"), moody("second"));
    let keys = "outlier_detection: {consecutive_errors: 3, eject_for: 300ms, success_rate: false}";
    let strait = Inside::serve(&upstream(&[first.address, second.address], keys));
    first_is_ill.store(true, Ordering::Release);
    wait_for(|| {
        strait.get("/");
        strait.endpoints()[0].state.standing.ejected_until_ms().gt(&0).then_some(())
    });
    first_is_ill.store(false, Ordering::Release);
    strait.wait_until(0, true);
    wait_for(|| strait.get("/").ends_with("first").then_some(()));
}

#[test]
fn an_endpoint_says_itself_that_it_drains_and_clients_do_not_hear_it() {
    let draining = Origin::start(|_| {
        Act::Say("HTTP/1.1 200 OK\r\nStrait-Endpoint: drain\r\nContent-Length: 5\r\n\r\nfirst".to_owned())
    });
    let other = Origin::answering("other");
    let endpoints = [draining.address, other.address];
    let strait = Inside::serve(&upstream(&endpoints, "agent_hints: true"));
    let answers: Vec<String> = (0..6).map(|_| strait.get("/")).collect();
    assert_eq!(answers.iter().filter(|answer| answer.ends_with("first")).count(), 1);
    assert!(answers.iter().all(|answer| !answer.to_ascii_lowercase().contains("strait-endpoint")));
    // Where it is not asked for, the field means nothing.
    let strait = Inside::serve(&upstream(&endpoints, "retry: 1"));
    let answers: Vec<String> = (0..6).map(|_| strait.get("/")).collect();
    assert_eq!(answers.iter().filter(|answer| answer.ends_with("first")).count(), 3);
}

/// Sends requests on kept connections, about so many a second together, for a time; how many were not answered with 200.
fn load(to: SocketAddr, per_second: u32, time: Duration, midway: impl FnOnce()) -> (usize, usize) {
    const CLIENTS: u32 = 20;
    let (sent, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (sent, failed) = (sent.clone(), failed.clone());
            thread::spawn(move || {
                let pause = Duration::from_secs(1) * CLIENTS / per_second;
                let mut next = Instant::now() + pause * number / CLIENTS;
                let end = Instant::now() + time;
                let mut connection = None;
                while Instant::now() < end {
                    // Keeps the rate of the load; nothing is waited for.
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                    next += pause;
                    sent.fetch_add(1, Ordering::Relaxed);
                    let mut stream = connection.take().unwrap_or_else(|| TcpStream::connect(to).unwrap());
                    if is_good(&mut stream) {
                        connection = Some(stream);
                    } else {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    thread::sleep(time / 3);
    midway();
    clients.into_iter().for_each(|client| client.join().unwrap());
    (sent.load(Ordering::Relaxed), failed.load(Ordering::Relaxed))
}

fn is_good(stream: &mut TcpStream) -> bool {
    let (mut held, mut piece) = (Vec::new(), [0; 1024]);
    if stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").is_err() {
        return false;
    }
    while !held.ends_with(b"\r\n\r\nok") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return false,
            Ok(octets) => held.extend_from_slice(&piece[..octets]),
        }
    }
    held.starts_with(b"HTTP/1.1 200")
}

#[test]
fn one_of_four_is_killed_under_load_and_nobody_notices() {
    let origins: Vec<Origin> = (0..4).map(|_| Origin::answering("ok")).collect();
    let addresses: Vec<SocketAddr> = origins.iter().map(|origin| origin.address).collect();
    let keys = "outlier_detection: {consecutive_errors: 3}, health_check: {path: /healthz, interval: 1s}";
    let strait = Inside::serve_by(2, &upstream(&addresses, keys));
    let (sent, failed) = load(strait.address, 2_000, Duration::from_secs(3), || origins[1].kill());
    let (retries, refused) = (strait.meter().retries.read(), strait.meter().retries_over_budget.read());
    eprintln!("{sent} sent, {failed} failed, {retries} retried and {refused} over budget by one worker");
    assert!(sent > 1_000 && failed <= 1, "{failed} of {sent} failed");
    assert!(!strait.endpoints()[1].state.standing.is_available(strait_plan::Workers::now_ms(&*strait.fleet)));
}

#[test]
fn an_endpoint_that_flaps_costs_no_request() {
    let ((first, first_is_ill), second) = (moody("ok"), Origin::answering("ok"));
    let keys = "health_check: {path: /healthz, interval: 100ms, recheck: 10ms, unhealthy_after: 1, healthy_after: 1}, \
                retry: {attempts: 3, retry_on: [connect_failure, reset, 5xx], budget: none}";
    let strait = Inside::serve(&upstream(&[first.address, second.address], keys));
    let stop = Arc::new(AtomicBool::new(false));
    let (ill, over) = (first_is_ill, stop.clone());
    let flapping = thread::spawn(move || {
        while !over.load(Ordering::Acquire) {
            ill.fetch_xor(true, Ordering::AcqRel);
            thread::sleep(Duration::from_millis(40));
        }
    });
    let (sent, failed) = load(strait.address, 400, Duration::from_secs(2), || {});
    stop.store(true, Ordering::Release);
    flapping.join().unwrap();
    assert_eq!(failed, 0, "of {sent}");
}

#[test]
fn a_connection_and_a_script_are_checks_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let redis = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut piece = [0; 64];
            while let Ok(octets @ 1..) = stream.read(&mut piece) {
                let answer: &[u8] = if piece[..octets] == *b"PING\r\n" { b"+PONG\r\n" } else { b"-ERR\r\n" };
                stream.write_all(answer).unwrap();
            }
        }
    });
    for (check, is_healthy) in [
        ("{protocol: tcp}", true),
        (r#"{script: [{send: "PING\r\n"}, {expect: +PONG}]}"#, true),
        (r#"{script: [{send_hex: "50 49 4e 47 0d 0a"}, {expect_hex: "2b504f4e47"}]}"#, true),
        (r#"{script: [{send: "GET /\r\n"}, {expect: +PONG}], timeout: 300ms}"#, false),
    ] {
        let strait = Inside::serve(&upstream(&[redis, refusing()], &format!("health_check: {check}")));
        wait_for(|| {
            let figures = |endpoint: usize| {
                strait.endpoints()[endpoint].state.checks.passed() + strait.endpoints()[endpoint].state.checks.failed()
            };
            (figures(0) > 0 && figures(1) > 0).then_some(())
        });
        strait.wait_until(0, is_healthy);
        strait.wait_until(1, false);
    }
}

#[test]
fn the_example_does_what_it_says() {
    let (ill, good) = (Origin::start(|_| Act::answer(503, "not ready")), Origin::answering("ok"));
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../conf/health-and-retries.yaml")).unwrap();
    let put = |text: &str, name: &str, at: SocketAddr| text.replace(name, &format!("\"{at}\""));
    let text = put(&put(&text, "localhost:3001", ill.address), "localhost:3002", good.address);
    let strait = Inside::serve(&text);
    for _ in 0..4 {
        assert!(strait.get("/").ends_with("ok"));
    }
    strait.wait_until(0, false);
}

/// A real origin: what starts it, and how it is asked.
struct Real {
    name: &'static str,
    program: Program,
    address: SocketAddr,
    check: &'static str,
}

fn real_origins() -> Vec<Real> {
    let mut all = Vec::new();
    let mut add = |name, check, command: &mut Command, address| {
        all.push(Real { name, program: serve(command, address), address, check });
    };
    let folder = scratch();
    if has("nginx") {
        let (address, file) = (free_port(), folder.join("nginx.conf"));
        let body = format!(
            "daemon off; master_process off; pid {0}/nginx.pid; error_log /dev/null; events {{}} http {{ access_log off; \
             client_body_temp_path {0}; proxy_temp_path {0}; fastcgi_temp_path {0}; uwsgi_temp_path {0}; scgi_temp_path {0}; \
             server {{ listen {address}; location = /healthz {{ return 200 fine; }} }} }}",
            folder.display()
        );
        std::fs::write(&file, body).unwrap();
        add("nginx", "{path: /healthz, body: fine}", Command::new("nginx").arg("-c").arg(&file), address);
    }
    if has("haproxy") {
        let (address, file) = (free_port(), folder.join("haproxy.cfg"));
        let body = format!(
            "defaults\n mode http\n timeout client 5s\n timeout connect 5s\n timeout server 5s\n\
             frontend f\n bind {address}\n http-request return status 204 if {{ path /healthz }}\n"
        );
        std::fs::write(&file, body).unwrap();
        add(
            "haproxy",
            "{path: /healthz, method: HEAD, statuses: [204]}",
            Command::new("haproxy").arg("-f").arg(&file),
            address,
        );
    }
    let address = free_port();
    let port = address.port().to_string();
    let folder = scratch();
    add(
        "python",
        "/",
        Command::new(python()).args(["-m", "http.server", &port, "--bind", "127.0.0.1"]).current_dir(&folder),
        address,
    );
    if has("redis-server") {
        let address = free_port();
        let port = address.port().to_string();
        let check = r#"{script: [{send: "PING\r\n"}, {expect: "+PONG\r\n"}]}"#;
        add(
            "redis",
            check,
            Command::new("redis-server").args(["--port", &port, "--save", ""]).current_dir(&folder),
            address,
        );
    }
    all
}

#[test]
fn real_origins_pass_their_checks_while_they_live() {
    for Real { name, program, address, check } in real_origins() {
        let keys = format!("health_check: {}", check.replacen('{', "{interval: 100ms, recheck: 10ms, ", 1));
        let strait = Inside::serve(&upstream(&[address], &keys));
        let standing = || strait.endpoints()[0].state.standing.health();
        wait_for(|| (standing() == Health::Healthy).then_some(()));
        drop(program);
        // A check that is a word alone has its interval of five seconds.
        wait_for(|| (standing() == Health::Unhealthy).then_some(()));
        eprintln!("{name}: healthy, then unhealthy: {:?}", strait.endpoints()[0].state.checks.last_failure());
    }
}

/// nginx with TLS of an authority of its own; `client` asks clients for a certificate.
fn secure_nginx(folder: &std::path::Path, asks: bool) -> (Program, SocketAddr) {
    let (address, dir) = (free_port(), folder.display());
    let asks = if asks { format!("ssl_client_certificate {dir}/ca.pem; ssl_verify_client on;") } else { String::new() };
    let file = folder.join(format!("nginx-{}.conf", address.port()));
    let body = format!(
        "daemon off; master_process off; pid {dir}/{0}.pid; error_log {dir}/error.log info; events {{}} http {{ access_log off; \
         client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir}; \
         server {{ listen {address} ssl; ssl_certificate {dir}/site.pem; ssl_certificate_key {dir}/site.key; {asks} \
         location = /healthz {{ return 200 $ssl_protocol; }} }} }}",
        address.port()
    );
    std::fs::write(&file, body).unwrap();
    (serve(Command::new("nginx").args(["-e", "stderr"]).arg("-c").arg(&file), address), address)
}

/// Until the first check has ended; what it came to.
fn first_check(strait: &Inside) -> Result<(), String> {
    let endpoint = &strait.endpoints()[0];
    wait_for(|| (endpoint.state.checks.passed() + endpoint.state.checks.failed() > 0).then_some(()));
    endpoint.state.checks.last_failure().map_or(Ok(()), |why| Err(why.to_string()))
}

#[test]
fn endpoints_with_tls_are_checked_over_tls_as_requests_are_sent() {
    if !has("nginx") || !has("openssl") {
        return;
    }
    let folder = authority();
    let dir = folder.display();
    let (_open, open) = secure_nginx(&folder, false);
    let (_closed, closed) = secure_nginx(&folder, true);
    let ours = format!("ca: {dir}/ca.pem, server_name: app.internal");
    let with_certificate = format!("{ours}, cert: {dir}/site.pem, key: {dir}/site.key");
    let fine = "{path: /healthz, body: TLSv1}";
    for (address, tls, check, expected) in [
        (open, &ours, fine, Ok(())),
        (open, &ours, "{protocol: tcp}", Ok(())),
        (open, &ours, r#"{script: [{send: "GET /healthz HTTP/1.0\r\n\r\n"}, {expect: TLSv1}]}"#, Ok(())),
        (closed, &with_certificate, fine, Ok(())),
        (closed, &ours, fine, Err("GET /healthz was answered with 400")),
        (open, &"server_name: app.internal, insecure_skip_verify: true".to_owned(), fine, Ok(())),
        (open, &format!("ca: {dir}/ca.pem, server_name: other.internal"), fine, Err("the TLS handshake failed: ")),
        (
            open,
            &ours,
            &format!("{{path: /healthz, tls: false, port: {}}}", open.port()),
            Err("GET /healthz was answered with 400"),
        ),
    ] {
        let strait = Inside::serve(&upstream(&[address], &format!("tls: {{{tls}}}, health_check: {check}")));
        match (first_check(&strait), expected) {
            (Ok(()), Ok(())) => {}
            (Err(why), Err(expected)) => assert!(why.starts_with(expected), "{why}"),
            (found, _) => panic!("{tls}, {check}: {found:?}"),
        }
    }
    // Each check says that it leaves: nginx speaks of none as broken.
    let said = std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
    assert!(!said.contains("prematurely"), "{said}");
}

const GRPC: &str = r#"
import grpc, sys, concurrent.futures as futures
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
port, secure = sys.argv[1], len(sys.argv) > 2
server = grpc.server(futures.ThreadPoolExecutor(4))
servicer = health.HealthServicer()
servicer.set("", health_pb2.HealthCheckResponse.SERVING)
servicer.set("shop.Cart", health_pb2.HealthCheckResponse.SERVING)
servicer.set("shop.Ill", health_pb2.HealthCheckResponse.NOT_SERVING)
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
if secure:
    read = lambda name: open(name, "rb").read()
    server.add_secure_port("127.0.0.1:" + port, grpc.ssl_server_credentials([(read("site.key"), read("site.pem"))]))
else:
    server.add_insecure_port("127.0.0.1:" + port)
server.start()
server.wait_for_termination()
"#;

#[test]
fn servers_of_grpc_are_asked_by_its_health_service() {
    let found = Command::new(python()).args(["-c", "import grpc_health.v1"]).output().unwrap().status.success();
    if !found || !has("openssl") {
        eprintln!("skipped: grpcio-health-checking is missing; run `cargo xtask peers`");
        return;
    }
    let folder = authority();
    let start = |more: &[&str]| {
        let address = free_port();
        let port = address.port().to_string();
        let mut command = Command::new(python());
        command.args(["-c", GRPC, &port]).args(more).current_dir(&folder);
        (serve(&mut command, address), address)
    };
    let ((_plain, plain), (_secure, secure)) = (start(&[]), start(&["tls"]));
    let tls = format!("tls: {{ca: {}/ca.pem, server_name: app.internal}}, ", folder.display());
    let http1 = Origin::answering("ok");
    for (address, tls, service, expected) in [
        (plain, "", "", Ok(())),
        (plain, "", ", service: shop.Cart", Ok(())),
        (plain, "", ", service: shop.Ill", Err("the answer is NOT_SERVING")),
        (plain, "", ", service: shop.Missing", Err("the endpoint knows no service `shop.Missing`")),
        (secure, tls.as_str(), ", service: shop.Cart, headers: {x-check: strait}", Ok(())),
        (http1.address, "", "", Err("the endpoint speaks HTTP/1, not HTTP/2")),
    ] {
        let check = format!("{tls}health_check: {{protocol: grpc{service}}}");
        let strait = Inside::serve(&upstream(&[address], &check));
        assert_eq!(first_check(&strait), expected.map_err(str::to_owned), "{check}");
    }
}

#[test]
fn connections_are_there_before_the_first_request_where_that_is_asked() {
    let origin = Origin::answering("ok");
    let strait = Inside::serve(&upstream(&[origin.address], "keep_alive: {warm: 3}"));
    wait_for(|| (strait.endpoints()[0].state.idle() == 3).then_some(()));
    assert!(strait.get("/").ends_with("ok"));
    assert_eq!(strait.record(0)["strait.reused"], true);
    wait_for(|| (strait.endpoints()[0].state.idle() == 3).then_some(()));
    assert_eq!(strait.meter().upstream_opened.read(), 3);
}

#[test]
fn an_endpoint_that_is_much_slower_than_the_others_is_ejected() {
    let quick: Vec<Origin> = (0..3).map(|_| Origin::answering("ok")).collect();
    let slow = Origin::start(|_| {
        thread::sleep(Duration::from_millis(60));
        Act::answer(200, "ok")
    });
    let mut addresses: Vec<SocketAddr> = quick.iter().map(|origin| origin.address).collect();
    addresses.push(slow.address);
    let keys = "outlier_detection: {latency: true, interval: 500ms, min_requests: 5, eject_for: 1h, eject_for_max: 1h}";
    let strait = Inside::serve(&upstream(&addresses, keys));
    wait_for(|| {
        load(strait.address, 200, Duration::from_millis(900), || {});
        (strait.endpoints()[3].state.standing.ejected_until_ms() > 0).then_some(())
    });
    let before = slow.requests().len();
    assert_eq!(load(strait.address, 200, Duration::from_millis(600), || {}).1, 0);
    assert_eq!(slow.requests().len(), before);
    assert!((0..3).all(|quick| strait.endpoints()[quick].state.standing.ejected_until_ms() == 0));
}

#[test]
fn a_client_that_leaves_ends_what_is_done_for_it() {
    let silent = Origin::start(|_| Act::SayAndStall(String::new()));
    let strait = Inside::serve(&upstream(&[silent.address], "retry: {attempts: 3, retry_on: [timeout, reset]}"));
    let mut client = TcpStream::connect(strait.address).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    wait_for(|| (silent.requests().len() == 1).then_some(()));
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    assert_eq!(strait.record(0)["strait.end"], "client.response_head.reset");
    wait_for(|| (strait.endpoints()[0].state.open() == 0).then_some(()));
    assert_eq!(silent.requests().len(), 1);
}
