#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use crate::{Change, Compiler, Question, Terminals, changes, explain, review};
use insta::assert_snapshot;
use std::sync::Arc;
use std::time::Duration;
use strait_config::load_str;
use strait_expr::Template;
use strait_plan::{Action, Plan};
use strait_record::Format;

fn plan_of(text: &str) -> Arc<Plan> {
    compile(&mut Compiler::new(2), text)
}

fn compile(compiler: &mut Compiler, text: &str) -> Arc<Plan> {
    let snapshot = load_str("t.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    compiler.compile(&snapshot).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    let snapshot = load_str("t.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    Compiler::new(1).compile(&snapshot).unwrap_err().to_string()
}

fn reviewed(text: &str) -> String {
    let snapshot = load_str("t.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    let plan = Compiler::new(1).compile(&snapshot).unwrap();
    review(&snapshot, &plan).to_string()
}

fn explained(text: &str, method: &str, url: &str) -> String {
    explain(&plan_of(text), &Question::new(method, url)).unwrap().to_string()
}

const TWO: &str = "
routes:
  example.com: app
  example.com/api/*: {to: app, timeout: {first_byte: 5s}}
upstreams:
  app: {endpoints: [localhost:3001, {address: 'localhost:3002', weight: 2}], timeout: {request: 2s}}
";

#[test]
fn names_become_indices_and_a_route_with_timeouts_of_its_own_a_variant() {
    let plan = plan_of(TWO);
    let [app, variant] = &plan.upstreams[..] else { panic!("{:?}", plan.upstreams) };
    assert_eq!((app.name.as_ref(), app.variant_of, app.first_byte_timeout), ("app", None, Duration::from_secs(60)));
    assert_eq!((variant.name.as_ref(), variant.variant_of), ("app", Some(0)));
    assert_eq!(variant.first_byte_timeout, Duration::from_secs(5));
    assert!(Arc::ptr_eq(&app.endpoints[1].state, &variant.endpoints[1].state));
    assert!(Arc::ptr_eq(&app.state, &variant.state));
    let routes = &plan.listeners[0].routes.routes;
    assert!(matches!(&routes[1].action, Action::Forward { upstreams, .. } if **upstreams == [1]));
    assert_eq!(routes[1].request_timeout, Some(Duration::from_secs(2)));
    assert_eq!((&*routes[1].source, &*routes[1].pattern), ("t.yaml:4", "example.com/api/*"));
}

#[test]
fn every_key_of_the_language_arrives_in_the_plan() {
    let plan = plan_of(
        "
listeners:
  web:
    address: 127.0.0.1:0
    trusted_proxies: [10.0.0.0/8]
    limits: {header_size: 4KiB, header_count: 7, header_timeout: 2s, body_size: 1KiB, body_rate_min: none,
      idle_timeout: 9s, connections: 11, requests_per_connection: none}
routes:
  /:
    to: [localhost:1, 'unix:/run/app.sock']
    timeout: {request: none}
    preserve_host: false
    body_size: none
    request_headers: {X-A: a}
    remove_request_headers: [X-B]
    response_headers: {X-C: c}
    remove_response_headers: [X-D]
  /app: app
upstreams:
  app: {endpoints: ['[::1]:5'], max_connections: none, keep_alive: {max_idle: 0, idle_timeout: 3s}, retry: {attempts: 3}}
telemetry: {access_log: {format: text}}
",
    );
    let listener = &plan.listeners[0];
    let limits = &listener.limits;
    assert_eq!((limits.http1.head_bytes_max, limits.http1.target_bytes_max, limits.http1.fields_max), (4096, 4096, 7));
    assert_eq!((limits.header_timeout, limits.idle_timeout), (Duration::from_secs(2), Duration::from_secs(9)));
    assert_eq!((limits.body_bytes_max, limits.body_rate_min), (Some(1024), 0));
    assert_eq!((limits.connections_max, limits.connections_per_client_max), (11, None));
    assert_eq!(limits.requests_per_connection_max, 0);
    assert!(listener.trusted_proxies.contains([10, 1, 2, 3].into()));
    let route = &listener.routes.routes[0];
    assert_eq!((route.request_timeout, route.preserve_host, route.body_bytes_max), (None, false, Some(u64::MAX)));
    assert_eq!(route.request_headers.set, [("X-A".into(), Template::literal("a"))]);
    assert_eq!(*route.request_headers.remove, ["X-B".into()]);
    assert_eq!(route.response_headers.set, [("X-C".into(), Template::literal("c"))]);
    assert_eq!(*route.response_headers.remove, ["X-D".into()]);
    let app = &plan.upstreams[0];
    assert_eq!(
        (app.endpoints[0].connections_max, app.keep_alive_max, app.keep_alive_timeout),
        (None, 0, Duration::from_secs(3))
    );
    assert_eq!((app.retry.attempts_max, app.retry.on.connect_failure, app.retry.on.reset), (3, true, true));
    assert_eq!(*app.endpoints[0].state.resolved(), ["[::1]:5".parse().unwrap()]);
    assert_eq!(&*plan.upstreams[1].name, "localhost:1, unix:/run/app.sock");
    assert_eq!(plan.access_log.plain(), Some(Format::Text { color: false }));
}

#[test]
fn state_outlives_plans_by_identity() {
    let mut compiler = Compiler::new(1);
    let first = compile(&mut compiler, TWO);
    let second = compile(&mut compiler, &TWO.replace("localhost:3002", "localhost:4"));
    assert_eq!((first.generation, second.generation), (1, 2));
    let state = |plan: &Plan, at: usize| plan.upstreams[0].endpoints[at].state.clone();
    assert!(Arc::ptr_eq(&state(&first, 0), &state(&second, 0)));
    assert!(!Arc::ptr_eq(&state(&first, 1), &state(&second, 1)));
    let since = |at: usize| state(&second, at).standing.since_ms(77);
    assert_eq!((since(0), since(1)), (None, Some(77)), "one that joins begins slowly, those of the start do not");
    let meter = |plan: &Plan| plan.listeners[0].routes.routes[0].meter.clone();
    assert!(Arc::ptr_eq(&meter(&first), &meter(&second)));
}

#[test]
fn state_that_no_plan_uses_is_forgotten() {
    let mut compiler = Compiler::new(1);
    drop(compile(&mut compiler, TWO));
    let other = compile(&mut compiler, "routes: {/: {respond: hello}}");
    let address = strait_plan::EndpointAddress::Name(String::new(), 1);
    let upstream = compiler.registry.upstream("app");
    let endpoint = compiler.registry.endpoint(("app", &upstream), "localhost:3001", address, None);
    assert_eq!((endpoint.open(), endpoint.standing.since_ms(1)), (0, None));
    assert_eq!(format!("{:?}", compiler.registry).matches("(Weak)").count(), 2, "its table and its route");
    drop(other);
}

#[test]
fn the_access_log_is_text_on_a_terminal_and_json_elsewhere() {
    let check = |terminals, text: &str, expected| {
        let mut compiler = Compiler::new(1).with_terminals(terminals);
        assert_eq!(
            compile(&mut compiler, &format!("routes: {{/: {{respond: x}}}}\ntelemetry: {{access_log: {text}}}"))
                .access_log
                .plain(),
            expected
        );
    };
    let terminals = Terminals { stdout: true, stderr: false, color: true };
    check(terminals, "{}", Some(Format::Text { color: true }));
    check(terminals, "{path: stderr}", Some(Format::Json));
    check(terminals, "{path: ./x.log}", Some(Format::Json));
    check(terminals, "json", Some(Format::Json));
    check(terminals, "\"off\"", Some(Format::Off));
    check(Terminals { color: false, ..terminals }, "{}", Some(Format::Text { color: false }));
    check(Terminals::default(), "text", Some(Format::Text { color: false }));
}

#[test]
fn a_pattern_that_cannot_be_read_is_underlined() {
    assert_snapshot!(refused("routes:\n  /ok: localhost:1\n  example.com/{id: localhost:1\n"));
}

#[test]
fn patterns_that_tie_are_shown_both() {
    assert_snapshot!(refused(
        "routes:\n  /{a}/x: localhost:1\n  /{b}/x: localhost:2\n  /: localhost:1\n  /*: localhost:2\n"
    ));
}

#[test]
fn a_pattern_of_a_listener_is_checked_too() {
    assert_snapshot!(refused("listeners: {a: {address: 1, routes: {\"*.*\": localhost:1}}}\n"));
}

#[test]
fn routes_that_no_request_reaches_are_told() {
    assert_snapshot!(reviewed(
        "routes:\n  /: {respond: a}\n  /{$}: {respond: b}\n  //*: {respond: c}\n  /{x}/*: {respond: d}\n"
    ));
}

#[test]
fn repeated_slashes_are_one_unless_a_listener_keeps_them() {
    let text = "listeners:\n  a: {address: 1}\n  b: {address: 2, merge_slashes: false}\nroutes: {/admin/*: {respond: a}, /: {respond: b}}";
    let plan = plan_of(text);
    let route = |listener| {
        let question = Question { listener: Some(listener), ..Question::new("GET", "x//admin//y") };
        explain(&plan, &question).unwrap().winner.unwrap().pattern.to_string()
    };
    assert_eq!((route("a"), route("b")), ("/admin/*".to_owned(), "/".to_owned()));
}

#[test]
fn what_a_connection_may_wait_for_is_written_into_the_plan() {
    let text = "
drain_timeout: 5s
defaults: {timeout: {tunnel: 2h}}
listeners: {a: {address: 1, half_close: abort, limits: {body_rate_window: 4s, per_client_ip: 7}}}
routes: {/: app, /other: {to: app, timeout: {tunnel: 1m}}}
upstreams: {app: {endpoints: [localhost:1], queue: {max: 3, timeout: 1s}}}
";
    let plan = plan_of(text);
    assert_eq!(plan.drain_timeout, Some(Duration::from_secs(5)));
    let listener = &plan.listeners[0];
    assert!(listener.end_is_leaving && listener.path_rules.merge_slashes);
    assert_eq!(listener.limits.body_rate_window, Duration::from_secs(4));
    assert_eq!(listener.limits.connections_per_client_max, Some(7));
    let tunnels: Vec<_> = plan.upstreams.iter().map(|upstream| upstream.tunnel_timeout.as_secs()).collect();
    assert_eq!(tunnels, [7200, 60]);
    assert!(plan.upstreams.iter().all(|u| (u.queue_max, u.queue_timeout.as_secs()) == (3, 1)));
    assert_eq!(plan_of("drain_timeout: none\nroutes: {/: localhost:1}").drain_timeout, None);
}

#[test]
fn tests_of_the_file_are_run() {
    assert_snapshot!(reviewed(
        "
routes:
  example.com/api/*: app
  example.com/old: {redirect: https://example.org}
upstreams: {app: [localhost:1], other: [localhost:2]}
tests:
  - {request: GET http://example.com/api/x, expect: {to: app, route: example.com/api/*}}
  - {request: GET http://example.com/old, expect: {status: 302}}
  - {request: GET http://example.com/, expect: {status: 404}}
  - {request: GET http://example.com/api, expect: {to: other}}
  - {request: GET http://example.com/old, expect: {status: 200}}
  - {request: GET http://example.com/api, expect: {route: example.com}}
  - {request: GET http://exa mple.com/, expect: {status: 200}}
"
    ));
}

const MANY: &str = "
listeners:
  web: 127.0.0.1:8080
  inner: {address: 127.0.0.1:9090, routes: {/: {respond: inner}}}
routes:
  /: {stable: 3, canary: 1}
  example.com: {redirect: https://www.example.com/}
  POST example.com/users/{id}: users
  www.example.com/robots.txt: {respond: {body: none, headers: {X-A: b}}}
upstreams:
  stable: [localhost:1, localhost:2]
  canary: [localhost:3]
  users: {endpoints: [{address: 'localhost:4', weight: 2}, localhost:5], timeout: 10s}
";

#[test]
fn a_split_is_explained() {
    assert_snapshot!(explained(MANY, "GET", "http://other.example/%7Eme?x=1"));
}

#[test]
fn a_capture_is_explained() {
    assert_snapshot!(explained(MANY, "POST", "http://EXAMPLE.com./users/x/../7"));
}

#[test]
fn a_redirect_is_explained() {
    assert_snapshot!(explained(MANY, "GET", "example.com/a?b"));
}

#[test]
fn another_listener_is_found_by_its_port() {
    assert_snapshot!(explained(MANY, "GET", "http://localhost:9090/"));
}

#[test]
fn a_method_that_no_route_takes_is_explained() {
    assert_snapshot!(explained("routes: {\"GET,PUT a.example/x\": {respond: y}}", "POST", "a.example/x"));
}

#[test]
fn an_explanation_for_tools() {
    let explanation = explain(&plan_of(MANY), &Question::new("POST", "http://example.com/users/7")).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&explanation.to_json()).unwrap());
}

#[test]
fn a_trusted_proxy_is_heard() {
    let plan = plan_of("routes: {/: localhost:1}\ntrusted_proxies: [10.0.0.0/8]");
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = [field("X-Forwarded-For", "192.0.2.7"), field("X-Forwarded-Proto", "https")];
    let question = Question { client: Some([10, 0, 0, 1].into()), headers: &headers, ..Question::new("GET", "/") };
    let explanation = explain(&plan, &question).unwrap();
    assert_eq!(explanation.client.as_deref(), Some("192.0.2.7"));
    assert!(!explanation.request_fields.set.iter().any(|(name, _)| name == "X-Forwarded-Proto"));
}

#[test]
fn what_is_no_request_is_refused() {
    let plan = plan_of(MANY);
    let refused = |question: &Question<'_>| explain(&plan, question).unwrap_err().to_string();
    let questions = [
        Question::new("GET", "http://example.com/%00"),
        Question::new("GET", "http://a b/"),
        Question::new("G T", "/"),
        Question { listener: Some("wob"), ..Question::new("GET", "/") },
    ];
    assert_snapshot!(questions.iter().map(refused).collect::<Vec<_>>().join("\n"));
}

#[test]
fn changes_are_told_by_meaning() {
    let before = plan_of(MANY);
    assert_eq!(changes(&before, &plan_of(&format!("# moved down\n{MANY}"))), []);
    let after = plan_of(
        &MANY
            .replace("stable: 3", "stable: 2")
            .replace("POST example", "PUT example")
            .replace("timeout: 10s", "timeout: 9s"),
    );
    let told: Vec<String> = changes(&before, &after).iter().map(Change::to_string).collect();
    assert_snapshot!(told.join("\n"));
}

fn differences(before: &str, after: &str) -> String {
    let json = |text: &str| {
        let snapshot = load_str("t.yaml", text).unwrap_or_else(|error| panic!("{error}"));
        strait_config::Effective::of(&snapshot).to_json()
    };
    let steps = crate::difference(&json(before), &json(after));
    steps.iter().map(crate::Step::to_text).collect()
}

#[test]
fn what_means_the_same_is_no_difference() {
    let long = "
upstreams: {canary: {endpoints: ['http://localhost:3']}, users: {endpoints: [{weight: 2, address: 'localhost:4'}, localhost:5], timeout: {request: 10000ms}}, stable: ['localhost:1', localhost:2]}
routes:
  www.example.com/robots.txt: {respond: {status: 200, body: none, headers: {X-A: b}}}
  POST example.com/users/{id}: {to: users, preserve_host: true}
  example.com: {redirect: {to: https://www.example.com/, status: 302}}
  /: {to: {canary: 1, stable: 3}}
listeners: {inner: {address: localhost:9090, routes: {/: {respond: inner}}}, web: {address: 127.0.0.1:8080, limits: {idle_timeout: 75s}}}
";
    assert_eq!(differences(MANY, long), "");
}

#[test]
fn differences_are_told_with_who_notices() {
    let after = MANY
        .replace("stable: 3", "stable: 2")
        .replace("POST example", "PUT example")
        .replace("timeout: 10s", "timeout: 9s")
        .replace("[localhost:3]", "[localhost:3, localhost:30]")
        .replace("web: 127.0.0.1:8080", "web: 127.0.0.1:8081")
        .replace("{respond: inner}", "{respond: other}")
        + "defaults: {timeout: {connect: 2s}}\ntrusted_proxies: 10.0.0.0/8\n";
    assert_snapshot!(differences(MANY, &after));
    assert_snapshot!(differences(&after, MANY));
}

const CANARY: &str = "
listeners: {web: {address: 127.0.0.1:8080, trusted_proxies: [10.0.0.0/8]}}
routes:
  /:
    to: {stable: 95, canary: 5}
    when:
      - {headers: {X-Canary: \"1\"}, to: canary}
      - {from: [192.0.2.0/24], cookies: {beta: {present: true}}, respond: {status: 403, body: \"no ${client.ip}\"}}
      - {query: {v: {regex: '^[0-9]+$'}}, request_headers: {X-Version: \"${request.query['v']}\"}}
      - {methods: POST, if: request.path.startsWith('/upload'), to: uploads}
  /users/{id}:
    redirect: \"https://example.com/u/${path.id}\"
    response_headers: {X-User: \"${path.id} of ${request.host}\"}
  /admin/*:
    if: client.ip in ['192.0.2.0/24']
    to: stable
upstreams:
  stable: [localhost:1]
  canary: [localhost:2]
  uploads: [localhost:3]
";

fn explained_from(text: &str, url: &str, headers: &[(&str, &str)], client: Option<[u8; 4]>) -> String {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (method, url) = url.split_once(' ').unwrap();
    let question = Question { headers: &headers, client: client.map(Into::into), ..Question::new(method, url) };
    explain(&plan_of(text), &question).unwrap().to_string()
}

#[test]
fn an_entry_of_when_decides_or_says_why_not() {
    let asked = [
        explained_from(CANARY, "GET http://a/", &[("x-canary", "1")], None),
        explained_from(CANARY, "GET http://a/", &[("x-canary", "2"), ("cookie", "a=b; beta=")], Some([192, 0, 2, 7])),
        explained_from(CANARY, "GET http://a/?v=2", &[], Some([10, 0, 0, 1])),
        explained_from(CANARY, "POST http://a/upload/1?v=x", &[], None),
        explained_from(CANARY, "GET http://a/", &[], None),
    ];
    assert_snapshot!(asked.join("\n"));
}

#[test]
fn values_of_the_request_are_filled_in() {
    assert_snapshot!(explained_from(CANARY, "GET http://a.example/users/7", &[], None));
}

#[test]
fn a_route_whose_condition_does_not_hold_is_passed_over() {
    let asked = [
        explained_from(CANARY, "GET http://a/admin/x", &[], Some([192, 0, 2, 7])),
        explained_from(CANARY, "GET http://a/admin/x", &[], Some([198, 51, 100, 1])),
        explained_from(CANARY, "GET http://a/admin/x", &[], None),
    ];
    assert_snapshot!(asked.join("\n"));
}

#[test]
fn mistakes_in_expressions_are_underlined() {
    assert_snapshot!(refused(
        "
routes:
  /users/{id}:
    to: localhost:1
    if: request.headerz['x'] == '1'
    request_headers:
      X-A: ${path.idd}
      X-B: \"quoted ${request.path.foo()}\"
      X-C: \"\\t${client.port == '1'}\"
      X-D: ${response.status}
    response_headers: {X-E: \"${response.status}\", X-F: \"${response.statu}\"}
    when:
      - {percent: 5%, key: client.ipp, to: localhost:2}
      - {if: request.path, to: localhost:2}
      - {if: \"1 == 1\", to: localhost:2}
"
    ));
}

#[test]
fn a_branch_counts_for_its_route() {
    let plan = plan_of(CANARY);
    let route = &plan.listeners[0].routes.routes[0];
    assert_eq!(route.branches.len(), 4);
    assert!(route.branches.iter().all(|branch| Arc::ptr_eq(&branch.route.meter, &route.meter)));
    assert!(plan.listeners[0].routes.has_conditions);
}

const GUARDED: &str = "
listeners: {web: 0.0.0.0:8080, inner: 127.0.0.1:8081}
policies: {base: [set_headers: {X-A: a}]}
routes:
  /admin/*: {to: admin, filters: [use: base]}
  /admin/metrics: {to: admin, timeout: {request: none}}
  GET a.example/users/{id}: {to: users, when: [{headers: {X-B: b}, to: admin}]}
  /old/*: {if: \"client.ip in ['10.0.0.0/8']\", respond: {status: 404}}
  /: {redirect: https://example.com}
upstreams: {admin: ['unix:/run/admin.sock'], users: [localhost:2, localhost:3]}
";

fn judged(assertions: &[&str]) -> String {
    let quoted: Vec<String> = assertions.iter().map(|line| format!("\"{line}\"")).collect();
    reviewed(&format!("{GUARDED}assert: [{}]\n", quoted.join(", ")))
}

#[test]
fn assertions_that_hold_say_nothing() {
    assert_snapshot!(judged(&[
        "/admin/** goes to admin",
        "/admin/x/** requires set_headers",
        "b.example/users/** answers 302",
        "POST a.example/users/** answers 302",
        "/elsewhere answers 302",
        "every public route never goes to nobody",
        "no public admin",
        "every upstream has 1 endpoints",
    ]));
}

#[test]
fn assertions_that_do_not_hold_show_a_request() {
    assert_snapshot!(judged(&[
        "/admin/** requires set_headers",
        "/admin/** requires auth or set_headers",
        "/** requires auth",
        "GET *.example/users/** goes to users",
        "/old/** answers 404",
        "every route has a timeout",
        "every public route has a limit",
        "every upstream has 2 endpoints",
        "no plaintext upstream",
        "every route never goes to users",
    ]));
}

#[test]
fn what_is_no_assertion_is_answered_with_one() {
    assert_snapshot!(judged(&[
        "admin requires auth",
        "/admin/** requries auth",
        "/admin/** requires aut",
        "/admin/**",
        "/adm in/** requires auth",
        "/a{ requires auth",
        "no plain text upstream",
        "every upstream has two endpoints",
        "/x answers ok",
        "be good",
    ]));
}

#[test]
fn what_is_open_to_all_is_told() {
    assert_snapshot!(reviewed(
        "
listeners: {web: {address: 127.0.0.1:8080, trusted_proxies: ['::/0']}}
trusted_proxies: [10.0.0.0/8, 0.0.0.0/0]
routes: {/: {respond: hello}}
admin: 9901
"
    ));
}

#[test]
fn conditions_that_say_nothing_are_told() {
    assert_snapshot!(reviewed(
        "
routes:
  /:
    to: localhost:1
    if: \"1 == 2\"
    when:
      - {headers: {X-A: \"1\"}, to: localhost:2}
      - {headers: {X-A: \"1\"}, to: localhost:3}
      - {if: \"true\", to: localhost:4}
      - {methods: GET, to: localhost:5}
  /a/*: {respond: a, if: request.method == 'GET'}
  /a: {respond: b}
  /a/{x}/*: {respond: c}
  /a//*: {respond: d}
"
    ));
}

#[test]
fn tests_say_what_happened_instead() {
    assert_snapshot!(reviewed(
        "
routes:
  /:
    to: app
    response_headers: {X-Variant: \"${request.headers['x-canary']}\"}
    when:
      - {headers: {X-Canary: \"1\"}, to: canary}
      - {from: 192.0.2.0/24, redirect: https://example.com/}
upstreams: {app: [localhost:1], canary: [localhost:2]}
tests:
  - {name: a canary, request: GET http://a/, headers: {X-Canary: \"1\"}, expect: {to: canary, headers: {X-Variant: \"1\"}}}
  - {name: no canary, request: GET http://a/, headers: {X-Canary: \"2\"}, expect: {to: canary, headers: {X-Variant: {prefix: a}}}}
  - {request: GET http://a/b, from: 192.0.2.7, expect: {status: 302, headers: {Location: https://example.com/b}}}
  - {request: GET http://a/b, from: 192.0.2.7, expect: {headers: {Location: {present: false}, X-None: x}, status: 301}}
"
    ));
}

#[test]
fn a_table_is_built_again_only_when_its_patterns_change() {
    let mut compiler = Compiler::new(1);
    let first = compile(&mut compiler, TWO);
    let second = compile(&mut compiler, &TWO.replace("first_byte: 5s", "first_byte: 6s"));
    let third = compile(&mut compiler, &TWO.replace("/api/*", "/api"));
    let table = |plan: &Plan| plan.listeners[0].routes.table.clone();
    assert!(Arc::ptr_eq(&table(&first), &table(&second)));
    assert!(!Arc::ptr_eq(&table(&second), &table(&third)));
    assert_eq!(second.upstreams[1].first_byte_timeout, Duration::from_secs(6));
}

#[test]
fn no_request_leads_a_redirect_to_another_host() {
    let text = "
routes:
  /a/{x}: {redirect: \"/${request.headers['x-to']}\"}
  /b/*: {redirect: {to: /, keep_path: true}}
  /c: {redirect: \"https://${request.host}/x\"}
  /d: {redirect: \"https://example.com${request.uri}\"}
listeners: {web: {address: 8080, merge_slashes: false}}
";
    let location = |path: &str, to: &str| {
        let headers = [("X-To".to_owned(), to.to_owned())];
        let url = format!("http://a.example{path}");
        let question = Question { headers: &headers, ..Question::new("GET", &url) };
        match explain(&plan_of(text), &question).unwrap().outcome {
            crate::Outcome::Redirect { location, .. } => location,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(location("/a/1", "/evil.example"), "/evil.example");
    assert_eq!(location("/a/1", "\\\\evil.example"), "/evil.example");
    assert_eq!(location("/a/1", "x//y"), "/x//y");
    assert_eq!(location("/a/1", ""), "/");
    assert_eq!(location("/b//evil.example", ""), "/b//evil.example");
    assert_eq!(location("/c", ""), "https://a.example/x");
    assert_eq!(location("/d?x", ""), "https://example.com/d?x");
}

#[test]
fn sampling_and_templates_know_the_names_of_an_exchange_that_has_ended() {
    let log = |text: &str| {
        let text = format!("routes: {{/: {{respond: x}}}}\ntelemetry: {{access_log: {text}}}");
        let snapshot = strait_config::load_str("strait.yaml", &text).unwrap();
        Compiler::new(1).compile(&snapshot).map_err(|found| found.to_string())
    };
    let plan = log("{sample: 10%, always: \"upstream.attempts > 1 || status >= 400\"}").unwrap();
    assert_eq!(plan.access_log.sampling.as_ref().unwrap().of_100_000, 10_000);
    assert!(log("{template: \"${route.pattern} ${upstream.connect}\"}").unwrap().access_log.plain().is_none());
    assert!(log("{sample: 10%}").unwrap().access_log.sampling.is_some());
    let refused = log("{sample: 10%, always: \"stattus >= 500\"}").unwrap_err();
    assert!(refused.contains("did you mean `status`?"), "{refused}");
    let refused = log("{template: \"${route.patern}\"}").unwrap_err();
    assert!(refused.contains("did you mean `route.pattern`?"), "{refused}");
}

#[test]
fn a_hundred_thousand_requests_are_split_by_weight() {
    let plan = plan_of("routes: {/: {one: 95, two: 5}}\nupstreams: {one: localhost:1, two: localhost:2}");
    let route = &plan.listeners[0].routes.routes[0];
    let second = (0..100_000).filter(|&draw| route.upstream(draw) == Some(1)).count();
    assert!(second.abs_diff(5_000) <= 500, "{second} of 100,000 went to the side of 5 %");
}

const BALANCED: &str = "
routes: {/: app, /own: {to: app, sticky: own}, /split: {to: {app: 9, other: 1}, sticky: {cookie: side, ttl: 1h, mode: strict}}}
upstreams:
  app:
    endpoints:
      - localhost:1
      - {address: localhost:2, weight: 3, max_connections: 7}
      - {address: localhost:3, backup: true}
      - {address: localhost:4, priority: 2, max_connections: none}
    balance: {consistent_hash: {by: cookie user, bounded_load: 150%, table_size: 251}}
    slow_start: {duration: 20s, begin: 5%, aggression: 200%}
    panic_threshold: 30%
    overprovisioning: 200%
  other: {endpoints: [localhost:5], balance: {least_request: 4}}
";

#[test]
fn what_is_said_about_balancing_is_written_into_the_plan() {
    use strait_traffic::{Picker, Ramp, Table};
    let plan = plan_of(BALANCED);
    let upstream = |name: &str| plan.upstreams.iter().find(|upstream| *upstream.name == *name).unwrap();
    let (app, other) = (upstream("app"), upstream("other"));
    let of: Vec<_> = app.endpoints.iter().map(|one| (one.weight, one.tier, one.connections_max)).collect();
    assert_eq!(of, [(1, 0, Some(1024)), (3, 0, Some(7)), (1, 1, Some(1024)), (1, 2, None)]);
    assert_eq!(app.hash_key, Some(strait_plan::HashKey::Cookie("user".into())));
    let Picker::ConsistentHash(table) = &app.balance.picker else { panic!("{:?}", app.balance) };
    assert_eq!((table.tiers.len(), table.load_max_percent), (3, Some(150)));
    assert!(
        matches!(&table.tiers[1], Table::Maglev(slots) if slots.iter().all(|&slot| slot == 2) && slots.len() == 251)
    );
    assert_eq!(app.balance.slow_start, Some(Ramp { duration_ms: 20_000, share_min_percent: 5, aggression: 2.0 }));
    assert_eq!((app.balance.panic_percent, app.balance.overprovision_percent), (30, 200));
    assert_eq!(other.balance.picker, Picker::LeastRequest { choices: 4 });
}

#[test]
fn a_route_sticks_to_a_side_of_its_split_or_else_to_an_endpoint() {
    let plan = plan_of(BALANCED);
    let route =
        |pattern: &str| plan.listeners[0].routes.routes.iter().find(|route| *route.pattern == *pattern).unwrap();
    let split = route("/split").sticky.as_ref().unwrap();
    assert_eq!((&*split.cookie, split.tags.len(), split.is_strict), ("side", 2, true));
    assert_eq!(&*split.attributes, "; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600");
    let own = route("/own");
    assert!(own.sticky.is_none());
    let used = &plan.upstreams[own.upstream(0).unwrap()];
    assert_eq!(used.sticky.as_ref().map(|sticky| (&*sticky.cookie, sticky.tags.len())), Some(("own", 4)));
    assert!(plan.upstreams[route("/").upstream(0).unwrap()].sticky.is_none(), "the other route's is its own");
}

#[test]
fn cookies_outlive_a_compiler_by_their_key_only() {
    let tags = |compiler: Compiler, text: &str| {
        let plan = compile(&mut { compiler }, text);
        plan.upstreams[0].sticky.as_ref().unwrap().tags.clone()
    };
    let text = "routes: {/: app}\nupstreams: {app: {endpoints: [localhost:1], sticky: s}}";
    let keyed = || Compiler::new(1).with_sticky_key(b"kept".to_vec());
    assert_eq!(tags(keyed(), text), tags(keyed(), text));
    assert_ne!(tags(keyed(), text), tags(Compiler::new(1), text));
    let own = text.replace("sticky: s", "sticky: {cookie: s, key: shared}");
    assert_eq!(tags(keyed(), &own), tags(Compiler::new(1), &own));
}

#[test]
fn a_choice_by_key_is_explained_with_why_others_are_out() {
    let plan = plan_of(BALANCED);
    plan.upstreams[0].endpoints[0].state.standing.set_draining(true, 1);
    plan.upstreams[0].endpoints[1].state.standing.set_weight(Some(2));
    let headers = [("Cookie".to_owned(), "user=ann".to_owned())];
    let question = Question { headers: &headers, ..Question::new("GET", "/") };
    assert_snapshot!(explain(&plan, &question).unwrap().to_string());
}
