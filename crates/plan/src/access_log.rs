//! Which exchanges are written down, and as what.

use crate::Evidence;
use std::borrow::Cow;
use std::time::Duration;
use strait_expr::{Environment, Expression, Fact, Facts, Kind, MapFact, Template, Value};
use strait_record::{AccessRecord, Attribute, Format, Members, quotable, rfc3339_us};

/// How access records are written, and of which exchanges.
#[derive(Debug, Default)]
pub struct AccessLog {
    /// The form of a line.
    pub form: Form,
    /// Which exchanges are left out; `None` when all are written down.
    pub sampling: Option<Sampling>,
    /// Whether records are sent as OTLP, in place of lines.
    pub is_otlp: bool,
}

/// The form of a line.
#[derive(Debug)]
pub enum Form {
    /// One of those built in.
    Fixed(Format),
    /// A text of the operator's; values are escaped so that each stays in its quotes and its line.
    Template(Template),
    /// Names and values that the operator chose.
    Chosen(Chosen),
}

/// A form whose names were chosen one by one.
#[derive(Debug)]
pub struct Chosen {
    /// Whether it is `key=value` pairs; else a JSON object.
    pub is_logfmt: bool,
    /// Which of the names of a record it has.
    pub names: Box<[&'static str]>,
    /// Further names, with what is written there; left out where that is empty.
    pub added: Box<[(Box<str>, Template)]>,
}

impl Chosen {
    fn write(&self, evidence: &LogEvidence<'_>, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
        let mut members = Members::begin(self.is_logfmt, out);
        members.add_record(evidence.record, |name| self.names.contains(&name));
        for (name, template) in &self.added {
            scratch.clear();
            template.render(evidence, scratch);
            if !scratch.is_empty() {
                members.add(name, Attribute::Text(scratch));
            }
        }
        members.end();
    }
}

/// Of which exchanges a record is written.
#[derive(Debug)]
pub struct Sampling {
    /// How many of 100,000, by their request id.
    pub of_100_000: u32,
    /// What is written whatever chance says. Exchanges that a fault ended are so in any case.
    pub always: Expression,
}

impl Default for Form {
    fn default() -> Self {
        Self::Fixed(Format::Off)
    }
}

impl AccessLog {
    /// Every record in a form that is built in.
    pub fn of(format: Format) -> Self {
        Self { form: Form::Fixed(format), sampling: None, is_otlp: false }
    }

    /// Whether nothing is ever written.
    pub fn is_off(&self) -> bool {
        matches!(self.form, Form::Fixed(Format::Off)) && !self.is_otlp
    }

    /// Whether the record alone decides what is written, so that nothing else need be gathered.
    pub fn plain(&self) -> Option<Format> {
        match self.form {
            Form::Fixed(format) if self.sampling.is_none() && !self.is_otlp => Some(format),
            _ => None,
        }
    }

    /// Whether the exchange is written down.
    pub fn keeps(&self, evidence: &LogEvidence<'_>) -> bool {
        let Some(sampling) = &self.sampling else { return true };
        evidence.record.end.is_fault()
            || portion_of(evidence.record.request_id.as_bytes()) < sampling.of_100_000
            || sampling.always.holds(evidence)
    }

    /// Appends the line. `scratch` is wiped.
    pub fn write(&self, evidence: &LogEvidence<'_>, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
        match &self.form {
            Form::Fixed(format) => evidence.record.write(*format, out),
            Form::Template(template) => {
                template.render_escaped(evidence, quotable, scratch, out);
                out.push(b'\n');
            }
            Form::Chosen(chosen) => chosen.write(evidence, scratch, out),
        }
    }
}

/// A number below 100,000 that every Strait computes alike from the same request id, so that all of a chain of them keep
/// the same exchanges: FNV-1a, and a finaliser, for ids that count upwards.
fn portion_of(id: &[u8]) -> u32 {
    let hash = id
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    u32::try_from((mixed ^ (mixed >> 32)) % 100_000).unwrap_or(0)
}

/// The names beside those of requests and responses, with what they are, in the order of the manual.
pub const LOG_NAMES: &[(&str, Kind, &str)] = &[
    ("exchange.time", Kind::Text, "when the first octet of the request came (RFC 3339)"),
    ("exchange.end", Kind::Text, "how it ended: `complete`, `filter:NAME`, or the code of a fault"),
    ("exchange.reason", Kind::Text, "the fault in a sentence; absent without one"),
    ("exchange.worker", Kind::Int, "number of the worker"),
    ("exchange.generation", Kind::Int, "generation of the plan it ran under"),
    ("request.bytes", Kind::Int, "octets of the request body"),
    ("response.bytes", Kind::Int, "octets of the response body"),
    ("response.first_byte", Kind::Duration, "time to the response head; absent without one"),
    ("route.pattern", Kind::Text, "pattern of the route; absent when none was found"),
    ("upstream.name", Kind::Text, "the upstream that was asked"),
    ("upstream.endpoint", Kind::Text, "the last endpoint tried"),
    ("upstream.attempts", Kind::Int, "attempts made"),
    ("upstream.status", Kind::Int, "status the origin sent"),
    ("upstream.connect", Kind::Duration, "what connecting took in the last attempt; absent on an open connection"),
];

/// The names that sampling, log templates and filters of `strait tail` may use.
pub fn log_environment() -> Environment {
    LOG_NAMES.iter().fold(Environment::response(), |names, (name, kind, _)| names.with(name, kind.clone()))
}

/// All that an expression may ask about an exchange that has ended.
#[derive(Clone, Copy, Debug)]
pub struct LogEvidence<'a> {
    /// What is written down about it.
    pub record: &'a AccessRecord<'a>,
    /// The request and the response, where there was a request to be read.
    pub exchange: Option<Evidence<'a>>,
}

impl Facts for LogEvidence<'_> {
    fn fact(&self, fact: Fact) -> Option<Value<'_>> {
        let record = self.record;
        match fact {
            // What was sent, or stands for the fault: a response that never came has a status here too.
            Fact::ResponseStatus => record.shown_status().map(|status| Value::Int(status.code().into())),
            Fact::Duration => Some(span(record.duration_us)),
            Fact::ClientIp => record.client.map(|client| Value::Address(client.ip().to_canonical())),
            Fact::RequestId => Some(Value::text(record.request_id)),
            Fact::Listener => Some(Value::text(record.listener)),
            // A request line that could not be read names none.
            Fact::RequestMethod if record.method.is_none() => None,
            Fact::RequestPath => Some(Value::text(record.path)),
            _ => match &self.exchange {
                Some(exchange) => exchange.fact(fact),
                None => recorded(record, fact),
            },
        }
    }

    fn entry(&self, map: MapFact, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.exchange.as_ref()?.entry(map, key)
    }

    fn capture(&self, place: usize) -> Option<Cow<'_, [u8]>> {
        self.exchange.as_ref()?.capture(place)
    }

    fn added(&self, name: &str) -> Option<Value<'_>> {
        let record = self.record;
        let some = |text| Some(text).filter(|text: &&str| !text.is_empty()).map(Value::text);
        let long = |us: u64| Some(us).filter(|us| *us > 0).map(span);
        match name {
            "exchange.time" => Some(owned(String::from_utf8_lossy(&rfc3339_us(record.time_us)).into_owned())),
            "exchange.end" => Some(owned(record.end.to_string())),
            "exchange.reason" => match record.end {
                strait_record::End::Fault(fault) => Some(owned(fault.to_string())),
                _ => None,
            },
            "exchange.worker" => Some(Value::Int(record.worker.into())),
            "exchange.generation" => Some(count(record.generation)),
            "request.bytes" => Some(count(record.request_bytes)),
            "response.bytes" => Some(count(record.response_bytes)),
            "response.first_byte" => long(record.first_byte_us),
            "route.pattern" => some(record.route),
            "upstream.name" => some(record.upstream),
            "upstream.endpoint" => some(record.endpoint),
            "upstream.attempts" => Some(Value::Int(record.attempts.into())),
            "upstream.status" => record.upstream_status.map(|status| Value::Int(status.code().into())),
            "upstream.connect" => long(record.connect_us),
            _ => None,
        }
    }
}

/// What a record alone says about a request.
fn recorded<'a>(record: &'a AccessRecord<'a>, fact: Fact) -> Option<Value<'a>> {
    let some = |text: &'a str| Some(text).filter(|text| !text.is_empty()).map(Value::text);
    match fact {
        Fact::ClientPort => record.client.map(|client| Value::Int(client.port().into())),
        Fact::RequestMethod => record.method.as_ref().map(|method| Value::text(method.as_str())),
        Fact::RequestScheme => Some(Value::text(if record.tls.is_some() { "https" } else { "http" })),
        Fact::RequestHost => {
            let host = String::from_utf8_lossy(record.host).to_ascii_lowercase();
            let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|octet| octet.is_ascii_digit()));
            Some(owned(bare.map_or(&*host, |(bare, _)| bare).to_owned()))
        }
        Fact::RequestQueryString => Some(Value::text(record.query)),
        Fact::RequestUri => {
            let (path, query) = (String::from_utf8_lossy(record.path), String::from_utf8_lossy(record.query));
            Some(owned(if query.is_empty() { path.into_owned() } else { format!("{path}?{query}") }))
        }
        Fact::Protocol => Some(owned(format!("HTTP/{}", record.version.as_str()))),
        Fact::TlsVersion => some(record.tls.as_ref()?.version),
        Fact::TlsSni => some(record.tls.as_ref()?.server_name),
        Fact::TlsCipher => some(record.tls.as_ref()?.suite),
        Fact::TlsClientSubject => some(record.tls.as_ref()?.client_subject),
        Fact::TlsClientFingerprint => some(record.tls.as_ref()?.client_fingerprint),
        _ => None,
    }
}

fn owned(text: String) -> Value<'static> {
    Value::Text(Cow::Owned(text.into_bytes()))
}

fn count(count: u64) -> Value<'static> {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn span(us: u64) -> Value<'static> {
    let nanoseconds = Duration::from_micros(us).as_nanos();
    Value::Duration(i64::try_from(nanoseconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{AccessLog, Form, LOG_NAMES, LogEvidence, Sampling, log_environment, portion_of};
    use strait_expr::{Expression, Facts as _, Template};
    use strait_message::{Fault, Kind, Phase, Status};
    use strait_record::{AccessRecord, End, Format};

    fn record() -> AccessRecord<'static> {
        AccessRecord {
            request_id: "019a5394-1d15-7c3e-8b1a-2f6f0c9d1e42",
            path: b"/a\n\"b",
            route: "/*",
            status: Some(Status::OK),
            duration_us: 1_500_000,
            first_byte_us: 7,
            upstream: "app",
            endpoint: "127.0.0.1:1",
            connect_us: 3,
            upstream_status: Some(Status::OK),
            end: End::Fault(Fault::upstream(Phase::ResponseBody, Kind::Reset)),
            ..AccessRecord::default()
        }
    }

    fn sampled(of_100_000: u32, always: &str) -> AccessLog {
        let always = Expression::condition(always, &log_environment()).unwrap();
        AccessLog { form: Form::Fixed(Format::Json), sampling: Some(Sampling { of_100_000, always }), is_otlp: false }
    }

    fn keeps(log: &AccessLog, record: &AccessRecord<'_>) -> bool {
        log.keeps(&LogEvidence { record, exchange: None })
    }

    #[test]
    fn every_name_has_a_value() {
        let record = record();
        let evidence = LogEvidence { record: &record, exchange: None };
        for (name, ..) in LOG_NAMES {
            assert!(evidence.added(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_manual_lists_the_names() {
        let manual = include_str!("../../../docs/logs.md");
        for (name, kind, doc) in LOG_NAMES {
            let row = format!("| `{name}` | {} | {doc} |", kind.words());
            assert!(manual.contains(&row), "docs/logs.md lacks: {row}");
        }
    }

    #[test]
    fn faults_and_what_always_names_are_kept_whatever_chance_says() {
        let log = sampled(0, "status >= 500 || duration > 1s");
        let well = AccessRecord { end: End::Complete, duration_us: 5, ..record() };
        assert!(!keeps(&log, &well));
        assert!(keeps(&log, &AccessRecord { duration_us: 1_000_001, ..well }));
        assert!(keeps(&log, &AccessRecord { status: Some(Status::BAD_GATEWAY), ..well }));
        assert!(keeps(&log, &AccessRecord { end: record().end, ..well }));
    }

    #[test]
    fn a_tenth_is_about_a_tenth_and_always_the_same() {
        let log = sampled(10_000, "false");
        let ids: Vec<String> = (0..20_000).map(|n| format!("019a5394-1d15-7c3e-8b1a-{n:012x}")).collect();
        let kept = || {
            let record = |id| AccessRecord { request_id: id, end: End::Complete, ..record() };
            ids.iter().filter(|id| keeps(&log, &record(id))).count()
        };
        assert!((1_800..2_200).contains(&kept()), "{}", kept());
        assert_eq!(kept(), kept());
        assert_eq!(portion_of(b"a"), portion_of(b"a"));
    }

    #[test]
    fn a_value_of_a_template_stays_in_its_quotes() {
        let text = "${exchange.time} \"${request.path}\" ${status} ${duration} ${request.headers['x']}-";
        let template = Template::compile(text, &log_environment()).unwrap();
        let log = AccessLog { form: Form::Template(template), sampling: None, is_otlp: false };
        let (mut scratch, mut out) = (Vec::new(), Vec::new());
        log.write(&LogEvidence { record: &record(), exchange: None }, &mut scratch, &mut out);
        let written = String::from_utf8(out).unwrap();
        assert_eq!(written, "1970-01-01T00:00:00.000000Z \"/a\\x0a\\x22b\" 200 1.5s -\n");
    }
}
