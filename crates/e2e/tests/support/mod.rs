//! Programs as the tests need them: started on free ports, ended with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A program that ends with the test.
pub(crate) struct Program(pub(crate) Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running Strait.
pub(crate) struct Strait {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    program: Program,
    file: PathBuf,
    said: Arc<(Mutex<String>, Condvar)>,
}

impl Strait {
    /// Starts Strait with `body` behind its listener and admin lines; `None`, said aloud, when it is not built.
    pub(crate) fn start(body: &str) -> Option<Self> {
        Self::start_as_it_is(&format!(
            "listeners: {{web: {{address: 127.0.0.1:0}}}}\ntelemetry: {{access_log: {{format: off}}}}\n{body}"
        ))
    }

    /// The same with a listener of the text's own, where it has one.
    pub(crate) fn start_as_it_is(text: &str) -> Option<Self> {
        let program = binary()?;
        let admin = free_port();
        let file = scratch().join("strait.yaml");
        std::fs::write(&file, whole(admin, &socket_beside(&file), text)).unwrap();
        let mut child = Command::new(program)
            .args(["run", "-c"])
            .arg(&file)
            .env("XDG_STATE_HOME", scratch())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut lines = String::new();
        while !lines.contains("listening on") || !lines.ends_with('\n') {
            assert!(said.read_line(&mut lines).unwrap() > 0, "Strait ended: {lines}");
        }
        let line = lines.lines().find(|line| line.contains("listening on")).unwrap();
        let address = line.rsplit(' ').next().unwrap().parse().unwrap();
        wait_for(admin);
        Some(Self { address, admin, program: Program(child), file, said: listen(said) })
    }

    /// Replaces its configuration, and asks for a reload; what it answers, and whether it took the new one.
    pub(crate) fn reload(&self, text: &str) -> (bool, String) {
        std::fs::write(&self.file, whole(self.admin, &self.socket(), text)).unwrap();
        let output = Command::new(binary().unwrap()).args(["reload", "--admin", &self.operator()]).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// The admin socket.
    pub(crate) fn socket(&self) -> PathBuf {
        socket_beside(&self.file)
    }

    /// Where the verbs ask it.
    pub(crate) fn operator(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// What the admin API answers to its owner.
    pub(crate) fn order(&self, method: &str, path: &str) -> String {
        let socket = self.socket().display().to_string();
        let url = format!("http://localhost{path}");
        run("curl", &["-s", "--max-time", "30", "--unix-socket", &socket, "-X", method, &url])
    }

    /// Waits until it has said this on stderr.
    pub(crate) fn wait_until_said(&self, text: &str) {
        let (said, more) = &*self.said;
        let patience = Duration::from_secs(60);
        let (said, timeout) =
            more.wait_timeout_while(said.lock().unwrap(), patience, |said| !said.contains(text)).unwrap();
        assert!(!timeout.timed_out(), "`{text}` was not said: {said}");
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.program.0.id()
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The sum of a metric over all its label sets.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = run("curl", &["-s", &format!("http://{}/metrics", self.admin)]);
        let of = |line: &&str| line.split(['{', ' ']).next() == Some(name);
        let values = text.lines().filter(of).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.sum::<f64>() as u64
    }
}

/// A configuration with its admin line, and a listener where it has none.
fn whole(admin: SocketAddr, socket: &Path, text: &str) -> String {
    let listeners = if text.contains("listeners:") { "" } else { "listeners: {web: {address: 127.0.0.1:0}}\n" };
    format!("{listeners}admin: {{address: {admin}, socket: \"unix:{}\"}}\n{text}", socket.display())
}

fn socket_beside(file: &Path) -> PathBuf {
    file.with_file_name("admin.sock")
}

/// Reads on what a program says: a full pipe would block it.
fn listen(mut said: BufReader<ChildStderr>) -> Arc<(Mutex<String>, Condvar)> {
    let heard = Arc::new((Mutex::new(String::new()), Condvar::new()));
    let told = heard.clone();
    std::thread::spawn(move || {
        let mut line = String::new();
        while said.read_line(&mut line).is_ok_and(|octets| octets > 0) {
            told.0.lock().unwrap().push_str(&std::mem::take(&mut line));
            told.1.notify_all();
        }
    });
    heard
}

/// An origin over HTTP/1.1 that answers every request with its name.
pub(crate) fn serve_origin(listener: TcpListener, name: &str) {
    let name: Arc<str> = name.into();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let name = name.clone();
            std::thread::spawn(move || answer(stream.unwrap(), &name));
        }
    });
}

/// Answers the requests of one connection, none of which has a body.
pub(crate) fn answer(stream: impl Read + Write, name: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        if line == "\r\n" {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
            reader.get_mut().write_all(answer.as_bytes())?;
        }
        line.clear();
    }
    Ok(())
}

pub(crate) fn binary() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/strait");
    let path = std::env::var_os("STRAIT_BIN").map_or(target, PathBuf::from);
    if !path.is_file() {
        eprintln!("skipped: no Strait at {}; run `cargo build` first or set STRAIT_BIN", path.display());
        return None;
    }
    Some(path)
}

/// Whether a program can be run; says so when not.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success();
    if !found {
        eprintln!("skipped: {program} is missing; run `cargo xtask peers`");
    }
    found
}

/// Python of the peers' environment, else the system's.
pub(crate) fn python() -> String {
    let venv = std::env::var("PEERS_VENV")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../.peers/venv").into());
    let own = format!("{venv}/bin/python3");
    if Path::new(&own).is_file() { own } else { "python3".into() }
}

/// A program of the peers' environment, else of the system; says so when there is none.
pub(crate) fn peer(program: &str) -> Option<PathBuf> {
    let venv = std::env::var("PEERS_VENV")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../.peers/venv").into());
    let own = Path::new(&venv).join("bin").join(program);
    if own.is_file() { Some(own) } else { has(program).then(|| program.into()) }
}

/// Runs a program to its end; what it printed.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{program} {arguments:?}: {status}\n{text}\n{}", String::from_utf8_lossy(&stderr));
    text
}

/// Starts a program that serves on `address`, and waits until it does.
pub(crate) fn serve(command: &mut Command, address: SocketAddr) -> Program {
    let program = Program(command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap());
    wait_for(address);
    program
}

/// An address nobody listens on.
pub(crate) fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A folder of the test's own.
pub(crate) fn scratch() -> PathBuf {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("strait-e2e-{}-{count}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A folder with an authority (`ca`), and by it the certificates `site` and `renewed` for the same names.
pub(crate) fn authority() -> PathBuf {
    let folder = scratch();
    let script = r#"
set -e
key='ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
openssl req -x509 -newkey $key -days 30 -subj /CN=Authority -keyout ca.key -out ca.pem -addext keyUsage=critical,keyCertSign,cRLSign
printf 'subjectAltName=DNS:app.internal,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n' > ext
for name in site renewed; do
  openssl req -newkey $key -subj /CN=$name -keyout $name.key -out $name.csr
  openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -days 30 -extfile ext -out $name.pem
done
"#;
    let made = Command::new("bash").args(["-c", script]).current_dir(&folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

fn wait_for(address: SocketAddr) {
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "nobody listens on {address}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A file of this name and text in a folder of its own.
pub(crate) fn written(name: &str, text: &str) -> (PathBuf, PathBuf) {
    let folder = scratch();
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

/// nginx with this inside of its `http` block.
pub(crate) fn nginx(body: &str, address: SocketAddr) -> Program {
    let head = "daemon off; master_process off; pid FOLDER/pid; error_log FOLDER/log; events {} http { access_log off; \
                client_body_temp_path FOLDER; proxy_temp_path FOLDER; proxy_http_version 1.1; \
                proxy_set_header Host $http_host; proxy_set_header Connection \"\";";
    let (folder, file) = written("nginx.conf", "");
    std::fs::write(&file, format!("{head}\n{body}\n}}\n").replace("FOLDER", folder.to_str().unwrap())).unwrap();
    serve(Command::new("nginx").arg("-p").arg(&folder).arg("-c").arg(&file), address)
}

/// Caddy with this behind its global options.
pub(crate) fn start_caddy(program: &Path, body: &str, address: SocketAddr) -> Program {
    let head = "{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n\tdefault_bind 127.0.0.1\n}\n";
    let (folder, file) = written("Caddyfile", &format!("{head}{body}"));
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file).env("XDG_DATA_HOME", &folder);
    serve(&mut command, address)
}
