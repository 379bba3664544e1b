//! Seven kinds of client over a storm of reloads, among them mistakes, a taken port and changed certificates: nothing is
//! lost, closed or cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{Strait, authority, free_port, has};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, RootCertStore, crypto::aws_lc_rs};

/// Octets of the large download.
const LARGE: usize = 8 << 20;
/// Reloads that are taken.
const RELOADS: usize = 40;
/// Those before memory is looked at for the first time.
const FIRST_RELOADS: usize = 15;

/// An origin with an answer for each kind of client.
async fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(Wire::of(stream)));
        }
    });
    address
}

async fn serve(mut wire: Wire) -> Option<()> {
    loop {
        let head = wire.head().await?;
        let path = head.split(' ').nth(1).unwrap().to_owned();
        match path.as_str() {
            "/events" => return events(wire).await,
            "/tunnel" => return echo(wire).await,
            "/large" => {
                wire.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes()).await?;
                for _ in 0..LARGE / 65_536 {
                    wire.write(&[b'l'; 65_536]).await?;
                }
            }
            "/upload" => {
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
                let length: usize = length.parse().unwrap();
                wire.take(length).await?;
                wire.answer(&length.to_string()).await?;
            }
            tag => wire.answer(tag).await?,
        }
    }
}

async fn events(mut wire: Wire) -> Option<()> {
    wire.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
    for number in 0.. {
        let event = format!("data: {number}\n\n");
        wire.write(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    None
}

async fn echo(mut wire: Wire) -> Option<()> {
    wire.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").await?;
    loop {
        let line = wire.until(b"\n").await?;
        wire.write(line.as_bytes()).await?;
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Where clients connect to, and how.
#[derive(Clone)]
struct To {
    address: SocketAddr,
    tls: Option<TlsConnector>,
}

impl To {
    fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    /// Over TLS, believing the authority of this folder.
    fn secured(address: SocketAddr, folder: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(folder.join("ca.pem")).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        Self { address, tls: Some(Arc::new(config.with_no_client_auth()).into()) }
    }

    async fn shake(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = "app.internal".try_into().unwrap();
        self.tls.as_ref().unwrap().connect(name, stream).await.unwrap()
    }
}

/// A connection and what was read from it.
struct Wire {
    stream: Box<dyn Stream>,
    held: Vec<u8>,
}

impl Wire {
    fn of(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), held: Vec::new() }
    }

    async fn to(to: &To) -> Self {
        match to.tls {
            Some(_) => Self::of(to.shake().await),
            None => Self::of(TcpStream::connect(to.address).await.unwrap()),
        }
    }

    async fn write(&mut self, octets: &[u8]) -> Option<()> {
        self.stream.write_all(octets).await.ok()
    }

    /// Reads up to and with `end`.
    async fn until(&mut self, end: &[u8]) -> Option<String> {
        loop {
            if let Some(at) = self.held.windows(end.len()).position(|window| window == end) {
                return String::from_utf8(self.held.drain(..at + end.len()).collect()).ok();
            }
            if self.stream.read_buf(&mut self.held).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn head(&mut self) -> Option<String> {
        self.until(b"\r\n\r\n").await
    }

    async fn take(&mut self, octets: usize) -> Option<Vec<u8>> {
        while self.held.len() < octets {
            if self.stream.read_buf(&mut self.held).await.ok()? == 0 {
                return None;
            }
        }
        Some(self.held.drain(..octets).collect())
    }

    async fn answer(&mut self, body: &str) -> Option<()> {
        self.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await
    }

    /// Asks for a path; the answer must be that path, on a connection that stays open.
    async fn ask(&mut self, path: &str) -> Option<()> {
        self.write(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await?;
        let head = self.head().await?;
        assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("Connection: close"), "{path}: {head}");
        assert_eq!(self.take(path.len()).await?, path.as_bytes());
        Some(())
    }
}

/// What a client did until it was told to end, or where it was cut.
type Client = JoinHandle<(&'static str, Option<usize>)>;

fn client<F>(name: &'static str, work: F) -> Client
where
    F: Future<Output = Option<usize>> + Send + 'static,
{
    tokio::spawn(async move { (name, work.await) })
}

async fn new_connections(to: To, over: Arc<AtomicBool>) -> Option<usize> {
    let mut done = 0;
    while !over.load(Ordering::Relaxed) {
        Wire::to(&to).await.ask(&format!("/short/{done}")).await?;
        done += 1;
    }
    Some(done)
}

async fn one_connection(to: To, over: Arc<AtomicBool>) -> Option<usize> {
    let mut wire = Wire::to(&to).await;
    let mut done = 0;
    while !over.load(Ordering::Relaxed) {
        wire.ask(&format!("/kept/{done}")).await?;
        done += 1;
    }
    Some(done)
}

async fn idle_connection(to: To, over: Arc<AtomicBool>) -> Option<usize> {
    let mut wire = Wire::to(&to).await;
    wire.ask("/idle/before").await?;
    while !over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    wire.ask("/idle/after").await.map(|()| 2)
}

async fn slow_reader(to: To, over: Arc<AtomicBool>) -> Option<usize> {
    let mut wire = Wire::to(&to).await;
    wire.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    wire.head().await?;
    let mut left = LARGE;
    while left > 65_536 && !over.load(Ordering::Relaxed) {
        wire.take(65_536).await?;
        left -= 65_536;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    wire.take(left).await.map(|_| LARGE)
}

async fn upload(to: To, over: Arc<AtomicBool>) -> Option<usize> {
    let mut wire = Wire::to(&to).await;
    let length = 4 << 20;
    wire.write(format!("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").as_bytes()).await?;
    let mut sent = 0;
    while sent < length {
        wire.write(&[b'u'; 16_384]).await?;
        sent += 16_384;
        if !over.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    wire.head().await?;
    let digits = length.to_string();
    (wire.take(digits.len()).await? == digits.as_bytes()).then_some(length)
}

async fn event_stream(to: To, over: Arc<AtomicBool>) -> Option<usize> {
    let mut wire = Wire::to(&to).await;
    wire.write(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    wire.head().await?;
    let mut next = 0;
    while !over.load(Ordering::Relaxed) {
        let line = wire.until(b"\n\n").await?;
        assert!(line.ends_with(&format!("data: {next}\n\n")), "event {next}: {line}");
        next += 1;
    }
    Some(next)
}

async fn tunnel(to: To, over: Arc<AtomicBool>) -> Option<usize> {
    let mut wire = Wire::to(&to).await;
    let upgrade = "GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    wire.write(upgrade.as_bytes()).await?;
    assert!(wire.head().await?.starts_with("HTTP/1.1 101 "));
    let mut done = 0;
    while !over.load(Ordering::Relaxed) {
        wire.write(format!("{done}\n").as_bytes()).await?;
        assert_eq!(wire.until(b"\n").await?, format!("{done}\n"));
        done += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Some(done)
}

fn all_clients(to: &To, over: &Arc<AtomicBool>) -> Vec<Client> {
    let to = || to.clone();
    vec![
        client("new connections", new_connections(to(), over.clone())),
        client("one connection", one_connection(to(), over.clone())),
        client("an idle connection", idle_connection(to(), over.clone())),
        client("a slow reader", slow_reader(to(), over.clone())),
        client("an upload", upload(to(), over.clone())),
        client("an event stream", event_stream(to(), over.clone())),
        client("a WebSocket", tunnel(to(), over.clone())),
    ]
}

async fn none_was_cut(clients: Vec<Client>) {
    for client in clients {
        let (name, done) = client.await.unwrap();
        println!("{name}: {done:?}");
        assert!(done.is_some_and(|done| done > 0), "{name} was cut");
    }
}

fn configuration(origin: SocketAddr, round: usize) -> String {
    let listeners = "listeners: {web: {address: 127.0.0.1:0, limits: {requests_per_connection: none}}}";
    let extra: String = (0..round % 7).map(|n| format!("  /extra/{round}/{n}: {{respond: x}}\n")).collect();
    let weight = 1 + round % 3;
    format!(
        "{listeners}\nworkers: 2\ntelemetry: {{access_log: {{format: \"off\"}}}}\nroutes:\n  /: {{\"{origin}\": {weight}}}\n{extra}"
    )
}

fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Reloads of every kind, one after the other.
fn storm(strait: &Strait, origin: SocketAddr, rounds: RangeInclusive<usize>) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for round in rounds {
        let (took, said) = strait.reload(&configuration(origin, round));
        assert!(took, "{said}");
        if round % 5 == 0 {
            let (took, said) = strait.reload("routes: {/: nowhere}\n");
            assert!(!took && said.contains("no upstream named `nowhere`"), "{said}");
            let more =
                format!("listeners: {{web: {{address: 127.0.0.1:0}}, more: \"{}\"}}\n", taken.local_addr().unwrap());
            let (took, said) = strait.reload(&format!("{more}routes: {{/: \"{origin}\"}}\n"));
            assert!(!took && said.contains("cannot be bound"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_closed_or_cut_over_a_storm_of_reloads() {
    let origin = origin().await;
    let Some(strait) = Strait::start_as_it_is(&configuration(origin, 0)) else { return };
    let over = Arc::new(AtomicBool::new(false));
    let clients = all_clients(&To::plain(strait.address), &over);
    // Memory is compared when everything that the clients and a reload need has been needed once.
    let strait = tokio::task::spawn_blocking(move || {
        storm(&strait, origin, 1..=FIRST_RELOADS);
        let before = resident_kib(strait.id());
        storm(&strait, origin, FIRST_RELOADS + 1..=RELOADS);
        (before, resident_kib(strait.id()), strait)
    });
    let (before, after, strait) = strait.await.unwrap();
    over.store(true, Ordering::Relaxed);
    none_was_cut(clients).await;
    println!("memory: {before} KiB after {FIRST_RELOADS} reloads, {after} KiB after {RELOADS}");
    assert!(after < before * 12 / 10 + 4_096, "memory grew from {before} to {after} KiB");
    // Those whose listener could not be bound had a number too, the last of them behind what serves now.
    assert_eq!(strait.metric("strait_plan_generation"), (RELOADS + RELOADS / 5) as u64);
}

/// The certificate that a new client is shown.
async fn shown(to: &To, folder: &Path) -> CertificateDer<'static> {
    // Of its own, so that no session is resumed.
    let stream = To::secured(to.address, folder).shake().await;
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

/// Puts another certificate in the place of the one that is served, and waits until clients are shown it.
async fn swap(to: &To, folder: &Path, name: &str) {
    for end in ["pem", "key"] {
        std::fs::copy(folder.join(format!("{name}.{end}")), folder.join(format!("served.{end}"))).unwrap();
    }
    let wanted = CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap();
    let began = Instant::now();
    while shown(to, folder).await != wanted {
        assert!(began.elapsed() < Duration::from_secs(120), "{name} is not taken up");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_closed_or_cut_when_certificates_change() {
    if !has("openssl") {
        return;
    }
    let (folder, origin, at) = (authority(), origin().await, free_port());
    for end in ["pem", "key"] {
        std::fs::copy(folder.join(format!("site.{end}")), folder.join(format!("served.{end}"))).unwrap();
    }
    let served = format!("{{cert: {0}/served.pem, key: {0}/served.key}}", folder.display());
    let text = format!(
        "listeners:\n  web: {{address: 127.0.0.1:0}}\n  secure: {{address: \"{at}\", limits: {{requests_per_connection: none}}, \
         tls: {{certificates: [{served}]}}}}\nworkers: 2\ntelemetry: {{access_log: {{format: \"off\"}}}}\nroutes:\n  /: \"{origin}\"\n"
    );
    let Some(strait) = Strait::start_as_it_is(&text) else { return };
    let (to, over) = (To::secured(at, &folder), Arc::new(AtomicBool::new(false)));
    // Who comes back after the swap with a ticket from before it.
    let early = To::secured(at, &folder);
    Wire::to(&early).await.ask("/a/ticket").await.unwrap();
    let clients = all_clients(&to, &over);
    swap(&to, &folder, "renewed").await;
    assert_eq!(early.shake().await.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
    // A file that cannot be used changes nothing.
    std::fs::write(folder.join("served.pem"), "half a fi").unwrap();
    let before = shown(&to, &folder).await;
    let (took, said) = strait.reload(&text);
    assert!(!took && said.contains("served.pem"), "{said}");
    assert_eq!(shown(&to, &folder).await, before);
    swap(&to, &folder, "site").await;
    over.store(true, Ordering::Relaxed);
    none_was_cut(clients).await;
    assert_eq!(strait.metric("strait_tls_handshake_failures_total"), 0);
}
