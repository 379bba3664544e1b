//! How whole workers spread requests over endpoints, under a paused clock: by weight, by key, and away from one that is
//! slow.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use strait_compile::Compiler;
use strait_dataplane::sim::{Network, SimFleet, SimListener, SimStream};
use strait_record::RecordSink;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

const LISTENER: &str = "10.0.0.1:80";
const WORKERS: usize = 2;
/// The weights of the four endpoints.
const WEIGHTS: [u32; 4] = [5, 3, 1, 1];
/// Of χ² with three degrees of freedom, one run in a thousand exceeds this.
const CHI_SQUARED_MAX: f64 = 16.27;
/// No run takes longer, in the time of the simulation.
const HANG: Duration = Duration::from_secs(600);

struct Nowhere;

impl RecordSink for Nowhere {
    fn submit(&mut self, _lines: Vec<u8>, _records: u64) -> bool {
        true
    }

    fn recycle(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// What is asked of four endpoints.
struct Run {
    /// Keys of the upstream.
    upstream: &'static str,
    /// How long each endpoint takes.
    delays_ms: [u64; 4],
    clients: usize,
    /// What each client asks, one after the other.
    requests: usize,
    /// The simulated time after which nobody asks any more.
    end_ms: u64,
    weights: [u32; 4],
}

/// 4,000 requests to endpoints that are equally quick.
const EVEN: Run =
    Run { upstream: "", delays_ms: [1; 4], clients: 16, requests: 250, end_ms: u64::MAX, weights: WEIGHTS };
/// As many as can be asked of one slow endpoint and three quick ones in a second.
const UNEVEN: Run =
    Run { upstream: "", delays_ms: [200, 5, 5, 5], clients: 16, requests: usize::MAX, end_ms: 1_000, weights: [1; 4] };

type Counts = Rc<RefCell<[u32; 4]>>;

fn address(endpoint: usize) -> SocketAddr {
    SocketAddr::from(([10, 1, 0, endpoint as u8 + 1], 80))
}

impl Run {
    /// How many requests each endpoint got.
    fn counts(&self) -> [u32; 4] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        LocalSet::new().block_on(&runtime, async { timeout(HANG, self.play()).await.unwrap() })
    }

    fn text(&self) -> String {
        let endpoint = |at: usize| format!("{{address: \"{}\", weight: {}}}", address(at), self.weights[at]);
        let endpoints: Vec<_> = (0..4).map(endpoint).collect();
        format!(
            "listeners: {{web: {LISTENER}}}\nroutes: {{/*: app}}\nupstreams: {{app: {{endpoints: [{}], {}}}}}\n",
            endpoints.join(", "),
            self.upstream
        )
    }

    async fn play(&self) -> [u32; 4] {
        let network = Network::new(1, false);
        let _entered = network.enter();
        let snapshot = strait_config::load_str("t.yaml", &self.text()).unwrap_or_else(|wrong| panic!("{wrong}"));
        let plan = Compiler::new(WORKERS).compile(&snapshot).unwrap_or_else(|wrong| panic!("{wrong}"));
        let counts = Counts::default();
        for endpoint in 0..4 {
            let listener = network.listen(address(endpoint));
            spawn_local(serve(listener, endpoint, self.delays_ms[endpoint], counts.clone()));
        }
        let sinks = (0..WORKERS).map(|_| Box::new(Nowhere) as Box<dyn RecordSink>).collect();
        let _fleet = SimFleet::start(1, sinks, Arc::clone(&plan)).unwrap();
        sleep(Duration::from_millis(1)).await;
        let clients: Vec<JoinHandle<()>> =
            (0..self.clients).map(|client| spawn_local(ask(network.clone(), client, self.requests))).collect();
        let all = async {
            for client in clients {
                client.await.unwrap();
            }
        };
        let _ = timeout(Duration::from_millis(self.end_ms.min(HANG.as_millis() as u64)), all).await;
        Rc::unwrap_or_clone(counts).into_inner()
    }
}

async fn serve(listener: SimListener, endpoint: usize, delay_ms: u64, counts: Counts) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let counts = counts.clone();
        spawn_local(async move {
            while until(&stream, "\r\n\r\n").await.is_some() {
                counts.borrow_mut()[endpoint] += 1;
                sleep(Duration::from_millis(delay_ms)).await;
                if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.is_err() {
                    return;
                }
            }
        });
    }
}

/// One client, whose every request has a key of its own.
async fn ask(network: Network, client: usize, requests: usize) {
    let from = SocketAddr::from(([10, 2, 0, client as u8 + 1], 1));
    let stream = network.connect_from(from, LISTENER.parse().unwrap()).await.unwrap();
    for number in 0..requests {
        let request = format!("GET /{client}/{number} HTTP/1.1\r\nHost: a\r\nX-Key: {client}-{number}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = until(&stream, "\r\n\r\nok").await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// Reads until the text ends what was read; `None` at the end of the stream.
async fn until(stream: &SimStream, text: &str) -> Option<String> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !read.ends_with(text.as_bytes()) {
        match stream.read(&mut buffer).await {
            Ok(octets) if octets > 0 => read.extend(&buffer[..octets]),
            _ => return None,
        }
    }
    String::from_utf8(read).ok()
}

fn chi_squared(counts: [u32; 4], weights: [u32; 4]) -> f64 {
    let (requests, weight) = (counts.iter().sum::<u32>(), weights.iter().sum::<u32>());
    let part = |(&count, &own): (&u32, &u32)| {
        let expected = f64::from(requests) * f64::from(own) / f64::from(weight);
        (f64::from(count) - expected).powi(2) / expected
    };
    counts.iter().zip(&weights).map(part).sum()
}

#[track_caller]
fn check(upstream: &'static str, clients: usize) {
    let counts = Run { upstream, clients, requests: 4_000 / clients, ..EVEN }.counts();
    assert_eq!(counts.iter().sum::<u32>(), 4_000, "{upstream}: each was asked once");
    let statistic = chi_squared(counts, WEIGHTS);
    println!("{upstream}, {clients} clients: {counts:?}, chi squared {statistic:.2}");
    assert!(statistic <= CHI_SQUARED_MAX, "{upstream}: {counts:?}, chi squared {statistic}");
}

#[test]
fn pickers_that_do_not_look_at_loads_spread_by_weight() {
    for upstream in [
        "balance: round_robin",
        "balance: random",
        "balance: {consistent_hash: header X-Key}",
        "balance: {consistent_hash: {by: path, algorithm: maglev}}",
    ] {
        check(upstream, 16);
    }
}

#[test]
fn pickers_that_look_at_loads_spread_by_weight_where_loads_say_nothing() {
    for upstream in ["balance: least_request", "balance: {least_request: 4}", "balance: peak_ewma"] {
        check(upstream, 1);
    }
}

#[test]
fn a_ring_spreads_by_weight_as_far_as_its_points_do() {
    let counts = Run { upstream: "balance: {consistent_hash: {by: path, algorithm: ring}}", ..EVEN }.counts();
    let requests = f64::from(counts.iter().sum::<u32>());
    for (count, weight) in counts.iter().zip(WEIGHTS) {
        let expected = requests * f64::from(weight) / 10.0;
        assert!((f64::from(*count) - expected).abs() <= 0.2 * expected, "{counts:?}");
    }
}

#[test]
fn no_endpoint_has_more_under_way_than_its_bound() {
    let upstream = "balance: {consistent_hash: {by: host, bounded_load: 125%}}";
    let counts = Run { upstream, weights: [1; 4], ..EVEN }.counts();
    assert!(counts.iter().all(|&count| count > 0), "one key, and more requests than one endpoint may have: {counts:?}");
    let unbounded = Run { upstream: "balance: {consistent_hash: host}", weights: [1; 4], ..EVEN }.counts();
    assert_eq!(unbounded.iter().filter(|&&count| count > 0).count(), 1, "{unbounded:?}");
}

#[test]
fn a_slow_endpoint_gets_less_than_its_share_within_a_second() {
    for upstream in ["balance: least_request", "balance: peak_ewma"] {
        let counts = Run { upstream, ..UNEVEN }.counts();
        println!("{upstream}: {counts:?} in the first second");
        assert!(counts[0] * 4 * 2 < counts.iter().sum::<u32>(), "{upstream}: {counts:?}");
    }
    let counts = UNEVEN.counts();
    assert!(counts[0] * 5 > counts.iter().sum::<u32>(), "turns do not look at time: {counts:?}");
}

/// Asks for a path over a connection of its own.
fn ask_for(network: &Network, client: u8, path: &'static str) -> JoinHandle<()> {
    let network = network.clone();
    spawn_local(async move {
        let from = SocketAddr::from(([10, 2, 1, client], 1));
        let stream = network.connect_from(from, LISTENER.parse().unwrap()).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        until(&stream, "\r\n\r\nok").await.unwrap();
    })
}

/// Answers one request after the other, a second each, and notes what was asked.
async fn serve_slowly(listener: SimListener, asked: Rc<RefCell<Vec<String>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        while let Some(request) = until(&stream, "\r\n\r\n").await {
            asked.borrow_mut().push(request.split(' ').nth(1).unwrap().to_owned());
            sleep(Duration::from_secs(1)).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    }
}

#[test]
fn who_waits_goes_by_priority_and_then_by_when_it_came() {
    let text = format!(
        "listeners: {{web: {LISTENER}}}\nupstreams: {{app: {{endpoints: [\"{}\"], max_connections: 1}}}}\n\
         routes: {{/*: app, /batch/*: {{to: app, queue_priority: low}}, /pay/*: {{to: app, queue_priority: high}}}}\n",
        address(0)
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let network = Network::new(1, false);
        let _entered = network.enter();
        let snapshot = strait_config::load_str("t.yaml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let plan = Compiler::new(1).compile(&snapshot).unwrap_or_else(|wrong| panic!("{wrong}"));
        let asked = Rc::default();
        spawn_local(serve_slowly(network.listen(address(0)), Rc::clone(&asked)));
        let _fleet = SimFleet::start(1, vec![Box::new(Nowhere)], plan).unwrap();
        sleep(Duration::from_millis(1)).await;
        let paths = ["/first", "/batch/1", "/a", "/pay/1", "/batch/2", "/b", "/pay/2"];
        let mut clients = Vec::new();
        for (client, path) in (1..).zip(paths) {
            clients.push(ask_for(&network, client, path));
            // The one before stands in the queue.
            sleep(Duration::from_millis(1)).await;
        }
        for client in clients {
            timeout(HANG, client).await.unwrap().unwrap();
        }
        assert_eq!(*asked.borrow(), ["/first", "/pay/1", "/pay/2", "/a", "/b", "/batch/1", "/batch/2"]);
    });
}
