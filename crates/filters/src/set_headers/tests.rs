use super::{Mode, SetHeaders};
use crate::FieldName;
use crate::testing::{Case, shown};

fn filter(mode: Mode, list: &[(&str, &str)]) -> SetHeaders {
    let fields: Vec<_> = list.iter().map(|(name, value)| (FieldName::new(name), (*value).into())).collect();
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
