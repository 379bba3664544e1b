use crate::Status;
use std::fmt;

/// Why an exchange did not end as it should: who, in which phase, what, and whether it may be tried again.
///
/// The one currency of failure on the data path. Rendered once, into the status of an answer, the `Proxy-Status`
/// field (RFC 9209), the end code and the reason of the access record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Who caused it.
    pub origin: Origin,
    /// What was going on.
    pub phase: Phase,
    /// What happened.
    pub kind: Kind,
    /// Whether another attempt is permitted.
    pub retry: Retry,
    /// The particular rule or event, in plain words; may be empty.
    pub detail: &'static str,
}

/// Who caused a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The downstream side.
    Client,
    /// The upstream side.
    Upstream,
    /// The configuration: a limit, a missing route, a drain.
    Operator,
    /// A defect or a shortage of Strait itself.
    Strait,
}

/// What an exchange was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Reading the request head.
    RequestHead,
    /// Finding the route.
    Route,
    /// Waiting for a connection under the upstream's limit.
    Queue,
    /// Opening a connection to an endpoint.
    Connect,
    /// Relaying the request body.
    RequestBody,
    /// Waiting for the response head.
    ResponseHead,
    /// Relaying the response body.
    ResponseBody,
    /// Relaying an upgraded connection.
    Tunnel,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A message broke the protocol.
    Malformed,
    /// A target, head, field list or body over a limit.
    TooLarge,
    /// Something Strait deliberately does not do.
    Unsupported,
    /// The phase took longer than its own timeout.
    Timeout,
    /// An attempt took longer than one attempt may.
    TryTimeout,
    /// The exchange took longer than it may as a whole.
    Deadline,
    /// A peer moved bytes more slowly than the minimum rate.
    TooSlow,
    /// The peer closed its connection early.
    Closed,
    /// The peer reset its connection.
    Reset,
    /// The endpoint refused the connection.
    Refused,
    /// The endpoint could not be reached.
    Unreachable,
    /// A body had another length than its head said.
    LengthMismatch,
    /// An answer came whose status asks for another attempt.
    BadStatus,
    /// No route matches.
    NoRoute,
    /// Routes match, but with other methods.
    MethodNotAllowed,
    /// The upstream has no usable endpoint.
    NoEndpoint,
    /// The queue for an upstream's connections is full.
    QueueFull,
    /// A configured limit on connections or requests is used up.
    OverLimit,
    /// Strait is shutting down.
    Stopping,
    /// The peer broke TLS, or has none in common.
    Tls,
    /// The peer's certificate cannot be trusted.
    Certificate,
    /// The connection was opened for another host.
    Misdirected,
    /// A defect was caught.
    Defect,
}

/// Whether another attempt is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never.
    Never,
    /// The request may have been acted on: only when its method is idempotent.
    IfIdempotent,
    /// The request was provably not acted on.
    Safe,
}

impl Fault {
    /// A fault caused by the client.
    pub fn client(phase: Phase, kind: Kind) -> Self {
        Self { origin: Origin::Client, phase, kind, retry: Retry::Never, detail: "" }
    }

    /// A fault caused by the upstream side, with the retry its phase and kind permit.
    pub fn upstream(phase: Phase, kind: Kind) -> Self {
        let retry = match (phase, kind) {
            (_, Kind::Deadline) => Retry::Never,
            (Phase::Queue | Phase::Connect, _) => Retry::Safe,
            (
                Phase::RequestBody | Phase::ResponseHead,
                Kind::Closed | Kind::Reset | Kind::Timeout | Kind::TryTimeout | Kind::BadStatus,
            ) => Retry::IfIdempotent,
            _ => Retry::Never,
        };
        Self { origin: Origin::Upstream, phase, kind, retry, detail: "" }
    }

    /// A fault that the configuration asks for.
    pub fn operator(phase: Phase, kind: Kind) -> Self {
        Self { origin: Origin::Operator, phase, kind, retry: Retry::Never, detail: "" }
    }

    /// A fault of Strait itself.
    pub fn strait(phase: Phase, kind: Kind) -> Self {
        Self { origin: Origin::Strait, phase, kind, retry: Retry::Never, detail: "" }
    }

    /// The same with the particular rule or event in plain words.
    pub fn because(self, detail: &'static str) -> Self {
        Self { detail, ..self }
    }

    /// The same, with another permission to retry.
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// The status a client is answered with when no response has begun.
    pub fn status(&self) -> Status {
        match (self.origin, self.kind) {
            (_, Kind::NoRoute) => Status::NOT_FOUND,
            (_, Kind::MethodNotAllowed) => Status::METHOD_NOT_ALLOWED,
            (_, Kind::NoEndpoint | Kind::QueueFull | Kind::OverLimit | Kind::Stopping) => Status::UNAVAILABLE,
            (_, Kind::Defect) => Status::INTERNAL_ERROR,
            (Origin::Client, kind) => client_status(self.phase, kind),
            (_, Kind::Timeout | Kind::TryTimeout | Kind::Deadline | Kind::TooSlow) => Status::GATEWAY_TIMEOUT,
            (_, Kind::TooLarge) if self.phase == Phase::RequestBody => Status::CONTENT_TOO_LARGE,
            (_, _) => Status::BAD_GATEWAY,
        }
    }

    /// The error type of RFC 9209 §2.3 that says the same.
    pub fn proxy_status(&self) -> &'static str {
        match (self.origin, self.phase, self.kind) {
            (Origin::Client, Phase::RequestHead | Phase::RequestBody, _) => "http_request_error",
            (Origin::Client, ..) => "http_request_denied",
            (_, _, Kind::NoRoute | Kind::MethodNotAllowed) => "http_request_denied",
            (_, _, Kind::NoEndpoint | Kind::QueueFull | Kind::Stopping) => "destination_unavailable",
            (_, _, Kind::OverLimit) => "connection_limit_reached",
            (_, _, Kind::Refused) => "connection_refused",
            (_, _, Kind::Unreachable) => "destination_ip_unroutable",
            (_, Phase::Connect | Phase::Queue, Kind::Timeout | Kind::TryTimeout | Kind::Deadline) => {
                "connection_timeout"
            }
            (_, Phase::RequestBody, Kind::Timeout | Kind::TooSlow) => "connection_write_timeout",
            (_, Phase::ResponseBody | Phase::Tunnel, Kind::Timeout | Kind::TooSlow) => "connection_read_timeout",
            (_, _, Kind::Timeout | Kind::TryTimeout | Kind::Deadline | Kind::TooSlow) => "http_response_timeout",
            (_, Phase::ResponseBody, Kind::Closed | Kind::LengthMismatch) => "http_response_incomplete",
            (_, _, Kind::Closed | Kind::Reset) => "connection_terminated",
            (_, _, Kind::TooLarge) => "http_response_header_section_size",
            (_, _, Kind::Malformed | Kind::LengthMismatch | Kind::BadStatus) => "http_protocol_error",
            (_, _, Kind::Unsupported) => "http_upgrade_failed",
            (_, _, Kind::Tls) => "tls_protocol_error",
            (_, _, Kind::Certificate) => "tls_certificate_error",
            (_, _, Kind::Misdirected) => "http_request_denied",
            (_, _, Kind::Defect) => "proxy_internal_error",
        }
    }

    /// The stable end code: `origin.phase.kind`, as logs and metrics carry it.
    pub fn code(&self) -> impl fmt::Display + use<> {
        let Self { origin, phase, kind, .. } = *self;
        fmt::from_fn(move |f| write!(f, "{}.{}.{}", origin.word(), phase.word(), kind.word()))
    }
}

/// The reason in plain words: who, what, when, and the particular rule where one is known.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (who, what, when) = (self.origin.noun(), self.kind.sentence(), self.phase.sentence());
        write!(f, "{who} {what} {when}")?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

fn client_status(phase: Phase, kind: Kind) -> Status {
    match (phase, kind) {
        (_, Kind::Timeout | Kind::Deadline | Kind::TooSlow) => Status::REQUEST_TIMEOUT,
        (Phase::RequestHead, Kind::TooLarge) => Status::HEADER_FIELDS_TOO_LARGE,
        (_, Kind::TooLarge) => Status::CONTENT_TOO_LARGE,
        (_, Kind::Unsupported) => Status::NOT_IMPLEMENTED,
        (_, Kind::Misdirected) => Status::MISDIRECTED_REQUEST,
        (
            Phase::RequestBody | Phase::ResponseHead | Phase::ResponseBody | Phase::Tunnel,
            Kind::Closed | Kind::Reset,
        ) => Status::CLIENT_CLOSED,
        _ => Status::BAD_REQUEST,
    }
}

impl Origin {
    /// One word, as in end codes and labels.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Operator => "operator",
            Self::Strait => "strait",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Client => "the client",
            Self::Upstream => "the upstream",
            Self::Operator => "the configuration",
            Self::Strait => "Strait",
        }
    }
}

impl Phase {
    /// One word, as in end codes and labels.
    pub fn word(self) -> &'static str {
        match self {
            Self::RequestHead => "request_head",
            Self::Route => "route",
            Self::Queue => "queue",
            Self::Connect => "connect",
            Self::RequestBody => "request_body",
            Self::ResponseHead => "response_head",
            Self::ResponseBody => "response_body",
            Self::Tunnel => "tunnel",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::RequestHead => "in the request head",
            Self::Route => "when a route was looked for",
            Self::Queue => "while waiting for a connection to an endpoint",
            Self::Connect => "while connecting to an endpoint",
            Self::RequestBody => "while the request body was relayed",
            Self::ResponseHead => "before the response head was complete",
            Self::ResponseBody => "while the response body was relayed",
            Self::Tunnel => "in the tunnel",
        }
    }
}

impl Kind {
    /// One word, as in end codes and labels.
    pub fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Unsupported => "unsupported",
            Self::Timeout => "timeout",
            Self::TryTimeout => "try_timeout",
            Self::Deadline => "deadline",
            Self::TooSlow => "too_slow",
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::LengthMismatch => "length_mismatch",
            Self::BadStatus => "bad_status",
            Self::NoRoute => "no_route",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NoEndpoint => "no_endpoint",
            Self::QueueFull => "queue_full",
            Self::OverLimit => "over_limit",
            Self::Stopping => "stopping",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Misdirected => "misdirected",
            Self::Defect => "defect",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => "broke the protocol",
            Self::TooLarge => "sent more than a limit allows",
            Self::Unsupported => "asked for something that is not supported",
            Self::Timeout => "took longer than the timeout",
            Self::TryTimeout => "took longer than one attempt may",
            Self::Deadline => "took longer than the whole exchange may",
            Self::TooSlow => "was slower than the minimum rate",
            Self::Closed => "closed the connection",
            Self::Reset => "reset the connection",
            Self::Refused => "refused the connection",
            Self::Unreachable => "could not be reached",
            Self::LengthMismatch => "sent a body of another length than announced",
            Self::BadStatus => "answered with a status that asks for another attempt",
            Self::NoRoute => "has no route for this request",
            Self::MethodNotAllowed => "has no route for this method",
            Self::NoEndpoint => "has no usable endpoint",
            Self::QueueFull => "has a full queue",
            Self::OverLimit => "sets a limit that is used up",
            Self::Stopping => "is shutting down",
            Self::Tls => "could not be spoken to by TLS",
            Self::Certificate => "showed a certificate that cannot be trusted",
            Self::Misdirected => "asked for a host on a connection that was opened for another",
            Self::Defect => "met a defect of its own",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Kind, Phase, Retry};

    #[test]
    fn a_fault_reads_as_a_sentence_and_as_a_code() {
        let fault = Fault::upstream(Phase::Connect, Kind::Refused);
        assert_eq!(fault.to_string(), "the upstream refused the connection while connecting to an endpoint");
        assert_eq!(fault.code().to_string(), "upstream.connect.refused");
        assert_eq!(
            (fault.status().code(), fault.proxy_status(), fault.retry),
            (502, "connection_refused", Retry::Safe)
        );
    }

    #[test]
    fn only_what_was_provably_unsent_is_safe_to_retry() {
        assert_eq!(Fault::upstream(Phase::ResponseHead, Kind::Closed).retry, Retry::IfIdempotent);
        assert_eq!(Fault::upstream(Phase::ResponseHead, Kind::Timeout).retry, Retry::IfIdempotent);
        assert_eq!(Fault::upstream(Phase::ResponseHead, Kind::Malformed).retry, Retry::Never);
        assert_eq!(Fault::upstream(Phase::ResponseBody, Kind::Closed).retry, Retry::Never);
        assert_eq!(Fault::upstream(Phase::Connect, Kind::Deadline).retry, Retry::Never);
        assert_eq!(Fault::client(Phase::RequestBody, Kind::Closed).status().code(), 499);
    }
}
