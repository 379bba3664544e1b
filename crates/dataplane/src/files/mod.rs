//! Static files: an exchange whose answer lies on a disk.
//!
//! A worker never waits for a disk. What the kernel has in its caches is opened and read at once; the rest is done on a
//! thread that may wait, while the exchange awaits it no longer than it may take as a whole.

mod find;
mod send;
mod system;

use crate::exchange::Exchange;
use crate::filter;
use crate::known::Known;
use crate::reply;
use crate::request_id::text;
use crate::worker::Worker;
use find::{Found, Opened, Wanted};
use send::Sender;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use strait_files::{Body, Form, Place, Represented, Validators, below, listing, media_type};
use strait_filters::compress::{Coding, choose};
use strait_message::{BodyLength, Fault, Kind, Method, Name, Phase, RequestHead, ResponseHead, Status};
use strait_plan::Files;

/// A file system that does not answer for so long is down.
const DISK_MS_MAX: u64 = 30_000;

/// Answers with a file, with what a folder holds, or with why there is neither.
pub(crate) async fn serve(exchange: &mut Exchange<'_>, files: &Arc<Files>) -> Result<(), Fault> {
    if !matches!(exchange.scratch.request.method, Method::Get | Method::Head) {
        exchange.scratch.response.headers.push_name(Name::Allow, b"GET, HEAD");
        let refused = Fault::operator(Phase::Route, Kind::MethodNotAllowed);
        return Err(refused.because("files are read, by GET and HEAD"));
    }
    let Some(place) = place(exchange, files) else { return missing(exchange).await };
    match find(exchange, files, place).await? {
        Found::File(opened) => deliver(exchange, opened).await,
        Found::Folder => add_slash(exchange).await,
        Found::Entries(entries) => list(exchange, entries).await,
        Found::Missing => missing(exchange).await,
        Found::Forbidden => reply::own(exchange, Status::FORBIDDEN, "the file may not be read", "file.forbidden").await,
    }
}

/// Which name is asked for. A filter that rewrote the target said the name whole.
fn place(exchange: &Exchange<'_>, files: &Files) -> Option<Place> {
    let scratch = &exchange.scratch;
    let (target, skip) = match scratch.rewritten.is_empty() {
        true => (&*scratch.path, files.skip),
        false => (&*scratch.rewritten, 0),
    };
    let path = target.split(|&octet| octet == b'?').next().unwrap_or_default();
    below(path, skip, files.hidden)
}

async fn find(exchange: &Exchange<'_>, files: &Arc<Files>, place: Place) -> Result<Found, Fault> {
    let codings = accepted(&exchange.scratch.request, &files.precompressed);
    let found = match (Wanted { files, place: &place, codings: &codings }).find(true) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            let files = files.clone();
            let find = move || Wanted { files: &files, place: &place, codings: &codings }.find(false);
            off_worker(exchange, find).await?
        }
        found => found,
    };
    found.map_err(|_| unreadable())
}

/// The codings among ours that the client accepts, the one it prefers first.
fn accepted(request: &RequestHead, ours: &[Coding]) -> Vec<Coding> {
    let mut left = ours.to_vec();
    let next = || {
        let best = choose(request.headers.get_all(Name::AcceptEncoding), left.iter().copied())?;
        left.retain(|coding| *coding != best);
        Some(best)
    };
    std::iter::from_fn(next).collect()
}

fn unreadable() -> Fault {
    Fault::upstream(Phase::Connect, Kind::Unreachable).because("the file cannot be read")
}

/// Does what may wait for a disk on a thread of its own.
async fn off_worker<T: Send + 'static>(
    exchange: &Exchange<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let (worker, alarm) = (exchange.worker, &exchange.client.alarm);
    let now_ms = worker.clock.now_ms();
    alarm.set(exchange.deadline_ms.min(now_ms.saturating_add(DISK_MS_MAX)), now_ms);
    await_thread(alarm, work).await
}

async fn await_thread<T: Send + 'static>(
    alarm: &crate::alarm::Alarm,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let mut task = tokio::task::spawn_blocking(work);
    let done = poll_fn(|cx| match Pin::new(&mut task).poll(cx) {
        Poll::Ready(done) => Poll::Ready(done.map_err(|_| unreadable())),
        Poll::Pending => alarm.poll(cx).map(|()| Err(silent())),
    });
    done.await
}

fn silent() -> Fault {
    Fault::upstream(Phase::ResponseHead, Kind::Timeout).because("the file system did not answer in time")
}

async fn missing(exchange: &mut Exchange<'_>) -> Result<(), Fault> {
    reply::own(exchange, Status::NOT_FOUND, "there is no such file", "file.missing").await
}

/// A folder is named with a slash, or links in its index would lead elsewhere.
async fn add_slash(exchange: &mut Exchange<'_>) -> Result<(), Fault> {
    let scratch = &exchange.scratch;
    // Two slashes at the start would be another host.
    if scratch.path.starts_with(b"//") {
        return missing(exchange).await;
    }
    let query = scratch.target.get(scratch.path.len()..).unwrap_or_default();
    let location = [&scratch.path, &b"/"[..], query].concat();
    reply::moved(exchange, Status::PERMANENT_REDIRECT, &location).await
}

async fn list(exchange: &mut Exchange<'_>, entries: Vec<strait_files::Entry>) -> Result<(), Fault> {
    let form = Form::of(exchange.scratch.request.headers.get(Name::Accept));
    let path = exchange.scratch.path.clone();
    let at_top = path == b"/";
    let page = listing(form, &path, entries, at_top);
    reply::text(exchange, Status::OK, form.media_type(), page.as_bytes()).await
}

/// Sends a file, or what of it the client asks for.
async fn deliver(exchange: &mut Exchange<'_>, opened: Opened) -> Result<(), Fault> {
    let coding = opened.coding.map_or("", Coding::name);
    let validators = Validators::of(opened.modified, opened.octets, coding);
    let media_type = media_type(&opened.name);
    let (octets, varies) = (opened.octets, opened.varies);
    let file = Represented { octets, validators: &validators, media_type: &media_type, coding, varies };
    let boundary = || format!("{}-{:016x}", text(&exchange.id), exchange.worker.ids.borrow_mut().random());
    let answer = strait_files::answer(&exchange.scratch.request, &file, boundary);
    let mut head = answer.head;
    if let Some(route) = exchange.tally.route {
        Known::of(exchange).edit_response(&mut head, &route.response_headers);
    }
    let length = answer.body.octets();
    filter::reply(exchange, &mut head, usize::try_from(length).unwrap_or(usize::MAX));
    let notes = &mut exchange.scratch.passage.notes;
    if notes.replacement.is_some() {
        let body = notes.whole_body(b"").into_owned();
        return reply::put(exchange, &head, &body).await;
    }
    if answer.body.pieces.is_empty() {
        return reply::put(exchange, &head, b"").await;
    }
    stream(exchange, &head, &opened, &answer.body, length).await
}

/// Sends the head and the body behind it, as the client takes it.
async fn stream(
    exchange: &mut Exchange<'_>,
    head: &ResponseHead,
    opened: &Opened,
    body: &Body,
    octets: u64,
) -> Result<(), Fault> {
    let coder = exchange.scratch.passage.notes.coder.take();
    // How long a coded body becomes is known when it has ended.
    let length = if coder.is_some() { BodyLength::Unknown } else { BodyLength::Fixed(octets) };
    reply::begin(exchange, head, length);
    let bodiless = exchange.scratch.request.method == Method::Head;
    let pace = exchange.client_pace();
    let mut output = std::mem::take(&mut exchange.output);
    let worker: &Worker = exchange.worker;
    let mut sender = Sender {
        worker,
        socket: &exchange.client.socket,
        alarm: &exchange.client.alarm,
        encoder: exchange.server.encoder_mut(),
        output: &mut output,
        pace,
        begun: &exchange.tally.response_begun,
        octets: &exchange.tally.response_octets,
        coder,
        deadline_ms: exchange.deadline_ms,
    };
    let none = Body::default();
    let sent = sender.run(&opened.file, if bodiless { &none } else { body }).await;
    exchange.output = output;
    sent
}
