//! When a request is sent once more, and when not: scripted origins that count what reaches them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the helpers serve several test files")]

mod inside;

use inside::{Act, Inside, Origin, refusing};
use std::net::SocketAddr;

fn two(first: SocketAddr, second: SocketAddr, retry: &str) -> Inside {
    Inside::serve(&format!(
        "routes: {{/: app}}\nupstreams: {{app: {{endpoints: [\"{first}\", \"{second}\"], retry: {retry}}}}}\n"
    ))
}

#[test]
fn a_refused_connection_is_tried_elsewhere_whatever_the_method() {
    let good = Origin::answering("good");
    let strait = two(refusing(), good.address, "{retry_on: [connect_failure]}");
    for method in ["POST", "PUT"] {
        let answers = [strait.send(method, "/", "body"), strait.send(method, "/", "body")];
        assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 200")), "{answers:?}");
    }
    let attempts: Vec<_> = (0..4).map(|n| strait.record(n)["strait.attempts"].as_u64().unwrap_or(1)).collect();
    assert!(attempts.contains(&2), "{attempts:?}");
    assert_eq!(strait.meter().retries.read(), attempts.iter().map(|attempts| attempts - 1).sum::<u64>());
}

#[test]
fn a_reset_is_retried_when_the_method_is_idempotent() {
    let bad = Origin::start(|_| Act::Reset);
    let good = Origin::answering("good");
    let strait = two(bad.address, good.address, "{attempts: 2}");
    for _ in 0..2 {
        assert!(strait.get("/").starts_with("HTTP/1.1 200"));
    }
    assert!(!bad.requests().is_empty());
    assert_eq!(good.requests().len(), 2);
}

#[test]
fn a_post_that_reached_an_origin_is_not_repeated_unless_asked() {
    let bad = Origin::start(|_| Act::Reset);
    let good = Origin::answering("good");
    let strait = two(bad.address, good.address, "{attempts: 2}");
    let answers = [strait.send("POST", "/", "order"), strait.send("POST", "/", "order")];
    let failed: Vec<_> = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 502")).collect();
    assert_eq!(failed.len(), 1, "{answers:?}");
    assert!(failed[0].contains("connection_terminated"), "{failed:?}");
    assert_eq!((bad.requests().len(), good.requests().len()), (1, 1));
    let asked = two(bad.address, good.address, "{attempts: 2, non_idempotent: true}");
    for _ in 0..2 {
        assert!(asked.send("POST", "/", "order").starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn a_body_is_sent_again_as_it_was() {
    let bad = Origin::start(|_| Act::Reset);
    let good = Origin::answering("good");
    let strait = two(bad.address, good.address, "{attempts: 2}");
    let body = "x".repeat(40_000);
    for _ in 0..2 {
        assert!(strait.send("PUT", "/", &body).starts_with("HTTP/1.1 200"));
    }
    assert!(!bad.requests().is_empty());
    assert!(good.requests().iter().all(|request| request.ends_with(&body)));
}

#[test]
fn a_chunked_body_is_sent_again_with_its_trailers() {
    let bad = Origin::start(|_| Act::answer(503, "busy"));
    let good = Origin::answering("good");
    let strait = two(bad.address, good.address, "{attempts: 2, retry_on: [503]}");
    let request = "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    for _ in 0..2 {
        assert!(strait.ask(request).starts_with("HTTP/1.1 200"));
    }
    let plain = |request: &String| {
        request.split("\r\n").filter(|line| ["hello", " world", "hello world"].contains(line)).collect::<String>()
    };
    assert!(good.requests().iter().all(|request| plain(request) == "hello world"), "{:?}", good.requests());
}

#[test]
fn a_body_above_the_limit_is_not_repeated() {
    let bad = Origin::start(|_| Act::Reset);
    let good = Origin::answering("good");
    let strait = two(bad.address, good.address, "{attempts: 2, body_max: 1KiB}");
    let exact = "x".repeat(1024);
    for _ in 0..2 {
        assert!(strait.send("PUT", "/", &exact).starts_with("HTTP/1.1 200"));
    }
    let strait = two(bad.address, good.address, "{attempts: 2, body_max: 1KiB}");
    let more = "x".repeat(1025);
    let answers = [strait.send("PUT", "/", &more), strait.send("PUT", "/", &more)];
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 502")).count(), 1, "{answers:?}");
}

#[test]
fn an_answer_is_thrown_away_where_its_status_asks_for_that() {
    let bad = Origin::start(|_| Act::answer(503, "not ready"));
    let good = Origin::answering("good");
    let strait = two(bad.address, good.address, "{attempts: 2, retry_on: [503]}");
    for _ in 0..4 {
        assert!(strait.get("/").ends_with("good"));
    }
    // The connection of the answer that was thrown away is used again.
    assert_eq!(strait.meter().upstream_opened.read(), 2);
    // Without a retry left, the last answer is passed on.
    let strait = two(bad.address, bad.address, "{attempts: 3, retry_on: [5xx]}");
    assert!(strait.get("/").ends_with("not ready"));
    assert_eq!(strait.record(0)["http.response.status_code"], 503);
}

#[test]
fn a_post_is_not_repeated_for_a_status() {
    let bad = Origin::start(|_| Act::answer(503, "not ready"));
    let good = Origin::answering("good");
    let strait = two(bad.address, good.address, "{attempts: 2, retry_on: [503]}");
    let answers = [strait.send("POST", "/", "order"), strait.send("POST", "/", "order")];
    assert_eq!(answers.iter().filter(|answer| answer.ends_with("not ready")).count(), 1);
}

#[test]
fn only_the_reasons_that_are_named_count() {
    let bad = Origin::start(|_| Act::Reset);
    let strait = two(bad.address, bad.address, "{attempts: 3, retry_on: [connect_failure]}");
    assert!(strait.get("/").starts_with("HTTP/1.1 502"));
    assert_eq!(bad.requests().len(), 1);
}

#[test]
fn an_attempt_that_takes_too_long_makes_room_for_another() {
    let slow = Origin::start(|_| Act::SayAndStall(String::new()));
    let good = Origin::answering("good");
    let strait = two(slow.address, good.address, "{attempts: 2, retry_on: [timeout], per_try_timeout: 200ms}");
    for _ in 0..2 {
        assert!(strait.get("/").ends_with("good"));
    }
    let strait = two(slow.address, slow.address, "{attempts: 2, retry_on: [timeout], per_try_timeout: 100ms}");
    let answer = strait.get("/");
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("per_try_timeout"), "{answer}");
    assert_eq!(strait.record(0)["strait.end"], "upstream.response_head.try_timeout");
}

#[test]
fn a_budget_ends_retries_and_says_so() {
    let bad = Origin::start(|_| Act::Reset);
    let strait = two(bad.address, bad.address, "{attempts: 2, budget: 0%, budget_floor: 1}");
    for _ in 0..20 {
        assert!(strait.get("/").starts_with("HTTP/1.1 502"));
    }
    let meter = strait.meter();
    assert_eq!(meter.retries.read() + meter.retries_over_budget.read(), 20);
    assert!((10..20).contains(&meter.retries.read()), "{}", meter.retries.read());
    let none = two(bad.address, bad.address, "{attempts: 2, budget: none}");
    for _ in 0..20 {
        assert!(none.get("/").starts_with("HTTP/1.1 502"));
    }
    assert_eq!(none.meter().retries.read(), 20);
}
