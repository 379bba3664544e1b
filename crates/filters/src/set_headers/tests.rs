#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Mode, SetHeaders};
use crate::FieldName;
use crate::testing::{Case, shown};
use strait_expr::{Environment, Template};

fn filter(mode: Mode, list: &[(&str, &str)]) -> SetHeaders {
    let fields: Vec<_> = list.iter().map(|(name, value)| (FieldName::new(name), Template::compile(value, &Environment::response()).unwrap())).collect();
    SetHeaders { mode, request: fields.clone(), response: fields }
}

#[track_caller]
fn check(mode: Mode, before: &str, after: &str) {
    let filter = filter(mode, &[("X-A", "new")]);
    let mut case = Case::new("GET /", before);
    case.run(&filter);
    assert_eq!(shown(&case.head.headers), after);
    assert_eq!(shown(&case.respond(&filter, 200, before).headers), after);
}

#[test]
fn fields_are_set_appended_or_left() {
    check(Mode::Set, "x-a: 1\nX-B: 2\nX-A: 3", "X-B: 2\nX-A: new\n");
    check(Mode::Set, "X-AA: 1", "X-AA: 1\nX-A: new\n");
    check(Mode::Append, "x-a: 1\nX-B: 2", "x-a: 1\nX-B: 2\nX-A: new\n");
    check(Mode::IfAbsent, "x-a: \nX-B: 2", "x-a: \nX-B: 2\n");
    check(Mode::IfAbsent, "X-B: 2", "X-B: 2\nX-A: new\n");
}

#[test]
fn what_strait_tells_about_a_client_goes_beside_the_clients_own_fields() {
    let filter = filter(Mode::Set, &[("X-Real-IP", "192.0.2.1"), ("Cookie", "a=b")]);
    let mut case = Case::new("GET /", "X-Real-IP: spoofed\nCookie: c=d");
    case.run(&filter);
    assert_eq!(shown(&case.head.headers), "X-Real-IP: spoofed\nCookie: a=b\n");
    assert_eq!(shown(&case.notes.forced), "X-Real-IP: 192.0.2.1\n");
}

#[test]
fn values_of_the_request_and_the_response_are_filled_in() {
    let filter = filter(Mode::Set, &[("X-From", "${client.ip}:${client.port} by ${request.headers['x-a']}")]);
    let mut case = Case::new("GET /", "X-A: one\nX-A: two");
    case.run(&filter);
    assert_eq!(shown(&case.head.headers), "X-A: one\nX-A: two\nX-From: 192.0.2.1:4711 by one, two\n");
    let twice = super::SetHeaders { request: Vec::new(), ..self::filter(Mode::Set, &[("X-S", "${response.status}")]) };
    assert_eq!(shown(&case.respond(&twice, 404, "").headers), "X-S: 404\n");
}
