//! What people put in front of a proxy and behind it: each with a body whose every octet is compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::path::PathBuf;
use std::process::Command;
use support::{Program, Strait, free_port, has, peer, python, run, scratch, serve};

/// A folder with a large file and a page, served by Python's http.server.
fn python_files() -> (PathBuf, Program, String) {
    let folder = scratch();
    let octets: Vec<u8> = (0..3_000_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()).collect();
    std::fs::write(folder.join("large.bin"), octets).unwrap();
    std::fs::write(folder.join("page.html"), "<title>through</title><p id=p>Strait</p>").unwrap();
    let address = free_port();
    let port = address.port().to_string();
    let mut server = Command::new("python3");
    server.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(&folder).arg(port);
    let program = serve(&mut server, address);
    (folder, program, address.to_string())
}

/// An origin that answers with what it got, on Node.
fn node_echo() -> (Program, String) {
    let address = free_port();
    let script = "require('http').createServer((q,s)=>{s.writeHead(200,{'x-method':q.method});q.pipe(s)}).listen(+process.argv[1],'127.0.0.1')";
    let port = address.port().to_string();
    (serve(Command::new("node").args(["-e", script, &port]), address), address.to_string())
}

#[test]
fn curl_downloads_and_python_serves_octet_for_octet() {
    if !has("curl") || !has("python3") {
        return;
    }
    let (folder, _origin, address) = python_files();
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{address}\"}}\n")) else { return };
    let got = folder.join("got.bin");
    for version in ["--http1.1", "--http1.0"] {
        run("curl", &["-sSf", version, "-o", got.to_str().unwrap(), &strait.url("/large.bin")]);
        assert!(std::fs::read(&got).unwrap() == std::fs::read(folder.join("large.bin")).unwrap(), "{version}");
    }
    let head = run("curl", &["-sSfI", &strait.url("/large.bin")]);
    assert!(head.contains("Content-Length: 12000000") && !head.contains("Server:"), "{head}");
}

#[test]
fn curl_uploads_by_length_and_in_chunks_to_node() {
    if !has("curl") || !has("node") {
        return;
    }
    let (_origin, address) = node_echo();
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{address}\"}}\n")) else { return };
    let folder = scratch();
    let (sent, got) = (folder.join("sent"), folder.join("got"));
    std::fs::write(&sent, vec![7u8; 5_000_000]).unwrap();
    let body = format!("@{}", sent.display());
    for framing in ["Transfer-Encoding: chunked", "X-Framing: length"] {
        let url = strait.url("/echo");
        run("curl", &["-sSf", "-H", framing, "--data-binary", &body, "-o", got.to_str().unwrap(), &url]);
        assert!(std::fs::read(&got).unwrap() == std::fs::read(&sent).unwrap(), "{framing}");
    }
}

#[test]
fn python_and_node_clients_reuse_their_connections() {
    if !has("node") {
        return;
    }
    let (_origin, address) = node_echo();
    let Some(strait) = Strait::start(&format!("workers: 1\nroutes: {{/: \"{address}\"}}\n")) else { return };
    let url = strait.url("/x");
    let python_script = "import sys,http.client,urllib.parse as u\nc=http.client.HTTPConnection(u.urlparse(sys.argv[1]).netloc)\nfor i in range(50):\n c.request('POST','/x',b'%d'%i); r=c.getresponse(); assert r.status==200 and r.read()==b'%d'%i";
    run("python3", &["-c", python_script, &url]);
    let node_script = "(async()=>{for(let i=0;i<50;i++){let r=await fetch(process.argv[1],{method:'POST',body:''+i});if(await r.text()!=''+i)process.exit(1)}})()";
    run("node", &["-e", node_script, &url]);
    assert_eq!(strait.metric("strait_endpoint_connections_opened_total"), 1);
}

#[test]
fn a_websocket_client_talks_through_a_tunnel() {
    let script = r"
import asyncio, sys
try: import websockets
except ImportError: print('missing'); sys.exit()
async def echo(ws):
    async for m in ws: await ws.send(m)
async def main():
    if sys.argv[1] == 'serve':
        async with websockets.serve(echo, '127.0.0.1', int(sys.argv[2]), max_size=None): await asyncio.Future()
    async with websockets.connect(sys.argv[2], max_size=None) as ws:
        for n in (1, 125, 126, 65536, 1000000):
            await ws.send('x' * n); assert await ws.recv() == 'x' * n
asyncio.run(main())
";
    let python = python();
    if run(&python, &["-c", "import importlib.util as i; print(i.find_spec('websockets'))"]).trim() == "None" {
        eprintln!("skipped: the Python package websockets is missing; run `cargo xtask peers`");
        return;
    }
    let address = free_port();
    let port = address.port().to_string();
    let _origin = serve(Command::new(&python).args(["-c", script, "serve", &port]), address);
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{address}\"}}\n")) else { return };
    run(&python, &["-c", script, "connect", &format!("ws://{}/chat", strait.address)]);
    assert_eq!(strait.metric("strait_faults_total"), 0);
}

#[test]
fn git_clones_through_it() {
    if !has("git") || !has("python3") {
        return;
    }
    let (folder, _origin, address) = python_files();
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{address}\"}}\n")) else { return };
    let (work, bare) = (folder.join("work"), folder.join("bare.git"));
    let (work_text, bare_text) = (work.to_str().unwrap(), bare.to_str().unwrap());
    run("git", &["init", "-q", work_text]);
    std::fs::copy(folder.join("large.bin"), work.join("large.bin")).unwrap();
    run("git", &["-C", work_text, "add", "."]);
    run("git", &["-C", work_text, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "one"]);
    run("git", &["clone", "-q", "--bare", work_text, bare_text]);
    run("git", &["-C", bare_text, "update-server-info"]);
    let clone = folder.join("clone");
    run("git", &["clone", "-q", &strait.url("/bare.git"), clone.to_str().unwrap()]);
    assert!(std::fs::read(clone.join("large.bin")).unwrap() == std::fs::read(folder.join("large.bin")).unwrap());
}

/// Caddy of the peers' environment, serving a folder.
fn caddy_files(folder: &std::path::Path) -> Option<(Program, String)> {
    let caddy = peer("caddy")?;
    let address = free_port();
    let listen = address.to_string();
    let mut command = Command::new(caddy);
    command.args(["file-server", "--listen", &listen, "--root"]).arg(folder).env("XDG_DATA_HOME", scratch());
    Some((serve(&mut command, address), listen))
}

#[test]
fn caddy_answers_whole_ranges_and_conditions() {
    let folder = scratch();
    std::fs::write(folder.join("file"), "0123456789").unwrap();
    let Some((_origin, address)) = caddy_files(&folder) else { return };
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{address}\"}}\n")) else { return };
    let (url, direct) = (strait.url("/file"), format!("http://{address}/file"));
    assert_eq!(run("curl", &["-sSf", &url]), "0123456789");
    assert_eq!(run("curl", &["-sSf", "-r", "2-4", &url]), "234");
    let etag = run("curl", &["-sSfI", "-w", "%header{etag}", "-o", "/dev/null", &direct]);
    let condition = format!("If-None-Match: {etag}");
    for to in [&url, &direct] {
        assert_eq!(run("curl", &["-s", "-w", "%{http_code}", "-H", &condition, to]), "304");
    }
}

/// A package and the index of it, as in a repository of Debian.
fn repository(folder: &std::path::Path) {
    let (root, pool) = (folder.join("hello"), folder.join("pool"));
    std::fs::create_dir_all(root.join("DEBIAN")).unwrap();
    std::fs::create_dir_all(&pool).unwrap();
    let fields =
        "Package: strait-e2e\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: test\n";
    std::fs::write(root.join("DEBIAN/control"), fields).unwrap();
    std::fs::write(root.join("payload"), vec![5; 300_000]).unwrap();
    let file = pool.join("strait-e2e_1.0_all.deb");
    run("dpkg-deb", &["--root-owner-group", "-Znone", "--build", root.to_str().unwrap(), file.to_str().unwrap()]);
    let sum =
        |path: &std::path::Path| run("sha256sum", &[path.to_str().unwrap()]).split(' ').next().unwrap().to_owned();
    let size = std::fs::metadata(&file).unwrap().len();
    let index = format!("{fields}Filename: pool/strait-e2e_1.0_all.deb\nSize: {size}\nSHA256: {}\n", sum(&file));
    std::fs::write(folder.join("Packages"), index).unwrap();
    let (size, sum) = (std::fs::metadata(folder.join("Packages")).unwrap().len(), sum(&folder.join("Packages")));
    std::fs::write(folder.join("Release"), format!("Suite: e2e\nSHA256:\n {sum} {size} Packages\n")).unwrap();
}

#[test]
fn apt_updates_and_downloads_from_a_repository_behind_caddy() {
    if !has("apt-get") || !has("dpkg-deb") {
        return;
    }
    let folder = scratch();
    repository(&folder);
    let Some((_origin, address)) = caddy_files(&folder) else { return };
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{address}\"}}\n")) else { return };
    let own = folder.join("apt");
    for part in ["lists/partial", "cache/archives/partial", "etc"] {
        std::fs::create_dir_all(own.join(part)).unwrap();
    }
    std::fs::write(own.join("etc/sources.list"), format!("deb [trusted=yes] {} ./\n", strait.url("/"))).unwrap();
    std::fs::write(own.join("status"), "").unwrap();
    let apt = |words: &[&str]| {
        let own = own.display();
        let options = [
            format!("Dir::State={own}"),
            format!("Dir::State::lists={own}/lists"),
            format!("Dir::State::status={own}/status"),
            format!("Dir::Cache={own}/cache"),
            format!("Dir::Etc::sourcelist={own}/etc/sources.list"),
            "Dir::Etc::sourceparts=-".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::http::Proxy=false".to_owned(),
            "Acquire::Retries=0".to_owned(),
        ];
        let mut command = Command::new("apt-get");
        for option in &options {
            command.args(["-o", option]);
        }
        let output = command.args(words).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    apt(&["update"]);
    apt(&["download", "strait-e2e"]);
    let got = std::fs::read(folder.join("strait-e2e_1.0_all.deb")).unwrap();
    assert!(got == std::fs::read(folder.join("pool/strait-e2e_1.0_all.deb")).unwrap());
    assert_eq!(strait.metric("strait_faults_total"), 0);
}

#[test]
fn wrk_and_h2load_see_no_error_and_nginx_answers() {
    if !has("wrk") || !has("h2load") || !has("nginx") {
        return;
    }
    let folder = scratch();
    let address = free_port();
    let file = folder.join("nginx.conf");
    let text = format!(
        "daemon off; master_process off; pid {0}/pid; error_log {0}/log; events {{}} http {{ access_log off; \
         server {{ listen {address}; location / {{ return 200 \"hello\\n\"; }} }} }}",
        folder.display()
    );
    std::fs::write(&file, text).unwrap();
    let _origin = serve(Command::new("nginx").arg("-c").arg(&file).arg("-p").arg(&folder), address);
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{address}\"}}\n")) else { return };
    let wrk = run("wrk", &["-t1", "-c50", "-d2", &strait.url("/")]);
    assert!(!wrk.contains("Socket errors") && !wrk.contains("Non-2xx"), "{wrk}");
    let h2load = run("h2load", &["--h1", "-n", "5000", "-c", "20", &strait.url("/")]);
    assert!(h2load.contains("5000 succeeded, 0 failed, 0 errored"), "{h2load}");
}

#[test]
fn chromium_renders_a_page() {
    if !has("chromium") || !has("python3") {
        return;
    }
    let (folder, _origin, address) = python_files();
    let Some(strait) = Strait::start(&format!("routes: {{/: \"{address}\"}}\n")) else { return };
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"];
    let url = strait.url("/page.html");
    let arguments: Vec<&str> =
        flags.into_iter().chain([profile.as_str(), "--no-first-run", "--dump-dom", &url]).collect();
    assert!(run("chromium", &arguments).contains("<p id=\"p\">Strait</p>"));
}
