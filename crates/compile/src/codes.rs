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

/// Every code of this crate, ascending.
pub const ALL: &[&Code] = &[UNREACHABLE, TEST_FAILED];

/// The entry of a code such as `E0102`, of this crate or of the language, in any case.
pub fn find(id: &str) -> Option<&'static Code> {
    strait_config::codes::find(id).or_else(|| ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id)))
}
