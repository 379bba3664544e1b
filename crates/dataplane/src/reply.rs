//! Responses that Strait makes itself: redirects, fixed ones, and those that explain a fault.

use crate::course::append_server_timing;
use crate::exchange::Exchange;
use crate::fault::client_interrupt;
use crate::filter;
use crate::forward;
use crate::known::Known;
use crate::pace::Pace;
use crate::relay::{Trouble, send_all};
use crate::request_id;
use crate::stream::Interrupt;
use std::fmt::Write;
use strait_message::{BodyLength, Fault, Kind, Method, Name, Origin, Phase, ResponseHead, Status};
use strait_plan::{Redirect, Respond};

/// A response in the making.
struct Reply<'a> {
    head: ResponseHead,
    body: &'a [u8],
}

impl<'a> Reply<'a> {
    fn new(status: Status, content_type: &str, body: &'a [u8]) -> Self {
        let mut head = ResponseHead::new(status);
        if !content_type.is_empty() {
            head.headers.push_name(Name::ContentType, content_type.as_bytes());
        }
        Self { head, body }
    }
}

/// Answers with a redirect.
pub(crate) async fn redirect(exchange: &mut Exchange<'_>, redirect: &Redirect) -> Result<(), Fault> {
    let location = redirect.location(&Known::of(exchange).evidence());
    let mut reply = Reply::new(redirect.status, "", b"");
    reply.head.headers.push_name(Name::Location, &location);
    send(exchange, reply).await
}

/// Answers with a redirect to the same by https. 308 keeps the method and the body.
pub(crate) async fn to_https(exchange: &mut Exchange<'_>, port: u16) -> Result<(), Fault> {
    let scratch = &exchange.scratch;
    let mut location = b"https://".to_vec();
    location.extend_from_slice(&scratch.host);
    if port != 443 {
        location.extend_from_slice(format!(":{port}").as_bytes());
    }
    location.extend_from_slice(&scratch.target);
    let mut reply = Reply::new(Status::PERMANENT_REDIRECT, "", b"");
    reply.head.headers.push_name(Name::Location, &location);
    send(exchange, reply).await
}

/// Answers with a fixed response.
pub(crate) async fn respond(exchange: &mut Exchange<'_>, respond: &Respond) -> Result<(), Fault> {
    let mut rendered = Vec::new();
    let body = respond.body.as_literal().unwrap_or_else(|| {
        respond.body.render(&Known::of(exchange).evidence(), &mut rendered);
        &rendered
    });
    let mut reply = Reply::new(respond.status, &respond.content_type, body);
    let values = respond.headers.values(&Known::of(exchange).evidence());
    respond.headers.apply(&mut reply.head.headers, &values);
    send(exchange, reply).await
}

/// Answers with what a filter says in the origin's place.
pub(crate) async fn filtered(exchange: &mut Exchange<'_>, reply: filter::Reply) -> Result<(), Fault> {
    let filter::Reply { head, body } = reply;
    match body {
        filter::Body::Octets(octets) => send(exchange, Reply { head, body: &octets }).await,
        filter::Body::Problem(why) => {
            let mut body = String::new();
            let filter = exchange.scratch.passage.progress.answered_by.map_or("", |kind| kind.name());
            let code = format!("filter:{filter}");
            let problem = Problem { status: head.status, detail: &sentence(&why), code: &code };
            let content_type = problem.write(exchange, &mut body);
            let mut reply = Reply { head, body: body.as_bytes() };
            reply.head.headers.push_name(Name::ContentType, content_type.as_bytes());
            send(exchange, reply).await
        }
    }
}

/// Text as it may stand in JSON and HTML: filters speak in words of the configuration.
fn sentence(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\' | '<' | '>' | '&')).collect()
}

/// Answers OPTIONS that goes no further than here.
pub(crate) async fn own_options(exchange: &mut Exchange<'_>) -> Result<(), Fault> {
    let mut reply = Reply::new(Status::NO_CONTENT, "", b"");
    reply.head.headers.push_name(Name::Allow, b"GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
    send(exchange, reply).await
}

/// Answers with what went wrong, as far as anybody is there to hear it, and gives the fault back.
pub(crate) async fn fault(exchange: &mut Exchange<'_>, fault: Fault) -> Result<(), Fault> {
    let gone = fault.origin == Origin::Client && matches!(fault.kind, Kind::Closed | Kind::Reset);
    let never_asked = fault.kind == Kind::Timeout && !exchange.tally.head_is_complete;
    if gone || (never_asked && exchange.scratch.request.target().is_empty()) {
        return Err(fault);
    }
    let malformed = fault.origin == Origin::Client && fault.phase == Phase::RequestHead;
    // An upload that failed may leave octets of the body that were counted and not taken: they are no request.
    let had_body = !exchange.server.request_length().is_none();
    if malformed || had_body || !exchange.server.request_is_done() {
        // Where the next request begins is not known, or not worth reading up to, or the client is not to be trusted.
        exchange.server.close_after_response();
    }
    let mut body = String::new();
    let content_type = explain(exchange, &fault, &mut body);
    let mut reply = Reply::new(status(&fault), content_type, body.as_bytes());
    add_fault_fields(exchange, &fault, &mut reply.head);
    // The answer may fail to arrive; what is written down is why there was one.
    let pace = exchange.fault_pace();
    exchange.tally.fault_answered = send_at(exchange, reply, pace).await.is_ok();
    Err(fault)
}

/// The status of the answer to a fault; some misdeeds have one of their own.
fn status(fault: &Fault) -> Status {
    if fault.origin != Origin::Client {
        return fault.status();
    }
    let by_http1 = strait_http1::Misdeed::ALL.iter().find(|misdeed| misdeed.words() == fault.detail);
    let by_http2 = || strait_http2::Misdeed::ALL.iter().find(|misdeed| misdeed.words() == fault.detail)?.status();
    by_http1.map(|misdeed| misdeed.status()).or_else(by_http2).unwrap_or_else(|| fault.status())
}

fn add_fault_fields(exchange: &Exchange<'_>, fault: &Fault, head: &mut ResponseHead) {
    let mut text = String::new();
    // RFC 9209 §2: who answers, and what went wrong in registered words and in plain ones.
    let _ = write!(text, "strait; error={}; details=\"{fault}\"", fault.proxy_status());
    head.headers.push_name(Name::ProxyStatus, text.as_bytes());
    head.headers.push_name(Name::CacheControl, b"no-store");
    if status(fault) == Status::UNAVAILABLE {
        head.headers.push_name(Name::RetryAfter, b"1");
    }
    if fault.kind == Kind::MethodNotAllowed {
        let allow = exchange
            .scratch
            .response
            .headers
            .get(Name::Allow)
            .unwrap_or(b"GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
        head.headers.push_name(Name::Allow, allow);
    }
}

/// Writes the body of the answer to a fault. What an upstream did is told in general words only.
fn explain(exchange: &Exchange<'_>, fault: &Fault, body: &mut String) -> &'static str {
    let (detail, code) = (fault.to_string(), fault.code().to_string());
    Problem { status: status(fault), detail: &detail, code: &code }.write(exchange, body)
}

/// Why there is no other answer.
struct Problem<'a> {
    status: Status,
    detail: &'a str,
    code: &'a str,
}

impl Problem<'_> {
    /// Writes it in the form the client prefers, and returns its type.
    fn write(&self, exchange: &Exchange<'_>, body: &mut String) -> &'static str {
        let Self { status, detail, code } = *self;
        let id = request_id::text(&exchange.id);
        let accept = exchange.scratch.request.headers.get(Name::Accept).unwrap_or_default();
        if accept.windows(9).any(|window| window.eq_ignore_ascii_case(b"text/html")) {
            let _ = writeln!(
                body,
                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{number} {reason}</title>\
             <body style=\"font-family:system-ui,sans-serif;margin:15vh auto;max-width:36em;padding:0 1em\">\
             <h1>{number} {reason}</h1><p>{detail}.</p><p><small>Request {id}</small></p>",
                number = status.code(),
                reason = status.reason(),
            );
            return "text/html; charset=utf-8";
        }
        let _ = writeln!(
            body,
            "{{\"type\":\"about:blank\",\"title\":\"{}\",\"status\":{},\"detail\":\"{detail}\",\"code\":\"{code}\",\
         \"request_id\":\"{id}\"}}",
            status.reason(),
            status.code(),
        );
        "application/problem+json"
    }
}

/// Answers with a status and why, in the form the client prefers.
pub(crate) async fn own(
    exchange: &mut Exchange<'_>,
    status: Status,
    detail: &'static str,
    code: &'static str,
) -> Result<(), Fault> {
    let mut body = String::new();
    let content_type = Problem { status, detail, code }.write(exchange, &mut body);
    text(exchange, status, content_type, body.as_bytes()).await
}

/// Answers with a text.
pub(crate) async fn text(
    exchange: &mut Exchange<'_>,
    status: Status,
    content_type: &str,
    body: &[u8],
) -> Result<(), Fault> {
    send(exchange, Reply::new(status, content_type, body)).await
}

/// Answers that it is elsewhere.
pub(crate) async fn moved(exchange: &mut Exchange<'_>, status: Status, location: &[u8]) -> Result<(), Fault> {
    let mut reply = Reply::new(status, "", b"");
    reply.head.headers.push_name(Name::Location, location);
    send(exchange, reply).await
}

/// Sends a whole response.
async fn send(exchange: &mut Exchange<'_>, reply: Reply<'_>) -> Result<(), Fault> {
    let pace = exchange.client_pace();
    send_at(exchange, reply, pace).await
}

/// Sends a whole response at a pace.
async fn send_at<'c>(exchange: &mut Exchange<'c>, mut reply: Reply<'_>, mut pace: Pace<'c>) -> Result<(), Fault> {
    if let Some(route) = exchange.tally.route {
        Known::of(exchange).edit_response(&mut reply.head, &route.response_headers);
    }
    filter::reply(exchange, &mut reply.head, reply.body.len());
    let body = exchange.scratch.passage.notes.whole_body(reply.body);
    put_at(exchange, &reply.head, &body, &mut pace).await
}

/// Sends a whole response that nobody changes any more.
pub(crate) async fn put(exchange: &mut Exchange<'_>, head: &ResponseHead, body: &[u8]) -> Result<(), Fault> {
    let mut pace = exchange.client_pace();
    put_at(exchange, head, body, &mut pace).await
}

/// Begins a response with its head, which nobody changes any more, in the exchange's output.
pub(crate) fn begin(exchange: &mut Exchange<'_>, head: &ResponseHead, length: BodyLength) {
    if !exchange.server.request_is_done() {
        exchange.server.close_after_response();
    }
    let mut extra = std::mem::take(&mut exchange.scratch.extra);
    extra.clear();
    forward::append_own_fields(exchange.worker, &exchange.id, &mut extra);
    if exchange.tally.server_timing {
        let (trace, now_us) = (exchange.scratch.course.trace, exchange.worker.clock.now_us());
        append_server_timing(&exchange.tally, trace.as_ref(), None, now_us, &mut extra);
    }
    exchange.worker.buffers.take_output_into(&mut exchange.output);
    let begun = exchange.server.send_head(head, length, &extra, &mut exchange.output);
    exchange.tally.response_begun.set(begun);
    exchange.scratch.extra = extra;
    exchange.tally.status.set(Some(head.status));
}

async fn put_at<'c>(
    exchange: &mut Exchange<'c>,
    head: &ResponseHead,
    body: &[u8],
    pace: &mut Pace<'c>,
) -> Result<(), Fault> {
    // What 304 says about a length is said of the body it does not have.
    let length = match head.status {
        Status::NOT_MODIFIED => BodyLength::None,
        _ => BodyLength::Fixed(body.len() as u64),
    };
    begin(exchange, head, length);
    let bodiless = exchange.scratch.request.method == Method::Head || head.status.forbids_body();
    let body = if bodiless { &[] } else { body };
    exchange.server.frame_whole(body.len(), &mut exchange.output);
    exchange.tally.response_octets.set(body.len() as u64);
    let parts = [exchange.output.as_slice(), body, b""];
    let (client, begun) = (&exchange.client, &exchange.tally.response_begun);
    let sent = send_all(exchange.worker, &client.socket, parts, &client.alarm, pace, begun).await;
    sent.map_err(|trouble| match trouble {
        Trouble::SinkIo(error) => client_interrupt(Phase::ResponseBody, &Interrupt::Io(error)),
        _ => Fault::client(Phase::ResponseBody, Kind::TooSlow),
    })
}
