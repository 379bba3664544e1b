//! Listeners: where connections arrive.

use super::{Http2, ListenerTls, Route};
use crate::decode::{OneOrMany, Table};
use crate::filter::Filter;
use crate::source::Spanned;
use crate::value::{Address, ByteRate, Cidr, Duration, Limit, OrOff, Size};
use strait_config_derive::Spec;

/// An address that is bound, and how its connections are treated. A text stands for the `address`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "a listener",
    short = "address",
    peers(
        bind = "address",
        listen = "address",
        port = "address",
        socket_address = "address",
        addr = "address",
        host = "address",
        ssl = "tls",
        certificates = "tls",
        filter_chains = "routes",
        server_name = "host names belong in the patterns of `routes`",
        hostname = "host names belong in the patterns of `routes`",
        location = "routes",
        locations = "routes",
        mode = "protocol",
        maxconn = "`connections` in `limits`",
        timeout = "`header_timeout` and `idle_timeout` in `limits`",
        default_backend = "routes",
        keepalive_timeout = "`idle_timeout` in `limits`",
        client_max_body_size = "`body_size` in `limits`",
        handlers = "routes",
        forwardedHeaders = "trusted_proxies",
        trustedIPs = "trusted_proxies",
        trusted_proxy = "trusted_proxies",
    ),
    unbuilt(
        databases = "PostgreSQL pooling",
        direction = "the service mesh",
        allow = "forward proxying",
        to = "plain TCP and UDP proxying",
        proxy_protocol = "the PROXY protocol",
    )
)]
pub struct Listener {
    /// Where to listen: a port (`8080`) on all addresses, `127.0.0.1:8080`, `[::1]:8080`, or `unix:/path`. Port 0 lets the system choose; the chosen one is printed.
    #[spec(example = "8080")]
    pub address: Spanned<Address>,
    /// What is spoken on the connections.
    #[spec(default = Protocol::Http)]
    pub protocol: Protocol,
    /// TLS, or `off`. On the ports 443 and 8443 it is on without being written.
    pub tls: Option<OrOff<ListenerTls>>,
    /// HTTP/2, which is spoken beside HTTP/1.1 unless this is `off`.
    #[spec(example = "{streams: 256}")]
    pub http2: Option<OrOff<Http2>>,
    /// Whether requests are redirected to the listener with TLS that serves the same routes. On the ports 80 and 8080 they are if there is one, unless a trusted proxy says that they came by https.
    #[spec(example = "false")]
    pub redirect_to_https: Option<bool>,
    /// As the key of the same name at the top, for this listener instead of it.
    pub trusted_proxies: Option<OneOrMany<Spanned<Cidr>>>,
    /// Whether a client that ends its side of the connection, and may still read, gets the answer to its request.
    #[spec(default = HalfClose::Serve)]
    pub half_close: HalfClose,
    /// Whether repeated slashes of a path count as one, before a route is chosen and for the origin too: `//admin` is `/admin`. Without it `//admin` passes a pattern for `/admin/*`, and an origin that merges them lets it in. Switch it off only for origins to which they mean something (object stores).
    #[spec(default = true)]
    pub merge_slashes: bool,
    /// Bounds on what clients can make the proxy do.
    pub limits: Limits,
    /// Filters of every request that finds a route on this listener: they run after those of `defaults` and before the route's own.
    pub filters: Vec<Filter>,
    /// Routes of this listener, in place of those at the top.
    pub routes: Option<Table<Route>>,
}

impl Listener {
    /// The settings of TLS where it is spoken; `None` inside where nothing is written about it.
    pub fn tls(&self) -> Option<Option<&ListenerTls>> {
        match &self.tls {
            Some(OrOff::Off) => None,
            Some(OrOff::On(tls)) => Some(Some(tls)),
            None => matches!(self.address.port(), Some(443 | 8443)).then_some(None),
        }
    }

    /// The settings of HTTP/2 where it is spoken.
    pub fn http2(&self) -> Option<Http2> {
        match &self.http2 {
            Some(OrOff::Off) => None,
            Some(OrOff::On(http2)) => Some(http2.clone()),
            None => Some(Http2::default()),
        }
    }

    /// Whether requests are redirected to https where that serves the same routes.
    pub fn redirects_to_https(&self) -> bool {
        self.tls().is_none() && self.redirect_to_https.unwrap_or(matches!(self.address.port(), Some(80 | 8080)))
    }
}

/// What becomes of the request of a client that has ended its side of the connection. A reset always ends the exchange; while a request waits for a connection under an upstream's limit an end does too, since most such clients have given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "an answer to a half-closed connection")]
pub enum HalfClose {
    /// It is served: an end of one side does not mean that nobody wants the answer (RFC 9112 section 9.6). `printf … | nc` works.
    Serve,
    /// It is ended, and with it the attempt upstream: for slow origins whose clients often give up.
    Abort,
}

/// What is spoken on a listener's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a protocol",
    peers(http1 = "http", "http/1.1" = "http", h1 = "http", HTTP = "http", https = "http", ssl = "http", h2 = "http", http2 = "http", h2c = "http", grpc = "http"),
    unbuilt(
        tls = "TLS passthrough by name", h3 = "HTTP/3", http3 = "HTTP/3", tcp = "plain TCP proxying",
        udp = "UDP proxying", postgres = "PostgreSQL pooling", mesh = "the service mesh", forward = "forward proxying", socks5 = "forward proxying",
    )
)]
pub enum Protocol {
    /// HTTP/2, HTTP/1.1 and HTTP/1.0, with or without TLS.
    Http,
}

/// Bounds on what clients can make the proxy do. Each is finite unless said otherwise here; `none` lifts those that say so.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`limits`",
    empty_ok,
    peers(
        client_max_body_size = "body_size",
        max_body_size = "body_size",
        max_request_bytes = "body_size",
        client_header_timeout = "header_timeout",
        read_header_timeout = "header_timeout",
        large_client_header_buffers = "header_size",
        max_request_headers_kb = "header_size",
        max_header_bytes = "header_size",
        keepalive_timeout = "idle_timeout",
        maxconn = "connections",
        max_connections = "connections",
        keepalive_requests = "requests_per_connection",
        max_headers = "header_count",
        max_headers_count = "header_count",
        limit_conn = "per_client_ip",
        body_timeout = "body_rate_min",
        client_body_timeout = "body_rate_min",
        readTimeout = "header_timeout",
        idleTimeout = "idle_timeout",
    )
)]
pub struct Limits {
    /// Largest head of a request: request line and headers together. Larger ones are answered with 431.
    #[spec(default = Size::kib(32), min = Size::kib(1), max = Size::mib(1))]
    pub header_size: Size,
    /// Most header lines of a request. More are answered with 431.
    #[spec(default = 100, min = 1_u32, max = 10_000_u32)]
    pub header_count: u32,
    /// Time for a client to send the whole head, counted from its first byte. Whoever is slower is answered with 408.
    #[spec(default = Duration::secs(10), min = Duration::millis(100), max = Duration::secs(3600))]
    pub header_timeout: Duration,
    /// Largest request body, or `none`. Larger ones are answered with 413. A route may set its own.
    #[spec(default = Limit::Max(Size::mib(1024)))]
    pub body_size: Limit<Size>,
    /// Least rate at which a client must send a body and take an answer, averaged over `body_rate_window`, or `none`. Slower ones lose their connection.
    #[spec(default = Limit::Max(ByteRate::bytes_per_second(256)))]
    pub body_rate_min: Limit<ByteRate>,
    /// The window over which `body_rate_min` is averaged: a phone that changes cells is silent for seconds. Who stalls is gone within a window and a fifth of it.
    #[spec(default = Duration::secs(10), min = Duration::secs(1), max = Duration::secs(3600))]
    pub body_rate_window: Duration,
    /// How long a connection may wait for its next request.
    #[spec(default = Duration::secs(75), min = Duration::millis(100), max = Duration::secs(86_400))]
    pub idle_timeout: Duration,
    /// Most connections of this listener, over all workers. Further ones are reset, counted and logged.
    #[spec(default = 65_536, min = 1_u32, max = 16_777_216_u32)]
    pub connections: u32,
    /// Most connections from one client address, over all workers, or `none`; of IPv6 addresses the first 64 bits count as one client. Further ones are reset, counted and logged. Peers in `trusted_proxies` and on Unix sockets are not bounded. Not bounded by default, since behind another proxy or a large office all clients share few addresses.
    #[spec(default = Limit::None, min = 1_u32)]
    pub per_client_ip: Limit<u32>,
    /// Most requests on one connection, or `none`; after that the client is asked to open a new one, which spreads clients over workers anew.
    #[spec(default = Limit::Max(10_000))]
    pub requests_per_connection: Limit<u32>,
}
