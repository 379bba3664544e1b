#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
use proptest::prelude::*;

use super::*;
use crate::explain::Lost;
use crate::pattern::Segment;
use crate::rank::Rank;

fn parsed(patterns: &[&str]) -> Vec<(Pattern, RouteId)> {
    let parse = |text: &&str| Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    patterns.iter().zip(0..).map(|(text, id)| (parse(text), RouteId(id))).collect()
}

fn table(patterns: &[&str]) -> Table {
    Table::build(parsed(patterns), 1).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// `METHOD host/path` → its parts.
fn request(text: &str) -> (&[u8], &[u8], &[u8]) {
    let (method, place) = text.split_once(' ').unwrap();
    let (host, path) = place.split_at(place.find(['/', '*']).unwrap_or(place.len()));
    (method.as_bytes(), host.as_bytes(), path.as_bytes())
}

/// The winning pattern with its captures behind it, `405 Allow`, or `404`.
fn outcome(table: &Table, text: &str) -> String {
    let (method, host, path) = request(text);
    match table.find(method, host, path) {
        Ok(found) => {
            let capture = |range: Range<usize>| format!(" {}", String::from_utf8_lossy(&path[range]));
            let captures: String = found.captures.iter().map(capture).collect();
            let (pattern, route) = table.get(found.pattern).unwrap();
            assert_eq!(route, found.route);
            assert_eq!(pattern.capture_names().count(), found.captures.len());
            format!("{pattern}{captures}")
        }
        Err(Miss::MethodNotAllowed(allow)) => format!("405 {allow}"),
        Err(Miss::NotFound) => "404".to_owned(),
    }
}

/// Each request gets its outcome, in whatever order the patterns come.
#[track_caller]
fn check(patterns: &[&str], cases: &[(&str, &str)]) {
    let mut patterns = patterns.to_vec();
    for _ in 0..2 {
        let table = table(&patterns);
        for (request, expected) in cases {
            assert_eq!(outcome(&table, request), *expected, "{request}");
        }
        patterns.reverse();
    }
}

#[track_caller]
fn meet(a: &str, b: &str, expected: Option<&str>) {
    let (a, b) = (Pattern::parse(a).unwrap(), Pattern::parse(b).unwrap());
    for met in [a.meet(&b), b.meet(&a)] {
        assert_eq!(met.map(|met| met.to_string()).as_deref(), expected, "{a} and {b}");
    }
}

#[test]
fn two_patterns_meet_in_one() {
    meet("/", "/a", Some("/a"));
    meet("/a/*", "/a/{x}/c", Some("/a/{x}/c"));
    meet("/a/{x}", "/a/b", Some("/a/b"));
    meet("/a/{x}", "/a/", None);
    meet("/a/*", "/b/*", None);
    meet("/a/*", "/a/b/*", Some("/a/b/*"));
    meet("/a", "/a/b", None);
    meet("example.com/a/*", "/a", Some("example.com/a"));
    meet("*.example.com", "a.example.com/x", Some("a.example.com/x"));
    meet("*.example.com", "example.com", None);
    meet("*.example.com", "*.a.example.com", Some("*.a.example.com"));
    meet("*.a.example", "*.b.example", None);
    meet("GET /a", "GET,PUT /a", Some("GET /a"));
    meet("GET /a", "PUT /a", None);
}

#[test]
fn hosts() {
    check(
        &["a.example.com", "*.example.com", "*.b.example.com", "*.com/x", "/y", "example.org/z", "[::1]", "127.0.0.1"],
        &[
            ("GET a.example.com/q", "a.example.com"),
            ("GET b.example.com/q", "*.example.com"),
            ("GET c.b.example.com/q", "*.b.example.com"),
            ("GET d.c.b.example.com/q", "*.b.example.com"),
            ("GET example.com/q", "404"),
            ("GET example.com/x", "*.com/x"),
            ("GET .example.com/q", "404"),
            ("GET com/x", "404"),
            ("GET example.org/z", "example.org/z"),
            ("GET example.org/y", "/y"),
            ("GET /y", "/y"),
            ("GET /q", "404"),
            ("GET [::1]/q", "[::1]"),
            ("GET 127.0.0.1/q", "127.0.0.1"),
        ],
    );
}

#[test]
fn a_less_specific_host_serves_what_the_more_specific_one_does_not() {
    check(
        &["GET a.b/x", "*.b/x", "*.b/y", "/*", "GET /z"],
        &[
            ("GET a.b/x", "GET a.b/x"),
            ("POST a.b/x", "*.b/x"),
            ("GET a.b/y", "*.b/y"),
            ("GET a.b/q", "/"),
            ("GET a.b/z", "GET /z"),
            ("POST a.b/z", "/"),
        ],
    );
}

#[test]
fn paths() {
    check(
        &["/", "/{$}", "/api", "/api/*", "/api/v1/*", "/api/v1/users", "/static/", "/a//b"],
        &[
            ("GET h/", "/{$}"),
            ("GET h/x", "/"),
            ("GET h/api", "/api"),
            ("GET h/api/", "/api/*"),
            ("GET h/api/x/y", "/api/*"),
            ("GET h/apix", "/"),
            ("GET h/api/v1", "/api/v1/*"),
            ("GET h/api/v1/users", "/api/v1/users"),
            ("GET h/api/v1/users/", "/api/v1/*"),
            ("GET h/static/", "/static/"),
            ("GET h/static", "/"),
            ("GET h/a//b", "/a//b"),
            ("GET h/a/b", "/"),
            ("GET h//api", "/"),
            ("OPTIONS *", "/"),
            ("CONNECT h", "/"),
        ],
    );
}

#[test]
fn captures() {
    check(
        &["/users/{id}", "/users/me", "/users/{id}/orders/{order}", "/users/me/*", "/{page}", "/{a}/{b}/{c}", "/{x}/*"],
        &[
            ("GET h/users/7", "/users/{id} 7"),
            ("GET h/users/me", "/users/me"),
            ("GET h/users/", "/{x}/* users"),
            ("GET h/users", "/{page} users"),
            ("GET h/", "404"),
            ("GET h/users/7/orders/8", "/users/{id}/orders/{order} 7 8"),
            ("GET h/users/me/orders/8", "/users/{id}/orders/{order} me 8"),
            ("GET h/users/me/q", "/{a}/{b}/{c} users me q"),
            ("GET h/users/me/q/r", "/users/me/*"),
            ("GET h/x/y/z", "/{a}/{b}/{c} x y z"),
            ("GET h/x/y/z/w", "/{x}/* x"),
        ],
    );
}

#[test]
fn longer_paths_come_before_literals_and_those_before_captures_from_the_left() {
    check(
        &["/a/*", "/{x}/b/*", "/{x}/{y}", "/a/{y}", "/{x}/b"],
        &[
            ("GET h/a/b/c", "/{x}/b/* a"),
            ("GET h/a/b", "/a/{y} b"),
            ("GET h/q/b", "/{x}/b q"),
            ("GET h/a", "/a/*"),
            ("GET h/q/r", "/{x}/{y} q r"),
        ],
    );
}

#[test]
fn methods() {
    check(
        &["GET /a", "HEAD /a", "/a", "GET,PURGE /b", "POST /b", "GET /c/*", "PUT /c/d", "GET /e", "/e/*", "HEAD /f"],
        &[
            ("GET h/a", "GET /a"),
            ("HEAD h/a", "HEAD /a"),
            ("POST h/a", "/a"),
            ("HEAD h/b", "GET,PURGE /b"),
            ("PURGE h/b", "GET,PURGE /b"),
            ("BAN h/b", "405 GET, HEAD, POST, PURGE"),
            ("DELETE h/c/d", "405 GET, HEAD, PUT"),
            ("GET h/c/d", "GET /c/*"),
            ("POST h/e", "/e/*"),
            ("HEAD h/e", "GET /e"),
            ("GET h/f", "405 HEAD"),
            ("GET h/q", "404"),
            ("get h/a", "/a"),
        ],
    );
}

#[test]
fn methods_allowed_elsewhere_are_gathered_from_every_host() {
    check(&["GET a.b/x", "*.b", "POST /x"], &[("PUT a.b/x", "*.b")]);
    check(&["GET a.b/x", "PUT *.b", "POST /x"], &[("DELETE a.b/x", "405 GET, HEAD, POST, PUT")]);
}

#[test]
fn an_empty_table_finds_nothing() {
    check(&[], &[("GET h/", "404"), ("GET /", "404")]);
}

#[track_caller]
fn check_conflict(a: &str, b: &str, example: Option<&str>) {
    for (a, b) in [(a, b), (b, a)] {
        let got = Table::build(parsed(&[a, b]), 1).err().map(|errors| match &errors[..] {
            [TableError::Conflict(conflict)] => {
                assert_eq!((conflict.a, conflict.b), (PatternIndex(0), PatternIndex(1)));
                conflict.example.to_string()
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(got.as_deref(), example, "{a} and {b}");
    }
}

#[test]
fn equal_ranks_conflict_where_they_overlap() {
    check_conflict("/a", "/a", Some("GET /a"));
    check_conflict("/", "/*", Some("GET /"));
    check_conflict("a.b", "A.B/", Some("GET http://a.b/"));
    check_conflict("*.b/x/*", "*.b/x/*", Some("GET http://a.b/x"));
    check_conflict("/u/{id}/x", "/u/{name}/x", Some("GET /u/1/x"));
    check_conflict("GET,POST /a", "PUT,POST /a", Some("POST /a"));
    check_conflict("PURGE /a", "PURGE /a", Some("PURGE /a"));
    check_conflict("GET /a", "/a", None);
    check_conflict("GET /a", "HEAD /a", None);
    check_conflict("GET /a", "POST /a", None);
    check_conflict("/a", "/a/*", None);
    check_conflict("/a", "/a/", None);
    check_conflict("/a/{x}", "/{x}/a", None);
    check_conflict("*.b", "*.a.b", None);
    check_conflict("a.b", "*.b", None);
}

#[test]
fn all_errors_are_reported() {
    let errors = Table::build(parsed(&["/a", "/b", "/a", "/b", "/c"]), 1).unwrap_err();
    let pairs: Vec<_> = errors
        .iter()
        .map(|error| match error {
            TableError::Conflict(conflict) => (conflict.a.0, conflict.b.0),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(pairs, [(0, 2), (1, 3)]);
}

/// Every way to put captures among `depth` segments.
fn all_placements(depth: usize) -> Vec<String> {
    let segment = |way: usize, at: usize| if way >> at & 1 == 1 { format!("/{{c{at}}}") } else { "/a".to_owned() };
    (0..1 << depth).map(|way| (0..depth).map(|at| segment(way, at)).collect()).collect()
}

#[test]
fn placements_of_captures_are_bounded() {
    let ways = all_placements(6);
    let ways: Vec<_> = ways.iter().map(String::as_str).collect();
    let table = table(&ways);
    assert_eq!(table.len(), PLACEMENTS_MAX);
    assert_eq!(outcome(&table, "GET h/a/a/x/a/a/y"), "/a/a/{c2}/a/a/{c5} x y");
    let ways = all_placements(7);
    let ways: Vec<_> = ways.iter().map(String::as_str).collect();
    let errors = Table::build(parsed(&ways), 1).unwrap_err();
    assert_eq!(errors.len(), 64);
    assert!(errors.iter().all(|error| matches!(error, TableError::Placements(_))));
}

#[test]
fn the_walk_visits_each_node_of_the_widest_table_once() {
    let ways = all_placements(6);
    let ways: Vec<_> = ways.iter().map(String::as_str).collect();
    let table = table(&ways);
    let mut visits = 0;
    let path = "/a".repeat(1_000);
    table.walk(table.any_host, 0, path.as_bytes(), &mut |_, _, _| {
        visits += 1;
        false
    });
    assert_eq!(visits, 127, "1 + 2 + 4 + … + 64, however long the path");
}

#[track_caller]
fn check_unreachable(patterns: &[&str], expected: &[&str]) {
    let table = table(patterns);
    let got: Vec<_> =
        table.unreachable(|_| true).iter().map(|index| table.get(*index).unwrap().0.to_string()).collect();
    assert_eq!(got, expected);
}

#[test]
fn unreachable_patterns() {
    check_unreachable(&["/", "/{$}", "/{x}", "a.b/*", "*.b", "GET /", "HEAD /", "/a/{x}", "/a/b"], &[]);
    check_unreachable(&["/", "/{$}", "/{x}/*", "//*"], &["/"]);
    check_unreachable(&["/", "/{$}", "/{x}/*"], &[]);
    check_unreachable(&["/a/*", "/a", "/a//*", "/a/{x}", "/a/{x}//*", "/a/{x}/{y}/*"], &["/a/*"]);
    check_unreachable(&["/a/*", "/a", "/a//*", "/{z}/{x}/*"], &["/a/*"]);
    check_unreachable(&["GET /", "/{$}", "/{x}/*", "//*"], &["GET /"]);
    check_unreachable(&["GET,POST /", "/{$}", "GET /{x}/*", "/{x}/*", "//*"], &["GET,POST /"]);
    check_unreachable(&["GET,POST /", "/{$}", "GET /{x}/*", "//*"], &[]);
    check_unreachable(&["a.b", "a.b/{$}", "a.b/{x}/*", "a.b//*", "/"], &["a.b"]);
}

#[track_caller]
fn check_explained(patterns: &[&str], text: &str, expected: &[(&str, Option<Lost>)]) {
    let table = table(patterns);
    let (method, host, path) = request(text);
    let explanation = table.explain(method, host, path);
    let got: Vec<_> = explanation.candidates.iter().map(|one| (one.pattern.to_string(), one.lost)).collect();
    let expected: Vec<_> = expected.iter().map(|(pattern, lost)| ((*pattern).to_owned(), *lost)).collect();
    assert_eq!(got, expected);
}

#[test]
fn losers_know_why() {
    let patterns = [
        "/",
        "GET a.b/u/me",
        "a.b/u/me",
        "a.b/u/{id}",
        "a.b/u/me/*",
        "a.b/u/*",
        "*.b/u/me",
        "POST a.b/u/me",
        "a.b/v",
        "c.b",
    ];
    check_explained(
        &patterns,
        "GET a.b/u/me",
        &[
            ("GET a.b/u/me", None),
            ("a.b/u/me", Some(Lost::LessSpecificMethod)),
            ("a.b/u/me/*", Some(Lost::BelowNotExact)),
            ("a.b/u/{id}", Some(Lost::CaptureNotLiteral)),
            ("a.b/u/*", Some(Lost::ShorterPath)),
            ("*.b/u/me", Some(Lost::LessSpecificHost)),
            ("/", Some(Lost::LessSpecificHost)),
            ("POST a.b/u/me", Some(Lost::MethodDiffers)),
            ("a.b/v", Some(Lost::PathDiffers)),
            ("c.b", Some(Lost::HostDiffers)),
        ],
    );
    check_explained(
        &["GET /a", "/b", "c.d/a"],
        "PUT h/a",
        &[("GET /a", Some(Lost::MethodDiffers)), ("/b", Some(Lost::PathDiffers)), ("c.d/a", Some(Lost::HostDiffers))],
    );
}

/// Patterns and requests over so few words that they meet.
fn pattern() -> impl Strategy<Value = Pattern> {
    let method = prop::sample::select(vec!["", "", "", "GET ", "HEAD ", "POST,GET ", "PURGE "]);
    let host = prop::sample::select(vec!["", "", "a", "a.b", "*.b", "*.a.b", "c.a.b"]);
    let segment = prop::sample::select(vec!["/a", "/b", "/{}", "/{}", "/"]);
    let tail = prop::sample::select(vec!["", "", "/*"]);
    (method, host, prop::collection::vec(segment, 0..4), tail).prop_filter_map("a pattern", |(m, h, segments, t)| {
        let mut path = segments.concat();
        for number in 0..segments.len() {
            path = path.replacen("{}", &format!("{{c{number}}}"), 1);
        }
        let path = if path.is_empty() && t.is_empty() { "/{$}" } else { &path };
        Pattern::parse(&format!("{m}{h}{path}{t}")).ok()
    })
}

fn asked() -> impl Strategy<Value = (&'static str, &'static str, String)> {
    let method = prop::sample::select(vec!["GET", "HEAD", "POST", "PURGE", "BAN"]);
    let host = prop::sample::select(vec!["", "a", "b", "a.b", "c.a.b", "d.c.a.b", ".b", "x"]);
    let segment = prop::sample::select(vec!["/a", "/b", "/c", "/"]);
    (method, host, prop::collection::vec(segment, 1..6).prop_map(|segments| segments.concat()))
}

/// Drops what conflicts.
fn peaceful(patterns: Vec<Pattern>) -> Table {
    let mut patterns: Vec<_> = patterns.into_iter().zip(0..).map(|(pattern, id)| (pattern, RouteId(id))).collect();
    loop {
        match Table::build(patterns.clone(), 7) {
            Ok(table) => return table,
            Err(errors) => errors.iter().rev().for_each(|error| match error {
                TableError::Conflict(conflict) => drop(patterns.remove(conflict.b.0 as usize)),
                other => panic!("{other:?}"),
            }),
        }
    }
}

/// The table as its documentation defines it: each pattern by itself, then the best.
fn naive(table: &Table, method: &str, host: &str, path: &str) -> Result<PatternIndex, MethodSet> {
    let mut best: Option<((Rank, MethodFit), PatternIndex)> = None;
    let mut allow = MethodSet::new();
    for (index, pattern, _) in table.iter() {
        if !pattern.matches_host(host.as_bytes()) || !pattern.matches_path(path.as_bytes()) {
            continue;
        }
        let Some(fit) = pattern.fit_method(method.as_bytes()) else {
            for name in pattern.methods().iter() {
                allow.insert(name);
            }
            continue;
        };
        let key = (Rank::of(pattern), fit);
        assert!(best.is_none_or(|(other, _)| other != key), "a tie that is no conflict");
        if best.is_none_or(|(other, _)| key < other) {
            best = Some((key, index));
        }
    }
    if allow.contains(b"GET") {
        allow.insert("HEAD");
    }
    best.map(|(_, index)| index).ok_or(allow)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn find_agrees_with_the_definition_and_explain_with_find(
        patterns in prop::collection::vec(pattern(), 0..24),
        requests in prop::collection::vec(asked(), 1..16),
    ) {
        let table = peaceful(patterns);
        for (method, host, path) in requests {
            let explanation = table.explain(method.as_bytes(), host.as_bytes(), path.as_bytes());
            let found = table.find(method.as_bytes(), host.as_bytes(), path.as_bytes());
            prop_assert_eq!(&explanation.outcome, &found);
            let winners: Vec<_> = explanation.candidates.iter().filter(|one| one.lost.is_none()).collect();
            prop_assert_eq!(explanation.candidates.len(), table.len());
            match (found, naive(&table, method, host, &path)) {
                (Ok(found), Ok(expected)) => {
                    prop_assert_eq!(found.pattern, expected);
                    prop_assert_eq!(winners.len(), 1);
                    prop_assert_eq!((winners[0].index, winners[0].route), (found.pattern, found.route));
                    prop_assert_eq!(winners[0], &explanation.candidates[0]);
                    prop_assert!(!table.unreachable(|_| true).contains(&expected));
                }
                (Err(miss), Err(allow)) => {
                    prop_assert!(winners.is_empty());
                    let expected = if allow.is_empty() { Miss::NotFound } else { Miss::MethodNotAllowed(allow) };
                    prop_assert_eq!(miss, expected);
                }
                other => prop_assert!(false, "{:?} for {} {}{}", other, method, host, path),
            }
        }
    }

    #[test]
    fn captures_hold_the_segments_in_braces(patterns in prop::collection::vec(pattern(), 1..8), asked in asked()) {
        let table = peaceful(patterns);
        let (method, host, path) = asked;
        if let Ok(found) = table.find(method.as_bytes(), host.as_bytes(), path.as_bytes()) {
            let (pattern, _) = table.get(found.pattern).unwrap();
            let segments = pattern.segments().iter().zip(path.split('/').skip(1));
            let expected: Vec<_> =
                segments.filter(|(segment, _)| matches!(segment, Segment::Capture(_))).map(|(_, text)| text).collect();
            let got: Vec<_> = found.captures.iter().map(|range| &path[range]).collect();
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn two_patterns_conflict_exactly_if_a_request_ties(a in pattern(), b in pattern(), asked in asked()) {
        let (method, host, path) = asked;
        let key = |pattern: &Pattern| {
            let matches = pattern.matches_host(host.as_bytes()) && pattern.matches_path(path.as_bytes());
            Some((Rank::of(pattern), pattern.fit_method(method.as_bytes()).filter(|_| matches)?))
        };
        let built = Table::build([(a.clone(), RouteId(0)), (b.clone(), RouteId(1))], 1);
        if key(&a).is_some() && key(&a) == key(&b) && method != "HEAD" {
            prop_assert!(built.is_err());
        }
        if let Err(errors) = built {
            let TableError::Conflict(Conflict { example, .. }) = &errors[0] else { panic!("{errors:?}") };
            let host = example.host.as_deref().unwrap_or("any.host");
            for pattern in [a, b] {
                prop_assert!(pattern.matches_host(host.as_bytes()));
                prop_assert!(pattern.matches_path(example.path.as_bytes()));
                prop_assert!(pattern.fit_method(example.method.as_bytes()).is_some());
            }
        }
    }
}
