//! One check of one endpoint.

use super::{grpc, http};
use std::io;
use std::net::SocketAddr;
use strait_plan::{CheckKind, CheckStep, Endpoint, EndpointAddress, HealthCheck, Hint};
use strait_tls::{ClientPolicy, EngineError, HandshakeFailure, failure_of};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// The most that is read while a text is awaited.
const READ_MAX: usize = 64 * 1024;

/// Who is asked.
pub(super) struct Asked<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// The port, where it is another one than requests go to.
    pub(super) port: Option<u16>,
    /// How TLS is spoken; `None` for none.
    pub(super) tls: Option<&'a ClientPolicy>,
}

/// A connection of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Asks. What the endpoint says about itself, where it says something.
///
/// # Errors
/// Why the check failed, for people.
pub(super) async fn probe(check: &HealthCheck, asked: &Asked<'_>) -> Result<Option<Hint>, String> {
    let mut stream = connect(asked).await?;
    if let Some(policy) = asked.tls {
        stream = secure(stream, policy).await?;
    }
    let scheme = if asked.tls.is_some() { "https" } else { "http" };
    let outcome = match &check.kind {
        CheckKind::Http(http) => http::ask(&mut *stream, http, &asked.authority()).await,
        CheckKind::Tcp(steps) => play(&mut *stream, steps).await.map(|()| None),
        CheckKind::Grpc(grpc) => grpc::ask(&mut *stream, grpc, &asked.authority(), scheme).await,
    };
    // An endpoint that is left without a word logs every check as a connection that broke.
    let _ = stream.shutdown().await;
    outcome
}

/// How TLS is spoken in checks of an endpoint: as requests do, with the protocols of the check.
pub(super) fn policy(check: &HealthCheck, endpoint: &Endpoint) -> Option<ClientPolicy> {
    let own = endpoint.state.tls.as_ref().filter(|_| check.tls)?;
    Some(own.speaking(check.kind.protocols()))
}

/// Shakes hands.
async fn secure(stream: Box<dyn Stream>, policy: &ClientPolicy) -> Result<Box<dyn Stream>, String> {
    let connector = TlsConnector::from(policy.config().clone());
    match connector.connect(policy.server_name.clone(), stream).await {
        Ok(secured) => Ok(Box::new(secured)),
        Err(error) => Err(format!("the TLS handshake failed: {}", why(&error).sentence())),
    }
}

fn why(error: &io::Error) -> HandshakeFailure {
    let own = error.get_ref().and_then(|inner| inner.downcast_ref::<EngineError>());
    own.map_or(HandshakeFailure::Closed, failure_of)
}

impl Asked<'_> {
    /// What the endpoint is called in a Host field.
    fn authority(&self) -> String {
        let own = &self.endpoint.authority;
        match (self.port, own.rsplit_once(':')) {
            (Some(port), Some((host, _))) => format!("{host}:{port}"),
            _ => own.to_string(),
        }
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        let resolved = self.endpoint.state.resolved();
        resolved.iter().map(|at| SocketAddr::new(at.ip(), self.port.unwrap_or(at.port()))).collect()
    }
}

/// Opens a connection, to the addresses in turn as requests do.
async fn connect(asked: &Asked<'_>) -> Result<Box<dyn Stream>, String> {
    if let EndpointAddress::Unix(path) = &asked.endpoint.state.address {
        let stream = UnixStream::connect(path).await.map_err(|error| not_opened(&path.display(), &error))?;
        return Ok(Box::new(stream));
    }
    let mut why = "its name does not resolve".to_owned();
    for address in asked.addresses() {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A check that waits for more to send is late for nothing.
                let _ = stream.set_nodelay(true);
                return Ok(Box::new(stream));
            }
            Err(error) => why = not_opened(&address, &error),
        }
    }
    Err(why)
}

fn not_opened(address: &dyn std::fmt::Display, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("{address} refuses connections"),
        _ => format!("{address} cannot be connected to: {error}"),
    }
}

/// Goes through the steps.
async fn play(stream: &mut dyn Stream, steps: &[CheckStep]) -> Result<(), String> {
    let mut held = Vec::new();
    for step in steps {
        match step {
            CheckStep::Send(octets) => send(stream, octets).await?,
            CheckStep::Expect(octets) => expect(stream, octets, &mut held).await?,
        }
    }
    Ok(())
}

pub(super) async fn send(stream: &mut dyn Stream, octets: &[u8]) -> Result<(), String> {
    stream.write_all(octets).await.map_err(|error| format!("the connection broke while sending: {error}"))
}

/// Reads until these octets have arrived, and keeps what is behind them.
async fn expect(stream: &mut dyn Stream, octets: &[u8], held: &mut Vec<u8>) -> Result<(), String> {
    loop {
        if let Some(at) = find(held, octets) {
            held.drain(..at + octets.len());
            return Ok(());
        }
        if held.len() >= READ_MAX || !receive(stream, held).await? {
            return Err(format!("expected {}, got {}", shown(octets), shown(held)));
        }
    }
}

/// Reads once more; whether anything came.
pub(super) async fn receive(stream: &mut dyn Stream, held: &mut Vec<u8>) -> Result<bool, String> {
    let read = stream.read_buf(held).await;
    read.map(|octets| octets > 0).map_err(|error| format!("the connection broke: {error}"))
}

/// Where these octets stand among others.
pub(super) fn find(all: &[u8], octets: &[u8]) -> Option<usize> {
    all.windows(octets.len().max(1)).position(|window| window == octets)
}

/// The beginning of what was received, fit for a log line.
fn shown(octets: &[u8]) -> String {
    const SHOWN_MAX: usize = 40;
    if octets.is_empty() {
        return "nothing".to_owned();
    }
    let start = octets.get(..SHOWN_MAX).unwrap_or(octets);
    let more = if octets.len() > SHOWN_MAX { "…" } else { "" };
    format!("\"{}\"{more}", start.escape_ascii())
}
