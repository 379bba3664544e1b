//! By which a client tells whether what it has is what is served (RFC 9110 §8.8).

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// When a file was last changed, since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modified {
    /// Whole seconds; what is before 1970 counts as 1970.
    pub seconds: u64,
    /// And so many billionths.
    pub nanoseconds: u32,
}

/// The validators of one representation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// The entity tag, in its quotes. It is strong: made of the time of the last change to the nanosecond, the length, and
    /// the coding.
    pub etag: String,
    /// The value of Last-Modified.
    pub last_modified: String,
    /// The same in seconds since 1970.
    pub modified_seconds: u64,
}

impl Validators {
    /// The validators of a file of so many octets; `coding` tells representations of the same file apart.
    pub fn of(modified: Modified, octets: u64, coding: &str) -> Self {
        let mut etag = format!("\"{:x}.{:x}-{octets:x}", modified.seconds, modified.nanoseconds);
        if !coding.is_empty() {
            // Writing to a String does not fail.
            let _ = write!(etag, "-{coding}");
        }
        etag.push('"');
        let date = UNIX_EPOCH.checked_add(Duration::from_secs(modified.seconds.min(LATEST))).unwrap_or(UNIX_EPOCH);
        Self { etag, last_modified: httpdate::fmt_http_date(date), modified_seconds: modified.seconds.min(LATEST) }
    }
}

/// The last second that a date of HTTP can name: the end of the year 9999.
const LATEST: u64 = 253_402_300_799;

/// The seconds since 1970 of a date of HTTP, in any of its three forms (RFC 9110 §5.6.7); what is before counts as 1970.
pub(crate) fn seconds_of(date: &[u8]) -> Option<u64> {
    let date: SystemTime = httpdate::parse_http_date(std::str::from_utf8(date).ok()?).ok()?;
    Some(date.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::{Modified, Validators, seconds_of};

    #[test]
    fn codings_have_tags_of_their_own() {
        let modified = Modified { seconds: 784_111_777, nanoseconds: 5 };
        let plain = Validators::of(modified, 1_000, "");
        assert_eq!(plain.etag, "\"2ebcaae1.5-3e8\"".replace("2ebcaae1", &format!("{:x}", 784_111_777)));
        assert_eq!(plain.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(Validators::of(modified, 1_000, "br").etag.ends_with("-3e8-br\""));
        let far = Validators::of(Modified { seconds: u64::MAX, nanoseconds: 0 }, 0, "");
        assert_eq!(far.last_modified, "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn dates_are_read_in_all_three_forms() {
        for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(seconds_of(date.as_bytes()), Some(784_111_777), "{date}");
        }
        for date in ["", "yesterday", "Sun, 06 Nov 1994 08:49:37", "\u{e4}"] {
            assert_eq!(seconds_of(date.as_bytes()), None, "{date}");
        }
    }
}
