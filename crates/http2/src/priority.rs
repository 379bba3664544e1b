//! Extensible priorities (RFC 9218): urgency and whether a response is of use in parts.

/// How soon a response is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority {
    /// 0 is most urgent, 7 least.
    pub urgency: u8,
    /// Whether parts of it are of use before the rest.
    pub incremental: bool,
}

impl Default for Priority {
    fn default() -> Self {
        Self { urgency: 3, incremental: false }
    }
}

impl Priority {
    /// Reads a field value such as `u=1, i`. What is not understood is left out (RFC 9218 §4).
    pub fn parse(value: &[u8]) -> Self {
        let mut priority = Self::default();
        for member in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
            match member {
                [b'u', b'=', digit @ b'0'..=b'7'] => priority.urgency = digit - b'0',
                b"i" | b"i=?1" => priority.incremental = true,
                b"i=?0" => priority.incremental = false,
                _ => {}
            }
        }
        priority
    }
}
