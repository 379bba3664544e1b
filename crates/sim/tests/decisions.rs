//! What was decided about peers that stall, break and leave, each as one scene under a paused clock: what the other side
//! gets, and after how long at most.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strait_compile::Compiler;
use strait_dataplane::sim::{Network, SimFleet, SimListener, SimStream, Weather};
use strait_plan::Workers as _;
use strait_record::RecordSink;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep, timeout};

const LISTENER: &str = "10.0.0.1:80";
const ORIGIN: &str = "10.0.0.2:80";
/// No scene takes longer.
const HANG: Duration = Duration::from_secs(300);

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl RecordSink for Lines {
    fn submit(&mut self, lines: Vec<u8>, _records: u64) -> bool {
        self.0.lock().unwrap().extend(lines);
        true
    }

    fn recycle(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// Strait between a network's two sides.
struct Scene {
    network: Network,
    fleet: SimFleet,
    origin: SimListener,
    lines: Lines,
}

impl Scene {
    async fn connect(&self) -> SimStream {
        self.connect_from("10.0.0.9:1").await
    }

    async fn connect_from(&self, from: &str) -> SimStream {
        self.network.connect_from(from.parse().unwrap(), address(LISTENER)).await.unwrap()
    }

    async fn accept(&self) -> SimStream {
        self.origin.accept().await.unwrap().0
    }

    /// The end codes of all records so far, in order.
    fn ends(&self) -> Vec<String> {
        let text = String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap();
        let ends = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        ends.map(|record| record["strait.end"].as_str().unwrap().to_owned()).collect()
    }

    /// Once it is written down.
    async fn next_end(&self) -> String {
        while self.ends().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
        self.ends().remove(0)
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Plays a scene. `limits` are those of the listener, `rest` further keys; `capacity` is how much the network holds on a
/// client's behalf.
fn play<F: Future<Output = ()>>(limits: &str, rest: &str, capacity: usize, scene: impl FnOnce(Scene) -> F) {
    play_with(limits, "", rest, capacity, scene);
}

/// The same, with further keys of the upstream.
fn play_with<F: Future<Output = ()>>(
    limits: &str,
    upstream: &str,
    rest: &str,
    capacity: usize,
    scene: impl FnOnce(Scene) -> F,
) {
    let text = format!(
        "listeners: {{web: {{address: {LISTENER}, limits: {{{limits}}}}}}}\ntelemetry: {{access_log: json}}\n\
         routes: {{/: app}}\nupstreams: {{app: {{endpoints: [{ORIGIN}], {upstream}}}}}\n{rest}\n"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let network = Network::new(1, false);
        network.set_weather(address(LISTENER), Weather { capacity, ..Weather::CALM });
        network.set_weather(address(ORIGIN), Weather { capacity, ..Weather::CALM });
        let _entered = network.enter();
        let snapshot = strait_config::load_str("t.yaml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let plan = Compiler::new(1).compile(&snapshot).unwrap_or_else(|wrong| panic!("{wrong}"));
        let lines = Lines::default();
        let origin = network.listen(address(ORIGIN));
        let fleet = SimFleet::start(1, vec![Box::new(lines.clone())], plan).unwrap();
        // The worker opens its listener first.
        sleep(Duration::from_millis(1)).await;
        timeout(HANG, scene(Scene { network, fleet, origin, lines })).await.unwrap();
    });
}

/// Reads until the text stands in what was read.
async fn until(stream: &SimStream, text: &str) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&read).contains(text) {
        let octets = stream.read(&mut buffer).await.unwrap();
        assert!(octets > 0, "the end, after {:?}", String::from_utf8_lossy(&read));
        read.extend(&buffer[..octets]);
    }
    String::from_utf8(read).unwrap()
}

/// Reads to the end, and whether it was a reset.
async fn rest(stream: &SimStream) -> (String, bool) {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => return (String::from_utf8(read).unwrap(), false),
            Ok(octets) => read.extend(&buffer[..octets]),
            Err(_) => return (String::from_utf8(read).unwrap(), true),
        }
    }
}

/// Writes beside everything else, as far as it goes.
fn write(stream: &Rc<SimStream>, octets: Vec<u8>) {
    let stream = stream.clone();
    spawn_local(async move {
        let _ = stream.write_all(&octets).await;
    });
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn an_upload_that_stalls_does_not_cut_an_answer_that_moves() {
    play("", "defaults: {timeout: {idle: 3s}}", 1000, async |scene| {
        let client = Rc::new(scene.connect().await);
        write(
            &client,
            [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n".as_slice(), &[b'u'; 9000]].concat(),
        );
        let origin = scene.accept().await;
        until(&origin, "\r\n\r\n").await;
        origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n").await.unwrap();
        for _ in 0..20 {
            sleep(Duration::from_secs(2)).await;
            origin.write_all(b"x").await.unwrap();
        }
        assert!(until(&client, &"x".repeat(20)).await.starts_with("HTTP/1.1 200"));
    });
}

#[test]
fn an_origin_that_neither_reads_nor_answers_is_given_up_after_idle() {
    play("", "defaults: {timeout: {idle: 3s, first_byte: 60s}}", 1000, async |scene| {
        let client = Rc::new(scene.connect().await);
        write(
            &client,
            [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n".as_slice(), &[b'u'; 9000]].concat(),
        );
        let _origin = scene.accept().await;
        let began = Instant::now();
        assert!(until(&client, "\r\n\r\n").await.starts_with("HTTP/1.1 504"));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    });
}

#[test]
fn a_client_that_takes_nothing_is_gone_within_twelve_seconds() {
    play("", "", 1000, async |scene| {
        let client = Rc::new(scene.connect().await);
        client.write_all(GET).await.unwrap();
        let origin = Rc::new(scene.accept().await);
        write(&origin, [b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n".as_slice(), &[b'x'; 900_000]].concat());
        // It takes some, and then no more.
        until(&client, &"x".repeat(3000)).await;
        let stalled = Instant::now();
        assert_eq!(scene.next_end().await, "client.response_body.too_slow");
        assert!(stalled.elapsed() <= Duration::from_millis(12_100), "{:?}", stalled.elapsed());
    });
}

#[test]
fn an_answer_to_a_fault_is_not_waited_for_without_end() {
    play("body_rate_min: none", "", 100, async |scene| {
        let client = Rc::new(scene.connect().await);
        client.write_all(b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let began = Instant::now();
        assert_eq!(scene.next_end().await, "client.request_head.malformed");
        assert!(began.elapsed() <= Duration::from_secs(11), "{:?}", began.elapsed());
    });
}

#[test]
fn half_an_interim_head_is_followed_by_nothing() {
    play("", "defaults: {timeout: {first_byte: 3s, request: 5s}}", 100, async |scene| {
        let client = Rc::new(scene.connect().await);
        client.write_all(GET).await.unwrap();
        let origin = scene.accept().await;
        until(&origin, "\r\n\r\n").await;
        let link = format!("HTTP/1.1 103 Early Hints\r\nLink: <{}>\r\n\r\n", "l".repeat(3000));
        write(&Rc::new(origin), link.into_bytes());
        scene.next_end().await;
        let (heard, _) = rest(&client).await;
        assert!(heard.starts_with("HTTP/1.1 103") && heard.matches("HTTP/1.1").count() == 1, "{heard}");
    });
}

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

async fn tunnel(scene: &Scene) -> (SimStream, SimStream) {
    let client = scene.connect().await;
    client.write_all(UPGRADE).await.unwrap();
    let origin = scene.accept().await;
    until(&origin, "\r\n\r\n").await;
    origin.write_all(SWITCH).await.unwrap();
    until(&client, "\r\n\r\n").await;
    (client, origin)
}

#[test]
fn a_tunnel_that_breaks_on_one_side_breaks_on_the_other() {
    for client_breaks in [true, false] {
        play("", "", 4000, async |scene| {
            let (client, origin) = tunnel(&scene).await;
            let (breaks, other) = if client_breaks { (client, origin) } else { (origin, client) };
            breaks.write_all(b"half of").await.unwrap();
            until(&other, "half of").await;
            breaks.reset_on_close();
            drop(breaks);
            assert_eq!(rest(&other).await, (String::new(), true));
        });
    }
}

#[test]
fn a_tunnel_that_ends_on_one_side_ends_on_the_other_and_talks_on_the_other_way() {
    play("", "", 4000, async |scene| {
        let (client, origin) = tunnel(&scene).await;
        client.write_all(b"bye").await.unwrap();
        client.shutdown_write();
        assert_eq!(rest(&origin).await, ("bye".to_owned(), false));
        sleep(Duration::from_secs(100)).await;
        origin.write_all(b"and good night").await.unwrap();
        drop(origin);
        assert_eq!(rest(&client).await, ("and good night".to_owned(), false));
    });
}

#[test]
fn a_silent_tunnel_ends_after_its_timeout() {
    play("", "defaults: {timeout: {tunnel: 20s}}", 4000, async |scene| {
        let (client, origin) = tunnel(&scene).await;
        for _ in 0..10 {
            sleep(Duration::from_secs(15)).await;
            origin.write_all(b".").await.unwrap();
        }
        let began = Instant::now();
        assert_eq!(rest(&client).await.0, "..........");
        assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    });
}

#[test]
fn a_client_that_ended_its_side_gets_its_answer() {
    play("", "", 4000, async |scene| {
        let client = scene.connect().await;
        client.write_all(GET).await.unwrap();
        client.shutdown_write();
        let origin = scene.accept().await;
        until(&origin, "\r\n\r\n").await;
        sleep(Duration::from_secs(5)).await;
        origin.write_all(OK).await.unwrap();
        let (heard, reset) = rest(&client).await;
        assert!(heard.starts_with("HTTP/1.1 200") && heard.ends_with("ok") && !reset, "{heard}");
        assert_eq!(scene.next_end().await, "complete");
    });
}

#[test]
fn a_client_that_reset_its_connection_ends_the_attempt() {
    play("", "", 4000, async |scene| {
        let client = scene.connect().await;
        client.write_all(GET).await.unwrap();
        let origin = scene.accept().await;
        until(&origin, "\r\n\r\n").await;
        client.reset_on_close();
        drop(client);
        rest(&origin).await;
        assert_eq!(scene.next_end().await, "client.response_head.reset");
    });
}

#[test]
fn a_client_that_ends_while_it_waits_for_a_connection_is_gone() {
    play_with("", "max_connections: 1", "", 4000, async |scene| {
        let first = scene.connect().await;
        first.write_all(GET).await.unwrap();
        let origin = scene.accept().await;
        until(&origin, "\r\n\r\n").await;
        let second = scene.connect().await;
        second.write_all(GET).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        drop(second);
        assert_eq!(scene.next_end().await, "client.queue.closed");
        origin.write_all(OK).await.unwrap();
        until(&first, "ok").await;
    });
}

#[test]
fn a_queue_of_none_refuses_at_once() {
    play_with("", "max_connections: 1, queue: 0", "", 4000, async |scene| {
        let first = scene.connect().await;
        first.write_all(GET).await.unwrap();
        let _origin = scene.accept().await;
        let second = scene.connect().await;
        second.write_all(GET).await.unwrap();
        assert!(until(&second, "\r\n\r\n").await.starts_with("HTTP/1.1 503"));
    });
}

#[test]
fn a_stop_writes_down_what_it_cuts_off() {
    play("", "", 4000, async |mut scene| {
        let client = scene.connect().await;
        client.write_all(GET).await.unwrap();
        let origin = scene.accept().await;
        until(&origin, "\r\n\r\n").await;
        scene.fleet.fleet().stop();
        assert!(scene.fleet.ended().await);
        assert_eq!(scene.ends(), ["operator.response_head.stopping"]);
    });
}

#[test]
fn a_client_has_only_so_many_connections_and_another_one_is_served() {
    play("per_client_ip: 2", "", 4000, async |scene| {
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(scene.connect().await);
        }
        assert_eq!(rest(&scene.connect().await).await, (String::new(), true));
        let other = scene.connect_from("10.0.0.8:1").await;
        other.write_all(GET).await.unwrap();
        scene.accept().await.write_all(OK).await.unwrap();
        until(&other, "ok").await;
        let meter = &scene.fleet.fleet().meters()[0];
        assert_eq!((meter.connections_refused.read(), meter.connections_refused_per_client.read()), (1, 1));
        assert_eq!(scene.next_end().await, "operator.request_head.over_limit");
        // A place that is given back can be taken again.
        drop(held.pop());
        sleep(Duration::from_millis(50)).await;
        let third = scene.connect().await;
        third.write_all(GET).await.unwrap();
        until(&third, "502").await;
    });
}
