//! TLS with real peers: curl and openssl as clients, nginx as an origin, certificates that change under load.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "each test takes what it needs")]
mod support;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::{Strait, free_port, has, run, scratch, serve};

/// An authority of the test's own, and certificates of it: `site` (ECDSA), `rsa`, `client`, `revoked`.
fn certificates() -> PathBuf {
    let folder = scratch();
    let script = r#"
set -e
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Test authority" -keyout ca.key -out ca.pem -addext keyUsage=critical,keyCertSign,cRLSign
make() {
  openssl req -newkey $2 -nodes -subj "/O=Example/CN=$1" -keyout $1.key -out $1.csr
  printf "subjectAltName=DNS:example.com,DNS:*.example.com,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n" > $1.ext
  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -set_serial $3 -days 30 -extfile $1.ext -out $1.pem
}
make site "ec -pkeyopt ec_paramgen_curve:P-256" 0x11
make renewed "ec -pkeyopt ec_paramgen_curve:P-256" 0x12
make rsa rsa:2048 0x13
make client "ec -pkeyopt ec_paramgen_curve:P-256" 0x14
make revoked "ec -pkeyopt ec_paramgen_curve:P-256" 0x15
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\ncrlnumber=crlnumber\n' > ca.cnf
: > index.txt; echo 01 > crlnumber
openssl ca -config ca.cnf -revoke revoked.pem -keyfile ca.key -cert ca.pem
openssl ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.pem -out ca.crl
"#;
    let made = Command::new("bash").args(["-c", script]).current_dir(&folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

/// A configuration's `tls` block for the listener that the support starts, as further lines of the file.
fn strait(folder: &Path, tls: &str, rest: &str) -> Option<(Strait, SocketAddr)> {
    let at = free_port();
    let text = format!(
        "listeners:\n  web: {{address: 127.0.0.1:0}}\n  https: {{address: \"{at}\", tls: {tls}}}\n\
         telemetry: {{access_log: {{format: off}}}}\n{rest}\n"
    );
    Strait::start_as_it_is(&text.replace("DIR", &folder.display().to_string())).map(|strait| (strait, at))
}

fn curl(folder: &Path, at: SocketAddr, host: &str, more: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command.args(["-sS", "-m", "20", "--cacert"]).arg(folder.join("ca.pem"));
    command.args(["--resolve", &format!("{host}:{}:{}", at.port(), at.ip())]).args(more);
    command.arg(format!("https://{host}:{}/", at.port())).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const CERTIFICATES: &str =
    "certificates: [{cert: DIR/site.pem, key: DIR/site.key}, {cert: DIR/rsa.pem, key: DIR/rsa.key}]";

#[test]
fn both_versions_and_both_kinds_of_keys_are_served() {
    if !has("curl") || !has("openssl") {
        return;
    }
    let folder = certificates();
    let Some((strait, at)) = strait(&folder, &format!("{{{CERTIFICATES}}}"), "routes: {/: {respond: hello}}") else {
        return;
    };
    for version in ["--tlsv1.3", "--tls-max=1.2"] {
        let version: Vec<&str> = version.split('=').collect();
        assert_eq!(text(&curl(&folder, at, "www.example.com", &version)), "hello");
    }
    let openssl = |more: &str| {
        let line = format!(
            "openssl s_client -connect {at} -servername example.com -CAfile {}/ca.pem {more} </dev/null 2>/dev/null",
            folder.display()
        );
        run("bash", &["-c", &line])
    };
    assert!(openssl("-sigalgs ECDSA+SHA256").contains("Peer signature type: ECDSA"));
    assert!(openssl("-sigalgs RSA-PSS+SHA256").contains("Peer signature type: RSA-PSS"));
    assert!(openssl("").contains("TLS_AES_128_GCM_SHA256"), "ours goes first");
    assert!(openssl("-ciphersuites TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256").contains("CHACHA20"));
    assert!(openssl("-tls1_2 -alpn h9,http/1.1").contains("ALPN protocol: http/1.1"));
    let plain = Command::new("curl").args(["-s", &format!("http://{at}/")]).output().unwrap();
    assert!(text(&plain).contains("speaks HTTPS"));
    assert!(strait.metric("strait_tls_handshakes_total") >= 7);
}

#[test]
fn a_session_is_resumed_in_both_versions() {
    if !has("openssl") {
        return;
    }
    let folder = certificates();
    let Some((_strait, at)) = strait(&folder, &format!("{{{CERTIFICATES}}}"), "routes: {/: {respond: hello}}") else {
        return;
    };
    for version in ["-tls1_2", "-tls1_3"] {
        let dir = folder.display();
        let line = format!(
            "cd {dir}; (printf 'GET / HTTP/1.1\\r\\nHost: example.com\\r\\nConnection: close\\r\\n\\r\\n'; sleep 1) | \
             openssl s_client -connect {at} -servername example.com {version} -sess_out s -ign_eof >/dev/null 2>&1; \
             openssl s_client -connect {at} -servername example.com {version} -sess_in s </dev/null 2>/dev/null"
        );
        assert!(run("bash", &["-c", &line]).contains("Reused, TLS"), "{version}");
    }
}

#[test]
fn clients_are_let_in_by_their_certificates_and_hosts_by_their_policy() {
    if !has("curl") || !has("openssl") {
        return;
    }
    let folder = certificates();
    let tls = format!(
        "{{{CERTIFICATES}, hosts: {{admin.example.com: {{client_auth: {{ca: DIR/ca.pem, crl: DIR/ca.crl}}}}}}}}"
    );
    let routes = "routes: {/: {respond: \"${tls.client.subject}\"}, www.example.com: {respond: open}}";
    let Some((strait, at)) = strait(&folder, &tls, routes) else { return };
    let of = |name: &str| {
        let path = |end: &str| folder.join(format!("{name}.{end}")).display().to_string();
        vec!["--cert".to_owned(), path("pem"), "--key".to_owned(), path("key")]
    };
    let with = |name: &str| {
        let arguments = of(name);
        curl(&folder, at, "admin.example.com", &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(text(&with("client")), "CN=client,O=Example");
    assert!(!with("revoked").status.success());
    assert!(!curl(&folder, at, "admin.example.com", &[]).status.success());
    assert_eq!(text(&curl(&folder, at, "www.example.com", &[])), "open");
    let other = curl(
        &folder,
        at,
        "www.example.com",
        &["-H", "Host: admin.example.com", "-w", "%{http_code}", "-o", "/dev/null"],
    );
    assert_eq!(text(&other), "421");
    assert!(strait.metric("strait_tls_handshake_failures_total") >= 2);
}

#[test]
fn a_new_certificate_is_taken_up_and_connections_stay() {
    if !has("curl") || !has("openssl") {
        return;
    }
    let folder = certificates();
    let tls = "{certificates: [{cert: DIR/site.pem, key: DIR/site.key}]}";
    let Some((_strait, at)) = strait(&folder, tls, "routes: {/: {respond: hello}}") else { return };
    let subject = || {
        let line = format!(
            "openssl s_client -connect {at} -servername example.com </dev/null 2>/dev/null | openssl x509 -noout -subject"
        );
        run("bash", &["-c", &line])
    };
    assert!(subject().contains("CN = site"));
    // A file that cannot be used changes nothing; the next good one is taken up.
    std::fs::write(folder.join("site.pem"), "half a fi").unwrap();
    std::fs::copy(folder.join("renewed.key"), folder.join("site.key")).unwrap();
    assert!(subject().contains("CN = site"));
    std::fs::copy(folder.join("renewed.pem"), folder.join("site.pem")).unwrap();
    let began = Instant::now();
    while !subject().contains("CN = renewed") {
        assert!(began.elapsed() < Duration::from_secs(60), "it is not taken up");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn nginx_is_verified_as_an_origin_and_asks_for_a_certificate() {
    if !has("nginx") || !has("openssl") || !has("curl") {
        return;
    }
    let folder = certificates();
    let origin = free_port();
    let dir = folder.display();
    std::fs::write(
        folder.join("nginx.conf"),
        format!(
            "daemon off; pid {dir}/pid; error_log {dir}/error.log; events {{}} http {{ access_log off; server {{ \
             listen {origin} ssl; ssl_certificate {dir}/site.pem; ssl_certificate_key {dir}/site.key; \
             ssl_client_certificate {dir}/ca.pem; ssl_verify_client on; \
             location / {{ return 200 \"$ssl_client_s_dn $ssl_protocol $ssl_session_reused\"; }} }} }}"
        ),
    )
    .unwrap();
    let mut nginx = Command::new("nginx");
    let _nginx = serve(nginx.args(["-p", &dir.to_string(), "-c", &format!("{dir}/nginx.conf")]), origin);
    let upstream =
        |tls: &str| format!("{{endpoints: [\"{origin}\"], tls: {{{tls}}}}}").replace("DIR", &dir.to_string());
    let ours = "ca: DIR/ca.pem, cert: DIR/client.pem, key: DIR/client.key, server_name: example.com";
    let body = format!(
        "routes: {{/: good, /wrong: wrong, /stranger: stranger}}\nupstreams:\n  good: {}\n  wrong: {}\n  stranger: {}\n",
        upstream(ours),
        upstream(&ours.replace("example.com", "example.org")),
        upstream("server_name: example.com"),
    );
    let Some(strait) = Strait::start(&body) else { return };
    let get = |path: &str| run("curl", &["-s", "-w", " %{http_code} %header{proxy-status}", &strait.url(path)]);
    assert!(get("/").starts_with("CN=client,O=Example TLSv1."), "{}", get("/"));
    for (path, reason) in [("/wrong", "another name"), ("/stranger", "nobody who is trusted")] {
        let got = get(path);
        assert!(got.contains("502") && got.contains(reason), "{got}");
    }
}

/// Certificates whose responders are at these ports: `must` (ECDSA) demands a stapled response, `rsa` does not; and
/// `delegate`, who may sign responses.
fn certificates_with_responders(of_must: u16, of_rsa: u16) -> PathBuf {
    let folder = scratch();
    let script = r#"
set -e
ec='ec -pkeyopt ec_paramgen_curve:P-256'
openssl req -x509 -newkey $ec -nodes -days 30 -subj "/CN=Test authority" -keyout ca.key -out ca.pem -addext keyUsage=critical,keyCertSign,cRLSign
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\ndefault_days=30\npolicy=p\n[p]\ncommonName=supplied\n' > ca.cnf
: > index.txt; echo 01 > serial
make() {
  openssl req -newkey $2 -nodes -subj "/CN=$1" -keyout $1.key -out $1.csr
  printf "$3\n" > $1.ext
  openssl ca -batch -notext -config ca.cnf -keyfile ca.key -cert ca.pem -in $1.csr -extfile $1.ext -out $1.own
  cat $1.own ca.pem > $1.pem
}
make must "$ec" "subjectAltName=DNS:example.com\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:$MUST\ntlsfeature=status_request"
make rsa rsa:2048 "subjectAltName=DNS:example.com\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:$RSA/ocsp"
make delegate "$ec" "extendedKeyUsage=OCSPSigning\nkeyUsage=digitalSignature"
"#;
    let mut command = Command::new("bash");
    command.args(["-c", script]).env("MUST", of_must.to_string()).env("RSA", of_rsa.to_string());
    let made = command.current_dir(&folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

/// A responder by openssl on a port, signing as one of the certificates. Nobody looks whether it listens: openssl would
/// wait for the request of whoever connects, and for nobody else.
fn responder(folder: &Path, port: u16, signer: &str) -> support::Program {
    let line = format!(
        "exec openssl ocsp -index index.txt -CA ca.pem -rsigner {signer}.pem -rkey {signer}.key -ndays 1 -port {port}"
    );
    let mut command = Command::new("bash");
    command.args(["-c", &line]).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    support::Program(command.spawn().unwrap())
}

#[test]
fn ocsp_responses_are_fetched_kept_and_stapled() {
    if !has("openssl") {
        return;
    }
    let (of_must, of_rsa) = (free_port().port(), free_port().port());
    let folder = certificates_with_responders(of_must, of_rsa);
    let tls =
        "{certificates: [{cert: DIR/must.pem, key: DIR/must.key}, {cert: DIR/rsa.pem, key: DIR/rsa.key, ocsp: fetch}]}";
    // No responder answers yet, and that stops no start.
    let Some((strait, at)) = strait(&folder, tls, "routes: {/: {respond: hello}}") else { return };
    let stapled = |signatures: &str| {
        let line = format!(
            "openssl s_client -connect {at} -servername example.com -status -sigalgs {signatures} -CAfile {}/ca.pem </dev/null 2>/dev/null",
            folder.display()
        );
        run("bash", &["-c", &line])
    };
    let (ecdsa, rsa) = ("ECDSA+SHA256", "RSA-PSS+SHA256");
    assert!(stapled(ecdsa).contains("no response sent"), "{}", stapled(ecdsa));
    let responders = [responder(&folder, of_must, "delegate"), responder(&folder, of_rsa, "ca")];
    let began = Instant::now();
    let all = || [ecdsa, rsa].iter().all(|signatures| stapled(signatures).contains("Cert Status: good"));
    while !all() {
        assert!(began.elapsed() < Duration::from_secs(120), "{}\n{}", stapled(ecdsa), stapled(rsa));
        std::thread::sleep(Duration::from_millis(200));
    }
    // What was said last is kept without the responders, and over a reload.
    drop(responders);
    let (took, said) = strait.reload(&format!(
        "listeners:\n  web: {{address: 127.0.0.1:0}}\n  https: {{address: \"{at}\", tls: {}}}\nroutes: {{/: {{respond: again}}}}\n",
        tls.replace("DIR", &folder.display().to_string())
    ));
    assert!(took, "{said}");
    assert!(all());
    // openssl takes what is stapled, by the authority's word.
    assert!(stapled(ecdsa).contains("Verify return code: 0 (ok)"));
}

/// An origin with TLS that answers each request, and says how each connection ended.
fn origin_that_tells(folder: &Path) -> (SocketAddr, std::sync::mpsc::Receiver<std::io::Result<usize>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs};
    let chain = vec![CertificateDer::from_pem_file(folder.join("site.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.join("site.key")).unwrap();
    let builder = ServerConfig::builder_with_provider(std::sync::Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(builder.with_single_cert(chain, key).unwrap()));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let stream = listener.accept().await.unwrap().0;
                let (acceptor, tell) = (acceptor.clone(), tell.clone());
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await.unwrap();
                    loop {
                        match stream.read(&mut [0; 4096]).await {
                            Ok(1..) => {
                                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                                stream.flush().await.unwrap();
                            }
                            end => {
                                let _ = tell.send(end);
                                return;
                            }
                        }
                    }
                });
            }
        });
    });
    (address, told)
}

#[test]
fn an_idle_connection_to_an_origin_is_taken_leave_of() {
    if !has("openssl") || !has("curl") {
        return;
    }
    let folder = certificates();
    let (origin, told) = origin_that_tells(&folder);
    let body = format!(
        "routes: {{/: app}}\nupstreams: {{app: {{endpoints: [\"{origin}\"], keep_alive: {{idle_timeout: 100ms}}, \
         tls: {{ca: {}/ca.pem, server_name: example.com}}}}}}\n",
        folder.display()
    );
    let Some(strait) = Strait::start(&body) else { return };
    assert_eq!(run("curl", &["-s", &strait.url("/")]), "ok");
    // Without a close_notify the engine of the origin reports an end that was not announced.
    let end = told.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(matches!(end, Ok(0)), "{end:?}");
}
