//! Where lines go: a stream, a file that may be moved aside, or a syslog daemon.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use strait_record::rfc3339_us;

/// Where the lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Nowhere: they are thrown away.
    Nowhere,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Appended to this file, which is created with mode 0640, and moved aside by this rule.
    File(PathBuf, Option<Rotation>),
    /// A message each (RFC 5424) to a daemon.
    Syslog(SyslogDaemon, SyslogMark),
}

/// When a file is moved aside and begun anew: `NAME` becomes `NAME.1`, and that `NAME.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Once it has this many octets.
    pub size: u64,
    /// Once it is this old, with the next batch.
    pub age: Option<Duration>,
    /// How many are kept beside the one that is written.
    pub keep: u32,
}

/// Where a syslog daemon is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogDaemon {
    /// On a Unix datagram socket.
    Unix(PathBuf),
    /// At `host:port` over UDP (RFC 5426). What the network loses is lost.
    Udp(String),
}

/// How messages are marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogMark {
    /// The number of the facility (RFC 5424 §6.2.1).
    pub facility: u8,
    /// APP-NAME: at most 48 printable octets of it are sent.
    pub app_name: String,
}

/// An open destination.
#[derive(Debug)]
pub(crate) enum Outlet {
    Nowhere,
    Stream(File),
    File(LogFile),
    Syslog(Syslog),
}

#[derive(Debug)]
pub(crate) struct LogFile {
    file: File,
    path: PathBuf,
    rotation: Option<Rotation>,
    written: u64,
    began: SystemTime,
}

#[derive(Debug)]
pub(crate) struct Syslog {
    socket: Datagrams,
    /// Everything before the time, and everything behind it, the same in each message.
    before: String,
    behind: String,
    message: Vec<u8>,
}

#[derive(Debug)]
enum Datagrams {
    Unix(UnixDatagram),
    Udp(UdpSocket),
}

impl Destination {
    /// Opens it.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(&self) -> io::Result<Outlet> {
        match self {
            Self::Nowhere => Ok(Outlet::Nowhere),
            // Past the standard library's line buffer: lines come in batches already.
            Self::Stdout => io::stdout().as_fd().try_clone_to_owned().map(|fd| Outlet::Stream(fd.into())),
            Self::Stderr => io::stderr().as_fd().try_clone_to_owned().map(|fd| Outlet::Stream(fd.into())),
            Self::File(path, rotation) => LogFile::open(path, *rotation).map(Outlet::File),
            Self::Syslog(daemon, mark) => Syslog::open(daemon, mark).map(Outlet::Syslog),
        }
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nowhere => f.write_str("nowhere"),
            Self::Stdout => f.write_str("stdout"),
            Self::Stderr => f.write_str("stderr"),
            Self::File(path, _) => path.display().fmt(f),
            Self::Syslog(SyslogDaemon::Unix(path), _) => write!(f, "syslog:unix:{}", path.display()),
            Self::Syslog(SyslogDaemon::Udp(daemon), _) => write!(f, "syslog:{daemon}"),
        }
    }
}

impl Outlet {
    /// Writes some of the octets, of which the last is a newline; of a daemon's one line.
    pub(crate) fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        match self {
            Self::Nowhere => Ok(lines.len()),
            Self::Stream(file) => file.write(lines),
            Self::File(file) => {
                let written = file.file.write(lines)?;
                file.written += written as u64;
                Ok(written)
            }
            Self::Syslog(syslog) => syslog.send_first(lines),
        }
    }

    /// Moves a file aside if it is time, and says whether; called between batches, so that no line is torn.
    pub(crate) fn rotate_if_due(&mut self) -> io::Result<bool> {
        match self {
            Self::File(file) => file.rotate_if_due(),
            _ => Ok(false),
        }
    }

    /// Whether a failure may be mended by opening it anew: a daemon that was started again has another socket.
    pub(crate) fn is_worth_reopening(&self) -> bool {
        matches!(self, Self::Syslog(_))
    }
}

impl LogFile {
    fn open(path: &Path, rotation: Option<Rotation>) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o640).open(path)?;
        let metadata = file.metadata()?;
        let began = metadata.created().unwrap_or_else(|_| SystemTime::now());
        Ok(Self { file, path: path.to_owned(), rotation, written: metadata.len(), began })
    }

    fn rotate_if_due(&mut self) -> io::Result<bool> {
        let Some(rotation) = self.rotation.filter(|_| self.written > 0) else { return Ok(false) };
        let age = SystemTime::now().duration_since(self.began).unwrap_or_default();
        if self.written < rotation.size && rotation.age.is_none_or(|limit| age < limit) {
            return Ok(false);
        }
        // The next file is opened before any is moved: where that fails, those that are kept stay what they are.
        let staged = numbered(&self.path, 0);
        let next = Self::open(&staged, self.rotation)?;
        for number in (1..rotation.keep).rev() {
            moved(&numbered(&self.path, number), &numbered(&self.path, number + 1))?;
        }
        moved(&self.path, &numbered(&self.path, 1))?;
        moved(&staged, &self.path)?;
        *self = Self { path: std::mem::take(&mut self.path), began: SystemTime::now(), ..next };
        Ok(true)
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// What is not there need not be moved.
fn moved(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Access records are informational (RFC 5424 §6.2.1).
const SEVERITY: u8 = 6;

impl Syslog {
    fn open(daemon: &SyslogDaemon, mark: &SyslogMark) -> io::Result<Self> {
        let socket = match daemon {
            SyslogDaemon::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                Datagrams::Unix(socket)
            }
            SyslogDaemon::Udp(address) => {
                let socket = UdpSocket::bind("0.0.0.0:0")?;
                if socket.connect(address).is_err() {
                    let socket = UdpSocket::bind("[::]:0")?;
                    socket.connect(address)?;
                    return Ok(Self::over(Datagrams::Udp(socket), mark));
                }
                Datagrams::Udp(socket)
            }
        };
        Ok(Self::over(socket, mark))
    }

    fn over(socket: Datagrams, mark: &SyslogMark) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let before = format!("<{}>1 ", mark.facility * 8 + SEVERITY);
        let (host, app) = (word(&host, 255), word(&mark.app_name, 48));
        let behind = format!(" {host} {app} {} access - ", std::process::id());
        Self { socket, before, behind, message: Vec::new() }
    }

    /// Sends the first line as a message (RFC 5424 §6).
    fn send_first(&mut self, lines: &[u8]) -> io::Result<usize> {
        let length = lines.iter().position(|octet| *octet == b'\n').unwrap_or(lines.len());
        let line = lines.get(..length).unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.message.clear();
        self.message.extend_from_slice(self.before.as_bytes());
        self.message.extend_from_slice(&rfc3339_us(u64::try_from(now.as_micros()).unwrap_or(0)));
        self.message.extend_from_slice(self.behind.as_bytes());
        self.message.extend_from_slice(line);
        match &self.socket {
            Datagrams::Unix(socket) => socket.send(&self.message)?,
            Datagrams::Udp(socket) => socket.send(&self.message)?,
        };
        Ok(lines.len().min(length + 1))
    }
}

/// Printable ASCII without blanks, at most so long; `-` for nothing (RFC 5424 §6).
fn word(text: &str, length_max: usize) -> String {
    let word: String = text.chars().filter(char::is_ascii_graphic).take(length_max).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}
