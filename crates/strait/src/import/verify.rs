//! `--verify`: both products on this machine, the same requests to both, and what clients and origins see of each.

use super::ask::{Answer, ask};
use super::origins::{Asked, Origins};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use strait_import::{Files, Probe, Product, Stage};

/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(30);
/// How often a request is asked again where several origins may answer it.
const TRIES: usize = 12;
/// Differences that are shown.
const SHOWN_MAX: usize = 20;

/// What a client need not see alike: dates, names of products, the framing, and what Strait adds.
const OF_ANSWERS: &[&str] = &[
    "date",
    "server",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "etag",
    "last-modified",
    "accept-ranges",
    "via",
    "x-request-id",
    "proxy-status",
    "vary",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "content-type",
    "allow",
];
/// What origins need not see alike: what Strait tells them by itself.
const OF_REQUESTS: &[&str] = &[
    "connection",
    "via",
    "x-request-id",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-prefix",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-real-ip",
    "user-agent",
    "accept-encoding",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "keep-alive",
    "forwarded",
    "host",
];

/// What is verified.
pub(super) struct Case<'a> {
    pub(super) product: Product,
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) files: &'a dyn Files,
    pub(super) program: Option<&'a Path>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    product: &'static str,
    requests: usize,
    closed: usize,
    known: usize,
    pub(super) differing: Vec<String>,
}

impl Verdict {
    pub(super) fn told(&self) -> String {
        let Self { product, requests, closed, known, differing } = self;
        let mut out = format!("verified: {requests} requests to {product} and to Strait, ");
        out.push_str(&match differing.len() {
            0 => "no difference".to_owned(),
            many => format!("{many} with other answers"),
        });
        if *closed > 0 {
            let _ = write!(out, "; {closed} to routes that are closed, since they are not carried over");
        }
        if *known > 0 {
            let _ = write!(out, "; {known} that differ as the list says");
        }
        out.push('\n');
        for line in differing.iter().take(SHOWN_MAX) {
            let _ = writeln!(out, "  {line}");
        }
        out
    }
}

/// Ports of this machine in place of the file's addresses.
#[derive(Default)]
struct Ports {
    origins: Origins,
    listen: BTreeMap<String, String>,
    origin: BTreeMap<String, String>,
    failed: Option<String>,
}

impl Stage for Ports {
    fn listen(&mut self, address: &str) -> String {
        let address = address.to_owned();
        self.listen.entry(address).or_insert_with(|| free_port().unwrap_or_default()).clone()
    }

    fn origin(&mut self, address: &str) -> String {
        if self.listen.values().chain(self.origin.values()).any(|known| known == address) {
            return address.to_owned();
        }
        if let Some(known) = self.origin.get(address) {
            return known.clone();
        }
        let started = self.origins.start(address).map(|at| at.to_string());
        let at = started.unwrap_or_else(|why| {
            self.failed = Some(why);
            String::new()
        });
        self.origin.insert(address.to_owned(), at.clone());
        at
    }
}

fn free_port() -> Option<String> {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map(|at| at.to_string()).ok()
}

/// A program that ends with the verification.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that goes away with the verification.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Verifies an import.
///
/// # Errors
/// One of the products does not run.
pub(super) fn verify(case: &Case<'_>) -> Result<Verdict, String> {
    let mut ports = Ports::default();
    // Read once for its probes, which name the addresses of the file.
    let (theirs, ours, probes) = both(case, &mut ports)?;
    if let Some(why) = ports.failed.take() {
        return Err(why);
    }
    let folder = folder()?;
    let peer = start_peer(case, &theirs, &folder.0)?;
    let strait = start_strait(&ours.0, &folder.0)?;
    for at in ports.listen.values().chain(ours.1.values()) {
        wait_for(at, &folder.0)?;
    }
    let mut verdict = Verdict { product: case.product.name(), ..Verdict::default() };
    for (number, probe) in probes.iter().enumerate() {
        let (Some(first), Some(second)) = (ports.listen.get(&probe.listen), ours.1.get(&probe.listen)) else {
            continue;
        };
        let (Ok(first), Ok(second)) = (first.parse(), second.parse()) else { continue };
        verdict.requests += 1;
        compare(&ports.origins, probe, number, [first, second], &mut verdict)?;
    }
    drop((peer, strait));
    Ok(verdict)
}

/// The product's file and ours on ports of this machine, with the ports that ours listens on and what is asked.
type Both = (String, (String, BTreeMap<String, String>), Vec<Probe>);

fn both(case: &Case<'_>, ports: &mut Ports) -> Result<Both, String> {
    let theirs = staged(case, ports)?;
    // The same origins, and other ports to listen on.
    let listened = std::mem::take(&mut ports.listen);
    let for_us = staged(case, ports)?;
    let ours = std::mem::replace(&mut ports.listen, listened);
    let imported =
        strait_import::import(case.product, case.name, &for_us, case.files).map_err(|mistake| mistake.to_string())?;
    let named = |at: &str| ours.iter().find(|(_, port)| *port == at).map(|(name, _)| name.clone());
    let probes = imported.probes.into_iter().filter_map(|probe| Some(Probe { listen: named(&probe.listen)?, ..probe }));
    let probes = probes.collect();
    let yaml =
        format!("admin: \"off\"\ntelemetry: {{access_log: {{format: \"off\"}}}}\n{}", without_log(&imported.yaml));
    Ok((theirs, (yaml, ours), probes))
}

/// The text without what it says of logs.
fn without_log(yaml: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in yaml.lines() {
        inside = line.starts_with("telemetry:") || inside && line.starts_with([' ', '#']);
        if !inside && !line.starts_with("admin:") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn staged(case: &Case<'_>, ports: &mut Ports) -> Result<String, String> {
    strait_import::staged(case.product, case.name, case.text, case.files, ports).map_err(|mistake| mistake.to_string())
}

fn folder() -> Result<Folder, String> {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let folder = std::env::temp_dir().join(format!("strait-import-{}-{nanos}", std::process::id()));
    // The product's workers, which may be another user's, pass through it.
    std::fs::DirBuilder::new().mode(0o711).create(&folder).map_err(|error| error.to_string())?;
    Ok(Folder(folder))
}

/// Writes a configuration, which may hold secrets, for this user alone.
fn write_private(file: &Path, text: &str) -> Result<(), String> {
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| error.to_string())
}

fn start_peer(case: &Case<'_>, text: &str, folder: &Path) -> Result<Program, String> {
    let (program, file) = match case.product {
        Product::Nginx => ("nginx", "nginx.conf"),
    };
    let path = folder.join(file);
    write_private(&path, text)?;
    let mut command = Command::new(case.program.unwrap_or(Path::new(program)));
    match case.product {
        Product::Nginx => command.arg("-p").arg(folder).arg("-c").arg(&path).args(["-e", "stderr"]),
    };
    run(command, folder, "peer.log").map_err(|error| format!("{program}: {error}"))
}

fn start_strait(yaml: &str, folder: &Path) -> Result<Program, String> {
    let file = folder.join("strait.yaml");
    write_private(&file, yaml)?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["run", "-c"]).arg(&file);
    run(command, folder, "strait.log").map_err(|error| format!("strait: {error}"))
}

fn run(mut command: Command, folder: &Path, log: &str) -> std::io::Result<Program> {
    let log = std::fs::File::create(folder.join(log))?;
    command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().map(Program)
}

/// Waits until somebody listens, and says what the programs said if nobody does.
fn wait_for(at: &str, folder: &Path) -> Result<(), String> {
    let address: SocketAddr = at.parse().map_err(|_| format!("{at} is no address"))?;
    let begun = Instant::now();
    while begun.elapsed() < START {
        if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
            return Ok(());
        }
        let said = said(folder);
        if said.contains("[emerg]") || said.contains("[ALERT]") || said.contains("error") {
            return Err(said);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(format!("nobody listens on {at}\n{}", said(folder)))
}

fn said(folder: &Path) -> String {
    let of = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    of("peer.log") + &of("strait.log")
}

/// What one product made of a request.
#[derive(Debug)]
struct Seen {
    answer: Answer,
    asked: Option<Asked>,
}

fn see(origins: &Origins, at: SocketAddr, probe: &Probe, client: Ipv4Addr) -> Result<Seen, String> {
    origins.take();
    let answer = ask(at, probe, client)?;
    Ok(Seen { answer, asked: origins.take().pop() })
}

/// An address of a client of its own: 127.1.x.y.
fn client(number: usize) -> Ipv4Addr {
    let [.., high, low] = u32::try_from(number).unwrap_or(0).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

fn compare(
    origins: &Origins,
    probe: &Probe,
    number: usize,
    at: [SocketAddr; 2],
    verdict: &mut Verdict,
) -> Result<(), String> {
    let [first, second] = at;
    let mut difference = None;
    for try_ in 0..TRIES {
        let client = client(number * TRIES + try_ + 1);
        let ours = see(origins, second, probe, client)?;
        if ours.answer.status == "501" && ours.answer.body.contains("is not carried over") {
            verdict.closed += 1;
            return Ok(());
        }
        let theirs = see(origins, first, probe, client)?;
        if (theirs.answer.status.as_str(), ours.answer.status.as_str()) == ("nothing", "400") {
            verdict.known += 1;
            return Ok(());
        }
        difference = differ(&theirs, &ours, &probe.host);
        // Which of several endpoints is asked may change from one request to the next.
        let several = matches!((&theirs.asked, &ours.asked), (Some(a), Some(b)) if a.origin != b.origin);
        if difference.is_none() || !several {
            break;
        }
    }
    match difference {
        None => {}
        Some(_) if probe.known => verdict.known += 1,
        Some(what) => {
            let fields: String = probe.fields.iter().map(|(name, value)| format!(" {name}: {value}")).collect();
            verdict.differing.push(format!("{} {}{}{fields}: {what}", probe.method, probe.host, probe.path));
        }
    }
    Ok(())
}

/// The first thing that differs.
fn differ(theirs: &Seen, ours: &Seen, host: &str) -> Option<String> {
    let said = |what: &str, a: &str, b: &str| (a != b).then(|| format!("{what} is {a:?}, and {b:?} by Strait"));
    let (a, b) = (&theirs.answer, &ours.answer);
    if let Some(what) = said("the status", &a.status, &b.status) {
        return Some(what);
    }
    let plain = |answer: &Answer| {
        let fields = answer.fields.iter().filter(|(name, _)| !OF_ANSWERS.contains(&name.as_str()));
        let mut fields: Vec<String> =
            fields.map(|(name, value)| format!("{name}: {}", relative(name, value, host))).collect();
        fields.sort();
        fields.join(", ")
    };
    if let Some(what) = said("the head", &plain(a), &plain(b)) {
        return Some(what);
    }
    if a.status.starts_with('2') && a.body.trim_end() != b.body.trim_end() {
        return said("the body", a.body.trim_end(), b.body.trim_end());
    }
    match (&theirs.asked, &ours.asked) {
        (Some(a), Some(b)) => said("the origin", &a.origin, &b.origin)
            .or_else(|| said("the request to the origin", &version_less(&a.line), &version_less(&b.line)))
            .or_else(|| said("what the origin is told", &told(a), &told(b))),
        (a, b) => said("an origin was asked", &a.is_some().to_string(), &b.is_some().to_string()),
    }
}

/// A redirect to the same host without its name: products differ in whether they write it, and the ports are not the
/// file's.
fn relative(name: &str, value: &str, host: &str) -> String {
    let rest = value.strip_prefix("http://").and_then(|rest| rest.strip_prefix(host)).filter(|_| name == "location");
    let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with([':', '/'])) else {
        return value.to_owned();
    };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned()
}

fn version_less(line: &str) -> String {
    line.rsplit_once(' ').map_or(line, |(rest, _)| rest).to_owned()
}

fn told(asked: &Asked) -> String {
    let mut fields: Vec<String> = asked
        .fields
        .iter()
        .filter(|(name, _)| !OF_REQUESTS.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let host = asked.fields.iter().find(|(name, _)| name == "host").map_or("", |(_, value)| value.as_str());
    // The name of an upstream, which nginx sends by default, is no host.
    if host.contains('.') {
        fields.push(format!("host: {host}"));
    }
    fields.sort();
    fields.join(", ")
}
