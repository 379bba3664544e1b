//! The life of the real process: it serves, reloads, drains, stops, and ends with the right code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "several test files share it")]
mod support;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::sync::{Arc, Barrier};
use support::{Strait, ask, get, origin, origin_with, whole};

fn forwarding(origin: SocketAddr) -> String {
    format!(
        "listeners: {{web: \"127.0.0.1:0\"}}\nroutes:\n  /: {origin}\n  /own: {{respond: own}}\nadmin: \"off\"\nworkers: 2\n"
    )
}

/// An origin that sends the first half of its answer, tells so, and the second when it is let go on.
fn halting_origin(half_sent: &Arc<Barrier>, go_on: &Arc<Barrier>) -> SocketAddr {
    let (half_sent, go_on) = (half_sent.clone(), go_on.clone());
    origin_with(move |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst").unwrap();
        half_sent.wait();
        go_on.wait();
        // Gone when the proxy was stopped.
        let _ = stream.write_all(b"last!");
    })
}

#[test]
fn requests_are_forwarded_and_recorded() {
    let strait = Strait::run(&forwarding(origin("from the origin")));
    let address = strait.ready();
    let answer = get(address, "/some/path");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("from the origin"), "{answer}");
    let record = strait.said("\"url.path\":\"/some/path\"");
    assert!(record.contains("\"http.response.status_code\":200"), "{record}");
    assert!(get(address, "/own").ends_with("own"));
}

#[test]
fn a_drain_lets_an_exchange_finish() {
    let (half_sent, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let mut strait = Strait::run(&forwarding(halting_origin(&half_sent, &go_on)));
    let running = ask(strait.ready(), "/");
    half_sent.wait();
    strait.signal("TERM");
    strait.said("draining: 1 connections finish");
    go_on.wait();
    let answer = whole(running);
    assert!(answer.ends_with("firstlast!"), "{answer}");
    assert_eq!(strait.ended().code(), Some(0));
}

#[test]
fn a_drain_ends_what_takes_too_long_and_says_so() {
    let (half_sent, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let text = forwarding(halting_origin(&half_sent, &go_on));
    let mut strait = Strait::run(&format!("drain_timeout: 300ms\n{text}"));
    let running = ask(strait.ready(), "/");
    half_sent.wait();
    strait.signal("TERM");
    strait.said("draining: 1 connections finish within 300ms");
    // One stands on standard error, the other on standard output: either may be heard first.
    strait.said_all(&["the drain took its 300ms: 1 connections are ended", "operator.response_body.stopping"]);
    assert_eq!(strait.ended().code(), Some(0));
    assert!(whole(running).ends_with("first"));
    go_on.wait();
}

#[test]
fn a_second_signal_stops_at_once() {
    let (half_sent, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let mut strait = Strait::run(&forwarding(halting_origin(&half_sent, &go_on)));
    let _running = ask(strait.ready(), "/");
    half_sent.wait();
    strait.signal("INT");
    strait.said("draining: 1 connections finish");
    strait.signal("INT");
    strait.said("stopping at once");
    assert_eq!(strait.ended().code(), Some(0));
    go_on.wait();
}

#[test]
fn a_reload_takes_what_is_good_and_leaves_what_is_not() {
    let strait = Strait::run(&forwarding(origin("first")));
    let address = strait.ready();
    assert!(get(address, "/").ends_with("first"));
    strait.write("routes: {/: nowhere}");
    strait.signal("HUP");
    strait.said("error: no upstream named `nowhere`");
    strait.said("the configuration of before serves on");
    assert!(get(address, "/").ends_with("first"));
    strait.write(&forwarding(origin("second")));
    strait.signal("HUP");
    strait.said("reloaded: generation 2, ");
    // Each worker takes the new plan when it next looks at its mail.
    while !get(address, "/").ends_with("second") {}
}

#[test]
fn a_bad_configuration_ends_with_78() {
    let mut strait = Strait::run("routes: {/: nowhere}");
    strait.said("error: no upstream named `nowhere`");
    assert_eq!(strait.ended().code(), Some(78));
}

#[test]
fn a_port_that_is_taken_is_told_with_who_has_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut strait =
        Strait::run(&format!("listeners: {{web: \"{address}\"}}\nroutes: {{/: {{respond: x}}}}\nadmin: \"off\""));
    strait.said(&format!("listener `web` cannot be bound to {address}"));
    strait.said(&format!("(process {}) has it", std::process::id()));
    assert_eq!(strait.ended().code(), Some(1));
}

#[test]
fn an_admin_api_shows_and_stops() {
    let text = "listeners: {web: \"127.0.0.1:0\"}\nroutes: {/: {respond: x}}\nadmin: \"127.0.0.1:0\"";
    let mut strait = Strait::run(text);
    let served = strait.ready();
    let admin = strait.said("admin: http://").split('/').next().unwrap().to_owned();
    assert!(get(served, "/").ends_with('x'));
    let run = |words: &[&str]| {
        String::from_utf8(strait.command(words).args(["--admin", &admin]).output().unwrap().stdout).unwrap()
    };
    // Who does not find the socket, as any other user of this machine, stops nothing.
    let mut other = strait.command(&["stop", "--admin", &admin]);
    let refused = other.env("XDG_RUNTIME_DIR", "/nowhere").env("STRAIT_STATE", "/nowhere").output().unwrap();
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && why.contains("ask on the socket unix:"), "{why}");
    let status = run(&["status"]);
    assert!(status.contains(&format!("process {}: serving", strait.id())), "{status}");
    assert!(status.contains(&format!("listener  web  {served}")), "{status}");
    let metrics = get(admin.parse().unwrap(), "/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200 OK") && metrics.contains("strait_"), "{metrics}");
    assert_eq!(run(&["stop", "--wait", "60"]), "stopped\n");
    assert_eq!(strait.ended().code(), Some(0));
}

#[test]
fn the_running_process_is_compared_explained_and_reloaded() {
    let text = "listeners: {web: \"127.0.0.1:0\"}\nroutes: {/: {respond: x}}\nadmin: \"127.0.0.1:0\"\n";
    let mut strait = Strait::run(text);
    strait.ready();
    let admin = strait.said("admin: http://").split('/').next().unwrap().to_owned();
    let run = |words: &[&str]| {
        let output = strait.command(words).args(["--admin", &admin]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), text)
    };
    assert_eq!(run(&["diff"]), (0, String::new()));
    strait.write(&format!("# Another.\n{}", text.replace("respond: x", "respond: yes")));
    assert_eq!(run(&["diff"]), (1, "~ route /\n    respond.body: x → yes\n".to_owned()));
    let (code, explained) =
        run(&["explain", "GET /%7Ea?b", "-H", "X-A: b & c", "--from", "192.0.2.7", "--listener", "web"]);
    assert!(code == 0 && explained.contains("client     192.0.2.7"), "{explained}");
    let (code, explained) = run(&["explain", "/", "--json"]);
    assert!(code == 0 && explained.contains("\"kind\": \"respond\""), "{explained}");
    assert_eq!(run(&["explain", "/", "--listener", "wob"]).0, 1);
    assert_eq!(run(&["reload"]), (0, "generation 2 serves\n  ~ route / of web\n".to_owned()));
    assert_eq!(run(&["diff"]), (0, String::new()));
    strait.write("routes: {/: nowhere}");
    let (code, refused) = run(&["reload"]);
    assert!(code == 78 && refused.contains("no upstream named `nowhere`"), "{refused}");
    strait.signal("TERM");
    assert_eq!(strait.ended().code(), Some(0));
}

#[test]
fn a_proxy_needs_no_file() {
    let origin = origin("from the origin");
    let strait = Strait::start("", &["proxy", "127.0.0.1:0", "to", &origin.to_string()]);
    let address = strait.ready();
    assert_eq!(strait.said(&format!("http://127.0.0.1:{} goes to ", address.port())), origin.to_string());
    assert!(get(address, "/").ends_with("from the origin"));
}

#[test]
fn the_demonstration_runs_and_ends_by_itself() {
    let mut strait = Strait::start("", &["demo", "--listen", "127.0.0.1:0", "--seconds", "2"]);
    strait.said("This runs:");
    strait.said("Try:");
    strait.said("    1 s ");
    assert_eq!(strait.ended().code(), Some(0));
}

#[test]
fn a_demonstration_drains_on_a_signal() {
    let mut strait = Strait::start("", &["demo", "--listen", "127.0.0.1:0"]);
    strait.said("    1 s ");
    strait.signal("INT");
    strait.said("strait: draining");
    assert_eq!(strait.ended().code(), Some(0));
}

fn answering(body: &str) -> String {
    format!("listeners: {{web: \"127.0.0.1:0\"}}\nroutes: {{/: {{respond: {body}}}}}\nadmin: \"off\"")
}

#[test]
fn a_watched_file_is_taken_up_and_one_that_says_the_same_is_not() {
    let strait = Strait::start(&answering("one"), &["run", "--watch"]);
    let served = strait.ready();
    strait.write(&answering("one"));
    strait.write("routes: {/: nowhere}");
    strait.said("is refused: the configuration of before serves on");
    assert!(get(served, "/").ends_with("one"));
    strait.write(&answering("two"));
    strait.said("reloaded: generation 2, 1 change");
    while !get(served, "/").ends_with("two") {}
}

#[test]
fn the_service_manager_is_told_of_start_reload_and_end() {
    let folder = std::env::temp_dir().join(format!("strait-notify-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("notify");
    let _ = std::fs::remove_file(&path);
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let heard = || {
        let mut octets = [0; 256];
        let length = manager.recv(&mut octets).unwrap();
        String::from_utf8_lossy(&octets[..length]).into_owned()
    };
    let mut strait = Strait::start_with(&answering("one"), &["run"], &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    strait.ready();
    assert_eq!(heard(), "READY=1");
    strait.signal("HUP");
    assert!(heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(heard(), "READY=1");
    strait.signal("TERM");
    assert_eq!(heard(), "STOPPING=1");
    assert_eq!(strait.ended().code(), Some(0));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_watchdog_is_fed_as_long_as_every_worker_answers() {
    let folder = std::env::temp_dir().join(format!("strait-watchdog-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("notify");
    let _ = std::fs::remove_file(&path);
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    let strait = Strait::start_with(&answering("one"), &["run"], &environment);
    strait.ready();
    let mut fed = 0;
    while fed < 3 {
        let mut octets = [0; 64];
        let length = manager.recv(&mut octets).unwrap();
        fed += usize::from(&octets[..length] == b"WATCHDOG=1");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn root_becomes_the_user_of_the_configuration_and_still_binds_low_ports() {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let namespaces = ["--net", "sh", "-c", "ip link set lo up; exec \"$0\" \"$@\""];
    if !is_root || !Command::new("unshare").args(["--net", "true"]).status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: only root can become another user, in a network of its own");
    }
    let text = "listeners: {web: \"127.0.0.1:80\"}\nroutes: {/: {respond: x}}\nadmin: \"off\"\nuser: nobody\n";
    let words: Vec<&str> = namespaces.into_iter().chain([env!("CARGO_BIN_EXE_strait"), "run"]).collect();
    let strait = Strait::start_program("unshare", text, &words, &[]);
    assert_eq!(strait.ready().port(), 80);
    let status = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    for thread in std::fs::read_dir(format!("/proc/{}/task", strait.id())).unwrap() {
        let text = std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        assert!(text.contains("Uid:\t65534\t65534\t65534\t65534"), "{text}");
        assert!(text.contains("CapEff:\t0000000000000400") && text.contains("CapPrm:\t0000000000000400"), "{text}");
    }
    // A reload binds another low port without root.
    strait.write(&text.replace("127.0.0.1:80", "127.0.0.1:81"));
    strait.signal("HUP");
    strait.said("reloaded: generation 2");
    assert!(!status(strait.id()).contains("Uid:\t0"));
}

#[test]
fn a_low_port_without_the_right_to_it_is_told_with_the_ways_to_get_it() {
    let text = "listeners: {web: \"127.0.0.1:80\"}\nroutes: {/: {respond: x}}\nadmin: \"off\"";
    // In a user namespace of its own it is nobody to the network around.
    let words = ["--user", "--map-user=65534", env!("CARGO_BIN_EXE_strait"), "run"];
    if !Command::new("unshare").args(["--user", "true"]).status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: this machine gives no namespaces to unprivileged processes");
    }
    let mut strait = Strait::start_program("unshare", text, &words, &[]);
    strait.said("listener `web` cannot be bound to 127.0.0.1:80");
    strait.said_all(&[
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
        "setcap",
        "ip_unprivileged_port_start",
        "`user: strait`",
    ]);
    assert_eq!(strait.ended().code(), Some(1));
}

#[test]
fn sockets_of_the_service_manager_are_used_and_kept_over_reloads() {
    let Some(activate) = ["/usr/bin/systemd-socket-activate", "/lib/systemd/systemd-socket-activate"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
    else {
        return eprintln!("skipped: systemd-socket-activate is missing; run `apt-get install systemd`");
    };
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!("listeners: {{web: \"{address}\"}}\nroutes: {{/: {{respond: x}}}}\nadmin: \"off\"\nworkers: 2");
    let own = env!("CARGO_BIN_EXE_strait");
    let words = ["-l", &address.to_string(), own, "run"].map(str::to_owned);
    let strait = Strait::start_program(activate, &text, &words.each_ref().map(String::as_str), &[]);
    strait.said("Listening on");
    // The first connection starts it, and waits in the queue until it serves.
    assert!(get(address, "/").ends_with('x'));
    strait.ready();
    strait.write(&text.replace("workers: 2", "workers: 2\ndrain_timeout: 5s"));
    strait.signal("HUP");
    strait.said("reloaded: generation 2");
    assert!(get(address, "/").ends_with('x'));
}

#[test]
fn it_runs_as_process_one_without_root_and_ends_on_a_signal() {
    let text = "listeners: {web: \"127.0.0.1:0\"}\nroutes: {/: {respond: x}}\nadmin: \"off\"";
    let words = ["--user", "--map-user=65534", "--pid", "--fork", "--kill-child", env!("CARGO_BIN_EXE_strait"), "run"];
    if !Command::new("unshare").args(["--user", "--pid", "--fork", "true"]).status().is_ok_and(|s| s.success()) {
        return eprintln!("skipped: this machine gives no namespaces to unprivileged processes");
    }
    let strait = Strait::start_program("unshare", text, &words, &[]);
    let served = strait.ready();
    assert!(get(served, "/").ends_with('x'));
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", strait.id())).unwrap();
    let inside = children.trim().to_owned();
    let status = std::fs::read_to_string(format!("/proc/{inside}/status")).unwrap();
    assert!(status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1")), "{status}");
    orphans_are_reaped(&inside);
    assert!(Command::new("kill").args(["-s", "TERM", &inside]).status().unwrap().success());
    strait.said("stopped");
}

/// A process whose parent ends falls to the first one of its namespace, which must let it go when it ends.
fn orphans_are_reaped(first: &str) {
    let script = "(exec sleep 60 >/dev/null 2>&1 </dev/null) &";
    let enter = ["--target", first, "--user", "--pid", "--preserve-credentials", "sh", "-c", script];
    if !Command::new("nsenter").args(enter).status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: nsenter may not enter the namespace");
    }
    let children = || std::fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap();
    let orphan = children().trim().to_owned();
    assert!(!orphan.is_empty() && !orphan.contains(' '), "{orphan}");
    assert!(Command::new("kill").args(["-s", "KILL", &orphan]).status().unwrap().success());
    let began = std::time::Instant::now();
    while !children().trim().is_empty() {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "a zombie stays");
        std::thread::yield_now();
    }
}

#[test]
fn the_doctor_finds_a_taken_port_and_a_bad_configuration() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = std::env::temp_dir().join(format!("strait-doctor-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("strait.yaml");
    let doctor = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_strait")).arg("doctor").arg(&file).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let text = format!(
        "listeners: {{web: \"{}\"}}\nroutes: {{/: {{respond: x}}}}\nadmin: \"off\"",
        taken.local_addr().unwrap()
    );
    let (code, said) = doctor(&text);
    assert!(code == Some(1) && said.contains("bad   listener") && said.contains("stop it, or listen on"), "{said}");
    let (code, said) = doctor("routes: {/: nowhere}");
    assert!(code == Some(78) && said.contains("bad   configuration"), "{said}");
    let (code, said) = doctor("listeners: {web: \"127.0.0.1:0\"}\nroutes: {/: {respond: x}}\nadmin: \"off\"");
    assert!(code == Some(0) && said.contains("good  configuration"), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_access_log_changes_its_form_and_its_place_by_reload() {
    let text = |log: &str| {
        format!(
            "listeners: {{web: \"127.0.0.1:0\"}}\nroutes: {{/: {{respond: x}}}}\nadmin: \"off\"\nworkers: 1\ntelemetry: {{access_log: {log}}}"
        )
    };
    let strait = Strait::run(&text("\"off\""));
    let address = strait.ready();
    let reloaded = |log: &str, generation: u32| {
        strait.write(&text(log));
        strait.signal("HUP");
        strait.said(&format!("reloaded: generation {generation}"));
    };
    reloaded("{template: \"T ${request.path} ${status} ${route.pattern}\", path: stderr}", 2);
    // The worker takes the plan when it next looks at its mail.
    assert!(get(address, "/first").ends_with('x'));
    assert!(get(address, "/second").ends_with('x'));
    strait.said("T /second 200 /");
    strait.write(&text("{format: combined, path: nowhere/at/all.log}"));
    strait.signal("HUP");
    strait.said("access log: nowhere/at/all.log: No such file or directory");
    strait.said("the configuration of before serves on");
    assert!(get(address, "/third").ends_with('x'));
    strait.said("T /third 200 /");
}
