//! What to look at when an exchange has failed, for people.

use crate::{Fault, Kind, Origin, Phase};

impl Fault {
    /// Where to look first, in a sentence.
    pub fn advice(&self) -> &'static str {
        match self.origin {
            Origin::Upstream => of_upstream(self.phase, self.kind),
            Origin::Client => of_client(self.kind),
            Origin::Operator => of_operator(self.kind),
            Origin::Strait => "this is a defect or a shortage of Strait itself: please report it, with this answer",
        }
    }
}

fn of_upstream(phase: Phase, kind: Kind) -> &'static str {
    match (phase, kind) {
        (_, Kind::Refused) => "nobody listens at the endpoint: is it running, and is the port right?",
        (_, Kind::Unreachable) => "no route leads to the endpoint: look at addresses, networks and firewalls",
        (_, Kind::Tls) => "TLS with the endpoint failed: does it speak TLS on this port, and which versions?",
        (_, Kind::Certificate) => {
            "its certificate is not trusted: look at `tls.ca` and `tls.server_name` of the upstream"
        }
        (Phase::Queue, Kind::QueueFull) => "as many wait as may: raise `max_connections` or `queue`, or add endpoints",
        (Phase::Queue, _) => {
            "no connection came free in time: the endpoints are too slow for the load, or `max_connections` is too low"
        }
        (Phase::Connect, Kind::Timeout | Kind::TryTimeout | Kind::Deadline) => {
            "connecting takes too long: a firewall that drops, a full backlog, or an overloaded host"
        }
        (Phase::RequestBody, _) => "the endpoint does not read the request body: look at what it does with uploads",
        (Phase::ResponseHead, Kind::Timeout) => {
            "the endpoint is slow to answer: look at its logs, or raise `timeout.first_byte`"
        }
        (Phase::ResponseHead, Kind::TryTimeout) => {
            "an attempt takes too long: look at the endpoint, or raise `retry.per_try_timeout`"
        }
        (_, Kind::Deadline) => {
            "the whole exchange takes too long: look at the endpoint, or raise the route's `timeout.request`"
        }
        (Phase::ResponseHead, Kind::Closed | Kind::Reset) => {
            "the endpoint closed without an answer: a crash, a restart, or a keep-alive shorter than that of `keep_alive` here"
        }
        (_, Kind::Malformed | Kind::LengthMismatch) => {
            "what the endpoint sends is not valid HTTP: does something else listen there?"
        }
        (_, Kind::TooLarge) => "the head or body is above a limit: look at `limits`",
        (_, Kind::BadStatus) => "every answer asked for another attempt: look at the endpoint's own errors",
        (Phase::ResponseBody | Phase::Tunnel, _) => {
            "the endpoint stopped in the middle: a crash, or silence beyond `timeout.idle`"
        }
        _ => "look at the endpoint's logs for this request id",
    }
}

fn of_client(kind: Kind) -> &'static str {
    match kind {
        Kind::Closed | Kind::Reset => {
            "the client left before it was answered: was the answer slow, or the client impatient?"
        }
        Kind::Timeout | Kind::TooSlow | Kind::Deadline => "the client is too slow: look at its network, or at `limits`",
        Kind::TooLarge => "the request is above a limit: look at `limits` of the listener and the route",
        Kind::Misdirected => "the host is not served on a connection that was opened for another name",
        _ => "the client sends what is not valid HTTP",
    }
}

fn of_operator(kind: Kind) -> &'static str {
    match kind {
        Kind::NoRoute => "no pattern matches: ask `strait explain URL` which come close",
        Kind::MethodNotAllowed => "patterns match, but with other methods: ask `strait explain -X METHOD URL`",
        Kind::NoEndpoint => "no endpoint may be chosen: `strait status` says which are out, and why",
        Kind::Stopping => "it was cut off when Strait ended: raise `drain_timeout` if that was too soon",
        _ => "a limit of the configuration is used up: look at `limits` and at `strait_limit_used`",
    }
}
