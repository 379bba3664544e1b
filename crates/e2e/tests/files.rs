//! Static files beside nginx and Caddy: the same folder, the same requests, the same answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::net::SocketAddr;
use support::{Strait, free_port, has, nginx, peer, run, scratch, start_caddy};

/// A folder with what the requests ask for.
fn site() -> std::path::PathBuf {
    let site = scratch();
    std::fs::create_dir_all(site.join("docs")).unwrap();
    for (name, text) in
        [("index.html", "<p>home"), ("a.txt", "0123456789"), ("docs/index.html", "<p>docs"), ("a b.txt", "blank")]
    {
        std::fs::write(site.join(name), text).unwrap();
    }
    let large: Vec<u8> = (0..700_001_u32).map(|at| (at % 251) as u8).collect();
    std::fs::write(site.join("large.bin"), large).unwrap();
    site
}

/// What all three must agree on: the status, the length of the body and its sum, and the fields about ranges.
fn ask(at: SocketAddr, path: &str, fields: &[&str], version: &str) -> String {
    let format = "%{http_code} %{size_download} %header{content-range}";
    let url = format!("http://{at}{path}");
    let body = scratch().join("body");
    let mut words = vec![version, "-s", "--path-as-is", "--max-time", "60", "-o", body.to_str().unwrap(), "-w", format];
    fields.iter().for_each(|field| words.extend(["-H", *field]));
    words.push(&url);
    let said = run("curl", &words);
    let body = std::fs::read(&body).unwrap_or_default();
    let is_own = said.starts_with('2');
    let sum = body.iter().fold(0_u64, |sum, octet| sum.wrapping_mul(31).wrapping_add(u64::from(*octet)));
    // Pages that say what went wrong differ.
    if is_own { format!("{} {sum}", said.trim()) } else { said.split(' ').next().unwrap().to_owned() }
}

const REQUESTS: &[(&str, &[&str])] = &[
    ("/", &[]),
    ("/a.txt", &[]),
    ("/a.txt?v=2", &[]),
    ("/a%20b.txt", &[]),
    ("/a%2Etxt", &[]),
    ("/docs/", &[]),
    ("/docs/../a.txt", &[]),
    ("/none", &[]),
    ("/docs/none/", &[]),
    ("/large.bin", &[]),
    ("/large.bin", &["Range: bytes=0-0"]),
    ("/large.bin", &["Range: bytes=100-300000"]),
    ("/large.bin", &["Range: bytes=700000-"]),
    ("/large.bin", &["Range: bytes=-1"]),
    ("/large.bin", &["Range: bytes=-9000000"]),
    ("/large.bin", &["Range: bytes=700001-"]),
    ("/large.bin", &["Range: bytes=5-9999999"]),
    ("/a.txt", &["Range: bytes=2-4", "If-Range: \"other\""]),
    ("/a.txt", &["Range: bytes=2-4", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT"]),
    ("/a.txt", &["Range: items=2-4"]),
    ("/a.txt", &["If-Modified-Since: Fri, 31 Dec 2038 23:59:59 GMT"]),
    ("/a.txt", &["If-None-Match: *"]),
    ("/a.txt", &["If-None-Match: \"other\""]),
    ("/a.txt", &["If-Match: \"other\""]),
    ("/a.txt", &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"]),
];

/// Where a peer differs, and why that is not followed.
const PECULIAR: &[(&str, &str, &str)] = &[
    ("caddy", "/a.txt Range: items=2-4", "a unit that nobody knows is ignored (RFC 9110 §14.2)"),
    (
        "nginx",
        "/a.txt If-Modified-Since: Fri, 31 Dec 2038 23:59:59 GMT",
        "a later date is as good as the exact one (RFC 9110 §13.1.3); nginx compares for equality unless told otherwise",
    ),
];

#[test]
fn files_ranges_and_conditions_are_answered_as_the_peers_answer_them() {
    if !has("curl") || !has("nginx") {
        return;
    }
    let site = site();
    let text = site.to_str().unwrap();
    let configuration = format!("listeners: {{web: {{address: 127.0.0.1:0}}}}\nroutes:\n  /: {{files: {text}}}\n");
    let Some(strait) = Strait::start_as_it_is(&configuration) else { return };
    let mut peers = Vec::new();
    let at = free_port();
    let server = format!("types {{}} server {{ listen {at}; root {text}; index index.html; }}");
    peers.push(("nginx", at, nginx(&server, at)));
    if let Some(program) = peer("caddy") {
        let at = free_port();
        let server = format!("http://:{} {{\n\troot * {text}\n\tfile_server\n}}\n", at.port());
        peers.push(("caddy", at, start_caddy(&program, &server, at)));
    }
    for (path, fields) in REQUESTS {
        let ours = ask(strait.address, path, fields, "--http1.1");
        let over_http2 = ask(strait.address, path, fields, "--http2-prior-knowledge");
        assert_eq!(over_http2, ours, "{path} {fields:?}");
        for (name, at, _) in &peers {
            let theirs = ask(*at, path, fields, "--http1.1");
            let is_known =
                PECULIAR.iter().any(|(who, what, _)| who == name && *what == format!("{path} {}", fields.join(", ")));
            assert!(is_known || ours == theirs, "{path} {fields:?}: {ours}, and by {name} {theirs}");
        }
    }
}
