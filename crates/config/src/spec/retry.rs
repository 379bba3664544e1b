//! Retries: when a request is sent once more.

use crate::value::{Duration, Limit, Percent, Size};
use strait_config_derive::Spec;

/// When a request is sent once more, to another endpoint if there is one. Only what is safe is repeated: a request that may have reached the origin only if its method is idempotent (RFC 9110 section 9.2.2). A text stands for `attempts`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`retry`",
    short = "attempts",
    empty_ok,
    peers(
        num_retries = "attempts",
        retries = "attempts",
        tries = "attempts",
        "on" = "retry_on",
        conditions = "retry_on",
        retry_policy = "retry_on",
        perTryTimeout = "per_try_timeout",
        initialInterval = "backoff",
        retry_back_off = "backoff",
        retry_budget = "budget",
        budget_percent = "budget",
        min_retry_concurrency = "budget_floor",
        buffer = "body_max",
    )
)]
pub struct Retry {
    /// Most attempts, the first one included; 1 never repeats.
    #[spec(default = 2, min = 1_u32, max = 10_u32)]
    pub attempts: u32,
    /// What is worth another attempt. With a status the answer is thrown away before anything of it has been passed on; the answer of the last attempt is passed on whatever it is.
    #[spec(default = vec![RetryOn::ConnectFailure, RetryOn::Reset])]
    pub retry_on: Vec<RetryOn>,
    /// Retries, as a share of the requests of the last ten seconds, or `none` for any number. A retry is more load for an upstream that is in trouble: without a bound a failing upstream gets a multiple of what clients ask for.
    #[spec(default = Limit::Max(Percent::whole(20)))]
    pub budget: Limit<Percent>,
    /// Retries a second that are made however few requests there are.
    #[spec(default = 10, max = 100_000_u32)]
    pub budget_floor: u32,
    /// How long a retry waits: at random up to this before the first, up to twice as long before each further one.
    pub backoff: Backoff,
    /// Longest time of one attempt up to the response head. Without it an attempt may take all of the route's `request` timeout.
    #[spec(min = Duration::millis(1), max = Duration::secs(86_400), example = "2s")]
    pub per_try_timeout: Option<Duration>,
    /// Largest request body that is kept while it is sent, so that it can be sent again. A request with a larger one is not repeated once some of it has left. Let go of when the response head arrives.
    #[spec(default = Size::kib(64), max = Size::mib(16))]
    pub body_max: Size,
    /// Whether a request that may have been acted on is repeated even if its method is not idempotent, such as POST. Orders are then placed twice, unless the origin knows a repeated request when it sees one.
    #[spec(default = false)]
    pub non_idempotent: bool,
}

/// How long a retry waits. A text stands for `base`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`backoff`",
    short = "base",
    empty_ok,
    peers(base_interval = "base", max_interval = "max", initial = "base")
)]
pub struct Backoff {
    /// The longest wait before the first retry; each wait is chosen at random between nothing and its bound. A connection that the origin had closed while it was idle is replaced at once.
    #[spec(default = Duration::millis(25), max = Duration::secs(60))]
    pub base: Duration,
    /// The longest wait before any.
    #[spec(default = Duration::millis(250), max = Duration::secs(60))]
    pub max: Duration,
}

/// What is worth another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a reason to try again", peers("connect-failure" = "connect_failure", error = "connect_failure", "conn-failure" = "connect_failure", "refused-stream" = "connect_failure", "empty-response" = "reset", "response-timeout" = "timeout",
    "gateway-error" = "gateway_error", "retriable-4xx" = "409", http_500 = "500", http_502 = "502", http_503 = "503", http_504 = "504", http_429 = "429", "0rtt-rejected" = "425"))]
pub enum RetryOn {
    /// The connection could not be made: the request has not left.
    ConnectFailure,
    /// The connection broke before a byte of the response came.
    Reset,
    /// No response head came in time: within `per_try_timeout`, or the `first_byte` timeout.
    Timeout,
    /// An answer of the server error class, 500 to 599.
    #[spec(name = "5xx")]
    ServerError,
    /// 502, 503 or 504: answers of gateways and of servers that are not ready.
    GatewayError,
    /// 408: the origin waited too long for the request.
    #[spec(name = "408")]
    RequestTimeout,
    /// 409: a conflict that may be over the next time.
    #[spec(name = "409")]
    Conflict,
    /// 425: the origin does not take early data.
    #[spec(name = "425")]
    TooEarly,
    /// 429: this endpoint has too many requests.
    #[spec(name = "429")]
    TooManyRequests,
    /// 500: an error of the origin.
    #[spec(name = "500")]
    InternalError,
    /// 502: a gateway had no good answer.
    #[spec(name = "502")]
    BadGateway,
    /// 503: the origin is not ready.
    #[spec(name = "503")]
    Unavailable,
    /// 504: a gateway had no answer in time.
    #[spec(name = "504")]
    GatewayTimeout,
}

impl RetryOn {
    /// The statuses it stands for, from the first to the last.
    pub fn statuses(self) -> &'static [(u16, u16)] {
        match self {
            Self::ConnectFailure | Self::Reset | Self::Timeout => &[],
            Self::ServerError => &[(500, 599)],
            Self::GatewayError => &[(502, 504)],
            Self::RequestTimeout => &[(408, 408)],
            Self::Conflict => &[(409, 409)],
            Self::TooEarly => &[(425, 425)],
            Self::TooManyRequests => &[(429, 429)],
            Self::InternalError => &[(500, 500)],
            Self::BadGateway => &[(502, 502)],
            Self::Unavailable => &[(503, 503)],
            Self::GatewayTimeout => &[(504, 504)],
        }
    }
}
