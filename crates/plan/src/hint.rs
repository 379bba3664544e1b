use crate::Endpoint;

/// The field by which an endpoint says how much it wants to do.
const FIELD: &str = "strait-endpoint";
/// The most that a weight can be raised to, in hundredths of the weight in the plan.
const PERCENT_MAX: u32 = 1_000;

/// What an endpoint says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// No new requests.
    Drain,
    /// All that it should get by its weight.
    Ready,
    /// So many hundredths of that.
    Weight(u32),
}

impl Hint {
    /// The name of the field, in lower case.
    pub const FIELD: &'static str = FIELD;

    /// Whether this is the name of the field.
    pub fn is_field(name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(FIELD.as_bytes())
    }

    /// Reads the value of the field. What is not understood says nothing.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim();
        match text {
            "drain" => Some(Self::Drain),
            "ready" => Some(Self::Ready),
            _ => {
                let percent = text.strip_prefix("weight=")?.strip_suffix('%')?.parse().ok()?;
                (percent <= PERCENT_MAX).then_some(Self::Weight(percent))
            }
        }
    }

    /// Does as the endpoint says, from this instant.
    pub fn apply(self, endpoint: &Endpoint, now_ms: u64) {
        let standing = &endpoint.state.standing;
        match self {
            Self::Drain => {
                standing.set_draining(true, now_ms);
            }
            Self::Ready => {
                standing.set_weight(None);
                standing.set_draining(false, now_ms);
            }
            Self::Weight(percent) => {
                let weight = u64::from(endpoint.weight) * u64::from(percent) / 100;
                // A share above nothing is not nothing.
                let weight = weight.max(u64::from(percent > 0 && endpoint.weight > 0));
                standing.set_weight(u32::try_from(weight).ok());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hint;

    #[test]
    fn a_hint_is_read_or_says_nothing() {
        assert_eq!(Hint::parse(b" drain "), Some(Hint::Drain));
        assert_eq!(Hint::parse(b"ready"), Some(Hint::Ready));
        assert_eq!(Hint::parse(b"weight=50%"), Some(Hint::Weight(50)));
        for nothing in [&b"weight=50"[..], b"weight=-1%", b"weight=1001%", b"down", b"", b"\xff"] {
            assert_eq!(Hint::parse(nothing), None);
        }
        assert!(Hint::is_field(b"Strait-Endpoint") && !Hint::is_field(b"Strait-Endpoints"));
    }
}
