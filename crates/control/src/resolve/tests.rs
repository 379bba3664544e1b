use super::{Lookup, ResolveIntervals, Resolver, jittered};
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strait_plan::{Endpoint, EndpointAddress, EndpointState, Plan, Upstream};

const SOON: Duration = Duration::from_secs(20);
const OFTEN: ResolveIntervals = ResolveIntervals { refresh: Duration::from_millis(1), retry: Duration::from_millis(1) };

fn plan(endpoints: &[(&str, u16)]) -> Plan {
    let endpoint = |&(host, port): &(&str, u16)| Endpoint {
        name: format!("{host}:{port}").into(),
        authority: format!("{host}:{port}").into(),
        weight: 1,
        tier: 0,
        connections_max: Some(10),
        state: Arc::new(EndpointState::new(EndpointAddress::Name(host.to_owned(), port), 1)),
    };
    let upstream = Upstream::new("origin", endpoints.iter().map(endpoint).collect());
    Plan { upstreams: vec![Arc::new(upstream)], ..Plan::default() }
}

fn resolved(plan: &Plan, endpoint: usize) -> Vec<String> {
    plan.upstreams[0].endpoints[endpoint].state.resolved().iter().map(ToString::to_string).collect()
}

/// Answers as told, one look-up after the other: each waits for its answer, so that a test knows when it was used.
fn scripted() -> (Sender<io::Result<Vec<SocketAddr>>>, Receiver<String>, Lookup) {
    let (answer, answers) = mpsc::channel();
    let (asked, questions) = mpsc::channel();
    let answers = Mutex::new(answers);
    let lookup = move |host: &str, port: u16| {
        let _ = asked.send(format!("{host}:{port}"));
        answers.lock().unwrap().recv().unwrap_or_else(|_| Err(io::Error::other("the test is over")))
    };
    (answer, questions, Arc::new(lookup))
}

fn addresses(written: &str) -> io::Result<Vec<SocketAddr>> {
    Ok(written.split_whitespace().map(|address| address.parse().unwrap()).collect())
}

#[test]
fn addresses_written_as_such_are_known_at_once() {
    let (_answer, questions, lookup) = scripted();
    let plan = plan(&[("192.0.2.1", 80), ("2001:db8::1", 81), ("[2001:db8::2]", 82)]);
    let resolver = Resolver::start_with(OFTEN, lookup).unwrap();
    assert!(resolver.adopt(&plan, Duration::ZERO).is_empty());
    assert_eq!(resolved(&plan, 0), ["192.0.2.1:80"]);
    assert_eq!(resolved(&plan, 1), ["[2001:db8::1]:81"]);
    assert_eq!(resolved(&plan, 2), ["[2001:db8::2]:82"]);
    assert!(questions.try_recv().is_err());
}

#[test]
fn the_system_resolves_localhost() {
    let plan = plan(&[("localhost", 8080)]);
    let resolver = Resolver::start(ResolveIntervals::default()).unwrap();
    assert!(resolver.adopt(&plan, SOON).is_empty());
    assert!(resolved(&plan, 0).iter().all(|address| address == "127.0.0.1:8080" || address == "[::1]:8080"));
}

#[test]
fn the_last_good_addresses_outlive_failures_and_empty_answers() {
    let (answer, questions, lookup) = scripted();
    let plan = plan(&[("origin.example", 80)]);
    let resolver = Resolver::start_with(OFTEN, lookup).unwrap();
    answer.send(addresses("192.0.2.1:80 192.0.2.2:80")).unwrap();
    assert!(resolver.adopt(&plan, SOON).is_empty());
    let next = || questions.recv_timeout(SOON).unwrap();
    next();
    for (given, expected) in [
        (Err(io::Error::other("SERVFAIL")), vec!["192.0.2.1:80", "192.0.2.2:80"]),
        (addresses(""), vec!["192.0.2.1:80", "192.0.2.2:80"]),
        (addresses("192.0.2.3:80"), vec!["192.0.2.3:80"]),
    ] {
        // The question after an answer shows that the answer was used.
        next();
        answer.send(given).unwrap();
        next();
        answer.send(Err(io::Error::other("timed out"))).unwrap();
        assert_eq!(resolved(&plan, 0), expected);
    }
}

#[test]
fn a_name_that_does_not_resolve_is_reported_and_tried_again() {
    let (answer, questions, lookup) = scripted();
    let plan = plan(&[("origin.example", 80)]);
    let resolver = Resolver::start_with(OFTEN, lookup).unwrap();
    answer.send(Err(io::Error::other("NXDOMAIN"))).unwrap();
    assert_eq!(resolver.adopt(&plan, SOON), ["origin.example:80"]);
    answer.send(addresses("192.0.2.1:80")).unwrap();
    for _ in 0..3 {
        questions.recv_timeout(SOON).unwrap();
        answer.send(Err(io::Error::other("over"))).unwrap();
    }
    assert_eq!(resolved(&plan, 0), ["192.0.2.1:80"]);
}

#[test]
fn a_resolver_that_hangs_holds_the_start_no_longer_than_it_may() {
    let (answer, questions, lookup) = scripted();
    let plan = plan(&[("origin.example", 80)]);
    let resolver = Resolver::start_with(OFTEN, lookup).unwrap();
    assert_eq!(resolver.adopt(&plan, Duration::from_millis(5)), ["origin.example:80"]);
    questions.recv_timeout(SOON).unwrap();
    // Ends, although the look-up still hangs.
    drop(resolver);
    drop(answer);
}

#[test]
fn a_new_plan_takes_over_what_is_known_and_drops_the_rest() {
    let (answer, questions, lookup) = scripted();
    let resolver = Resolver::start_with(ResolveIntervals { refresh: SOON, retry: SOON }, lookup).unwrap();
    answer.send(addresses("192.0.2.1:80")).unwrap();
    assert!(resolver.adopt(&plan(&[("origin.example", 80)]), SOON).is_empty());
    questions.recv_timeout(SOON).unwrap();
    let next = plan(&[("origin.example", 80), ("new.example", 80)]);
    answer.send(addresses("192.0.2.2:80")).unwrap();
    assert!(resolver.adopt(&next, SOON).is_empty());
    assert_eq!(questions.recv_timeout(SOON).unwrap(), "new.example:80", "the known name is not asked again");
    assert_eq!((resolved(&next, 0), resolved(&next, 1)), (vec!["192.0.2.1:80".into()], vec!["192.0.2.2:80".into()]));
    // Dropped and adopted again, it is a new name.
    assert!(resolver.adopt(&Plan::default(), SOON).is_empty());
    answer.send(addresses("192.0.2.9:80")).unwrap();
    let again = plan(&[("origin.example", 80)]);
    assert!(resolver.adopt(&again, SOON).is_empty());
    assert_eq!(resolved(&again, 0), ["192.0.2.9:80"]);
}

#[test]
fn jitter_stays_within_a_tenth() {
    for _ in 0..1000 {
        let jittered = jittered(Duration::from_secs(30));
        assert!((Duration::from_secs(27)..Duration::from_secs(33)).contains(&jittered), "{jittered:?}");
    }
}
