#![allow(clippy::unwrap_used, reason = "tests")]

use super::{FilterRedirect, RedirectList, Rule};
use crate::flow::Flow;
use crate::rewrite::build_regex;
use crate::testing::Case;
use std::sync::Arc;
use strait_message::{Name, Status};

#[track_caller]
fn check(rule: &Rule, target: &str, expected: Option<(u16, &str)>) {
    let redirect = FilterRedirect { rule: rule.clone(), status: Status::FOUND };
    let got = match Case::new(&format!("GET {target}"), "").run(&redirect) {
        Flow::Respond(reply) => {
            let location = reply.head.headers.get(Name::Location).unwrap().to_vec();
            Some((reply.head.status.code(), String::from_utf8(location).unwrap()))
        }
        _ => None,
    };
    assert_eq!(got, expected.map(|(status, to)| (status, to.to_owned())));
}

#[test]
fn paths_of_a_list_lead_where_it_says() {
    let mut list = RedirectList::new();
    list.insert((*b"/old").into(), ("/new".into(), None));
    list.insert((*b"/gone/b").into(), ("https://other.example/".into(), Status::new(308)));
    let rule = Rule::List(Arc::new(list));
    check(&rule, "/old?x", Some((302, "/new")));
    check(&rule, "/gone/b", Some((308, "https://other.example/")));
    check(&rule, "/old/", None);
}

#[test]
fn an_expression_leads_elsewhere_but_never_to_a_host_the_client_chose() {
    let rule = Rule::Regex(build_regex("^/blog/([0-9]+)$").unwrap(), "https://blog.example/?p=$1".into());
    check(&rule, "/blog/12", Some((302, "https://blog.example/?p=12")));
    check(&rule, "/blog/x", None);
    let open = Rule::Regex(build_regex("^/go(.*)$").unwrap(), "$1".into());
    check(&open, "/go/there", Some((302, "/there")));
    check(&open, "/go//evil.example", None);
}

#[test]
fn requests_without_tls_are_sent_to_the_same_url_with_it() {
    check(&Rule::Https, "/a%20b?c=d", Some((302, "https://example.com/a%20b?c=d")));
    let redirect = FilterRedirect { rule: Rule::Https, status: Status::FOUND };
    let mut case = Case::new("GET /", "");
    case.scheme = "https";
    assert!(matches!(case.run(&redirect), Flow::Continue));
}
