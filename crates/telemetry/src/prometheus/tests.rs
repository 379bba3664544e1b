use super::families::groups;
use super::page::Kind;
use super::{
    EndpointFigures, Exposition, HealthFigures, LimitFigures, ROUTES_MAX, RouteFigures, Scrape, reference_markdown,
    render,
};
use crate::process::ProcessFigures;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strait_message::{Fault, Kind as FaultKind, Method, Phase, Status};
use strait_record::{Dialect, EndpointMeter, RouteMeter, Sharded, WorkerMeter};

fn empty<'a>() -> Scrape<'a> {
    Scrape {
        version: "0.1.0",
        generation: 7,
        draining: false,
        workers: &[],
        routes: Vec::new(),
        endpoints: Vec::new(),
        limits: Vec::new(),
        access_log: None,
        otlp: None,
        filters: &[],
        dialects: &[],
        process: None,
        every_route: false,
    }
}

fn route() -> Sharded<RouteMeter> {
    let meter = Sharded::<RouteMeter>::new(2);
    for (worker, us) in [(0, 90), (1, 300), (1, 20_000_000)] {
        let shard = meter.of(worker).unwrap();
        shard.answers.record(Some(Method::Get), Some(Status::OK), us);
        shard.bytes_sent.add(10);
    }
    meter.of(0).unwrap().answers.record(Some(Method::Get), None, 100);
    meter
}

#[track_caller]
fn has(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.lines().any(|other| other == *line), "no line {line} in\n{page}");
    }
}

#[test]
fn workers_and_their_skew() {
    let workers: Vec<Arc<WorkerMeter>> = (0..2).map(|_| Arc::default()).collect();
    workers[0].exchanges.add(30);
    workers[1].exchanges.add(10);
    workers[1].lag_ms.add(1500);
    workers[1].connections_open.up();
    for worker in &workers {
        worker.faults.count(&Fault::upstream(Phase::Connect, FaultKind::Refused));
    }
    let page = render(&Scrape { workers: &workers, draining: true, ..empty() }, Exposition::Text);
    has(
        &page,
        &[
            "# TYPE strait_worker_exchanges_total counter",
            r#"strait_worker_exchanges_total{worker="0"} 30"#,
            r#"strait_worker_exchanges_total{worker="1"} 10"#,
            r#"strait_worker_lag_seconds_total{worker="1"} 1.5"#,
            r#"strait_worker_connections_open{worker="1"} 1"#,
            "strait_worker_skew_ratio 1.5",
            r#"strait_faults_total{origin="upstream",phase="connect",kind="refused"} 2"#,
            r#"strait_build_info{version="0.1.0"} 1"#,
            "strait_plan_generation 7",
            "strait_draining 1",
        ],
    );
    assert_eq!(page.matches("strait_faults_total{").count(), 1, "only what happened");
}

#[test]
fn routes_are_summed_over_workers() {
    let (meter, unused) = (route(), Sharded::new(2));
    let routes = vec![
        RouteFigures { listener: "web", route: "a\\b\"c\nd", meter: &meter },
        RouteFigures { listener: "web", route: "/unused", meter: &unused },
    ];
    let page = render(&Scrape { routes, ..empty() }, Exposition::Text);
    let labels = r#"listener="web",route="a\\b\"c\nd""#;
    has(
        &page,
        &[
            &format!(r#"strait_route_responses_total{{{labels},class="2xx"}} 3"#),
            &format!(r#"strait_route_responses_total{{{labels},class="none"}} 1"#),
            &format!(r#"strait_route_duration_seconds_bucket{{{labels},le="0.0001"}} 2"#),
            &format!(r#"strait_route_duration_seconds_bucket{{{labels},le="0.0005"}} 3"#),
            &format!(r#"strait_route_duration_seconds_bucket{{{labels},le="10.0"}} 3"#),
            &format!(r#"strait_route_duration_seconds_bucket{{{labels},le="+Inf"}} 4"#),
            &format!("strait_route_duration_seconds_sum{{{labels}}} 20.00049"),
            &format!("strait_route_duration_seconds_count{{{labels}}} 4"),
            &format!("strait_route_sent_bytes_total{{{labels}}} 30"),
            r#"strait_responses_total{class="2xx"} 3"#,
            r#"strait_exchange_duration_seconds_bucket{le="1.0"} 3"#,
            "strait_exchange_duration_seconds_count 4",
        ],
    );
    assert!(!page.contains("/unused"));
}

#[test]
fn above_the_cap_only_sums_remain_unless_asked() {
    let meters: Vec<_> = (0..=ROUTES_MAX).map(|_| route()).collect();
    let names: Vec<_> = (0..=ROUTES_MAX).map(|number| format!("/{number}")).collect();
    let figures = |every_route| Scrape {
        routes: meters
            .iter()
            .zip(&names)
            .map(|(meter, route)| RouteFigures { listener: "web", route, meter })
            .collect(),
        every_route,
        ..empty()
    };
    let page = render(&figures(false), Exposition::Text);
    assert!(!page.contains("strait_route_"));
    has(&page, &[r#"strait_responses_total{class="2xx"} 3003"#]);
    assert!(render(&figures(true), Exposition::Text).contains(r#"route="/1000""#));
}

fn shop(meter: &Sharded<EndpointMeter>) -> EndpointFigures<'_> {
    EndpointFigures {
        upstream: "shop",
        endpoint: "10.0.0.1:80",
        meter,
        addresses: 1,
        weight: 7,
        open: 3,
        idle: 2,
        waiting: 1,
        open_max: Some(10),
        waiting_max: 100,
        health: HealthFigures::default(),
    }
}

#[test]
fn endpoints_and_limits() {
    let meter = Sharded::<EndpointMeter>::new(1);
    meter.of(0).unwrap().attempts.add(4);
    let endpoints = vec![shop(&meter)];
    let limits = vec![LimitFigures { limit: "connections", of: "web", used: 5, max: 1000 }];
    let page = render(&Scrape { endpoints, limits, ..empty() }, Exposition::Text);
    has(
        &page,
        &[
            r#"strait_endpoint_attempts_total{upstream="shop",endpoint="10.0.0.1:80"} 4"#,
            r#"strait_endpoint_weight{upstream="shop",endpoint="10.0.0.1:80"} 7"#,
            r#"strait_endpoint_connections_idle{upstream="shop",endpoint="10.0.0.1:80"} 2"#,
            r#"strait_endpoint_response_time_seconds_count{upstream="shop",endpoint="10.0.0.1:80"} 0"#,
            r#"strait_limit_used{limit="connections",of="web"} 5"#,
            r#"strait_limit_max{limit="connections",of="web"} 1000"#,
            r#"strait_limit_used{limit="endpoint_connections",of="shop/10.0.0.1:80"} 3"#,
            r#"strait_limit_max{limit="endpoint_queue",of="shop/10.0.0.1:80"} 100"#,
        ],
    );
}

#[test]
fn open_metrics_is_told_apart_by_accept_and_ends() {
    assert_eq!(Exposition::preferred("*/*"), Exposition::Text);
    let asked = Exposition::preferred("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1");
    assert_eq!(asked, Exposition::OpenMetrics);
    let page = render(&Scrape { process: ProcessFigures::read(), ..empty() }, asked);
    has(&page, &["# TYPE process_cpu_seconds counter", "# TYPE strait_faults counter"]);
    assert!(page.contains("\nprocess_cpu_seconds_total ") && page.ends_with("# EOF\n"));
}

/// Every line is a comment or a sample of the family begun last, and no series comes twice.
fn well_formed(page: &str) {
    let (mut family, mut seen) = (String::new(), BTreeSet::new());
    let mut families = BTreeMap::new();
    for line in page.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} comes twice");
            family = name.to_owned();
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(series.starts_with(&family), "{line} under {family}");
            assert!(seen.insert(series.to_owned()), "{series} comes twice");
        }
    }
}

#[test]
fn pages_are_well_formed() {
    let workers: Vec<Arc<WorkerMeter>> = vec![Arc::default()];
    let meter = route();
    for exposition in [Exposition::Text, Exposition::OpenMetrics] {
        let routes = vec![RouteFigures { listener: "web", route: "/", meter: &meter }];
        let log = crate::access_log::AccessLogMeter::default();
        let process = ProcessFigures::read();
        let dialects = [Dialect::Nginx, Dialect::Haproxy, Dialect::Envoy, Dialect::Traefik, Dialect::Caddy];
        let (otlp, endpoint) = (crate::otlp::ExportMeter::default(), Sharded::<EndpointMeter>::new(1));
        endpoint.of(0).unwrap().response_time.record(3);
        let endpoints = vec![shop(&endpoint)];
        let scrape = Scrape {
            workers: &workers,
            routes,
            endpoints,
            access_log: Some(&log),
            otlp: Some(&otlp),
            dialects: &dialects,
            process,
            ..empty()
        };
        well_formed(&render(&scrape, exposition));
    }
}

#[test]
fn names_keep_the_rules_and_the_manual_has_them_all() {
    let manual = reference_markdown();
    let mut names = BTreeSet::new();
    for family in groups().into_iter().flat_map(|(_, families)| families) {
        assert!(names.insert(family.name), "{} comes twice", family.name);
        assert_eq!(family.name.ends_with("_total"), family.kind == Kind::Counter, "{}", family.name);
        assert!(family.name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_'));
        assert!(family.help.ends_with('.') && !family.help.contains(['\n', '\\', '|']), "{}", family.help);
        assert!(manual.contains(&format!("| `{}` |", family.name)));
    }
}
