//! What Connection says about the connection itself (RFC 9110 §7.6.1, RFC 9112 §9).

use crate::Misdeed;
use strait_message::{Headers, Name, NameSet};

/// The options of Connection that an engine acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConnectionOptions {
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) upgrade: bool,
}

/// Fields that naming them in Connection does not remove: routing and framing need the ones, and the engines never
/// copy the others.
const KEPT: NameSet = NameSet::FRAMING.with(Name::Host);

/// Options of one head. Each is compared with every field, so that without this limit a head would cost its square.
const OPTIONS_MAX: usize = 64;

impl ConnectionOptions {
    /// Reads Connection, and removes the other fields it names: they were for the previous hop alone.
    ///
    /// That happens here, before anything else can add a field, so that no peer can name away one of ours.
    ///
    /// # Errors
    /// [`Misdeed::TooManyOptions`].
    pub(crate) fn take(headers: &mut Headers) -> Result<Self, Misdeed> {
        let mut lines = headers.get_all(Name::Connection);
        match (lines.next(), lines.next()) {
            (None, _) => return Ok(Self::default()),
            // What nearly every client sends, without taking a list apart.
            (Some(only), None) if only.eq_ignore_ascii_case(b"keep-alive") => {
                return Ok(Self { keep_alive: true, ..Self::default() });
            }
            (Some(only), None) if only.eq_ignore_ascii_case(b"close") => {
                return Ok(Self { close: true, ..Self::default() });
            }
            _ => drop(lines),
        }
        let mut options = Self::default();
        let mut names_fields = false;
        for (i, option) in headers.list(Name::Connection).enumerate() {
            if i == OPTIONS_MAX {
                return Err(Misdeed::TooManyOptions);
            }
            match option {
                close if close.eq_ignore_ascii_case(b"close") => options.close = true,
                keep if keep.eq_ignore_ascii_case(b"keep-alive") => options.keep_alive = true,
                upgrade if upgrade.eq_ignore_ascii_case(b"upgrade") => options.upgrade = true,
                _ => names_fields = true,
            }
        }
        if names_fields {
            headers.remove_listed(Name::Connection, KEPT);
        }
        Ok(options)
    }

    /// Whether the connection lasts beyond this message (RFC 9112 §9.3).
    pub(crate) fn keeps_alive(self, is_http10: bool) -> bool {
        !self.close && (self.keep_alive || !is_http10)
    }
}
