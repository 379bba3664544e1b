//! What filters know about an exchange.

use crate::evidence::{self, Evidence, TlsFacts};
use crate::{Notes, Target};
use std::net::{IpAddr, SocketAddr};
use strait_message::{BodyLength, RequestHead, ResponseHead};
use strait_record::FilterMeter;
use strait_route::Captures;

/// The time, given by whoever runs a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Microseconds of a monotonic clock that all workers share. Every decision uses this one.
    pub us: u64,
    /// Microseconds since 1970-01-01 UTC, for what is shown to others.
    pub wall_us: u64,
}

/// What does not change about an exchange while filters run.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The client, as believed.
    pub client: IpAddr,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The host in lower case, without port; empty for none.
    pub host: &'a [u8],
    /// The canonical path by which the route was found.
    pub path: &'a [u8],
    /// The query as received, without its question mark.
    pub query: Option<&'a [u8]>,
    /// The route's pattern.
    pub route: &'a str,
    /// The id of the request.
    pub request_id: &'a str,
    /// The name of the listener.
    pub listener: &'a str,
    /// The client with its port; `None` when nobody says who it is.
    pub client_address: Option<SocketAddr>,
    /// What the captures of the route's pattern hold.
    pub captures: Captures,
    /// What TLS says about the connection; `None` without it.
    pub tls: Option<&'a TlsFacts>,
    /// When this is.
    pub now: Now,
    /// A random number of this exchange.
    pub draw: u64,
    /// Nothing is counted or used up: somebody asks what would happen.
    pub trial: bool,
}

impl Facts<'_> {
    /// What expressions may ask, with the heads as the filters before left them.
    pub fn evidence<'e>(&'e self, request: &'e RequestHead, response: Option<&'e ResponseHead>) -> Evidence<'e> {
        let facts = evidence::Facts {
            method: &request.method,
            host: self.host,
            path: self.path,
            query: self.query,
            headers: &request.headers,
            version: request.version,
            scheme: self.scheme,
            client: self.client_address,
            listener: self.listener,
            request_id: self.request_id.as_bytes(),
            tls: self.tls,
        };
        Evidence { facts, captures: self.captures, response, elapsed: None }
    }
}

/// A request on its way through a chain.
#[derive(Debug)]
pub struct Request<'a> {
    /// What is known about it.
    pub facts: Facts<'a>,
    /// Its head; filters change it.
    pub head: &'a mut RequestHead,
    /// What the origin is asked for; filters change it.
    pub target: Target<'a>,
    /// How long its body is.
    pub body: BodyLength,
    /// What filters keep for their response side, and add to the request.
    pub notes: &'a mut Notes,
    /// Counts verdicts.
    pub meter: Option<&'a FilterMeter>,
}

/// A response on its way back.
#[derive(Debug)]
pub struct Response<'a> {
    /// What is known about the request.
    pub facts: Facts<'a>,
    /// The request's head, as the filters left it.
    pub request: &'a RequestHead,
    /// The response's head; filters change it.
    pub head: &'a mut ResponseHead,
    /// How long the body is.
    pub body: BodyLength,
    /// What filters kept.
    pub notes: &'a mut Notes,
}
