//! Endpoints from a real name server (dnsmasq): they come and go by their TTL, what is known outlives the server, and a
//! server that is not there stops no start.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{Program, Strait, has, run, serve_origin};

/// What only something that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(60);

/// A name server with these records, on a port of its own or one that was used before.
fn name_server(port: u16, records: &[&str]) -> Program {
    let mut command = Command::new("dnsmasq");
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts"]);
    command.args(["--bind-interfaces", "--listen-address=127.0.0.1", "--local-ttl=1", "--user=", "--group="]);
    command.arg(format!("--port={port}")).args(records);
    let program = command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap();
    let server = Program(program);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let began = Instant::now();
    // It listens over TCP too.
    while std::net::TcpStream::connect(address).is_err() {
        assert!(began.elapsed() < PATIENCE, "dnsmasq does not listen on {address}");
        std::thread::yield_now();
    }
    server
}

/// A port that nobody uses, for UDP and TCP.
fn free_dns_port() -> u16 {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Origins on 127.0.0.1 and following addresses, all on one port: each answers with its address.
fn origins(count: u8) -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        let rest: Result<Vec<_>, _> =
            (2..=count).map(|last| TcpListener::bind((Ipv4Addr::new(127, 0, 0, last), port))).collect();
        let Ok(rest) = rest else { continue };
        for listener in std::iter::once(first).chain(rest) {
            let name = listener.local_addr().unwrap().ip().to_string();
            serve_origin(listener, &name);
        }
        return port;
    }
}

fn ask(strait: &Strait) -> String {
    run("curl", &["-s", "--max-time", "30", &strait.url("/")])
}

/// Asks until these, and only these, answer a whole round.
fn wait_until_only(strait: &Strait, expected: &[&str]) -> BTreeMap<String, usize> {
    let began = Instant::now();
    loop {
        let mut counts = BTreeMap::new();
        (0..12).for_each(|_| *counts.entry(ask(strait)).or_default() += 1);
        if counts.keys().eq(expected) {
            return counts;
        }
        assert!(began.elapsed() < PATIENCE, "{counts:?} instead of {expected:?}");
    }
}

#[test]
fn addresses_come_and_go_by_their_ttl_and_outlive_the_name_server() {
    if !has("dnsmasq") || !has("curl") {
        return;
    }
    let (dns, port) = (free_dns_port(), origins(4));
    let text = format!(
        "workers: 1\nroutes: {{/: app}}\nupstreams: {{app: \"dns://app.test:{port}\"}}\nresolver: \"127.0.0.1:{dns}\"\n"
    );
    let server = name_server(dns, &["--host-record=app.test,127.0.0.1", "--host-record=app.test,127.0.0.2"]);
    let Some(strait) = Strait::start(&text) else { return };
    let counts = wait_until_only(&strait, &["127.0.0.1", "127.0.0.2"]);
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [6, 6]);
    drop(server);
    let server = name_server(dns, &["--host-record=app.test,127.0.0.2", "--host-record=app.test,127.0.0.3"]);
    wait_until_only(&strait, &["127.0.0.2", "127.0.0.3"]);
    drop(server);
    strait.wait_until_said("what is known of it is kept");
    assert_eq!(wait_until_only(&strait, &["127.0.0.2", "127.0.0.3"]).into_values().sum::<usize>(), 12);
    let _server = name_server(dns, &["--host-record=app.test,127.0.0.4"]);
    wait_until_only(&strait, &["127.0.0.4"]);
    strait.wait_until_said("resolves again");
}

#[test]
fn a_start_waits_for_nobody_and_a_reload_brings_names_in() {
    if !has("dnsmasq") || !has("curl") {
        return;
    }
    let (dns, port) = (free_dns_port(), origins(2));
    let text = |name: &str| {
        format!(
            "workers: 1\nroutes: {{/: app}}\nupstreams: {{app: \"dns://{name}.test:{port}\"}}\nresolver: \"127.0.0.1:{dns}\"\n"
        )
    };
    let Some(strait) = Strait::start(&text("one")) else { return };
    let status = run("curl", &["-s", "-o", "/dev/null", "-w", "%{http_code}", &strait.url("/")]);
    assert_eq!(status, "503");
    let _server = name_server(dns, &["--host-record=one.test,127.0.0.1", "--host-record=two.test,127.0.0.2"]);
    wait_until_only(&strait, &["127.0.0.1"]);
    let (taken, said) = strait.reload(&text("two"));
    assert!(taken, "{said}");
    assert_eq!(ask(&strait), "127.0.0.2", "found before the plan was published");
}

#[test]
fn services_bring_ports_weights_and_tiers() {
    if !has("dnsmasq") || !has("curl") {
        return;
    }
    let (dns, port) = (free_dns_port(), origins(3));
    let service = |target: &str, priority, weight| {
        format!("--srv-host=_http._tcp.app.test,{target}.test,{port},{priority},{weight}")
    };
    let services = [service("one", 10, 30), service("two", 10, 10), service("spare", 20, 1)];
    let mut records: Vec<&str> = services.iter().map(String::as_str).collect();
    records.extend([
        "--host-record=one.test,127.0.0.1",
        "--host-record=two.test,127.0.0.2",
        "--host-record=spare.test,127.0.0.3",
    ]);
    let _server = name_server(dns, &records);
    let text = format!(
        "workers: 1\nroutes: {{/: app}}\nupstreams: {{app: \"srv://_http._tcp.app.test\"}}\nresolver: \"127.0.0.1:{dns}\"\n"
    );
    let Some(strait) = Strait::start(&text) else { return };
    let counts = wait_until_only(&strait, &["127.0.0.1", "127.0.0.2"]);
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [9, 3], "by the weights of the records");
    for last in [1, 2] {
        let drained = strait.order("PATCH", &format!("/upstreams/app/endpoints/127.0.0.{last}:{port}?drain=true"));
        assert!(drained.contains("draining"), "{drained}");
    }
    wait_until_only(&strait, &["127.0.0.3"]);
}

#[test]
fn the_example_finds_its_endpoints() {
    if !has("dnsmasq") || !has("curl") {
        return;
    }
    let (dns, port) = (free_dns_port(), origins(3));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf/dns.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let text = text
        .replace("app.internal:3000", &format!("app.internal:{port}"))
        .replace("127.0.0.1:5300", &format!("127.0.0.1:{dns}"));
    let spare = format!("--srv-host=_http._tcp.spare.internal,spare.internal,{port}");
    let records = [
        "--host-record=app.internal,127.0.0.1",
        "--host-record=app.internal,127.0.0.2",
        "--host-record=spare.internal,127.0.0.3",
        &spare,
    ];
    let _server = name_server(dns, &records);
    let Some(strait) = Strait::start_as_it_is(&text) else { return };
    wait_until_only(&strait, &["127.0.0.1", "127.0.0.2"]);
}
