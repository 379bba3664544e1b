//! One connection's engine: octets from the peer in, plain octets out, and the other way round.
//!
//! Nothing is buffered here between calls but what the protocol itself must remember, so that an idle connection is
//! small: whoever drives it keeps what has come and not been taken, and what has not left.

use crate::client::ClientPolicy;
use crate::hello::Hello;
use crate::identity::{Facts, Identity};
use crate::policy::ServerPolicy;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{CommonState, Error, HandshakeKind, ProtocolVersion};

/// Plain octets in one record at most (RFC 8446 §5.1).
const RECORD_OCTETS_MAX: usize = 16 * 1024;
/// What a record is longer than what it holds, at most: header, explicit nonce, tag, kind.
const RECORD_OVERHEAD_MAX: usize = 5 + 8 + 16 + 1;
/// Room for a close_notify with whatever is queued before it.
const CLOSE_OCTETS_MAX: usize = 512;

/// A connection, in either role.
#[derive(Debug)]
pub struct TlsEngine {
    role: Role,
    peer_closed: bool,
    closed: bool,
}

enum Role {
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

impl std::fmt::Debug for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Server(_)) { "Server" } else { "Client" })
    }
}

/// Where plain octets go: to the reader's own room first, and what does not fit to `rest`.
#[derive(Debug)]
pub struct Room<'a> {
    /// The reader's room.
    pub room: &'a mut [u8],
    /// How much of it is filled.
    pub filled: usize,
    /// What did not fit.
    pub rest: &'a mut Vec<u8>,
}

impl<'a> Room<'a> {
    /// No octets yet.
    pub fn new(room: &'a mut [u8], rest: &'a mut Vec<u8>) -> Self {
        Self { room, filled: 0, rest }
    }

    fn put(&mut self, octets: &[u8]) {
        let free = self.room.get_mut(self.filled..).unwrap_or_default();
        let (now, later) = octets.split_at_checked(free.len()).unwrap_or((octets, &[]));
        if let Some(free) = free.get_mut(..now.len()) {
            free.copy_from_slice(now);
        }
        self.filled += now.len();
        self.rest.extend_from_slice(later);
    }
}

/// Runs the engine over what has come until it wants more, whichever role it has: the two are different types.
macro_rules! run {
    ($connection:expr, $incoming:expr, $room:expr, $out:expr, $peer_closed:expr) => {{
        let mut taken = 0;
        loop {
            let rest = $incoming.get_mut(taken..).unwrap_or_default();
            let UnbufferedStatus { discard, state } = $connection.process_tls_records(rest);
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        $room.put(record.payload);
                        taken += record.discard;
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => append(|room| data.encode(room), $out)?,
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => $peer_closed = true,
                Ok(ConnectionState::ReadEarlyData(_)) => return Err(Error::HandshakeNotComplete),
                Ok(_) => return Ok(taken + discard),
                Err(error) => {
                    // The alert that tells the peer. The engine remembers places in what it was given: it must see
                    // the same octets again.
                    taken += discard;
                    while $connection.wants_write() {
                        let rest = $incoming.get_mut(taken..).unwrap_or_default();
                        let UnbufferedStatus { discard, state } = $connection.process_tls_records(rest);
                        let Ok(ConnectionState::EncodeTlsData(mut data)) = state else { break };
                        append(|room| data.encode(room), $out)?;
                        taken += discard;
                    }
                    return Err(error);
                }
            }
            taken += discard;
        }
    }};
}

/// Brings the engine to where it encrypts, and lets it.
macro_rules! write {
    ($connection:expr, $pending:expr, $traffic:ident, $write:expr) => {
        match $connection.process_tls_records($pending).state {
            Ok(ConnectionState::WriteTraffic(mut $traffic)) => $write,
            Ok(ConnectionState::TransmitTlsData(mut data)) => match data.may_encrypt_app_data() {
                Some(mut $traffic) => $write,
                None => Err(Error::HandshakeNotComplete),
            },
            Ok(_) => Err(Error::HandshakeNotComplete),
            Err(error) => Err(error),
        }
    };
}

/// Lets something be encoded behind what is there, in as much room as it asks for.
fn append(mut encode: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>, out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    let mut room = 512;
    loop {
        out.resize(start + room, 0);
        match encode(out.get_mut(start..).unwrap_or_default()) {
            Ok(written) => {
                out.truncate(start + written);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(size)) if size.required_size > room => room = size.required_size,
            Err(error) => {
                out.truncate(start);
                return Err(Error::General(error.to_string()));
            }
        }
    }
}

impl TlsEngine {
    /// The side that was connected to, under a policy.
    ///
    /// # Errors
    /// What the engine says of its configuration.
    pub fn server(policy: &ServerPolicy, hello: &Hello) -> Result<Self, Error> {
        let connection = UnbufferedServerConnection::new(policy.config(hello).clone())?;
        Ok(Self::of(Role::Server(Box::new(connection))))
    }

    /// The side that connects.
    ///
    /// # Errors
    /// What the engine says of its configuration.
    pub fn client(policy: &ClientPolicy) -> Result<Self, Error> {
        let connection = UnbufferedClientConnection::new(policy.config.clone(), policy.server_name.clone())?;
        Ok(Self::of(Role::Client(Box::new(connection))))
    }

    fn of(role: Role) -> Self {
        Self { role, peer_closed: false, closed: false }
    }

    /// Takes what has come from the peer: whole records, and of the last one as much as there is. Returns how many
    /// octets are done with; the rest must stand at the front of the next call. Records that must be sent are appended
    /// to `out`, after an error too: the alert that tells the peer.
    ///
    /// # Errors
    /// What is wrong with what came. The connection is then over.
    pub fn recv(&mut self, incoming: &mut [u8], room: &mut Room<'_>, out: &mut Vec<u8>) -> Result<usize, Error> {
        match &mut self.role {
            Role::Server(connection) => run!(connection, incoming, room, out, self.peer_closed),
            Role::Client(connection) => run!(connection, incoming, room, out, self.peer_closed),
        }
    }

    /// Seals octets into records, as many as there is room for. `pending` is what has come and was not done with.
    /// Returns the octets sealed and the octets written.
    ///
    /// # Errors
    /// When nothing may be sent: before the end of the handshake, after a close.
    pub fn send(&mut self, pending: &mut [u8], plain: &[u8], out: &mut [u8]) -> Result<(usize, usize), Error> {
        match &mut self.role {
            Role::Server(connection) => {
                write!(connection, pending, traffic, seal(plain, out, |plain, out| traffic.encrypt(plain, out)))
            }
            Role::Client(connection) => {
                write!(connection, pending, traffic, seal(plain, out, |plain, out| traffic.encrypt(plain, out)))
            }
        }
    }

    /// Appends the record that says that nothing more will be sent (RFC 8446 §6.1), once.
    pub fn close(&mut self, pending: &mut [u8], out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let mut room = [0; CLOSE_OCTETS_MAX];
        let written = match &mut self.role {
            Role::Server(connection) => {
                write!(connection, pending, traffic, close(traffic.queue_close_notify(&mut room)))
            }
            Role::Client(connection) => {
                write!(connection, pending, traffic, close(traffic.queue_close_notify(&mut room)))
            }
        };
        // Where nothing can be sealed any more, there is nothing to say.
        out.extend_from_slice(room.get(..written.unwrap_or(0)).unwrap_or_default());
    }

    /// Whether the peer has said that it will send nothing more.
    pub fn peer_has_closed(&self) -> bool {
        self.peer_closed
    }

    /// Whether the handshake is still going on.
    pub fn is_handshaking(&self) -> bool {
        self.common().is_handshaking()
    }

    /// What is known once the handshake is done, under which policy of the listener and for which name.
    pub fn facts(&self, policy: usize, server_name: Option<Box<str>>) -> Facts {
        let common = self.common();
        Facts {
            version: match common.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "",
            },
            suite: common.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or_default(),
            server_name,
            protocol: common.alpn_protocol().map(Into::into),
            resumed: common.handshake_kind() == Some(HandshakeKind::Resumed),
            client: self.identity().map(Box::new),
            policy,
        }
    }

    fn identity(&self) -> Option<Identity> {
        let Role::Server(connection) = &self.role else { return None };
        Identity::of(connection.peer_certificates()?.first()?)
    }

    fn common(&self) -> &CommonState {
        match &self.role {
            Role::Server(connection) => connection,
            Role::Client(connection) => connection,
        }
    }
}

/// Seals piece by piece until room or octets end.
fn seal(
    plain: &[u8],
    out: &mut [u8],
    mut encrypt: impl FnMut(&[u8], &mut [u8]) -> Result<usize, EncryptError>,
) -> Result<(usize, usize), Error> {
    let (mut sealed, mut written) = (0, 0);
    while sealed < plain.len() {
        let room = out.get_mut(written..).unwrap_or_default();
        let fits = room.len().saturating_sub(RECORD_OVERHEAD_MAX).min(RECORD_OCTETS_MAX);
        let rest = plain.get(sealed..).unwrap_or_default();
        let piece = rest.get(..fits).unwrap_or(rest);
        if piece.is_empty() {
            break;
        }
        match encrypt(piece, room) {
            Ok(octets) => written += octets,
            // Something that was queued before it takes the room.
            Err(EncryptError::InsufficientSize(_)) if written > 0 => break,
            Err(error) => return Err(Error::General(error.to_string())),
        }
        sealed += piece.len();
    }
    Ok((sealed, written))
}

fn close(outcome: Result<usize, EncryptError>) -> Result<usize, Error> {
    outcome.map_err(|error| Error::General(error.to_string()))
}
