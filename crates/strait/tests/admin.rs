//! The admin API of the real process: patches that are kept, doors, and answers while every worker is busy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "several test files share it")]
mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::{Strait, get};

const TEXT: &str = "listeners: {web: \"127.0.0.1:0\"}
routes:
  /: {respond: files}
  /other: {respond: other}
admin: \"127.0.0.1:0\"
workers: 2
";

/// The admin address, which all users of this machine reach.
fn address(strait: &Strait) -> SocketAddr {
    strait.said("admin: http://").split('/').next().unwrap().parse().unwrap()
}

/// The admin socket, which is for this user.
fn admin(strait: &Strait) -> PathBuf {
    strait.said("admin: unix:").into()
}

/// Asks the socket for something with a body; the whole answer.
fn send(admin: &Path, method: &str, path: &str, fields: &str, body: &str) -> String {
    converse(UnixStream::connect(admin).unwrap(), method, path, fields, body)
}

/// The same of the address.
fn send_to_address(admin: SocketAddr, method: &str, path: &str, fields: &str, body: &str) -> String {
    converse(TcpStream::connect(admin).unwrap(), method, path, fields, body)
}

fn converse(mut stream: impl Read + Write, method: &str, path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[track_caller]
fn done(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

fn tag(answer: &str) -> String {
    answer.split("etag: ").nth(1).unwrap().split('\r').next().unwrap().to_owned()
}

#[test]
fn a_patch_serves_at_once_and_outlives_reload_and_restart() {
    let strait = Strait::run(TEXT);
    let (served, at) = (strait.ready(), admin(&strait));
    let before = tag(&send(&at, "GET", "/config", "", ""));
    let patch = r#"{"routes": {"/": {"respond": {"body": "patched"}}, "/other": null}}"#;
    let rehearsed = send(&at, "PATCH", "/config?dry_run", "", patch);
    assert!(rehearsed.contains("respond.body: files → patched") && rehearsed.contains("- route /other"), "{rehearsed}");
    assert!(get(served, "/").ends_with("files"));
    let fields = format!("If-Match: {before}\r\nContent-Type: application/merge-patch+json\r\n");
    done(&send(&at, "PATCH", "/config", &fields, patch));
    while !get(served, "/").ends_with("patched") {}
    assert!(send(&at, "PATCH", "/config", &fields, patch).starts_with("HTTP/1.1 412 "));
    // What was refused is not kept, and what serves serves on.
    let wrong = send(&at, "PUT", "/config/routes/%2Fnew", "", r#"{"to": "nowhere"}"#);
    assert!(wrong.starts_with("HTTP/1.1 422 ") && wrong.contains("no upstream named `nowhere`"), "{wrong}");
    let json_patch = "Content-Type: application/json-patch+json\r\n";
    let operations =
        r#"[{"op": "test", "path": "/workers", "value": 2}, {"op": "add", "path": "/drain_timeout", "value": "7s"}]"#;
    done(&send(&at, "PATCH", "/config", json_patch, operations));
    let kept = send(&at, "GET", "/patch", "", "");
    assert!(kept.contains(r#""drain_timeout":"7s""#) && kept.contains(r#""/other":null"#), "{kept}");
    // It goes over files that change elsewhere.
    strait.write(&format!("{TEXT}tests: []\n"));
    done(&send(&at, "POST", "/reload", "", ""));
    assert!(get(served, "/").ends_with("patched"));
    let strait = strait.restarted(&["run"]);
    strait.said("the admin API's patch holds over");
    let served = strait.ready();
    assert!(get(served, "/").ends_with("patched"));
    let at = admin(&strait);
    done(&send(&at, "DELETE", "/patch", "", ""));
    while !get(served, "/").ends_with("files") {}
    assert!(get(served, "/other").ends_with("other"));
}

#[test]
fn a_patch_that_cannot_be_kept_serves_and_its_answer_says_so() {
    let strait = Strait::start_with(TEXT, &["run"], &[("STRAIT_STATE", "/proc/state")]);
    let (served, at) = (strait.ready(), admin(&strait));
    let patched = send(&at, "PUT", "/config/routes/%2F/respond/body", "", "\"patched\"");
    done(&patched);
    assert!(patched.contains("\"not_kept\":\"the patch cannot be kept in /proc/state/"), "{patched}");
    while !get(served, "/").ends_with("patched") {}
}

#[test]
fn the_difference_shows_what_is_patched() {
    let strait = Strait::run(TEXT);
    strait.ready();
    let at = admin(&strait);
    let diff = || {
        let output = strait.command(&["diff", "--admin", &format!("unix:{}", at.display())]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(diff(), (Some(0), String::new()));
    done(&send(&at, "PUT", "/config/routes/%2F/respond/body", "", "\"patched\""));
    let patched = "the admin API has patched, and a reload keeps:\n~ route /\n    respond.body: files → patched\n";
    assert_eq!(diff(), (Some(1), patched.to_owned()));
    strait.write(&TEXT.replace("respond: other", "respond: new"));
    assert_eq!(diff(), (Some(1), format!("~ route /other\n    respond.body: other → new\n{patched}")));
}

#[test]
fn the_operator_is_asked_when_files_and_patch_contradict_each_other() {
    let mut strait = Strait::run(TEXT);
    let (served, at) = (strait.ready(), admin(&strait));
    done(&send(&at, "PUT", "/config/routes/%2F/respond/body", "", "\"patched\""));
    let changed = TEXT.replace("respond: files", "respond: changed");
    strait.write(&changed);
    let refused = send(&at, "POST", "/reload", "", "");
    assert!(refused.starts_with("HTTP/1.1 422 ") && refused.contains("--prefer file"), "{refused}");
    while !get(served, "/").ends_with("patched") {}
    strait.signal("TERM");
    assert_eq!(strait.ended().code(), Some(0));
    let mut strait = strait.restarted(&["run"]);
    strait.said("have both changed `routes./.respond.body`");
    assert_eq!(strait.ended().code(), Some(78));
    let mut strait = strait.restarted(&["run", "--prefer", "api"]);
    let served = strait.ready();
    assert!(get(served, "/").ends_with("patched"));
    let at = admin(&strait);
    strait.write(&TEXT.replace("respond: files", "respond: again"));
    let run =
        strait.command(&["reload", "--prefer", "file", "--admin", &format!("unix:{}", at.display())]).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    while !get(served, "/").ends_with("again") {}
    strait.signal("TERM");
    assert_eq!(strait.ended().code(), Some(0));
}

#[test]
fn without_a_word_there_is_a_socket_and_the_verbs_find_it() {
    let strait = Strait::run("listeners: {web: \"127.0.0.1:0\"}\nroutes: {/: {respond: x}}\n");
    let served = strait.ready();
    let run = |words: &[&str]| String::from_utf8(strait.command(words).output().unwrap().stdout).unwrap();
    // The usual address may be another test's.
    let status = run(&["status"]);
    assert!(
        status.contains(&format!("process {}: serving", strait.id())) && status.contains(&served.to_string()),
        "{status}"
    );
    assert_eq!(run(&["stop", "--wait", "60"]), "stopped\n");
}

#[test]
fn the_verbs_bear_the_token_of_the_configuration() {
    let text = TEXT.replace("admin: \"127.0.0.1:0\"", "admin: {address: \"127.0.0.1:0\", token: \"${file:token}\"}");
    let strait = Strait::prepared(&text, &[("token", "0123456789abcdef0123")], &["run"]);
    strait.ready();
    let at = address(&strait);
    assert!(send_to_address(at, "POST", "/reload", "", "").starts_with("HTTP/1.1 401 "));
    done(&send_to_address(at, "POST", "/reload", "Authorization: Bearer 0123456789abcdef0123\r\n", ""));
    let status = |token: &str| {
        let mut command = strait.command(&["status", "--admin", &at.to_string()]);
        command
            .env("STRAIT_ADMIN_TOKEN", token)
            .env("XDG_RUNTIME_DIR", "/nowhere")
            .env("STRAIT_STATE", "/nowhere")
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(status("0123456789abcdef0123") && !status("wrong"));
}

/// Every answer is held against the document that the process gives of itself.
#[test]
fn answers_are_as_the_openapi_document_says() {
    let venv = std::env::var_os("PEERS_VENV").map_or_else(|| PathBuf::from("../../.peers/venv"), PathBuf::from);
    let program = venv.join("bin/st");
    if !program.is_file() {
        return eprintln!("skipped: schemathesis is missing; run `cargo xtask peers`");
    }
    let upstream = "upstreams: {app: [\"127.0.0.1:1\", \"127.0.0.1:2\"]}\n";
    let text = format!("{TEXT}{upstream}")
        .replace("admin: \"127.0.0.1:0\"", "admin: {address: \"127.0.0.1:0\", token: 0123456789abcdef0123}")
        .replace("  /other: {respond: other}", "  /other: app");
    // Whether a configuration serves is not known from its form: refusals of what has the right form are answers too.
    let settings = "[checks.positive_data_acceptance]
expected-statuses = [\"2xx\", \"3xx\", 400, 404, 409, 412, 422]
[checks.negative_data_rejection]
expected-statuses = [400, 404, 409, 412, 413, 415, 422]
";
    let strait = Strait::prepared(&text, &[("schemathesis.toml", settings)], &["run"]);
    strait.ready();
    let at = address(&strait);
    let folder = strait.command(&[]).get_current_dir().map(Path::to_path_buf).unwrap();
    let output = Command::new(std::fs::canonicalize(&program).unwrap())
        .args(["run", &format!("http://{at}/openapi.json"), "--checks", "all", "--exclude-path", "/stop"])
        .args(["--header", "Authorization: Bearer 0123456789abcdef0123"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--generation-deterministic"])
        .args(["--continue-on-failure", "--no-color"])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", said.lines().rev().take(12).collect::<Vec<_>>().join("\n"));
}

#[test]
fn it_answers_while_every_worker_spins() {
    let strait = Strait::run(TEXT);
    let (served, at) = (strait.ready(), admin(&strait));
    let (over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (over, count) = (over.clone(), count.clone());
            std::thread::spawn(move || spin(served, &over, &count))
        })
        .collect();
    while count.load(Ordering::Relaxed) < 10_000 {
        std::thread::yield_now();
    }
    let mut took: Vec<Duration> = (0..100)
        .map(|round| {
            let began = Instant::now();
            done(&send(&at, "GET", ["/status", "/metrics", "/config", "/livez"][round % 4], "", ""));
            began.elapsed()
        })
        .collect();
    over.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().unwrap());
    took.sort();
    let (requests, median, slowest) = (count.load(Ordering::Relaxed), took[50], took[99]);
    println!("while {requests} requests were served: median {median:?}, slowest {slowest:?} of 100 answers");
}

/// Requests in batches, so that a worker never finds its queue empty.
fn spin(served: SocketAddr, over: &AtomicBool, count: &AtomicU64) {
    let batch = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(64);
    while !over.load(Ordering::Relaxed) {
        let mut stream = TcpStream::connect(served).unwrap();
        let mut reader = stream.try_clone().unwrap();
        for _ in 0..10 {
            if stream.write_all(batch.as_bytes()).is_err() {
                break;
            }
            let (mut answers, mut piece) = (0, [0; 16_384]);
            while answers < 64 {
                match reader.read(&mut piece) {
                    Ok(0) | Err(_) => break,
                    Ok(octets) => {
                        answers += piece[..octets].windows(9).filter(|window| *window == b"HTTP/1.1 ").count()
                    }
                }
            }
            count.fetch_add(64, Ordering::Relaxed);
        }
    }
}
