//! Amounts with a unit: durations, sizes, rates, percentages.

use super::{Flaw, Value};
use crate::codes;
use std::fmt;

/// A length of time; a unit is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(std::time::Duration);

const TIME_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// A hundred years: no deadline computed from it overflows.
const DURATION_MS_MAX: u64 = 100 * 365 * 86_400_000;

impl Duration {
    /// So many milliseconds.
    pub const fn millis(count: u64) -> Self {
        Self(std::time::Duration::from_millis(count))
    }

    /// So many seconds.
    pub const fn secs(count: u64) -> Self {
        Self(std::time::Duration::from_secs(count))
    }

    /// As the standard library's type.
    pub const fn get(self) -> std::time::Duration {
        self.0
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let fits = TIME_UNITS.iter().find(|(_, unit)| millis % unit == 0 && millis > 0);
        let (name, unit) = fits.copied().unwrap_or(("s", 1000));
        write!(f, "{}{name}", millis / unit)
    }
}

impl Value for Duration {
    const WHAT: &'static str = "a duration";
    const PATTERN: Option<&'static str> = Some(r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$");
    const EXAMPLES: &'static [&'static str] = &["500ms", "30s", "5m", "1h", "7d"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        if text.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(Flaw::new(codes::UNIT, "{key} needs a unit")
                .label("a bare number could mean seconds or milliseconds")
                .replace(format!("{}s", text.trim_start_matches(['+', '-']))));
        }
        let millis = parts(text, &TIME_UNITS).ok_or_else(|| not_duration(text))?;
        if millis > DURATION_MS_MAX {
            return Err(Flaw::new(codes::DURATION, format!("`{text}` is longer than 100 years")).replace("36500d"));
        }
        Ok(Self::millis(millis))
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

fn not_duration(text: &str) -> Flaw {
    let spelled = [
        ("seconds", "s"),
        ("second", "s"),
        ("secs", "s"),
        ("sec", "s"),
        ("minutes", "m"),
        ("minute", "m"),
        ("mins", "m"),
        ("min", "m"),
        ("hours", "h"),
        ("hour", "h"),
        ("hrs", "h"),
        ("days", "d"),
        ("day", "d"),
        ("msec", "ms"),
        ("S", "s"),
        ("M", "m"),
        ("H", "h"),
        ("D", "d"),
        ("MS", "ms"),
    ];
    let flaw =
        Flaw::new(codes::DURATION, format!("`{text}` is not a duration")).label("a number and a unit: ms, s, m, h, d");
    match respell(text, &spelled, |word| parts(word, &TIME_UNITS).is_some()) {
        Some(better) => flaw.replace(better),
        None => flaw.replace("30s").hint("write a duration such as 30s"),
    }
}

/// `10 minutes` → `10m`, if that is then right.
fn respell(text: &str, spelled: &[(&str, &str)], is_right: impl Fn(&str) -> bool) -> Option<String> {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let candidates =
        spelled.iter().filter_map(|(long, short)| Some(format!("{}{short}", squeezed.strip_suffix(long)?)));
    std::iter::once(squeezed.clone()).chain(candidates).find(|word| is_right(word) && word != text)
}

/// Sum of parts such as `1h30m`, in the smallest unit; units largest first.
fn parts(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let length = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at_checked(length)?;
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(scaled(number, *factor)?)?;
        rest = next;
    }
    Some(sum)
}

/// A decimal number times a factor, exactly; `None` if a fraction would be left.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 9 || (number.contains('.') && fraction.is_empty()) || fraction.contains('.')
    {
        return None;
    }
    let base = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    if fraction.is_empty() {
        return Some(base);
    }
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<u64>().ok()?.checked_mul(factor)?;
    (part % scale == 0).then(|| base.checked_add(part / scale))?
}

/// A number of bytes; a unit is required. KB, MB, GB count in thousands, KiB, MiB, GiB in 1,024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1000),
    ("B", 1),
];

impl Size {
    /// So many bytes.
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// So many KiB.
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    /// So many MiB.
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = SIZE_UNITS.iter().find(|(_, unit)| self.0.is_multiple_of(*unit) && self.0 > 0);
        let (name, unit) = fits.copied().unwrap_or(("B", 1));
        write!(f, "{}{name}", self.0 / unit)
    }
}

impl Value for Size {
    const WHAT: &'static str = "a size";
    const PATTERN: Option<&'static str> = Some(r"^[0-9]+(\.[0-9]+)?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$");
    const EXAMPLES: &'static [&'static str] = &["64KiB", "1MiB", "10MB"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        if text.parse::<u64>().is_ok() {
            return Err(Flaw::new(codes::UNIT, "{key} needs a unit")
                .label("a bare number could mean bytes or kilobytes")
                .replace(format!("{text}B")));
        }
        parts(text, &SIZE_UNITS).map(Self).ok_or_else(|| not_size(text))
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

fn not_size(text: &str) -> Flaw {
    let flaw = Flaw::new(codes::SIZE, format!("`{text}` is not a size"))
        .label("a number and a unit: B, KiB, MiB, GiB, KB, MB, GB");
    // nginx, HAProxy and Apache count k and m in 1,024.
    let spelled = [
        ("kb", "KB"),
        ("mb", "MB"),
        ("gb", "GB"),
        ("kib", "KiB"),
        ("mib", "MiB"),
        ("gib", "GiB"),
        ("k", "KiB"),
        ("K", "KiB"),
        ("m", "MiB"),
        ("M", "MiB"),
        ("g", "GiB"),
        ("G", "GiB"),
        ("Ki", "KiB"),
        ("Mi", "MiB"),
        ("Gi", "GiB"),
        ("kB", "KB"),
        ("bytes", "B"),
        ("b", "B"),
        ("KIB", "KiB"),
        ("MIB", "MiB"),
        ("GIB", "GiB"),
    ];
    match respell(text, &spelled, |word| parts(word, &SIZE_UNITS).is_some()) {
        Some(better) => flaw.replace(better),
        None => flaw.replace("64KiB").hint("write a size such as 64KiB"),
    }
}

/// A number of events per unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many events.
    pub count: u64,
    /// In which time, in seconds: 1, 60, 3,600 or 86,400.
    pub per_seconds: u64,
}

const RATE_UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = RATE_UNITS.iter().find(|(_, seconds)| *seconds == self.per_seconds);
        write!(f, "{}/{}", self.count, unit.map_or("s", |(name, _)| name))
    }
}

impl Value for Rate {
    const WHAT: &'static str = "a rate";
    const PATTERN: Option<&'static str> = Some(r"^[0-9]+/(s|m|h|d)$");
    const EXAMPLES: &'static [&'static str] = &["10/s", "600/m"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let parsed = text.split_once('/').and_then(|(count, unit)| {
            let (_, per_seconds) = RATE_UNITS.iter().find(|(name, _)| *name == unit)?;
            Some(Self { count: count.parse().ok()?, per_seconds: *per_seconds })
        });
        parsed.ok_or_else(|| {
            let flaw = Flaw::new(codes::RATE, format!("`{text}` is not a rate"))
                .label("a number per unit of time: 10/s, 600/m");
            // nginx writes 10r/s.
            let squeezed = text.replace([' ', 'r'], "");
            if text.parse::<u64>().is_ok() {
                return flaw.replace(format!("{text}/s"));
            }
            match squeezed != text && Self::parse(&squeezed).is_ok() {
                true => flaw.replace(squeezed),
                false => flaw.replace("10/s").hint("write a rate such as 10/s"),
            }
        })
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

/// A size per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRate(u64);

impl ByteRate {
    /// So many bytes a second.
    pub const fn bytes_per_second(count: u64) -> Self {
        Self(count)
    }

    /// Bytes per second.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", Size(self.0))
    }
}

impl Value for ByteRate {
    const WHAT: &'static str = "a byte rate";
    const PATTERN: Option<&'static str> = Some(r"^[0-9]+(\.[0-9]+)?(B|KB|MB|GB|KiB|MiB|GiB)/s$");
    const EXAMPLES: &'static [&'static str] = &["256B/s", "1MiB/s"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        if let Some(size) = text.strip_suffix("/s").and_then(|size| parts(size, &SIZE_UNITS)) {
            return Ok(Self(size));
        }
        let flaw = Flaw::new(codes::RATE, format!("`{text}` is not a byte rate")).label("a size per second: 256B/s");
        let size = text.strip_suffix("/s").unwrap_or(text);
        Err(match Size::parse(size) {
            Ok(_) => flaw.replace(format!("{size}/s")),
            Err(Flaw { replacement: Some(better), .. }) => flaw.replace(format!("{better}/s")),
            Err(_) => flaw.replace("256B/s").hint("write a byte rate such as 256B/s"),
        })
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

/// A share of a hundred, exact to a thousandth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    thousandths: u64,
}

impl Percent {
    /// So many percent.
    pub const fn whole(count: u64) -> Self {
        Self { thousandths: count * 1000 }
    }

    /// As parts of a hundred thousand: 5% is 5,000.
    pub fn of_100_000(self) -> u32 {
        u32::try_from(self.thousandths).unwrap_or(u32::MAX)
    }

    /// In whole percent, rounded down.
    pub const fn as_whole(self) -> u64 {
        self.thousandths / 1000
    }

    /// As a factor: 5% is 0.05.
    #[allow(clippy::cast_precision_loss)] // below 2^53 by the limit of `parse`
    pub fn factor(self) -> f64 {
        self.thousandths as f64 / 100_000.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.thousandths / 1000, self.thousandths % 1000);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        let fraction = format!("{rest:03}");
        write!(f, "{whole}.{}%", fraction.trim_end_matches('0'))
    }
}

impl Value for Percent {
    const WHAT: &'static str = "a percentage";
    const PATTERN: Option<&'static str> = Some(r"^\+?[0-9]+(\.[0-9]{1,3})?%$");
    const EXAMPLES: &'static [&'static str] = &["5%", "0.5%"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let number = text.strip_suffix('%').map(|number| number.strip_prefix('+').unwrap_or(number));
        if let Some(thousandths) = number.and_then(|number| scaled(number, 1000)).filter(|t| *t <= 1_000_000_000) {
            return Ok(Self { thousandths });
        }
        let flaw = Flaw::new(codes::PERCENT, format!("`{text}` is not a percentage")).label("a number and `%`");
        let bare = text.trim_end_matches(" %");
        Err(match scaled(bare, 1000) {
            Some(_) => flaw.replace(format!("{bare}%")),
            None => flaw.replace("5%").hint("write a percentage such as 5%"),
        })
    }

    fn written(&self) -> String {
        self.to_string()
    }
}
