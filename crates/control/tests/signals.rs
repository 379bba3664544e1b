//! Signals, sent to this process: in a test binary of its own, since they reach all of it.
#![allow(clippy::unwrap_used, reason = "tests")]

use rustix::process::{Signal, getpid, kill_process};
use std::sync::mpsc;
use std::time::Duration;
use strait_control::signals::{SignalHooks, watch};

#[test]
fn each_signal_is_its_call_and_the_second_end_is_at_once() {
    let (called, calls) = mpsc::channel();
    let tell = |what: &'static str| {
        let called = called.clone();
        move || called.send(what).unwrap()
    };
    let hooks = SignalHooks {
        drain: Box::new(tell("drain")),
        stop: Box::new(tell("stop")),
        reload: Box::new(tell("reload")),
        reopen: Box::new(tell("reopen")),
        reap: Box::new(tell("reap")),
    };
    watch(hooks).unwrap();
    for (signal, expected) in [
        (Signal::HUP, "reload"),
        (Signal::USR1, "reopen"),
        (Signal::CHILD, "reap"),
        (Signal::HUP, "reload"),
        (Signal::TERM, "drain"),
        (Signal::USR1, "reopen"),
        (Signal::INT, "stop"),
        (Signal::TERM, "stop"),
    ] {
        kill_process(getpid(), signal).unwrap();
        assert_eq!(calls.recv_timeout(Duration::from_secs(20)), Ok(expected));
    }
}
