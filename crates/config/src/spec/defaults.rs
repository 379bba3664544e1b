//! What holds for every route unless it says otherwise.

use super::Timeouts;
use crate::filter::Filter;
use crate::value::{Duration, Limit};
use strait_config_derive::Spec;

/// What holds for every route unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`defaults`",
    empty_ok,
    peers(timeouts = "timeout"),
    unbuilt(limits = "default limits", retry = "default retries", balance = "default balancing")
)]
pub struct Defaults {
    /// Timeouts.
    pub timeout: DefaultTimeouts,
    /// Filters that run before each listener's and each route's own.
    pub filters: Vec<Filter>,
}

/// Timeouts where neither route nor upstream sets its own. A text stands for `request`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`timeout`",
    short = "request",
    empty_ok,
    peers(
        read = "first_byte",
        response = "first_byte",
        server = "first_byte",
        total = "request",
        dial = "connect",
        client = "`header_timeout` and `idle_timeout` in a listener's `limits`"
    )
)]
pub struct DefaultTimeouts {
    /// Time to connect to an endpoint.
    #[spec(default = Duration::secs(1), min = Duration::millis(1), max = Duration::secs(3600))]
    pub connect: Duration,
    /// Time from the request's end to the first byte of the response. Answered with 504 when it is over.
    #[spec(default = Duration::secs(60), min = Duration::millis(1), max = Duration::secs(86_400))]
    pub first_byte: Duration,
    /// Time for the whole exchange, or `none`. Long by default: it also bounds downloads. Upgraded connections (WebSocket) are not bounded by it.
    #[spec(default = Limit::Max(Duration::secs(3600)), min = Duration::millis(1))]
    pub request: Limit<Duration>,
    /// Longest silence while a body is on its way: as long as something moves in either direction it is not over.
    #[spec(default = Duration::secs(75), min = Duration::millis(1), max = Duration::secs(86_400))]
    pub idle: Duration,
    /// Longest silence, in both directions, of an upgraded connection (WebSocket).
    #[spec(default = Duration::secs(3600), min = Duration::millis(1), max = Duration::secs(86_400))]
    pub tunnel: Duration,
}

impl DefaultTimeouts {
    /// These, with what a route or an upstream sets in their place.
    #[must_use]
    pub fn overridden(&self, by: &Timeouts) -> Self {
        Self {
            connect: by.connect.unwrap_or(self.connect),
            first_byte: by.first_byte.unwrap_or(self.first_byte),
            request: by.request.unwrap_or(self.request),
            idle: by.idle.unwrap_or(self.idle),
            tunnel: by.tunnel.unwrap_or(self.tunnel),
        }
    }
}
