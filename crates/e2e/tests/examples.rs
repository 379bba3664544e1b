//! Every file in `conf/` against two real origins, nginx and Caddy, with the peers set up for the same task beside it:
//! the same requests get the same answers. The peers' files stand in `tests/examples/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use support::{Program, Strait, free_port, has, nginx, peer, run, serve, start_caddy, written};

/// A request and what everybody answers. An answer of the proxy's own words, which differ, has no body here.
struct Case {
    method: &'static str,
    host: &'static str,
    target: &'static str,
    status: &'static str,
    body: Option<&'static str>,
    /// `Location` or `Retry-After` with its value.
    field: Option<(&'static str, &'static str)>,
}

const fn case(host: &'static str, target: &'static str, status: &'static str, body: Option<&'static str>) -> Case {
    Case { method: "GET", host, target, status, body, field: None }
}

const fn with(field: &'static str, value: &'static str, case: Case) -> Case {
    Case { field: Some((field, value)), ..case }
}

/// What an example is for, which of its addresses is which origin, and its requests.
struct Example {
    name: &'static str,
    one: &'static [&'static str],
    two: &'static [&'static str],
    cases: &'static [Case],
    /// Of so many requests of the first case, so many go to the first origin, by Strait.
    shares: Option<(usize, usize)>,
}

const EXAMPLES: &[Example] = &[
    Example {
        name: "canary",
        one: &["localhost:3001"],
        two: &["localhost:3002"],
        cases: &[
            case("any.example", "/x", "200", None),
            case("any.example", "/x?canary=1", "200", Some("two GET any.example /x?canary=1")),
            with("location", "https://example.com/users/7", case("any.example", "/v1/users/7", "302", None)),
        ],
        shares: Some((100, 95)),
    },
    Example {
        name: "hosts-and-paths",
        one: &["localhost:3002", "localhost:3003"],
        two: &["localhost:3001"],
        cases: &[
            case("www.example.com", "/about?x=1", "200", Some("one GET www.example.com /about?x=1")),
            case("www.example.com", "/api/users", "200", Some("two GET www.example.com /api/users")),
            case("WWW.Example.COM", "/about", "200", None),
            case("admin.example.com", "/x", "200", Some("one GET admin.example.com /x")),
            Case { method: "POST", ..case("admin.example.com", "/x", "200", Some("one POST admin.example.com /x")) },
            case("other.example.com", "/", "404", None),
        ],
        shares: None,
    },
    Example {
        name: "least-request",
        one: &["localhost:3001"],
        two: &["localhost:3002"],
        cases: &[case("any.example", "/x", "200", None)],
        shares: None,
    },
    Example {
        name: "queue-priority",
        one: &["localhost:3001"],
        two: &["localhost:3002"],
        cases: &[
            case("any.example", "/x", "200", None),
            case("any.example", "/pay/1", "200", None),
            case("any.example", "/reports/1", "200", None),
        ],
        shares: Some((10, 5)),
    },
    Example {
        name: "redirects",
        one: &[],
        two: &[],
        cases: &[
            with("location", "https://example.com/a?b=c", case("example.org", "/a?b=c", "302", None)),
            with("location", "/new", case("example.com", "/old", "308", None)),
            case("example.com", "/robots.txt", "200", Some("User-agent: *")),
            with("retry-after", "3600", case("example.com", "/", "503", Some("Back at noon."))),
            case("elsewhere.example", "/", "404", None),
        ],
        shares: None,
    },
    Example {
        name: "reverse-proxy",
        one: &["10.0.0.11:3000"],
        two: &["10.0.0.12:3000"],
        cases: &[
            case("example.com", "/", "200", None),
            case("example.com", "/reports/1", "200", None),
            case("example.com", "/healthz", "200", Some("ok")),
            with("location", "https://example.com/a?b=c", case("www.example.com", "/a?b=c", "302", None)),
            case("other.example.com", "/", "404", None),
        ],
        shares: Some((10, 5)),
    },
    Example {
        name: "two-endpoints",
        one: &["localhost:3001"],
        two: &["localhost:3002"],
        cases: &[case("any.example", "/x", "200", None)],
        shares: Some((10, 5)),
    },
    Example {
        name: "weights",
        one: &["localhost:3001", "localhost:3002"],
        two: &["localhost:3003"],
        cases: &[case("any.example", "/x", "200", None)],
        shares: Some((100, 95)),
    },
];

/// Examples of features that tests of their own show: `strait/tests/filters.rs`, `files.rs`, `balancing.rs`, `health.rs`, `telemetry.rs` and `tls.rs`
/// here.
const ELSEWHERE: &[&str] = &[
    "static-files",
    "filters-access-and-limits",
    "filters-paths-and-headers",
    "health-and-retries",
    "https",
    "mtls",
    "consistent-hash",
    "sticky-canary",
    "backup",
    "dns",
    "observability",
];

/// The two origins: each says which it is, and what it was asked.
struct Origins {
    one: SocketAddr,
    two: SocketAddr,
    _programs: [Program; 2],
}

impl Origins {
    fn start() -> Option<Self> {
        let caddy = peer("caddy")?;
        if !has("nginx") {
            return None;
        }
        let (one, two) = (free_port(), free_port());
        let body =
            "server { listen LISTEN; location / { return 200 \"one $request_method $http_host $request_uri\"; } }";
        let nginx = nginx(&body.replace("LISTEN", &one.to_string()), one);
        let text = "http://:PORT {\n\trespond \"two {method} {http.request.header.Host} {uri}\"\n}\n"
            .replace("{http.request.header.Host}", "{hostport}")
            .replace("PORT", &two.port().to_string());
        Some(Self { one, two, _programs: [nginx, start_caddy(&caddy, &text, two)] })
    }

    fn put_into(&self, text: &str, listen: SocketAddr) -> String {
        text.replace("LISTEN", &listen.to_string())
            .replace("PORT", &listen.port().to_string())
            .replace("ONE", &self.one.to_string())
            .replace("TWO", &self.two.to_string())
    }
}

fn haproxy(body: &str, address: SocketAddr) -> Program {
    let head = "defaults\n  mode http\n  timeout client 30s\n  timeout server 30s\n  timeout connect 5s\n";
    let (_, file) = written("haproxy.cfg", &format!("{head}{body}"));
    serve(Command::new("haproxy").arg("-db").arg("-f").arg(&file), address)
}

fn envoy(program: &Path, hosts: &str, origins: &Origins, address: SocketAddr) -> Program {
    let endpoint = |at: SocketAddr| {
        format!("{{endpoint: {{address: {{socket_address: {{address: {}, port_value: {}}}}}}}}}", at.ip(), at.port())
    };
    let cluster = |name: &str, endpoints: String| {
        format!(
            "  - {{name: {name}, type: STATIC, load_assignment: {{cluster_name: {name}, endpoints: \
             [{{lb_endpoints: [{endpoints}]}}]}}}}\n"
        )
    };
    let (one, two) = (endpoint(origins.one), endpoint(origins.two));
    let both = format!("{one}, {two}");
    let clusters = cluster("one", one) + &cluster("two", two) + &cluster("both", both);
    let hosts: String = hosts.lines().map(|line| format!("            {line}\n")).collect();
    let text = format!(
        "static_resources:
  listeners:
  - address: {{socket_address: {{address: {ip}, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          normalize_path: true
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
{hosts}  clusters:
{clusters}",
        ip = address.ip(),
        port = address.port()
    );
    let (_, file) = written("envoy.yaml", &text);
    let mut command = Command::new(program);
    command.arg("-c").arg(&file).args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]);
    serve(&mut command, address)
}

/// The peers that are there, set up for an example.
fn peers(example: &Example, origins: &Origins) -> Vec<(&'static str, SocketAddr, Program)> {
    let mut all = Vec::new();
    let text = |peer: &str, listen| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples").join(example.name).join(peer);
        origins.put_into(&std::fs::read_to_string(&file).unwrap(), listen)
    };
    let at = free_port();
    all.push(("nginx", at, nginx(&text("nginx", at), at)));
    if has("haproxy") {
        let at = free_port();
        all.push(("haproxy", at, haproxy(&text("haproxy", at), at)));
    }
    if let Some(program) = peer("caddy") {
        let at = free_port();
        all.push(("caddy", at, start_caddy(&program, &text("caddy", at), at)));
    }
    if let Some(program) = peer("envoy") {
        let at = free_port();
        all.push(("envoy", at, envoy(&program, &text("envoy", at), origins, at)));
    }
    all
}

/// The example as it stands, with the test's addresses in place of its own.
fn strait(example: &Example, origins: &Origins) -> Option<Strait> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf").join(example.name).with_extension("yaml");
    let mut text = std::fs::read_to_string(file).unwrap();
    // Its own tests name its own addresses.
    text.truncate(text.find("tests:").unwrap_or(text.len()));
    for (addresses, origin) in [(example.one, origins.one), (example.two, origins.two)] {
        for address in addresses {
            assert!(text.contains(address), "{address} is not in {}", example.name);
            text = text.replace(address, &format!("\"{origin}\""));
        }
    }
    text = text.replace("address: 8080", "address: 127.0.0.1:0").replace("admin: 127.0.0.1:9900\n", "");
    // Round robin by more workers than one is even only over all of them.
    Strait::start_as_it_is(&format!("workers: 1\n{text}"))
}

/// Asks one request: status, field, body.
fn ask(at: SocketAddr, case: &Case) -> (String, String, String) {
    let field = case.field.map_or("date", |(name, _)| name);
    let format = format!("\n%{{http_code}} %header{{{field}}}");
    let url = format!("http://{at}{}", case.target);
    let host = format!("Host: {}", case.host);
    let arguments = ["-s", "--path-as-is", "--max-time", "60", "-X", case.method, "-H", &host, "-w", &format, &url];
    let answer = run("curl", &arguments);
    let (body, rest) = answer.rsplit_once('\n').unwrap();
    let (status, value) = rest.split_once(' ').unwrap();
    (status.to_owned(), value.to_owned(), body.to_owned())
}

fn check(who: &str, at: SocketAddr, example: &Example) {
    for case in example.cases {
        let (status, value, body) = ask(at, case);
        let what = format!("{} by {who}: {} {}{}", example.name, case.method, case.host, case.target);
        assert_eq!(status, case.status, "{what}: {body}");
        if let Some(expected) = case.body {
            assert_eq!(body.trim_end(), expected, "{what}");
        }
        if let Some((name, expected)) = case.field {
            assert_eq!(value, expected, "{what}: {name}");
        }
    }
}

/// How many of the requests go to the first origin.
fn share(at: SocketAddr, example: &Example, requests: usize) -> usize {
    (0..requests).filter(|_| ask(at, &example.cases[0]).2.starts_with("one")).count()
}

#[test]
fn every_example_answers_as_the_peers_do_for_the_same_task() {
    if !has("curl") {
        return;
    }
    let Some(origins) = Origins::start() else { return };
    for example in EXAMPLES {
        let Some(strait) = strait(example, &origins) else { return };
        check("strait", strait.address, example);
        if let Some((requests, first)) = example.shares {
            let got = share(strait.address, example, requests);
            // The schedule is exact from its beginning, and requests were made before.
            assert!(got.abs_diff(first) <= 1, "{got} of {requests} in {}", example.name);
        }
        for (name, at, _program) in peers(example, &origins) {
            check(name, at, example);
            if let Some((requests, _)) = example.shares {
                assert!(share(at, example, requests) > 0, "{} by {name}", example.name);
            }
        }
    }
}

#[test]
fn no_example_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue; // what examples need beside them, such as certificates
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let known = EXAMPLES.iter().any(|example| example.name == name) || ELSEWHERE.contains(&name);
        assert!(known, "conf/{name}.yaml is run by no test: add it to EXAMPLES, or name it in ELSEWHERE");
    }
}
