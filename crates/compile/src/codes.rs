//! Codes of what is found only once patterns are compiled. The registry of all others is [`strait_config::codes`].

use strait_config::codes::Code;

/// Routes that no request reaches.
pub const UNREACHABLE: &Code = &Code {
    id: "E0308",
    title: "a route is never reached",
    explanation: "Other routes are more specific than this one and take every request that it matches, so it does nothing. This is a warning: remove the route, or one of those that hide it. `strait explain` shows which route a request takes.",
};

/// A test of the file fails.
pub const TEST_FAILED: &Code = &Code {
    id: "E0601",
    title: "a test of the configuration fails",
    explanation: "An entry of `tests:` names a request and what must become of it; the routes decide otherwise. `strait explain` with the same request shows why.",
};

/// An assertion does not hold.
pub const ASSERTION_BROKEN: &Code = &Code {
    id: "E0602",
    title: "an assertion does not hold",
    explanation: "A line of `assert:` says what must be true of every request, and the request that is shown breaks it: the routes were searched for one. The second place is the route it takes. `strait explain` with the request shows why.",
};

/// Something that is open to more people than is likely meant.
pub const TOO_OPEN: &Code = &Code {
    id: "E0603",
    title: "open to more than is likely meant",
    explanation: "The admin API stops the process for whoever reaches it, and a proxy that is trusted may say who the client is: both are given to as few as possible. This is a warning.",
};

/// A port that somebody else holds.
pub const PORT_HELD: &Code = &Code {
    id: "E0604",
    title: "a port is held by another process",
    explanation: "`strait check` asked this machine: the address cannot be bound, and the process that holds it is named. A Strait that runs already is none. This is a warning: the configuration may be meant for another machine, and `--offline` asks nothing.",
};

/// A name that does not resolve.
pub const UNRESOLVED: &Code = &Code {
    id: "E0605",
    title: "a name does not resolve",
    explanation: "`strait check` asked the resolver of this machine for the names of endpoints. This is a warning and never keeps Strait from starting: names are asked for again while it runs. `--offline` asks nothing.",
};

/// Every code of this crate, ascending.
pub const ALL: &[&Code] = &[UNREACHABLE, TEST_FAILED, ASSERTION_BROKEN, TOO_OPEN, PORT_HELD, UNRESOLVED];

/// The entry of a code such as `E0102`, of this crate or of the language, in any case.
pub fn find(id: &str) -> Option<&'static Code> {
    strait_config::codes::find(id).or_else(|| ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id)))
}
