//! Promises of THREAT_MODEL.md that only the real program can show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use support::{Program, Strait, free_port, has, run};

/// An origin that tells each head it gets and answers `ok`, showing what it is made of.
fn telling_origin() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heads) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, sender) = (stream.unwrap(), sender.clone());
            std::thread::spawn(move || {
                while let Some(head) = read_head(&mut stream) {
                    let _ = sender.send(head);
                    let fields = "Server: secret/1.0\r\nX-Powered-By: secret\r\nContent-Length: 2";
                    if write!(stream, "HTTP/1.1 200 OK\r\n{fields}\r\n\r\nok").is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, heads)
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut octet).ok()? == 0 {
            return None;
        }
        head.push(octet[0]);
    }
    String::from_utf8(head).ok()
}

/// Sends octets and gives everything that comes back.
fn raw(to: SocketAddr, octets: &str) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(octets.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Every way of naming the client that some origin believes.
const SPOOFED: &[&str] = &[
    "X-Forwarded-For",
    "x_forwarded_for",
    "X.Forwarded.For",
    "X-FORWARDED-FOR",
    "X-Forwarded-Proto",
    "X_Forwarded_Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "Forwarded",
    "X-Real-IP",
    "X_Real_IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "CF-IPCountry",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-SSL-Client-Verify",
    "X_SSL_Client_DN",
    "SSL-Client-Cert",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Original-Host",
    "Proxy",
    "X-Request-Id",
];

#[test]
fn a_client_does_not_choose_who_it_is() {
    let (origin, heads) = telling_origin();
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{origin}\"}}\n")) else { return };
    let spoofed: String = SPOOFED.iter().map(|name| format!("{name}: spoofed\r\n")).collect();
    // Connection must not take off what Strait puts on, either.
    let nominated = "Connection: close, X-Forwarded-For, X-Forwarded-Proto\r\n";
    raw(strait.address, &format!("GET / HTTP/1.1\r\nHost: a\r\n{spoofed}{nominated}\r\n"));
    let head = heads.recv().unwrap();
    assert!(!head.contains("spoofed"), "{head}");
    for name in ["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: a"] {
        assert_eq!(head.matches(&format!("\r\n{name}\r\n")).count(), 1, "{name} in {head}");
    }
}

#[test]
fn a_trusted_proxy_is_believed() {
    let (origin, heads) = telling_origin();
    let text = format!("trusted_proxies: [127.0.0.0/8]\nroutes: {{/: \"{origin}\"}}\n");
    let Some(strait) = Strait::start(&text) else { return };
    let fields = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n";
    raw(strait.address, &format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    let head = heads.recv().unwrap();
    assert!(head.contains("X-Forwarded-For: 192.0.2.7, 127.0.0.1\r\n"), "{head}");
    assert!(head.contains("X-Forwarded-Proto: https\r\n"), "{head}");
}

#[test]
fn nothing_shows_what_stands_behind() {
    let (origin, _heads) = telling_origin();
    let dead = free_port();
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{origin}\", /dead: \"{dead}\"}}\n")) else { return };
    let answered = raw(strait.address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answered.starts_with("HTTP/1.1 200") && !answered.contains("secret"), "{answered}");
    for accept in ["text/html", "application/json"] {
        let head = format!("GET /dead HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
        let failed = raw(strait.address, &head);
        assert!(failed.starts_with("HTTP/1.1 502") && failed.contains("Proxy-Status: strait; error="), "{failed}");
        assert!(!failed.contains("127.0.0.1") && !failed.contains(&dead.port().to_string()), "{failed}");
    }
}

#[test]
fn repeated_slashes_pass_no_pattern() {
    let (origin, heads) = telling_origin();
    let text = format!("routes: {{/: \"{origin}\", /admin/*: {{respond: {{status: 403, body: no}}}}}}\n");
    let Some(strait) = Strait::start(&text) else { return };
    for path in ["/admin/x", "//admin/x", "/admin//x", "/./admin/x", "/%61dmin/x", "/x/../admin/x"] {
        let answer = raw(strait.address, &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
    }
    raw(strait.address, "GET //a///b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(heads.recv().unwrap().starts_with("GET /a/b HTTP/1.1\r\n"));
}

#[test]
fn the_admin_address_is_not_reached_through_the_data_path() {
    let Some(strait) = Strait::start("routes: {/app: {respond: app}}\n") else { return };
    for path in ["/metrics", "/status", "/livez", "/readyz", "/stop"] {
        for method in ["GET", "POST"] {
            let host = strait.admin;
            let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            assert!(raw(strait.address, &head).starts_with("HTTP/1.1 404"), "{method} {path}");
        }
    }
}

#[test]
fn the_admin_address_answers_while_the_workers_have_all_they_can_do() {
    if !has("wrk") || !has("curl") {
        return;
    }
    let Some(strait) = Strait::start("workers: 1\nroutes: {/: {respond: busy}}\n") else { return };
    let mut wrk = Command::new("wrk");
    wrk.args(["-t2", "-c400", "-d60", &strait.url("/")]).stdout(Stdio::null());
    let _load = Program(wrk.spawn().unwrap());
    while strait.metric("strait_worker_exchanges_total") < 10_000 {}
    for path in ["livez", "readyz", "status", "metrics"] {
        run("curl", &["-sSf", "--max-time", "30", "-o", "/dev/null", &format!("http://{}/{path}", strait.admin)]);
    }
    let stop = strait.order("POST", "/stop");
    assert!(stop.contains("draining"), "{stop}");
}

/// An origin with 4 MB for everybody.
fn large_origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                while read_head(&mut stream).is_some() {
                    let head = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 4 << 20);
                    if head.and_then(|()| stream.write_all(&vec![b'x'; 4 << 20])).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Memory of the process that nobody else has, in octets.
fn private_octets(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("Private_"));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum::<u64>() * 1024
}

#[test]
fn readers_that_stall_hold_little() {
    const CLIENTS: u64 = 100;
    let origin = large_origin();
    let text = format!(
        "workers: 1\nroutes: {{/: app}}\nupstreams: {{app: {{endpoints: [\"{origin}\"], max_connections: none}}}}\n"
    );
    let Some(strait) = Strait::start(&text) else { return };
    let ask = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    raw(strait.address, &ask.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    let before = private_octets(strait.id());
    let stalled: Vec<TcpStream> = (0..CLIENTS).map(|_| TcpStream::connect(strait.address).unwrap()).collect();
    stalled.iter().for_each(|mut stream| stream.write_all(ask.as_bytes()).unwrap());
    // All have begun; what passes through while they fill their sockets is given back within a second. The debug build's
    // futures are larger than those of the program that is shipped, which holds 20 KB for each.
    let began = std::time::Instant::now();
    let each = || private_octets(strait.id()).saturating_sub(before) / CLIENTS;
    while strait.metric("strait_worker_exchanges_running") < CLIENTS || each() > 64 * 1024 {
        assert!(began.elapsed() < Duration::from_secs(60), "{} octets each", each());
        std::thread::sleep(Duration::from_millis(50));
    }
}
