//! A check by the health protocol of gRPC (`grpc.health.v1.Health/Check`), with the HTTP/2 engine that serves traffic.

use super::probe::{Stream, receive, send};
use strait_http2::{Cause, Connection, Event, Limits, OutgoingHead, Scratch, StreamId};
use strait_message::{BodyLength, Headers, Method, NameSet, RequestHead};
use strait_plan::{GrpcCheck, Hint};

/// The method that is called.
const CALL: &[u8] = b"/grpc.health.v1.Health/Check";
/// Octets of an answer that are kept: one that says more than how it is does not speak this protocol.
const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// What stands before a message: whether it is compressed, and its length.
const FRAME_HEAD: usize = 5;
/// `grpc-status` of a method that the server has not, and of a service that it does not know.
const UNIMPLEMENTED: &[u8] = b"12";
const NOT_FOUND: &[u8] = b"5";

/// Asks, and judges the answer. `scheme` is that of the connection.
pub(super) async fn ask(
    stream: &mut dyn Stream,
    check: &GrpcCheck,
    authority: &str,
    scheme: &'static str,
) -> Result<Option<Hint>, String> {
    let mut call = Call::begin(check, authority, scheme)?;
    let mut held = Vec::new();
    loop {
        if !call.engine.output().is_empty() {
            send(stream, call.engine.output()).await?;
            call.engine.written(call.engine.output().len());
        }
        if call.take(&mut held)? {
            return call.judge(&check.service);
        }
        if !receive(stream, &mut held).await? {
            return Err("the connection was closed before an answer came".to_owned());
        }
    }
}

/// A call on its way.
struct Call {
    engine: Connection,
    scratch: Scratch,
    stream: StreamId,
    /// The message, as far as it has come.
    message: Vec<u8>,
    hint: Option<Hint>,
    status: Option<Vec<u8>>,
}

impl Call {
    fn begin(check: &GrpcCheck, authority: &str, scheme: &'static str) -> Result<Self, String> {
        let mut head = RequestHead::new(Method::Post);
        for (name, value) in &check.headers {
            head.headers.push(name.as_bytes(), value.as_bytes());
        }
        head.headers.push(b"te", b"trailers");
        let message = question(&check.service);
        let outgoing = OutgoingHead {
            head: &head,
            target: CALL,
            host: check.host.as_deref().unwrap_or(authority).as_bytes(),
            scheme,
            skip: NameSet::EMPTY,
            extra: b"Content-Type: application/grpc\r\nUser-Agent: strait-health-check\r\n",
            length: BodyLength::Unknown,
            websocket: false,
        };
        let mut engine = Connection::client(Limits::default(), 0);
        let cannot = |_| "the call cannot be made".to_owned();
        let stream = engine.open(&outgoing).map_err(|_| "the call cannot be made".to_owned())?;
        engine.send_data(stream, &message, true).map_err(cannot)?;
        let scratch = Scratch::default();
        Ok(Self { engine, scratch, stream, message: Vec::new(), hint: None, status: None })
    }

    /// Takes what has come; whether the answer is complete.
    fn take(&mut self, held: &mut Vec<u8>) -> Result<bool, String> {
        loop {
            let received =
                self.engine.recv(held, &mut self.scratch, 0).map_err(|misdeed| broken(held, misdeed.words()))?;
            let is_over = match received.event {
                Event::NeedMore => {
                    held.drain(..received.consumed);
                    return Ok(false);
                }
                Event::Response { facts, .. } => {
                    self.note_head()?;
                    facts.is_whole
                }
                Event::Data { ref range, ends, .. } => {
                    self.note_data(held.get(range.clone()).unwrap_or_default());
                    self.engine.consume(self.stream, range.len());
                    ends
                }
                Event::Trailers { .. } => {
                    self.status = status_of(&self.scratch.trailers);
                    true
                }
                Event::Reset { cause, .. } => return Err(reset(cause)),
                Event::Goaway { code } => return Err(format!("the endpoint ended the connection ({code:?})")),
                _ => false,
            };
            held.drain(..received.consumed);
            if is_over {
                return Ok(true);
            }
        }
    }

    fn note_head(&mut self) -> Result<(), String> {
        let head = &self.scratch.response;
        if head.status.code() != 200 {
            return Err(format!("the call was answered with HTTP {}", head.status.code()));
        }
        self.hint = head.headers.get_by_text(Hint::FIELD.as_bytes()).and_then(Hint::parse);
        // An answer without a message carries its trailers in its head.
        self.status = status_of(&head.headers);
        Ok(())
    }

    fn note_data(&mut self, octets: &[u8]) {
        let room = ANSWER_BYTES_MAX.saturating_sub(self.message.len());
        self.message.extend_from_slice(octets.get(..room).unwrap_or(octets));
    }

    fn judge(self, service: &str) -> Result<Option<Hint>, String> {
        match self.status.as_deref() {
            None => return Err("the answer has no grpc-status: this is no server of gRPC".to_owned()),
            Some(b"0") => {}
            Some(UNIMPLEMENTED) => return Err("the endpoint has no health service (grpc.health.v1.Health)".to_owned()),
            Some(NOT_FOUND) => return Err(format!("the endpoint knows no service `{service}`")),
            Some(code) => return Err(format!("the call failed with grpc-status {}", code.escape_ascii())),
        }
        match serving_status(&self.message) {
            Some(1) => Ok(self.hint),
            Some(2) => Err("the answer is NOT_SERVING".to_owned()),
            Some(3) => Err(format!("the endpoint knows no service `{service}`")),
            Some(_) => Err("the answer is UNKNOWN".to_owned()),
            None => Err("the answer is malformed: it is no HealthCheckResponse".to_owned()),
        }
    }
}

/// A HealthCheckRequest, framed: the service in field 1.
fn question(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(0x80 | u8::try_from(length & 0x7f).unwrap_or_default());
            length >>= 7;
        }
        message.push(u8::try_from(length).unwrap_or_default());
        message.extend_from_slice(service.as_bytes());
    }
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(&message);
    framed
}

/// The status in a framed HealthCheckResponse: field 1, and 0 where that is left out. `None` when it is none.
fn serving_status(framed: &[u8]) -> Option<u64> {
    let (head, mut message) = framed.split_at_checked(FRAME_HEAD)?;
    let (compressed, length) = head.split_first()?;
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    if *compressed != 0 || message.len() != length {
        return None;
    }
    let mut status = 0;
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        match tag & 7 {
            0 if tag >> 3 == 1 => status = varint(&mut message)?,
            0 => _ = varint(&mut message)?,
            1 => message = message.get(8..)?,
            2 => {
                let octets = usize::try_from(varint(&mut message)?).ok()?;
                message = message.get(octets..)?;
            }
            5 => message = message.get(4..)?,
            _ => return None,
        }
    }
    Some(status)
}

/// Takes a number off the front: seven bits an octet, the lowest first.
fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (octet, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn status_of(fields: &Headers) -> Option<Vec<u8>> {
    fields.get_by_text(b"grpc-status").map(<[u8]>::to_vec)
}

fn reset(cause: Cause) -> String {
    match cause {
        Cause::Peer(code) => format!("the endpoint reset the call ({code:?})"),
        Cause::Misdeed(misdeed) => format!("the answer is malformed: {}", misdeed.words()),
        Cause::NotProcessed => "the endpoint went away without looking at the call".to_owned(),
    }
}

fn broken(held: &[u8], words: &str) -> String {
    match held.starts_with(b"HTTP/1.") {
        true => "the endpoint speaks HTTP/1, not HTTP/2".to_owned(),
        false => format!("the answer is malformed: {words}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_question_names_its_service_or_none() {
        assert_eq!(question(""), [0, 0, 0, 0, 0]);
        assert_eq!(question("a.B"), [&[0, 0, 0, 0, 5, 0x0a, 3][..], b"a.B"].concat());
        let long = "s".repeat(200);
        assert_eq!(question(&long).get(5..8).unwrap(), [0x0a, 0xc8, 0x01]);
    }

    #[test]
    fn an_answer_is_read_with_whatever_else_stands_in_it() {
        let framed = |message: &[u8]| {
            let length = u32::try_from(message.len()).unwrap().to_be_bytes();
            [&[0][..], &length, message].concat()
        };
        for (message, status) in [
            (&[][..], Some(0)),
            (&[0x08, 1], Some(1)),
            (&[0x08, 2], Some(2)),
            // Fields that a later version might add: a text, two fixed numbers, a varint.
            (&[0x12, 2, b'h', b'i', 0x1d, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0x28, 0x80, 1, 0x08, 1], Some(1)),
            (&[0x08], None),
            (&[0x12, 200, 1], None),
            (&[0x0b], None),
        ] {
            assert_eq!(serving_status(&framed(message)), status, "{message:?}");
        }
        assert_eq!(serving_status(&[1, 0, 0, 0, 2, 8, 1]), None, "compressed");
        assert_eq!(serving_status(&[0, 0, 0, 0, 3, 8, 1]), None, "cut");
        assert_eq!(serving_status(b"HTT"), None);
    }
}
