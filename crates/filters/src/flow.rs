//! What a filter says about a request, and what it is asked.

use crate::{Request, Response, Verdict};
use std::borrow::Cow;
use std::sync::Arc;
use strait_message::{ResponseHead, Status};

/// What every filter can do. Each answers only to what concerns it.
pub trait Behaviour {
    /// Looks at a request on its way up, changes it, or ends it.
    fn request(&self, _: &mut Request<'_>) -> Flow {
        Flow::Continue
    }

    /// Goes on after the call that [`Flow::Wait`] asked for.
    fn answered(&self, _: Answer, _: &mut Request<'_>) -> Flow {
        Flow::Continue
    }

    /// Looks at a response on its way down and changes its head. Called in reverse order, for the filters that the
    /// request passed.
    fn response(&self, _: &mut Response<'_>) {}

    /// What it does, in a few words for `explain`.
    fn describe(&self) -> String;
}

/// What becomes of a request after a filter.
#[derive(Debug)]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It goes on, and something is to be counted about that.
    GoOn(Verdict),
    /// It is answered here.
    Respond(Box<Reply>),
    /// It goes on when this was done.
    Wait(Box<Call>),
}

/// Something that takes time: data, not a future.
#[derive(Debug)]
pub enum Call {
    /// Nothing happens for so long.
    Sleep {
        /// In milliseconds.
        ms: u64,
    },
}

impl Call {
    /// What is asked, in a few words for `explain`.
    pub fn describe(&self) -> String {
        match self {
            Self::Sleep { ms } => format!("for {ms} ms of patience"),
        }
    }
}

/// What came of a call.
#[derive(Debug)]
pub enum Answer {
    /// The time is over.
    Slept,
}

/// An answer that a filter gives in place of the origin.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status and fields. Framing, Date and the request id are added when it is sent.
    pub head: ResponseHead,
    /// Its body.
    pub body: Body,
}

/// The body of a reply.
#[derive(Clone, Debug)]
pub enum Body {
    /// Says why, in the form the client prefers: `application/problem+json` (RFC 9457) or HTML.
    Problem(Cow<'static, str>),
    /// These octets, described by the head.
    Octets(Arc<[u8]>),
}

impl Reply {
    /// A refusal that says why in plain words.
    pub fn problem(status: Status, why: impl Into<Cow<'static, str>>) -> Self {
        Self { head: ResponseHead::new(status), body: Body::Problem(why.into()) }
    }

    /// An answer without a body.
    pub fn empty(status: Status) -> Self {
        Self { head: ResponseHead::new(status), body: Body::Octets(Arc::default()) }
    }
}

impl From<Reply> for Flow {
    fn from(reply: Reply) -> Self {
        Self::Respond(Box::new(reply))
    }
}
