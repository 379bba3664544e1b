//! The exposition format itself.

use super::{Distribution, Exposition};
use std::fmt::Write;
use strait_record::BOUNDS_US;

/// A metric: its name, what it is and what it means. The manual is made of these.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The page while it is written. Writing into a string does not fail.
pub(super) struct Page {
    out: String,
    exposition: Exposition,
}

impl Page {
    pub(super) fn new(exposition: Exposition) -> Self {
        Self { out: String::with_capacity(16 * 1024), exposition }
    }

    /// Begins a family: its samples follow.
    pub(super) fn family(&mut self, family: &Family) {
        let name = match (self.exposition, family.kind) {
            // A counter's suffix belongs to the sample there.
            (Exposition::OpenMetrics, Kind::Counter) => family.name.trim_end_matches("_total"),
            _ => family.name,
        };
        let kind = match (self.exposition, family.kind) {
            // A counter without that suffix, as others name theirs, would not be one there.
            (Exposition::OpenMetrics, Kind::Counter) if !family.name.ends_with("_total") => "unknown",
            (_, kind) => kind.word(),
        };
        let _ = writeln!(self.out, "# HELP {name} {}\n# TYPE {name} {kind}", family.help);
    }

    /// Writes one sample.
    pub(super) fn sample(&mut self, family: &Family, labels: &[&str], value: f64) {
        self.named(family, "", labels, None, value);
    }

    /// Writes a family of one sample.
    pub(super) fn single(&mut self, family: &Family, labels: &[&str], value: f64) {
        self.family(family);
        self.sample(family, labels, value);
    }

    /// Writes the samples of a histogram, in seconds.
    pub(super) fn distribution(&mut self, family: &Family, labels: &[&str], distribution: &Distribution) {
        self.distribution_in(family, labels, distribution, 1e6);
    }

    /// The same in another unit, of so many microseconds.
    pub(super) fn distribution_in(
        &mut self,
        family: &Family,
        labels: &[&str],
        distribution: &Distribution,
        unit_us: f64,
    ) {
        let mut reached = 0;
        let bounds = BOUNDS_US.iter().map(|&us| format!("{:?}", us as f64 / unit_us)).chain(["+Inf".to_owned()]);
        let counts = distribution.counts.iter().copied().chain(std::iter::repeat(0));
        for (bound, count) in bounds.zip(counts) {
            reached += count;
            self.named(family, "_bucket", labels, Some(&bound), reached as f64);
        }
        self.named(family, "_sum", labels, None, distribution.sum_us as f64 / unit_us);
        self.named(family, "_count", labels, None, reached as f64);
    }

    pub(super) fn finish(mut self) -> String {
        if self.exposition == Exposition::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }

    fn named(&mut self, family: &Family, suffix: &str, labels: &[&str], bound: Option<&str>, value: f64) {
        self.out.push_str(family.name);
        self.out.push_str(suffix);
        let mut opening = '{';
        let bound = bound.map(|bound| ("le", bound));
        for (name, value) in family.labels.iter().copied().zip(labels.iter().copied()).chain(bound) {
            let _ = write!(self.out, "{opening}{name}=\"");
            self.escape(value);
            self.out.push('"');
            opening = ',';
        }
        if opening == ',' {
            self.out.push('}');
        }
        let _ = writeln!(self.out, " {value}");
    }

    fn escape(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '\\' => self.out.push_str("\\\\"),
                '"' => self.out.push_str("\\\""),
                '\n' => self.out.push_str("\\n"),
                c => self.out.push(c),
            }
        }
    }
}
