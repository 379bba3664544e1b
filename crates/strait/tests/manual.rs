//! Every block of the manual is run: what a page says is what the program does.
//!
//! A page is a session in a folder of its own, in namespaces of its own for network and processes, so that it may use
//! the ports it writes (`localhost:8080`) and names such as `pidof strait` beside anything else. The word behind the
//! language of a block says what is done with it:
//!
//! | block | what happens |
//! |---|---|
//! | `yaml` | becomes `strait.yaml`; `strait check` accepts it |
//! | `yaml file=NAME` | becomes NAME; accepted too |
//! | `yaml part=NAME` | becomes NAME, a part that something else includes |
//! | `yaml wrong` | becomes `strait.yaml`; `strait check` refuses it, with what the `text` block behind says |
//! | `sh`, `sh exit=N` | runs and ends with 0, or N; a `text` block right behind it is what it says, `…` is anything |
//! | `sh serve=PORT` | starts, is waited for until PORT answers, and stays until the page ends or PORT is served anew |
//! | `sh shown` | is only checked for syntax: it needs what a test has not (systemd, another machine) |
//! | `nginx`, `haproxy`, `caddy`, `yaml envoy` | the other product's own checker accepts it, where it is installed |
//! | any other | is shown |
//!
//! `<!-- origins: 3001 3002 -->` starts origins on these ports: see [`origin`].

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "manual/block.rs"]
mod block;
#[path = "manual/origin.rs"]
mod origin;
#[path = "manual/peers.rs"]
mod peers;
#[path = "manual/session.rs"]
mod session;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

/// Pages that run at the same time.
const PAGES_AT_ONCE: usize = 3;
/// For one page; only a hang reaches it.
const SECONDS_MAX: &str = "180";
/// The variable that names the page for the process inside.
const PAGE: &str = "STRAIT_MANUAL_PAGE";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The pages with blocks: all but those that the program itself writes.
fn pages() -> Vec<PathBuf> {
    let generated = ["cli.md", "reference.md", "errors.md"];
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let written = |path: &PathBuf| path.file_name().is_some_and(|name| generated.iter().all(|other| name != *other));
    let pages = docs.filter(|path| path.extension().is_some_and(|found| found == "md")).filter(written);
    let mut pages: Vec<PathBuf> = pages.chain([root().join("README.md")]).collect();
    pages.sort();
    pages
}

/// A process that sees no network but its own loopback and no processes but its own.
fn apart(program: &Path, page: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args([SECONDS_MAX, "unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]);
    command.args(["--mount-proc", "--"]).arg(program);
    command.args(["--exact", "one_page", "--ignored", "--nocapture"]).env(PAGE, page).env("RUST_BACKTRACE", "0");
    command
}

fn is_possible() -> bool {
    let tried = Command::new("unshare").args(["-rnpf", "--mount-proc", "ip", "link", "set", "lo", "up"]).output();
    tried.is_ok_and(|output| output.status.success())
}

#[test]
fn every_block_of_the_manual_does_what_it_says() {
    if !is_possible() {
        eprintln!("skipped: pages need namespaces: apt-get install iproute2 util-linux, and as root");
        eprintln!("  sysctl kernel.apparmor_restrict_unprivileged_userns=0 kernel.unprivileged_userns_clone=1");
        return;
    }
    let only = std::env::var("ONLY").unwrap_or_default();
    let waiting: Vec<PathBuf> = pages().into_iter().filter(|page| page.to_string_lossy().contains(&only)).collect();
    assert!(!waiting.is_empty(), "no page is called `{only}`");
    let (waiting, failed) = (Mutex::new(waiting), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..PAGES_AT_ONCE {
            scope.spawn(|| {
                while let Some(page) = next(&waiting) {
                    failed.lock().unwrap().extend(failure(&page));
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}\n(ONLY=PAGE runs one page)", failed.join("\n"));
}

fn next(waiting: &Mutex<Vec<PathBuf>>) -> Option<PathBuf> {
    waiting.lock().unwrap().pop()
}

/// What is wrong with a page.
fn failure(page: &Path) -> Option<String> {
    let Output { status, stdout, stderr } = apart(&std::env::current_exe().unwrap(), page).output().unwrap();
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    said.lines().filter(|line| line.starts_with("skipped: ")).for_each(|line| eprintln!("{line}"));
    (!status.success()).then(|| format!("{} ({status}):\n{said}", page.display()))
}

#[test]
#[ignore = "started by the test above, apart from the rest of the machine"]
fn one_page() {
    let Some(page) = std::env::var_os(PAGE) else { return };
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap();
    assert!(up.success());
    session::Session::of(Path::new(&page)).run();
}
