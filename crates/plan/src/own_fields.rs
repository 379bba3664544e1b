//! The fields that Strait puts on heads and takes off them: the one list that the data plane goes by and `explain` tells.

use crate::ClientView;
use strait_message::{Headers, Name, NameSet};

/// A field that Strait writes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnField {
    /// The chain of clients.
    ForwardedFor,
    /// The scheme the client used.
    ForwardedProto,
    /// The host the client asked for.
    ForwardedHost,
    /// The request's id.
    RequestId,
    /// Who passed the message on (RFC 9110 §7.6.3).
    Via,
    /// When the response was made, unless the origin said so (RFC 9110 §6.6.1).
    Date,
}

impl OwnField {
    /// Those of a request, in their order.
    pub const ON_REQUEST: [Self; 5] =
        [Self::ForwardedFor, Self::ForwardedProto, Self::ForwardedHost, Self::RequestId, Self::Via];
    /// Those of a response of an origin, in their order.
    pub const ON_RESPONSE: [Self; 3] = [Self::RequestId, Self::Via, Self::Date];
    /// Those of a response that Strait makes.
    pub const ON_REPLY: [Self; 2] = [Self::RequestId, Self::Date];

    /// Its name.
    pub const fn name(self) -> Name {
        match self {
            Self::ForwardedFor => Name::XForwardedFor,
            Self::ForwardedProto => Name::XForwardedProto,
            Self::ForwardedHost => Name::XForwardedHost,
            Self::RequestId => Name::XRequestId,
            Self::Via => Name::Via,
            Self::Date => Name::Date,
        }
    }

    /// Whether a request that came with these fields gets it: what a trusted proxy said stays as it is.
    #[inline]
    pub fn is_put_on(self, headers: &Headers, from_trusted_proxy: bool) -> bool {
        match self {
            Self::ForwardedProto | Self::ForwardedHost => !(from_trusted_proxy && headers.contains(self.name())),
            _ => true,
        }
    }

    /// What it says on a request, in plain words.
    pub const fn on_request(self, from_trusted_proxy: bool) -> &'static str {
        match self {
            Self::ForwardedFor if from_trusted_proxy => "what the proxy sent, the proxy's address",
            Self::ForwardedFor => "the client's address",
            Self::ForwardedProto => "http",
            Self::ForwardedHost => "the Host the client sent",
            Self::RequestId => "a new one",
            Self::Via => "what was there, and strait",
            Self::Date => "the time",
        }
    }

    /// What it says on a response, in plain words.
    pub const fn on_response(self) -> &'static str {
        match self {
            Self::RequestId => "as the origin saw it",
            Self::Date => "the time, unless the origin said it",
            _ => self.on_request(false),
        }
    }
}

/// Fields of a response that are not copied: they show what the origin is made of, or Strait writes them anew.
pub const RESPONSE_REPLACED: NameSet = NameSet::of(&[Name::Server, Name::XPoweredBy, Name::XRequestId, Name::Via]);

/// Beginnings of names by which proxies tell origins who a client is.
pub const IDENTITY_FAMILIES: [&str; 4] = ["x-ssl-", "x-client-", "ssl-client-", "cf-"];

/// What of a received request head is not copied: the client's word about itself, unless a trusted proxy gave it.
pub const fn request_skipped(view: &ClientView) -> NameSet {
    let always = NameSet::of(&[Name::Proxy, Name::XRequestId, Name::XForwardedFor, Name::Via]);
    if view.from_trusted_proxy { always } else { always.union(NameSet::CLIENT_IDENTITY) }
}
