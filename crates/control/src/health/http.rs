//! A check over HTTP, with the engine that serves traffic: what would be no answer to a client is none here.

use super::probe::{Stream, find, receive, send};
use strait_http1::{Client, Event, Limits, OutgoingHead};
use strait_message::{BodyLength, Headers, Method, NameSet, RequestHead, ResponseHead};
use strait_plan::{Hint, HttpCheck};

/// Octets of an answer's body that are searched.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Sends the request and judges the answer.
pub(super) async fn ask(stream: &mut dyn Stream, check: &HttpCheck, authority: &str) -> Result<Option<Hint>, String> {
    let mut engine = Client::new();
    send(stream, &request(&mut engine, check, authority)).await?;
    let (mut head, mut held) = (ResponseHead::default(), Vec::new());
    receive_head(stream, &mut engine, &mut head, &mut held).await?;
    if !check.statuses.contains(head.status.code()) {
        return Err(format!("{} {} was answered with {}", check.method, check.path, head.status.code()));
    }
    if let Some(text) = &check.body {
        let body = receive_body(stream, &mut engine, &mut held).await?;
        if find(&body, text).is_none() {
            return Err(format!("the body of the answer does not contain \"{}\"", text.escape_ascii()));
        }
    }
    Ok(head.headers.get_by_text(Hint::FIELD.as_bytes()).and_then(Hint::parse))
}

fn request(engine: &mut Client, check: &HttpCheck, authority: &str) -> Vec<u8> {
    let mut head = RequestHead::new(Method::from_token(check.method.as_bytes()).unwrap_or_default());
    for (name, value) in &check.headers {
        head.headers.push(name.as_bytes(), value.as_bytes());
    }
    let outgoing = OutgoingHead {
        head: &head,
        target: check.path.as_bytes(),
        host: check.host.as_deref().unwrap_or(authority).as_bytes(),
        skip: NameSet::EMPTY,
        extra: b"User-Agent: strait-health-check\r\nConnection: close\r\n",
        length: BodyLength::None,
        websocket: false,
    };
    let mut out = Vec::new();
    engine.send_head(&outgoing, &mut out);
    out
}

/// Receives the final head; interim ones are passed over.
async fn receive_head(
    stream: &mut dyn Stream,
    engine: &mut Client,
    head: &mut ResponseHead,
    held: &mut Vec<u8>,
) -> Result<(), String> {
    let limits = Limits::default();
    loop {
        let received = engine.recv(held, head, &limits).map_err(|misdeed| malformed(misdeed.words()))?;
        held.drain(..received.consumed);
        match received.event {
            Event::Head if head.status.is_interim() => head.clear(),
            Event::Head => return Ok(()),
            _ if receive(stream, held).await? => {}
            _ => return Err("the connection was closed before an answer came".to_owned()),
        }
    }
}

/// Receives the body, as much of it as is searched.
async fn receive_body(stream: &mut dyn Stream, engine: &mut Client, held: &mut Vec<u8>) -> Result<Vec<u8>, String> {
    let limits = Limits::default();
    let (mut body, mut trailers) = (Vec::new(), Headers::new());
    while body.len() < BODY_BYTES_MAX {
        let received = engine.recv_body(held, &mut trailers, &limits).map_err(|misdeed| malformed(misdeed.words()))?;
        if let Event::Data(range) = &received.event {
            body.extend_from_slice(held.get(range.clone()).unwrap_or_default());
        }
        held.drain(..received.consumed);
        match received.event {
            Event::End => return Ok(body),
            Event::Data(_) => {}
            _ if receive(stream, held).await? => {}
            _ => return engine.recv_eof().map(|()| body).map_err(|misdeed| malformed(misdeed.words())),
        }
    }
    Ok(body)
}

fn malformed(words: &str) -> String {
    format!("the answer is malformed: {words}")
}
