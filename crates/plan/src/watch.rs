//! Conditions on exchanges that have ended, of which no more is known than their records: what those who watch ask for.

use crate::{LogEvidence, log_environment};
use strait_expr::{Environment, Expression};
use strait_record::AccessRecord;

/// Names of the language that no record has.
const NOT_RECORDED: &[&str] = &[
    "request.headers",
    "request.cookies",
    "request.query",
    "response.headers",
    "tls.alpn",
    "tls.client.issuer",
    "tls.client.san",
    "tls.client.serial",
];

/// Which records somebody wants to see.
#[derive(Debug)]
pub struct RecordFilter(Expression);

impl RecordFilter {
    /// Reads the condition.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn compile(text: &str) -> Result<Self, String> {
        let expression = Expression::condition(text, &names());
        expression.map(Self).map_err(|error| {
            let part = text.get(error.span.clone()).unwrap_or_default();
            let fix = error.fix.map_or_else(String::new, |fix| format!("; {}", fix.message));
            format!("{} at `{part}`: {}{fix}", error.message, error.label)
        })
    }

    /// Whether the record is one of them.
    pub fn holds(&self, record: &AccessRecord<'_>) -> bool {
        self.0.holds(&LogEvidence { record, exchange: None })
    }
}

fn names() -> Environment {
    NOT_RECORDED.iter().fold(log_environment(), |names, name| names.without(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::RecordFilter;
    use strait_message::{Method, Status, Version};
    use strait_record::{AccessRecord, TlsRecord};

    #[test]
    fn a_record_alone_answers_what_may_be_asked() {
        let tls =
            TlsRecord { version: "TLSv1.3", server_name: "a.example", client_subject: "CN=me", ..TlsRecord::default() };
        let record = AccessRecord {
            method: Some(Method::Post),
            host: b"A.example:8080",
            path: b"/a",
            query: b"b=c",
            version: Version::default(),
            tls: Some(tls),
            client: Some("192.0.2.7:99".parse().unwrap()),
            route: "/*",
            upstream: "app",
            status: Some(Status::BAD_GATEWAY),
            duration_us: 2_000,
            ..AccessRecord::default()
        };
        for text in [
            "request.method == 'POST' && request.host == 'a.example'",
            "request.path == '/a' && request.query_string == 'b=c' && request.uri == '/a?b=c'",
            "status >= 500 && duration > 1ms && protocol == 'HTTP/1.1'",
            "route.pattern == '/*' && upstream.name == 'app'",
            "client.ip == '192.0.2.7' && client.port == 99",
            "request.scheme == 'https' && tls.sni == 'a.example' && tls.client.subject == 'CN=me'",
        ] {
            assert!(RecordFilter::compile(text).unwrap().holds(&record), "{text}");
        }
        assert!(!RecordFilter::compile("status < 500").unwrap().holds(&record));
    }

    #[test]
    fn what_no_record_has_is_refused() {
        let error = RecordFilter::compile("request.headers['a'] == 'b'").unwrap_err();
        assert!(error.contains("request.headers"), "{error}");
        assert!(RecordFilter::compile("status >").is_err());
    }
}
