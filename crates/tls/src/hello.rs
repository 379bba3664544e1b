//! The first look at a ClientHello: which name it asks for, before there is an engine to read it.
//!
//! Only what chooses a policy is read; everything else is left to the engine, which parses the same octets again. What
//! the engine then says about the name must agree, so that no trick of encoding lets a client in under another policy.

/// What a ClientHello says of interest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// The name asked for (RFC 6066 §3), in lower case.
    pub server_name: Option<Box<str>>,
    /// Whether ChaCha20 is the first suite that it offers.
    pub prefers_chacha: bool,
    /// The protocols it offers by ALPN (RFC 7301), as they came: each with its length before it.
    pub protocols: Box<[u8]>,
}

/// What the first octets of a connection are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peeked {
    /// A whole ClientHello.
    Hello(Hello),
    /// The beginning of one.
    More,
    /// Something else, or a ClientHello that cannot be read.
    Other,
}

/// A ClientHello is at most this long: with a post-quantum share it has about 1,800 octets, with tickets 4,000.
const HELLO_OCTETS_MAX: usize = 32 * 1024;
const HANDSHAKE_RECORD: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const HOST_NAME: u8 = 0;
/// ChaCha20-Poly1305 in TLS 1.3, and in 1.2 with ECDHE of ECDSA and RSA.
const CHACHA: [u16; 3] = [0x1303, 0xcca9, 0xcca8];

/// Looks at the first octets of a connection. Takes nothing.
pub fn peek(octets: &[u8]) -> Peeked {
    match handshake_message(octets) {
        Ok(Some(message)) => parse(&message).map_or(Peeked::Other, Peeked::Hello),
        Ok(None) => Peeked::More,
        Err(NotTls) => Peeked::Other,
    }
}

struct NotTls;

/// The body of the ClientHello, put together from its records; `None` while octets are missing.
fn handshake_message(octets: &[u8]) -> Result<Option<Vec<u8>>, NotTls> {
    let mut message = Vec::new();
    let mut rest = octets;
    loop {
        if let Some(body) = whole_message(&message)? {
            return Ok(Some(body.to_vec()));
        }
        match rest.first() {
            None => return Ok(None),
            Some(&HANDSHAKE_RECORD) => {}
            Some(_) => return Err(NotTls),
        }
        if rest.get(1).is_some_and(|major| *major != 3) {
            return Err(NotTls);
        }
        let Some((header, after)) = rest.split_first_chunk::<5>() else { return Ok(None) };
        let [_, _, _, high, low] = *header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 || message.len() + length > HELLO_OCTETS_MAX {
            return Err(NotTls);
        }
        let (payload, after) = after.split_at_checked(length).unwrap_or((after, &[]));
        message.extend_from_slice(payload);
        if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return Err(NotTls);
        }
        if payload.len() < length {
            return Ok(None);
        }
        rest = after;
    }
}

/// The body of the message, once it is whole.
fn whole_message(message: &[u8]) -> Result<Option<&[u8]>, NotTls> {
    let Some((header, body)) = message.split_first_chunk::<4>() else { return Ok(None) };
    let [_, a, b, c] = *header;
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    if length > HELLO_OCTETS_MAX {
        return Err(NotTls);
    }
    Ok(body.get(..length))
}

/// The ClientHello of RFC 8446 §4.1.2.
fn parse(body: &[u8]) -> Option<Hello> {
    let mut reader = Reader(body);
    reader.take(2 + 32)?;
    reader.vector8()?;
    let suites = reader.vector16()?;
    reader.vector8()?;
    let mut hello = Hello { prefers_chacha: prefers_chacha(suites), ..Hello::default() };
    if reader.0.is_empty() {
        return Some(hello);
    }
    let mut extensions = Reader(reader.vector16()?);
    let mut named = false;
    while !extensions.0.is_empty() {
        let kind = extensions.number16()?;
        let extension = extensions.vector16()?;
        match kind {
            // Twice the same extension is refused by the engine too (RFC 8446 §4.2).
            SERVER_NAME if std::mem::replace(&mut named, true) => return None,
            SERVER_NAME => hello.server_name = server_name(extension)?,
            ALPN => hello.protocols = Reader(extension).vector16()?.into(),
            _ => {}
        }
    }
    Some(hello)
}

/// The first suite that is one: values of GREASE (RFC 8701) mean nothing.
fn prefers_chacha(suites: &[u8]) -> bool {
    let pairs = suites.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok()).map(u16::from_be_bytes);
    let first = pairs.into_iter().find(|suite| suite & 0x0f0f != 0x0a0a);
    first.is_some_and(|first| CHACHA.contains(&first))
}

fn server_name(extension: &[u8]) -> Option<Option<Box<str>>> {
    let mut list = Reader(Reader(extension).vector16()?);
    while !list.0.is_empty() {
        let kind = list.number8()?;
        let name = list.vector16()?;
        if kind == HOST_NAME {
            let name = std::str::from_utf8(name).ok().filter(|name| name.is_ascii() && !name.is_empty())?;
            return Some(Some(name.to_ascii_lowercase().into()));
        }
    }
    Some(None)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(taken)
    }

    fn number8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = self.number8()?;
        self.take(length.into())
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.number16()?;
        self.take(length.into())
    }
}

#[cfg(test)]
mod tests;
