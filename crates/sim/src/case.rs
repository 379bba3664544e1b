//! One request of a simulation: what the client sends, what the origin is to answer, and what became of it.

use crate::wire::payload;
use strait_dataplane::sim::Random;

/// A request and the story that goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) number: usize,
    pub(crate) method: &'static str,
    pub(crate) http10: bool,
    /// The first segment of the path, which chooses the route.
    pub(crate) route: &'static str,
    pub(crate) upload: Upload,
    pub(crate) expects_continue: bool,
    pub(crate) keeps_alive: bool,
    pub(crate) answer: Answer,
    pub(crate) mishap: Option<Mishap>,
    /// The mishap befalls every delivery, not the first alone.
    pub(crate) mishap_stays: bool,
    pub(crate) patience: Patience,
    /// Longest pause between the pieces of the request, in milliseconds; zero sends it whole.
    pub(crate) drip_ms: u64,
    /// It came to an origin on a connection on which that had said too much before: whoever gets its answer, the origin is
    /// to blame.
    pub(crate) confused: bool,
    /// Times its head reached an origin.
    pub(crate) deliveries: u32,
    pub(crate) outcome: Outcome,
}

/// A request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upload {
    None,
    Fixed(usize),
    Chunked { octets: usize, trailers: bool },
}

/// What the origin answers when nothing goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) octets: usize,
    pub(crate) form: Form,
    pub(crate) delay_ms: u64,
    /// Longest pause between the pieces of the body; zero sends it whole.
    pub(crate) pause_ms: u64,
    /// Interim responses before the final one.
    pub(crate) interim: usize,
    /// The origin answers before it reads the body.
    pub(crate) early: bool,
}

/// How the origin frames its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Length,
    Chunked { trailers: bool },
    Close,
}

/// What goes wrong at the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    CloseBeforeHead,
    ResetBeforeHead,
    CloseInHead,
    GarbageHead,
    /// Never answers.
    Silence,
    /// Closes inside the body.
    Truncation,
    /// Resets inside the body.
    ResetInBody,
    /// Stops inside the body.
    Stall,
    /// A chunk size that is none.
    GarbageChunk,
    /// A second response behind the first.
    Surplus,
    /// More interim responses than anyone may send.
    InterimFlood,
    /// Switches protocols unasked.
    Switch,
}

/// When a client gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Endless,
    /// Drops the connection after a time.
    LeavesAfterMs(u64),
    /// Drops the connection after so many octets of the request.
    LeavesInRequest(usize),
    /// Says that it will send no more after so many octets of the request.
    EndsInRequest(usize),
}

/// What the client saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Not sent, or nothing came back yet.
    Open,
    /// The origin's whole answer.
    Answered { id: String },
    /// An answer of Strait's own, which is a fault or not.
    Own { id: String, status: u16, fault: bool },
    /// The connection broke before or within the answer.
    Broken { begun: bool },
    /// The client left.
    Left,
}

const MISHAPS: &[Mishap] = &[
    Mishap::CloseBeforeHead,
    Mishap::ResetBeforeHead,
    Mishap::CloseInHead,
    Mishap::GarbageHead,
    Mishap::Silence,
    Mishap::Truncation,
    Mishap::ResetInBody,
    Mishap::Stall,
    Mishap::GarbageChunk,
    Mishap::Surplus,
    Mishap::InterimFlood,
    Mishap::Switch,
];

/// What a kind of run draws its cases with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Temper {
    /// How often an origin fails, per mille.
    pub(crate) mishaps: u32,
    /// How often a client gives up, per mille.
    pub(crate) impatience: u32,
    /// The longest body.
    pub(crate) octets_max: u64,
    /// Most requests have a body, and many origins answer before they have read it.
    pub(crate) eager: bool,
}

impl Case {
    /// Draws a request.
    pub(crate) fn draw(number: usize, temper: Temper, random: &mut Random) -> Self {
        let method = random.one_of(&["GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS"], "GET");
        let method = if temper.eager && random.chance(700) { random.one_of(&["POST", "PUT"], "PUT") } else { method };
        let http10 = random.chance(120);
        let upload = if matches!(method, "POST" | "PUT") { draw_upload(http10, temper, random) } else { Upload::None };
        let answer = draw_answer(temper, random);
        let mishap = random.chance(temper.mishaps).then(|| random.one_of(MISHAPS, Mishap::Silence));
        Self {
            number,
            method,
            http10,
            route: random.one_of(&["u", "u", "u", "u", "split", "few", "few", "own", "nowhere"], "u"),
            upload,
            expects_continue: !http10 && upload != Upload::None && random.chance(250),
            keeps_alive: random.chance(850),
            answer,
            mishap: mishap.map(|mishap| fitting(mishap, answer.form)),
            mishap_stays: random.chance(500),
            patience: if random.chance(temper.impatience) { draw_patience(random) } else { Patience::Endless },
            drip_ms: if random.chance(150) { random.between(1, 60) } else { 0 },
            confused: false,
            deliveries: 0,
            outcome: Outcome::Open,
        }
    }

    /// The octets of the request's body.
    pub(crate) fn request_body(&self) -> Vec<u8> {
        match self.upload {
            Upload::None => Vec::new(),
            Upload::Fixed(octets) | Upload::Chunked { octets, .. } => payload('q', self.number, octets),
        }
    }

    /// The octets of the origin's answer, as far as the method and the status let it have any.
    pub(crate) fn response_body(&self) -> Vec<u8> {
        let bodiless = self.method == "HEAD" || matches!(self.answer.status, 204 | 304);
        payload('a', self.number, if bodiless { 0 } else { self.answer.octets })
    }

    /// Whether repeating it does nothing that once does not (RFC 9110 §9.2.2).
    pub(crate) fn is_idempotent(&self) -> bool {
        self.method != "POST"
    }

    /// Whether a retry heals the mishap, given one more attempt.
    pub(crate) fn heals(&self) -> bool {
        let early = matches!(self.mishap, Some(Mishap::CloseBeforeHead | Mishap::ResetBeforeHead));
        early && !self.mishap_stays && self.is_idempotent() && self.request_body().is_empty()
    }

    /// Whether the mishap leaves the answer itself whole.
    pub(crate) fn is_harmless(&self) -> bool {
        matches!(self.mishap, None | Some(Mishap::Surplus))
    }

    /// What the origin does wrong at this delivery, counted from one.
    pub(crate) fn mishap_at(&self, delivery: u32) -> Option<Mishap> {
        self.mishap.filter(|_| delivery == 1 || self.mishap_stays)
    }
}

/// A body that lasts until the connection closes cannot be cut short by closing it, nor have a bad chunk.
fn fitting(mishap: Mishap, form: Form) -> Mishap {
    match (mishap, form) {
        (Mishap::Truncation, Form::Close) => Mishap::ResetInBody,
        (Mishap::GarbageChunk, Form::Close | Form::Length) => Mishap::GarbageHead,
        (Mishap::Surplus, Form::Close) => Mishap::CloseInHead,
        (other, _) => other,
    }
}

fn draw_octets(temper: Temper, random: &mut Random) -> usize {
    let last = random.one_of(&[0, 1, 30, 900, 9_000, temper.octets_max], 0);
    random.between(last / 2, last.min(temper.octets_max)) as usize
}

fn draw_upload(http10: bool, temper: Temper, random: &mut Random) -> Upload {
    let octets = draw_octets(temper, random);
    match !http10 && random.chance(500) {
        true => Upload::Chunked { octets, trailers: random.chance(400) },
        false => Upload::Fixed(octets),
    }
}

fn draw_answer(temper: Temper, random: &mut Random) -> Answer {
    let status = random.one_of(&[200, 200, 200, 200, 200, 204, 304, 404, 503], 200);
    Answer {
        status,
        octets: if matches!(status, 204 | 304) { 0 } else { draw_octets(temper, random) },
        form: match random.below(5) {
            0 | 1 => Form::Length,
            2 | 3 => Form::Chunked { trailers: random.chance(300) },
            _ => Form::Close,
        },
        delay_ms: if random.chance(300) { random.between(1, 900) } else { 0 },
        pause_ms: if random.chance(200) { random.between(1, 40) } else { 0 },
        interim: if random.chance(120) { random.between(1, 3) as usize } else { 0 },
        early: random.chance(if temper.eager { 600 } else { 120 }),
    }
}

fn draw_patience(random: &mut Random) -> Patience {
    match random.below(3) {
        0 => Patience::LeavesAfterMs(random.between(0, 1_200)),
        1 => Patience::LeavesInRequest(random.between(0, 400) as usize),
        _ => Patience::EndsInRequest(random.between(0, 400) as usize),
    }
}
