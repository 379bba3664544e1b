//! One request to a product, and what came back.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use strait_import::Probe;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most fields of a head, and most octets of an answer.
const FIELDS_MAX: usize = 200;
const ANSWER_MAX: u64 = 1 << 20;

/// What a client saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: String,
}

/// Sends a request from an address of its own, so that limits by address do not meet.
///
/// # Errors
/// There was no answer.
pub(super) fn ask(to: SocketAddr, probe: &Probe, client: Ipv4Addr) -> Result<Answer, String> {
    exchange(to, probe, client).map_err(|error| format!("{} {}{}: {error}", probe.method, probe.host, probe.path))
}

fn exchange(to: SocketAddr, probe: &Probe, client: Ipv4Addr) -> std::io::Result<Answer> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((client, 0)).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut stream = std::net::TcpStream::from(socket);
    let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", probe.method, probe.path, probe.host);
    for (name, value) in &probe.fields {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let body = if probe.method == "POST" { "a=b" } else { "" };
    if !body.is_empty() {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut reader = BufReader::new(stream.take(ANSWER_MAX));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).unwrap_or("nothing").trim().to_owned();
    let fields = fields(&mut reader).unwrap_or_default();
    let mut octets = Vec::new();
    // A peer that resets after its answer has answered.
    let _ = reader.read_to_end(&mut octets);
    let body = whole(&fields_of(&fields, "transfer-encoding"), &octets);
    Ok(Answer { status, fields, body })
}

/// The values of a field.
fn fields_of(fields: &[(String, String)], name: &str) -> String {
    fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

/// The body without its chunks.
fn whole(coding: &str, octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets).into_owned();
    if !coding.contains("chunked") {
        return text;
    }
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((size, behind)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some((chunk, after)) = behind.split_at_checked(size).filter(|_| size > 0) else { break };
        out.push_str(chunk);
        rest = after.trim_start_matches("\r\n");
    }
    out
}

/// Fields up to the empty line, names in lower case.
pub(super) fn fields(reader: &mut impl BufRead) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    while fields.len() < FIELDS_MAX {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|octets| *octets > 0)?;
        let line = line.trim_end();
        if line.is_empty() {
            return Some(fields);
        }
        let (name, value) = line.split_once(':')?;
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    None
}
