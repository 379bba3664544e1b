//! Balancing by the real program: examples of `conf/`, sticky clients over restarts and drains, weights and drains set in
//! operation, origins on Unix sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{Program, Strait, answer, free_port, has, run, scratch, serve, serve_origin};

/// The address of a new origin.
fn origin(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    serve_origin(listener, name);
    address
}

/// A file of `conf/` with origins in place of its addresses.
fn example(name: &str, addresses: &[(&str, &str)]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf").join(name);
    let text = std::fs::read_to_string(file).unwrap();
    addresses.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in {name}");
        text.replace(from, to)
    })
}

/// Asks with curl: the body and what was set as cookies.
fn ask(strait: &Strait, arguments: &[&str]) -> (String, Vec<String>) {
    let url = strait.url("/");
    let answer = run("curl", &[&["-s", "-i", "--max-time", "30"], arguments, &[&url]].concat());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let cookies = head.lines().filter_map(|line| line.strip_prefix("Set-Cookie: "));
    (body.to_owned(), cookies.map(str::to_owned).collect())
}

fn counts(strait: &Strait, requests: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    (0..requests).for_each(|_| *counts.entry(ask(strait, &[]).0).or_default() += 1);
    counts
}

#[test]
fn least_request_uses_both() {
    let (one, two) = (origin("one"), origin("two"));
    let text = example("least-request.yaml", &[("localhost:3001", &one), ("localhost:3002", &two)]);
    let Some(strait) = Strait::start_as_it_is(&text).filter(|_| has("curl")) else { return };
    assert_eq!(counts(&strait, 40).len(), 2);
}

#[test]
fn a_key_finds_its_endpoint_and_another_when_that_is_drained() {
    let (one, two) = (origin("one"), origin("two"));
    let text = example("consistent-hash.yaml", &[("localhost:3001", &one), ("localhost:3002", &two)]);
    let Some(strait) = Strait::start_as_it_is(&text).filter(|_| has("curl")) else { return };
    let of = |user: &str| ask(&strait, &["-H", &format!("X-User: {user}")]).0;
    let users: Vec<String> = (0..12).map(|n| format!("user-{n}")).collect();
    let before: Vec<String> = users.iter().map(|user| of(user)).collect();
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 2, "{before:?}");
    assert_eq!(users.iter().map(|user| of(user)).collect::<Vec<_>>(), before);
    let explained = strait.order("GET", "/explain?method=GET&url=http://x/");
    assert!(explained.contains("consistent_hash, maglev, bounded load 125% by the header X-User"), "{explained}");
    let drained = strait.order("PATCH", &format!("/upstreams/app/endpoints/{one}?drain=true"));
    assert!(drained.contains(r#""absence":"draining""#), "{drained}");
    assert!(users.iter().all(|user| of(user) == "two"));
    strait.order("PATCH", &format!("/upstreams/app/endpoints/{one}?drain=false"));
    assert_eq!(users.iter().map(|user| of(user)).collect::<Vec<_>>(), before, "each is back where it was");
}

#[test]
fn a_client_stays_with_its_version_and_endpoint() {
    let (one, two, new) = (origin("one"), origin("two"), origin("new"));
    let addresses = [("localhost:3001", &*one), ("localhost:3002", &two), ("localhost:3003", &new)];
    let text = example("sticky-canary.yaml", &addresses).replace("95", "1").replace("canary: 5}", "canary: 1}");
    let Some(strait) = Strait::start_as_it_is(&text).filter(|_| has("curl")) else { return };
    let mut met = BTreeSet::new();
    for client in 0..8 {
        let jar = scratch().join("jar");
        let jar = jar.to_str().unwrap();
        let (first, cookies) = ask(&strait, &["-c", jar, "-b", jar]);
        assert_eq!(cookies.len(), if first == "new" { 1 } else { 2 }, "{cookies:?}");
        assert!(cookies[0].starts_with("version="), "{cookies:?}");
        assert!(cookies[0].ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800"), "{cookies:?}");
        for _ in 0..5 {
            let (again, cookies) = ask(&strait, &["-c", jar, "-b", jar]);
            assert_eq!((again, cookies), (first.clone(), vec![]), "client {client}");
        }
        met.insert(first);
    }
    assert!(met.contains("new") && met.len() >= 2, "{met:?}");
}

#[test]
fn a_sticky_client_outlives_a_restart_and_is_moved_only_when_it_must_be() {
    let (one, two) = (origin("one"), origin("two"));
    let text = format!(
        "routes: {{/: app}}\nupstreams: {{app: {{endpoints: [\"{one}\", \"{two}\"], sticky: {{cookie: s, key: secret, secure: true}}}}}}\n"
    );
    let Some(strait) = Strait::start(&text).filter(|_| has("curl")) else { return };
    let (first, cookies) = ask(&strait, &[]);
    assert!(cookies[0].contains("; Secure"), "{cookies:?}");
    let cookie = cookies[0].split(';').next().unwrap().to_owned();
    drop(strait);
    let strait = Strait::start(&text).unwrap();
    let stays = |strait: &Strait| (0..6).all(|_| ask(strait, &["-b", &cookie]) == (first.clone(), vec![]));
    assert!(stays(&strait), "the key outlived the process");
    let mine = if first == "one" { &one } else { &two };
    strait.order("POST", &format!("/upstreams/app/endpoints/{mine}?drain=true"));
    assert!(stays(&strait), "a drain turns away new clients only");
    assert!((0..6).all(|_| ask(&strait, &[]).0 != first));
    let forged = format!("s={}", "A".repeat(22));
    let (body, cookies) = ask(&strait, &["-b", &forged]);
    assert!(body != first && cookies.len() == 1, "what Strait did not make is no cookie of its own");
}

#[test]
fn one_that_is_gone_moves_soft_clients_and_refuses_strict_ones() {
    let one = origin("one");
    let gone = support::free_port().to_string();
    for (mode, expected) in [("soft", "200"), ("strict", "502")] {
        let text = format!(
            "routes: {{/: app}}\nupstreams: {{app: {{endpoints: [\"{one}\", \"{gone}\"], sticky: {{cookie: s, key: k, mode: {mode}}}}}}}\n"
        );
        let Some(strait) = Strait::start(&text).filter(|_| has("curl")) else { return };
        // The tag of the one that is gone, by the key: HMAC-SHA-256 of upstream and endpoint.
        let script = format!(
            "printf 'app\\000{gone}' | openssl dgst -sha256 -hmac k -binary | head -c16 | basenc --base64url | tr -d ="
        );
        let tag = run("sh", &["-c", &script]);
        let cookie = format!("s={}", tag.trim());
        let status = run("curl", &["-s", "-o", "/dev/null", "-w", "%{http_code}", "-b", &cookie, &strait.url("/")]);
        assert_eq!(status, expected, "{mode}");
    }
}

#[test]
fn a_backup_serves_only_when_it_must() {
    let (one, two, backup) = (origin("one"), origin("two"), origin("backup"));
    let addresses = [("localhost:3001", &*one), ("localhost:3002", &two), ("localhost:3003", &backup)];
    let Some(strait) = Strait::start_as_it_is(&example("backup.yaml", &addresses)).filter(|_| has("curl")) else {
        return;
    };
    assert!(!counts(&strait, 10).contains_key("backup"));
    for endpoint in [&one, &two] {
        strait.order("POST", &format!("/upstreams/app/endpoints/{endpoint}?drain=true"));
    }
    assert_eq!(counts(&strait, 5), BTreeMap::from([("backup".to_owned(), 5)]));
}

#[test]
fn weights_are_set_in_operation_and_hold_over_a_reload() {
    let (one, two) = (origin("one"), origin("two"));
    let text = format!("workers: 1\nroutes: {{/: app}}\nupstreams: {{app: [\"{one}\", \"{two}\"]}}\n");
    let Some(strait) = Strait::start(&text).filter(|_| has("curl")) else { return };
    assert_eq!(counts(&strait, 10)["one"], 5);
    let set = strait.order("PATCH", &format!("/upstreams/app/endpoints/{one}?weight=3"));
    assert!(set.contains(r#""weight":3"#) && set.contains(r#""weight_configured":1"#), "{set}");
    assert_eq!(counts(&strait, 12)["one"], 9);
    strait.order("POST", "/reload");
    assert_eq!(counts(&strait, 12)["one"], 9, "a reload keeps it");
    strait.order("PATCH", &format!("/upstreams/app/endpoints/{one}?weight=null"));
    assert_eq!(counts(&strait, 10)["one"], 5);
    let refused = strait.order("PATCH", "/upstreams/app/endpoints/nobody:1?weight=3");
    assert!(refused.contains("no endpoint is called `nobody:1`"), "{refused}");
}

#[test]
fn an_origin_may_listen_on_a_unix_socket() {
    let path = scratch().join("origin.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(stream.unwrap(), "socket"));
        }
    });
    let text = format!("routes: {{/: \"unix:{}\"}}\n", path.display());
    let Some(strait) = Strait::start(&text).filter(|_| has("curl")) else { return };
    assert_eq!(counts(&strait, 5), BTreeMap::from([("socket".to_owned(), 5)]));
}

/// What one client met: answers of 200, and others.
#[derive(Default)]
struct Met {
    good: AtomicUsize,
    bad: AtomicUsize,
}

/// Asks over kept connections, `rate` times a second, until told to end.
fn keep_asking(address: SocketAddr, rate: u32, met: &Met, ended: &AtomicBool) {
    let mut connection = None;
    let mut next = Instant::now();
    while !ended.load(Ordering::Relaxed) {
        next += Duration::from_secs(1) / rate;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        let reader = connection.get_or_insert_with(|| BufReader::new(TcpStream::connect(address).unwrap()));
        let is_good = ask_once(reader).is_ok_and(|status| status == 200);
        if is_good { &met.good } else { &met.bad }.fetch_add(1, Ordering::Relaxed);
        if !is_good {
            connection = None;
        }
    }
}

fn ask_once(reader: &mut BufReader<TcpStream>) -> std::io::Result<u16> {
    reader.get_mut().write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")?;
    let (mut status, mut length, mut line) = (0, 0, String::new());
    while reader.read_line(&mut line)? > 0 && line != "\r\n" {
        if let Some(code) = line.strip_prefix("HTTP/1.1 ") {
            status = code.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(0);
        }
        if let Some(octets) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = octets.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    Ok(status)
}

/// An nginx of one process, which a signal kills at once.
fn nginx(address: SocketAddr) -> Program {
    let folder = scratch();
    let text = format!(
        "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log /dev/null;\nevents {{}}\nhttp {{ access_log off; \
         keepalive_requests 100000; server {{ listen {address}; return 200 ok; }} }}\n",
        folder.display()
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    serve(Command::new("nginx").arg("-p").arg(&folder).arg("-c").arg(&file), address)
}

#[test]
fn an_endpoint_that_is_killed_costs_no_more_than_one_idempotent_request() {
    if !has("nginx") {
        return;
    }
    let addresses: [SocketAddr; 4] = std::array::from_fn(|_| free_port());
    let mut origins: Vec<Program> = addresses.iter().map(|&address| nginx(address)).collect();
    let endpoints = addresses.map(|address| address.to_string()).join(", ");
    let text = format!(
        "routes: {{/: app}}\nupstreams: {{app: {{endpoints: [{endpoints}], outlier_detection: {{consecutive_errors: 5, eject_for: 30s}}}}}}\n"
    );
    let Some(strait) = Strait::start(&text) else { return };
    let (met, ended, address) = (Met::default(), AtomicBool::new(false), strait.address);
    let began = Instant::now();
    let asked = || met.good.load(Ordering::Relaxed) + met.bad.load(Ordering::Relaxed);
    std::thread::scope(|scope| {
        (0..16).for_each(|_| drop(scope.spawn(|| keep_asking(address, 125, &met, &ended))));
        let wait_for = |requests: usize| {
            while asked() < requests {
                std::thread::yield_now();
                assert!(began.elapsed() < Duration::from_secs(120), "nothing moves after {} requests", asked());
            }
        };
        wait_for(3_000);
        drop(origins.pop());
        wait_for(8_000);
        ended.store(true, Ordering::Relaxed);
    });
    let (good, bad) = (met.good.into_inner(), met.bad.into_inner());
    let rate = (good + bad) as f64 / began.elapsed().as_secs_f64();
    println!("{good} answered, {bad} not, at {rate:.0} a second");
    assert!(bad <= 1, "{bad} of {} requests failed", good + bad);
    assert!(strait.metric("strait_worker_retries_total") > 0, "requests were under way to it");
}
