//! Many clients over few upstream connections and several workers: how many are opened, and whose answer comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves two test files")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use support::Strait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

/// An origin that answers each request with its path, some after a pause so that answers overlap.
async fn echo_origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(echo(stream));
        }
    });
    address
}

async fn echo(mut stream: TcpStream) {
    let mut held = Vec::new();
    while let Some(path) = read_head(&mut stream, &mut held).await {
        if path.len() % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads a head; the second word of its first line.
async fn read_head(stream: &mut TcpStream, held: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = held.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(held.drain(..end + 4).collect()).unwrap();
            return head.split(' ').nth(1).map(str::to_owned);
        }
        if stream.read_buf(held).await.ok()? == 0 {
            return None;
        }
    }
}

/// One client: so many requests on one connection, each with a tag of its own.
async fn client(to: SocketAddr, number: usize, requests: usize, begin: Arc<Barrier>) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    begin.wait().await;
    let mut held = Vec::new();
    for request in 0..requests {
        let tag = format!("/client/{number}/request/{request}");
        stream.write_all(format!("GET {tag} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        assert_eq!(read_head(&mut stream, &mut held).await.as_deref(), Some("200"), "{tag}");
        while held.len() < tag.len() {
            assert!(stream.read_buf(&mut held).await.unwrap() > 0, "{tag} was cut");
        }
        assert_eq!(String::from_utf8_lossy(&held), tag);
        held.clear();
    }
}

async fn load(strait: &Strait, clients: usize, requests: usize) {
    let begin = Arc::new(Barrier::new(clients));
    let running: Vec<_> =
        (0..clients).map(|n| tokio::spawn(client(strait.address, n, requests, begin.clone()))).collect();
    for client in running {
        client.await.unwrap();
    }
}

/// Clients that this process can hold open, up to the number wanted, leaving descriptors for the rest.
fn affordable(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap();
    wanted.min(soft.saturating_sub(600))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_clients_share_a_hundred_connections_and_no_answer_is_mixed_up() {
    let origin = echo_origin().await;
    let body = format!(
        "workers: 4\nroutes: {{/: app}}\nupstreams: {{app: {{endpoints: [\"{origin}\"], max_connections: 100}}}}\n"
    );
    let Some(strait) = Strait::start(&body) else { return };
    let clients = affordable(10_000);
    eprintln!("{clients} clients");
    load(&strait, clients, 3).await;
    assert!(strait.metric("strait_endpoint_connections_opened_total") <= 100);
    assert_eq!(strait.metric("strait_faults_total"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_workers_reuse_connections_as_one_would() {
    let origin = echo_origin().await;
    let Some(strait) = Strait::start(&format!("workers: 4\nroutes: {{/: \"{origin}\"}}\n")) else { return };
    // Long enough that the first connections, which each worker opens before any other has an idle one, are few.
    load(&strait, 100, 600).await;
    let opened = strait.metric("strait_endpoint_connections_opened_total");
    let attempts = strait.metric("strait_endpoint_attempts_total");
    assert_eq!(attempts, 60_000);
    assert!(opened * 100 <= attempts, "{opened} opened for {attempts} attempts");
}
