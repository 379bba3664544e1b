use super::Cors;
use crate::flow::Flow;
use crate::origins::Origins;
use crate::testing::{Case, shown};

fn cors(origins: &[&str], credentials: bool) -> Cors {
    Cors {
        origins: Origins::new(origins.iter().copied()),
        methods: "GET, POST".into(),
        headers: None,
        expose: "X-Total".into(),
        credentials,
        max_age_s: 600,
        private_network: false,
    }
}

#[track_caller]
fn preflight(cors: &Cors, fields: &str, expected: &str) {
    let flow = Case::new("OPTIONS /", fields).run(cors);
    let answer = match flow {
        Flow::Respond(reply) => format!("{}\n{}", reply.head.status.code(), shown(&reply.head.headers)),
        _ => "goes on".to_owned(),
    };
    assert_eq!(answer, expected);
}

const VARY: &str = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\n";

#[test]
fn a_preflight_is_answered_here() {
    let asked = "Origin: https://a.example\nAccess-Control-Request-Method: PUT\nAccess-Control-Request-Headers: X-A, X-B";
    let allowed = "Access-Control-Allow-Methods: GET, POST\nAccess-Control-Allow-Headers: X-A, X-B\nAccess-Control-Max-Age: 600\n";
    preflight(
        &cors(&["https://a.example"], true),
        asked,
        &format!("204\nAccess-Control-Allow-Origin: https://a.example\nAccess-Control-Allow-Credentials: true\n{allowed}{VARY}"),
    );
    preflight(&cors(&["*"], false), asked, &format!("204\nAccess-Control-Allow-Origin: *\n{allowed}{VARY}"));
    preflight(&cors(&["https://b.example"], false), asked, &format!("204\n{VARY}"));
}

#[test]
fn other_requests_go_on() {
    preflight(&cors(&["*"], false), "Origin: https://a.example", "goes on");
    preflight(&cors(&["*"], false), "Access-Control-Request-Method: PUT", "goes on");
}

#[test]
fn a_private_network_is_opened_only_where_that_is_asked_and_wanted() {
    let asked = "Origin: https://a.example\nAccess-Control-Request-Method: GET\nAccess-Control-Request-Private-Network: true";
    let mut open = cors(&["*"], false);
    open.private_network = true;
    let told = |cors: &Cors| match Case::new("OPTIONS /", asked).run(cors) {
        Flow::Respond(reply) => reply.head.headers.get_by_text(b"Access-Control-Allow-Private-Network").is_some(),
        _ => false,
    };
    assert!(told(&open) && !told(&cors(&["*"], false)));
}

#[track_caller]
fn response(cors: &Cors, origin: &str, before: &str, after: &str) {
    let fields = if origin.is_empty() { String::new() } else { format!("Origin: {origin}") };
    let mut case = Case::new("GET /", &fields);
    assert_eq!(shown(&case.respond(cors, 200, before).headers), after);
}

#[test]
fn responses_say_who_may_read_them() {
    let one = cors(&["https://a.example"], true);
    response(
        &one,
        "https://a.example",
        "access-control-allow-origin: *\nVary: Accept",
        "Vary: Accept\nAccess-Control-Allow-Origin: https://a.example\nAccess-Control-Allow-Credentials: true\nAccess-Control-Expose-Headers: X-Total\nVary: Origin\n",
    );
    response(&one, "https://b.example", "Vary: Origin", "Vary: Origin\n");
    response(&one, "", "", "Vary: Origin\n");
    response(
        &cors(&["*"], false),
        "null",
        "X: y",
        "X: y\nAccess-Control-Allow-Origin: *\nAccess-Control-Expose-Headers: X-Total\n",
    );
    response(&cors(&["*"], false), "", "Vary: *", "Vary: *\n");
}
