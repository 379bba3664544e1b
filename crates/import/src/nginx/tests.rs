#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use super::import;
use crate::{NoFiles, Why};

/// The YAML without its comments.
#[track_caller]
fn check(text: &str, expected: &str) {
    let imported = import("nginx.conf", text, &NoFiles).unwrap();
    let lines = imported.yaml.lines().filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
    let yaml: String = lines.map(|line| format!("{line}\n")).collect();
    assert_eq!(yaml, expected, "{}", imported.yaml);
    strait_config::load_str("imported.yaml", &imported.yaml).unwrap();
}

/// What was left of a text: `line why reason`.
fn left(text: &str) -> Vec<(usize, Why, String)> {
    import("nginx.conf", text, &NoFiles)
        .unwrap()
        .left
        .into_iter()
        .map(|left| (left.line, left.why, left.reason))
        .collect()
}

#[test]
fn a_server_block_becomes_routes_of_its_host() {
    check(
        "server { listen 80; server_name a.example; location / { proxy_pass http://10.0.0.1:1; proxy_set_header Host $host; } }
         server { listen 80; server_name b.example .c.example; location = /x { return 204; } }",
        "listeners:
  http: {address: 80, limits: {body_size: 1MiB}}
routes:
  /: 10.0.0.1:1
  b.example/x: {respond: {status: 204}}
  b.example: {respond: {status: 404}}
  c.example/x: {respond: {status: 204}}
  c.example: {respond: {status: 404}}
  \"*.c.example/x\": {respond: {status: 204}}
  \"*.c.example\": {respond: {status: 404}}
",
    );
}

#[test]
fn what_guards_access_and_cannot_be_carried_over_closes_the_route() {
    let text = "server { location / { auth_basic door; proxy_pass http://10.0.0.1:1; } }";
    check(
        text,
        "listeners:
  http: {address: 80, limits: {body_size: 1MiB}}
routes:
  /: {respond: {status: 501, body: \"auth_basic is not carried over\\n\"}}
",
    );
    assert!(left(text).iter().any(|(line, why, _)| (*line, *why) == (1, Why::Lost)));
}

#[test]
fn every_statement_is_carried_over_or_left_with_a_reason() {
    let text =
        "user www;\nhttp {\n frobnicate on;\n server {\n  listen 80;\n  lua_code_cache on;\n  return 200 ok;\n }\n}\n";
    let all = left(text);
    let lines: Vec<usize> = all.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [1, 3, 6], "{all:?}");
    assert_eq!(import("nginx.conf", text, &NoFiles).unwrap().carried, 4);
}

#[test]
fn the_slash_behind_proxy_pass_is_a_filter() {
    check(
        "server { location /a/ { proxy_pass http://10.0.0.1:1/; proxy_set_header Host $http_host; }
                  location /b/ { proxy_pass http://10.0.0.1:1/c/; proxy_set_header Host $http_host; } }",
        "listeners:
  http: {address: 80, limits: {body_size: 1MiB}}
routes:
  /a: {redirect: {to: /a/, status: 301}}
  /b: {redirect: {to: /b/, status: 301}}
  /a/*: {filters: [{strip_prefix: /a}], to: 10.0.0.1:1}
  /b/*: {filters: [{rewrite: {prefix: /b, with: /c}}], to: 10.0.0.1:1}
  /: {respond: {status: 404}}
",
    );
}

#[test]
fn texts_that_are_no_configuration_are_refused_with_their_line() {
    let refused = |text: &str| import("nginx.conf", text, &NoFiles).unwrap_err().to_string();
    assert_eq!(refused("http {\n  server {\n"), "nginx.conf:3: a block is never closed");
    assert_eq!(refused("a {\nb c\n}"), "nginx.conf:2: `b` is not ended by `;`");
    assert_eq!(refused("a 'b\n"), "nginx.conf:2: a quote is never closed");
    assert_eq!(refused(&"a {".repeat(100)), "nginx.conf:1: blocks or includes are nested too deeply");
}
