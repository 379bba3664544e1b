//! Tests of the whole loader.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use crate::*;

#[test]
fn smoke() {
    for text in [
        "routes:\n  *.example.com: localhost:3001\n",
        "routes:\n  /: [localhost:3001, localhost:3002\n",
        "routes:\n  /: {to: {stable: 95, canry: 5}}\nupstreams:\n  stable: [localhost:3000]\n  canary: [localhost:3001]\n",
        "upstreams:\n  a:\n    endpoints: [localhost:1]\n    lb_policy: round_robin\n    keep_alive: {idle_timeout: 30}\n",
        "routes:\n  /: \"localhost:3001\n",
        "routes:\n\t/: localhost:3001\n",
        "listeners:\n  web:\n    address:8080\n",
        "listeners:\n  web:\n    address: 8080\n     protocol: http\n",
        "routes:\n  /: @foo\n",
        "routes:\n  /: %foo\n",
        "routes:\n  /: {respond: ${env:X}}\n",
        "routes:\n  /: a\n  /: b\n",
        "routes:\n  /: localhost:3000\n---\nroutes: {}\n",
    ] {
        match load_str("t.yaml", text) {
            Ok(s) => println!("OK {}\n{}", s.refuse(vec![]), print_config(&s)),
            Err(d) => println!("{d}"),
        }
    }
}
