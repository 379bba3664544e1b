//! The rows of the table as data: what is measured, in which unit, and what Strait must reach.

use crate::answers::Answers;
use crate::load::Ask;
use crate::peers::{self, Peer};
use crate::secure::{Key, Secure, Version};
use std::io;

/// One line of the table.
pub(crate) struct Row {
    /// What `--rows` calls it.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    /// What is told of it, the first one being what targets are compared by.
    pub(crate) metrics: &'static [Metric],
    pub(crate) goals: &'static [Goal],
    /// Whether a relay that parses nothing can take part.
    pub(crate) floor: bool,
    /// Whether Strait also runs with its access log and its metrics on.
    pub(crate) variants: bool,
    /// Whether the picture shows it.
    pub(crate) picture: bool,
}

/// How a row is measured.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Cost at saturation.
    Closed { exchange: Exchange, connections: usize },
    /// Latency at a rate.
    Open { exchange: Exchange, connections: usize, per_second: u32 },
    /// Memory of connections that wait.
    Idle { exchange: Exchange, connections: usize },
    /// From start to the first answer.
    Start,
    /// System calls at a rate.
    SystemCalls { per_second: u32 },
    /// Cost with few and with many prefix routes.
    Routes { few: usize, many: usize },
    /// Cost with one and with two workers.
    Scaling,
}

/// One request and what comes back.
#[derive(Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) path: &'static str,
    /// Request fields as a browser sends them.
    pub(crate) browser: bool,
    /// Bytes of a POST body; 0: a GET.
    pub(crate) post: usize,
    pub(crate) fresh: bool,
    /// TLS with the client.
    pub(crate) secure: Option<Secure>,
}

/// A measured quantity.
pub(crate) struct Metric {
    pub(crate) key: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) digits: usize,
}

/// A bound that Strait's median must keep.
pub(crate) struct Goal {
    /// The target it is about, as [`crate::peers::Target`] prints.
    pub(crate) target: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) sense: Sense,
    pub(crate) bound: f64,
    pub(crate) of: Reference,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    AtMost,
    AtLeast,
}

/// What a bound is multiplied with.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Reference {
    /// Nothing: the bound has the metric's unit.
    Absolute,
    Floor,
    BestPeer,
    Peer(Peer),
    /// nginx, standing in for the minimal hyper proxy that the bound was set against; the number is the bound before
    /// it was multiplied with the two proxies' ratio as measured when the goals were set.
    HyperByNginx(f64),
}

/// CPU µs per request.
pub(crate) const CPU: Metric = Metric { key: "cpu_us", unit: "µs", digits: 1 };
const CPU_PER_GB: Metric = Metric { key: "cpu_s_per_gb", unit: "s/GB", digits: 3 };
const BYTES_EACH: Metric = Metric { key: "bytes_each", unit: "B", digits: 0 };
const GIVEN_BACK: Metric = Metric { key: "given_back", unit: "of it given back", digits: 2 };
const START: Metric = Metric { key: "start_ms", unit: "ms", digits: 1 };
const CALLS: Metric = Metric { key: "calls", unit: "calls", digits: 2 };
const ROUTES_RATIO: Metric = Metric { key: "ratio", unit: "× few routes", digits: 2 };
const SCALING: Metric = Metric { key: "scaling", unit: "×", digits: 2 };
const SKEW: Metric = Metric { key: "skew", unit: "skew", digits: 2 };
const P50: Metric = Metric { key: "p50_us", unit: "µs p50", digits: 0 };
/// The 99th percentile of all answers: what a machine does to all once a second (a stalled core, other work) is in it.
const P99_ALL: Metric = Metric { key: "p99_all_us", unit: "µs p99 over all turns", digits: 0 };
/// The harness's own part of p99: where it is large, the machine was too busy to measure latencies.
const LATE: Metric = Metric { key: "late_us", unit: "µs p99 of the harness itself", digits: 0 };
/// The 99th percentile within a turn of 0.3 s, of the middle turn.
const P99: Metric = Metric { key: "p99_us", unit: "µs p99", digits: 0 };

const GET_1K: Exchange = Exchange { path: "/1k", browser: false, post: 0, fresh: false, secure: None };

/// Whether handshakes were what the row is about.
const RESUMED: Metric = Metric { key: "resumed", unit: "resumed", digits: 2 };

/// TLS 1.3 with an ECDSA key.
const SECURE: Secure = Secure { key: Key::Ecdsa, version: Version::Tls13, resumes: false };
const TLS_1K: Exchange = Exchange { secure: Some(SECURE), ..GET_1K };

/// A connection, its handshake, one request.
const fn handshake(secure: Secure) -> Kind {
    closed(Exchange { fresh: true, secure: Some(secure), ..GET_1K })
}

const fn closed(exchange: Exchange) -> Kind {
    Kind::Closed { exchange, connections: 64 }
}

const fn at_most(bound: f64, of: Reference) -> Goal {
    Goal { target: "strait", metric: CPU.key, sense: Sense::AtMost, bound, of }
}

const PLAIN: Row = Row {
    name: "",
    title: "",
    kind: closed(GET_1K),
    metrics: &[CPU],
    goals: &[],
    floor: true,
    variants: false,
    picture: true,
};

/// A row over TLS: a relay that parses nothing has no part in it.
const TLS: Row = Row { floor: false, picture: false, ..PLAIN };

/// All rows, in the order of the table.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "keep-alive",
        title: "HTTP/1.1 keep-alive, 1 KB, 64 connections",
        goals: &[
            at_most(1.15, Reference::Floor),
            at_most(0.82, Reference::BestPeer),
            Goal { target: "strait+json", ..at_most(0.87, Reference::BestPeer) },
        ],
        variants: true,
        ..PLAIN
    },
    Row {
        name: "browser",
        title: "browser-sized heads, 1 KB",
        kind: closed(Exchange { path: "/1k.html", browser: true, ..GET_1K }),
        goals: &[at_most(0.75, Reference::Peer(Peer::Nginx))],
        variants: true,
        ..PLAIN
    },
    Row {
        name: "1000",
        title: "1 KB, 1,000 connections",
        kind: Kind::Closed { exchange: GET_1K, connections: 1_000 },
        goals: &[at_most(0.85, Reference::Peer(Peer::Nginx))],
        picture: false,
        ..PLAIN
    },
    Row {
        name: "empty",
        title: "no body",
        kind: closed(Exchange { path: "/empty", ..GET_1K }),
        goals: &[at_most(0.82, Reference::Peer(Peer::Haproxy))],
        picture: false,
        ..PLAIN
    },
    Row {
        name: "post",
        title: "POST 16 KB",
        kind: closed(Exchange { post: 16 << 10, ..GET_1K }),
        goals: &[at_most(0.80, Reference::Peer(Peer::Nginx))],
        ..PLAIN
    },
    Row {
        name: "16k",
        title: "response 16 KB",
        kind: closed(Exchange { path: "/16k", ..GET_1K }),
        // hyper cost 14.8 where nginx cost 18.7.
        goals: &[at_most(0.71, Reference::HyperByNginx(0.90))],
        ..PLAIN
    },
    Row {
        name: "100k",
        title: "response 100 KB, 16 connections",
        kind: Kind::Closed { exchange: Exchange { path: "/100k", ..GET_1K }, connections: 16 },
        // hyper cost 26.8 where nginx cost 29.4.
        goals: &[at_most(0.82, Reference::HyperByNginx(0.90))],
        picture: false,
        ..PLAIN
    },
    Row {
        name: "new",
        title: "new connection per request, 1 KB",
        kind: closed(Exchange { fresh: true, ..GET_1K }),
        goals: &[at_most(0.95, Reference::Peer(Peer::Nginx))],
        floor: false,
        ..PLAIN
    },
    Row {
        name: "1m",
        title: "1 MB bodies, 16 connections",
        kind: Kind::Closed { exchange: Exchange { path: "/1m", ..GET_1K }, connections: 16 },
        metrics: &[CPU_PER_GB],
        // The absolute bound was set where the relay cost 0.13 and nginx 0.29; the ratios hold where memory is slower.
        goals: &[
            Goal { metric: CPU_PER_GB.key, ..at_most(0.13, Reference::Absolute) },
            Goal { metric: CPU_PER_GB.key, ..at_most(1.0, Reference::Floor) },
            Goal { metric: CPU_PER_GB.key, ..at_most(0.45, Reference::Peer(Peer::Nginx)) },
        ],
        ..PLAIN
    },
    Row {
        name: "self",
        title: "answered by the proxy itself",
        kind: closed(Exchange { path: peers::SELF_PATH, ..GET_1K }),
        goals: &[at_most(0.90, Reference::Peer(Peer::Nginx))],
        floor: false,
        picture: false,
        ..PLAIN
    },
    Row {
        name: "idle",
        title: "idle keep-alive connection, private bytes each (15,000)",
        kind: Kind::Idle { exchange: GET_1K, connections: 15_000 },
        metrics: &[BYTES_EACH, GIVEN_BACK],
        goals: &[
            Goal { metric: BYTES_EACH.key, ..at_most(500.0, Reference::Absolute) },
            Goal { metric: GIVEN_BACK.key, sense: Sense::AtLeast, ..at_most(0.83, Reference::Absolute) },
        ],
        floor: false,
        picture: false,
        ..PLAIN
    },
    Row {
        name: "start",
        title: "start to first answer",
        kind: Kind::Start,
        metrics: &[START],
        goals: &[Goal { metric: START.key, ..at_most(12.0, Reference::Absolute) }],
        picture: false,
        ..PLAIN
    },
    Row {
        name: "calls",
        title: "system calls per request at 1,000/s",
        kind: Kind::SystemCalls { per_second: 1_000 },
        metrics: &[CALLS],
        // Requests come evenly spaced, so that hardly two share a wake-up: the relay itself needs 6. The goal was set as
        // equality with the relay where it needed 5.3.
        goals: &[Goal { metric: CALLS.key, ..at_most(1.0, Reference::Floor) }],
        picture: false,
        ..PLAIN
    },
    Row {
        name: "routes",
        title: "10,000 prefix routes against 10",
        kind: Kind::Routes { few: 10, many: 10_000 },
        metrics: &[CPU, ROUTES_RATIO],
        goals: &[Goal { metric: ROUTES_RATIO.key, ..at_most(1.05, Reference::Absolute) }],
        floor: false,
        picture: false,
        ..PLAIN
    },
    Row {
        name: "scaling",
        title: "two workers against one, requests per CPU second × 2",
        kind: Kind::Scaling,
        metrics: &[SCALING, SKEW],
        // On two cores the load takes its part of them; nginx, whose workers share next to nothing, shows what is left.
        goals: &[
            Goal { metric: SCALING.key, sense: Sense::AtLeast, ..at_most(1.9, Reference::Absolute) },
            Goal { metric: SCALING.key, sense: Sense::AtLeast, ..at_most(1.0, Reference::Peer(Peer::Nginx)) },
        ],
        floor: false,
        picture: false,
        ..PLAIN
    },
    Row {
        name: "tls-1k",
        title: "over TLS, 1 KB",
        kind: closed(TLS_1K),
        goals: &[at_most(0.78, Reference::Peer(Peer::Nginx))],
        ..TLS
    },
    Row {
        name: "tls-16k",
        title: "over TLS, response 16 KB",
        kind: closed(Exchange { path: "/16k", ..TLS_1K }),
        // hyper cost 20.2 where nginx cost 26.6.
        goals: &[at_most(0.72, Reference::HyperByNginx(0.95))],
        ..TLS
    },
    Row {
        name: "tls-1m",
        title: "over TLS, 1 MB bodies, 16 connections",
        kind: Kind::Closed { exchange: Exchange { path: "/1m", ..TLS_1K }, connections: 16 },
        metrics: &[CPU_PER_GB],
        // The absolute bound was set where nginx cost 0.61.
        goals: &[
            Goal { metric: CPU_PER_GB.key, ..at_most(0.24, Reference::Absolute) },
            Goal { metric: CPU_PER_GB.key, ..at_most(0.39, Reference::Peer(Peer::Nginx)) },
        ],
        ..TLS
    },
    Row {
        name: "tls13-ecdsa",
        title: "TLS 1.3 handshake, ECDSA, and one request",
        kind: handshake(SECURE),
        // hyper cost 116 where nginx cost 201.
        goals: &[at_most(0.52, Reference::HyperByNginx(0.90))],
        ..TLS
    },
    Row {
        name: "tls13-rsa",
        title: "TLS 1.3 handshake, RSA-2048, and one request",
        kind: handshake(Secure { key: Key::Rsa, ..SECURE }),
        // hyper cost 294 where nginx cost 386.
        goals: &[at_most(0.72, Reference::HyperByNginx(0.95))],
        ..TLS
    },
    Row {
        name: "tls12-ecdsa",
        title: "TLS 1.2 handshake, ECDSA, and one request",
        kind: handshake(Secure { version: Version::Tls12, ..SECURE }),
        // hyper cost 145 where nginx cost 201.
        goals: &[at_most(0.72, Reference::HyperByNginx(1.0))],
        ..TLS
    },
    Row {
        name: "tls12-rsa",
        title: "TLS 1.2 handshake, RSA-2048, and one request",
        kind: handshake(Secure { version: Version::Tls12, key: Key::Rsa, ..SECURE }),
        // hyper cost 281 where nginx cost 342.
        goals: &[at_most(0.82, Reference::HyperByNginx(1.0))],
        ..TLS
    },
    Row {
        name: "tls13-again",
        title: "TLS 1.3 resumed, and one request",
        kind: handshake(Secure { resumes: true, ..SECURE }),
        metrics: &[CPU, RESUMED],
        // hyper cost 106 where nginx cost 154.
        goals: &[at_most(0.62, Reference::HyperByNginx(0.90))],
        ..TLS
    },
    Row {
        name: "tls12-again",
        title: "TLS 1.2 resumed, and one request",
        kind: handshake(Secure { version: Version::Tls12, resumes: true, ..SECURE }),
        metrics: &[CPU, RESUMED],
        goals: &[at_most(1.0, Reference::Peer(Peer::Nginx))],
        ..TLS
    },
    Row {
        name: "tls-idle",
        title: "idle TLS connection, private bytes each (10,000)",
        kind: Kind::Idle { exchange: TLS_1K, connections: 10_000 },
        metrics: &[BYTES_EACH, GIVEN_BACK],
        goals: &[Goal { metric: BYTES_EACH.key, ..at_most(8_000.0, Reference::Absolute) }],
        ..TLS
    },
    Row {
        name: "open",
        title: "open loop at 8,000/s",
        kind: Kind::Open { exchange: GET_1K, connections: 64, per_second: 8_000 },
        metrics: &[P99, P99_ALL, P50, LATE],
        // Set where the relay's p99 was 161.
        goals: &[
            Goal { metric: P99.key, ..at_most(170.0, Reference::Absolute) },
            Goal { metric: P99.key, ..at_most(1.06, Reference::Floor) },
        ],
        picture: false,
        ..PLAIN
    },
];

/// Request fields of a desktop browser for a page, beside the request line and Host.
const BROWSER_FIELDS: &str = "Connection: keep-alive\r\n\
    sec-ch-ua: \"Chromium\";v=\"126\", \"Not.A/Brand\";v=\"24\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Referer: https://bench.example/articles/2024/06/a-page-that-links-to-this-one\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Cookie: sid=s%3AjX0kUqKfCw9d3v7m2b1n.QmZyV2h5dGhlcmVhcmVubw; theme=dark; _ga=GA1.2.1234567890.1718000000\r\n";

impl Exchange {
    /// The requests and answers of this exchange.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn ask(&self) -> io::Result<Ask> {
        Ok(Ask {
            requests: vec![self.request(self.path)],
            status: 200,
            body_length: self.body_length(),
            fresh: self.fresh,
            secure: self.secure.map(Secure::policy).transpose()?,
        })
    }

    /// The same through `routes` prefix routes, each of them asked in turn but not in order.
    pub(crate) fn ask_routes(&self, routes: usize) -> io::Result<Ask> {
        // A stride without a common divisor visits every route and follows no neighbourhood in a table.
        const STRIDE: usize = 7_919;
        let requests = (0..routes).map(|step| {
            let prefix = peers::prefix(step * STRIDE % routes);
            self.request(&format!("{}{}", prefix.trim_end_matches('/'), self.path))
        });
        Ok(Ask { requests: requests.collect(), ..self.ask()? })
    }

    fn body_length(&self) -> usize {
        if self.path == peers::SELF_PATH { peers::SELF_BODY.len() } else { Answers::body_length(self.path) }
    }

    fn request(&self, path: &str) -> Vec<u8> {
        let method = if self.post > 0 { "POST" } else { "GET" };
        let mut fields = String::from(if self.browser { BROWSER_FIELDS } else { "" });
        if self.fresh {
            fields.push_str("Connection: close\r\n");
        }
        if self.post > 0 {
            fields.push_str(&format!("Content-Type: application/octet-stream\r\nContent-Length: {}\r\n", self.post));
        }
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: bench.example\r\n{fields}\r\n").into_bytes();
        request.resize(request.len() + self.post, b'x');
        request
    }
}

impl Row {
    /// The first metric, by which targets are compared.
    pub(crate) fn key(&self) -> &'static str {
        self.metrics.first().map_or(CPU.key, |metric| metric.key)
    }

    /// Whether `peer` can be measured in this row.
    pub(crate) fn admits(&self, peer: Peer) -> bool {
        self.floor || peer != Peer::Floor
    }

    /// The exchange that shows a proxy to be ready for this row.
    pub(crate) fn exchange(&self) -> Exchange {
        match self.kind {
            Kind::Closed { exchange, .. } | Kind::Open { exchange, .. } | Kind::Idle { exchange, .. } => exchange,
            _ => GET_1K,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_unique_and_goals_speak_of_metrics_that_the_row_has() {
        for (position, row) in ROWS.iter().enumerate() {
            assert!(ROWS.iter().skip(position + 1).all(|other| other.name != row.name), "{}", row.name);
            for goal in row.goals {
                assert!(row.metrics.iter().any(|metric| metric.key == goal.metric), "{} {}", row.name, goal.metric);
            }
        }
    }

    #[test]
    fn every_route_is_asked() {
        let requests = GET_1K.ask_routes(10).unwrap().requests;
        let mut distinct = requests.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 10);
        assert!(requests.iter().all(|request| request.starts_with(b"GET /r0000")));
    }
}
