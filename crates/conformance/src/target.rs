//! The proxies under test: where their programs are found and how each is configured, started and stopped.
//!
//! Each peer has the configuration that its own manual advises for the edge: forwarded fields rebuilt rather than
//! passed on, WebSocket upgrades allowed, connections to the origin kept. One worker, so that what is reused is
//! decided and not a matter of luck.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::origin::{Origin, host, id};

/// A proxy that cases can be run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Ourselves.
    Strait,
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// Envoy.
    Envoy,
    /// Caddy.
    Caddy,
}

/// Every target, ourselves first.
pub const ALL: [Target; 5] = [Target::Strait, Target::Nginx, Target::Haproxy, Target::Envoy, Target::Caddy];

/// A started proxy; it is killed when dropped.
pub struct Running {
    child: Child,
    folder: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it says of its version.
    pub version: String,
}

impl Target {
    /// Its name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strait => "strait",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Caddy => "caddy",
        }
    }

    /// The target of that name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|target| target.name() == name)
    }

    /// Its program: `STRAIT_BIN`, `NGINX_BIN` …, else from the search path; Strait's also from this workspace's own
    /// build folder, a peer's from the folder of a Python environment named by `PEERS_VENV`.
    pub fn program(self) -> Option<PathBuf> {
        let variable = format!("{}_BIN", self.name().to_ascii_uppercase());
        if let Some(path) = std::env::var_os(variable) {
            return Some(path.into());
        }
        let mut folders: Vec<PathBuf> = Vec::new();
        if self == Self::Strait {
            folders.extend(build_folders());
        }
        folders.extend(std::env::var_os("PEERS_VENV").map(|venv| Path::new(&venv).join("bin")));
        folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
        folders.push("/usr/sbin".into());
        folders.into_iter().map(|folder| folder.join(self.name())).find(|path| path.is_file())
    }

    /// Starts it in front of the origin.
    ///
    /// # Errors
    /// Why it did not come up, with what it printed.
    pub fn start(self, program: &Path, origin: &Origin) -> Result<Running, String> {
        let folder = scratch_folder(self).map_err(|error| error.to_string())?;
        let port = free_port().map_err(|error| error.to_string())?;
        let layout = Layout { port, origin, folder: &folder };
        let (file, text, arguments) = self.configuration(&layout);
        std::fs::write(folder.join(file), text).map_err(|error| error.to_string())?;
        let errors = std::fs::File::create(folder.join("stderr")).map_err(|error| error.to_string())?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(&folder)
            .env("XDG_DATA_HOME", &folder)
            .env("XDG_CONFIG_HOME", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let running = Running { child, folder, address, version: self.version(program) };
        running.ready(self)
    }

    fn configuration(self, layout: &Layout<'_>) -> (&'static str, String, Vec<&'static str>) {
        match self {
            Self::Strait => ("strait.yaml", layout.strait(), vec!["run", "-c", "strait.yaml"]),
            Self::Nginx => ("nginx.conf", layout.nginx(), vec!["-p", ".", "-e", "error.log", "-c", "nginx.conf"]),
            Self::Haproxy => ("haproxy.cfg", layout.haproxy(), vec!["-db", "-f", "haproxy.cfg"]),
            Self::Envoy => {
                let arguments = vec!["-c", "envoy.yaml", "--concurrency", "1", "--use-dynamic-base-id", "-l", "warn"];
                ("envoy.yaml", layout.envoy(), arguments)
            }
            Self::Caddy => {
                ("Caddyfile", layout.caddy(), vec!["run", "--config", "Caddyfile", "--adapter", "caddyfile"])
            }
        }
    }

    fn version(self, program: &Path) -> String {
        let flag = match self {
            Self::Strait | Self::Caddy => "version",
            Self::Nginx | Self::Haproxy => "-v",
            Self::Envoy => "--version",
        };
        let Ok(output) = Command::new(program).arg(flag).output() else {
            return String::new();
        };
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .find(|word| word.contains('.') && word.len() > 2)
            .unwrap_or_default()
            .trim_matches('.')
            .to_string()
    }
}

impl Running {
    /// Waits until it serves.
    fn ready(mut self, target: Target) -> Result<Self, String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("ended at once ({status}): {}", self.errors()));
            }
            if target == Target::Strait {
                if let Some(address) = self.announced() {
                    self.address = address;
                    return Ok(self);
                }
            } else if TcpStream::connect(self.address).is_ok() {
                return Ok(self);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("did not come up in 20 s: {}", self.errors()))
    }

    /// The address in Strait's line `strait: ready: listening on ADDRESS`.
    fn announced(&self) -> Option<SocketAddr> {
        let errors = std::fs::File::open(self.folder.join("stderr")).ok()?;
        BufReader::new(errors)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("ready: listening on ")?.1.split_whitespace().next()?.parse().ok())
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of what it printed.
    pub fn errors(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("stderr")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The build folders of this workspace, or the one that cargo was told to use, release before debug.
fn build_folders() -> Vec<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(workspace, PathBuf::from);
    // The newer build is the one that was just made.
    let mut folders = vec![target.join("release"), target.join("debug")];
    folders.sort_by_key(|folder| {
        let made = std::fs::metadata(folder.join("strait")).and_then(|data| data.modified());
        std::cmp::Reverse(made.ok())
    });
    folders
}

fn scratch_folder(target: Target) -> std::io::Result<PathBuf> {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("conformance-{}-{}-{number}", target.name(), std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// What every configuration says: listen here, send each name to its port and all else to the last one.
struct Layout<'a> {
    port: u16,
    origin: &'a Origin,
    folder: &'a Path,
}

impl Layout<'_> {
    fn each(&self, mut line: impl FnMut(&str, &str, u16) -> String) -> String {
        self.origin.ports.iter().enumerate().fold(String::new(), |mut text, (index, port)| {
            text.push_str(&line(&id(index), &host(index), *port));
            text
        })
    }

    fn strait(&self) -> String {
        let routes = self.each(|_, host, port| format!("  {host}: 127.0.0.1:{port}\n"));
        format!(
            "workers: 1\n\
             listeners:\n  web: {{address: 127.0.0.1:0}}\n\
             admin: {{address: 127.0.0.1:0}}\n\
             routes:\n{routes}  /: 127.0.0.1:{}\n",
            self.origin.other
        )
    }

    fn nginx(&self) -> String {
        let upstreams =
            self.each(|id, _, port| format!("  upstream {id} {{ server 127.0.0.1:{port}; keepalive 8; }}\n"));
        let names = self.each(|id, host, _| format!("    {host} {id};\n"));
        let temporary =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].iter().fold(String::new(), |mut text, kind| {
                let _ = writeln!(text, "  {kind}_temp_path {}/{kind};", self.folder.display());
                text
            });
        format!(
            "worker_processes 1;\ndaemon off;\npid nginx.pid;\nerror_log error.log;\n\
             events {{ worker_connections 4096; }}\n\
             http {{\n  access_log off;\n  server_tokens off;\n  map_hash_max_size 8192;\n{temporary}{upstreams}\
             \x20 upstream other {{ server 127.0.0.1:{other}; }}\n\
             \x20 map $host $upstream {{\n    default other;\n{names}  }}\n\
             \x20 map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}\n\
             \x20 server {{\n    listen 127.0.0.1:{port};\n    server_name proxy.test;\n    location / {{\n\
             \x20     proxy_pass http://$upstream;\n      proxy_http_version 1.1;\n\
             \x20     proxy_set_header Host $host;\n\
             \x20     proxy_set_header Upgrade $http_upgrade;\n\
             \x20     proxy_set_header Connection $connection_upgrade;\n\
             \x20     proxy_set_header X-Real-IP $remote_addr;\n\
             \x20     proxy_set_header X-Forwarded-For $remote_addr;\n\
             \x20     proxy_set_header X-Forwarded-Host $host;\n\
             \x20     proxy_set_header X-Forwarded-Proto $scheme;\n\
             \x20     proxy_set_header Forwarded \"\";\n\
             \x20     proxy_set_header Proxy \"\";\n    }}\n  }}\n}}\n",
            other = self.origin.other,
            port = self.port,
        )
    }

    fn haproxy(&self) -> String {
        let backends = self.each(|id, _, port| format!("backend {id}\n  server origin 127.0.0.1:{port}\n"));
        let names = self
            .each(|id, host, _| format!("  use_backend {id} if {{ req.hdr(host),field(1,:),lower -m str {host} }}\n"));
        format!(
            "global\n  nbthread 1\n  maxconn 4000\n\
             defaults\n  mode http\n  timeout connect 5s\n  timeout client 20s\n  timeout server 20s\n\
             \x20 timeout http-request 20s\n  timeout tunnel 20s\n\
             frontend web\n  bind 127.0.0.1:{}\n\
             \x20 http-request del-header forwarded\n\
             \x20 http-request del-header proxy\n\
             \x20 http-request del-header x-real-ip\n\
             \x20 http-request set-header X-Forwarded-For %[src]\n\
             \x20 http-request set-header X-Forwarded-Proto http\n\
             \x20 http-request set-header X-Forwarded-Host %[req.hdr(host)]\n\
             {names}  default_backend other\n{backends}backend other\n  server origin 127.0.0.1:{}\n",
            self.port, self.origin.other
        )
    }

    fn envoy(&self) -> String {
        let hosts = self.each(|id, host, _| envoy_host(id, host));
        let clusters = self.each(|id, _, port| envoy_cluster(id, port));
        format!(
            "static_resources:\n  listeners:\n  - name: web\n\
             \x20   address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}\n\
             \x20   filter_chains:\n    - filters:\n      - name: hcm\n        typed_config:\n\
             \x20         '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n\
             \x20         stat_prefix: web\n          use_remote_address: true\n          codec_type: HTTP1\n\
             \x20         normalize_path: true\n          merge_slashes: true\n\
             \x20         path_with_escaped_slashes_action: REJECT_REQUEST\n\
             \x20         via: 1.1 envoy\n          http_protocol_options: {{accept_http_10: true}}\n\
             \x20         common_http_protocol_options: {{headers_with_underscores_action: REJECT_REQUEST, max_headers_count: 100}}\n\
             \x20         upgrade_configs: [{{upgrade_type: websocket}}]\n\
             \x20         http_filters:\n          - name: router\n            typed_config:\n\
             \x20             '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router\n\
             \x20         route_config:\n            ignore_port_in_host_matching: true\n            virtual_hosts:\n{hosts}{other_host}\
             \x20 clusters:\n{clusters}{other_cluster}",
            port = self.port,
            other_host = envoy_host("other", "*"),
            other_cluster = envoy_cluster("other", self.origin.other),
        )
    }

    fn caddy(&self) -> String {
        let sites = self.each(|_, host, port| {
            format!("http://{host}:{} {{\n\tbind 127.0.0.1\n\treverse_proxy 127.0.0.1:{port}\n}}\n", self.port)
        });
        format!(
            "{{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n}}\n{sites}\
             http://:{} {{\n\tbind 127.0.0.1\n\treverse_proxy 127.0.0.1:{}\n}}\n",
            self.port, self.origin.other
        )
    }
}

fn envoy_host(id: &str, host: &str) -> String {
    format!(
        "            - {{name: {id}, domains: ['{host}'], request_headers_to_remove: [forwarded, proxy, x-real-ip], routes: [{{match: {{prefix: /}}, route: {{cluster: {id}}}}}]}}\n"
    )
}

fn envoy_cluster(id: &str, port: u16) -> String {
    format!(
        "  - {{name: {id}, connect_timeout: 5s, load_assignment: {{cluster_name: {id}, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]}}}}\n"
    )
}
