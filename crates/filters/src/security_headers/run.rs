use super::SecurityHeaders;
use crate::fields::Mode;
use crate::flow::Behaviour;
use crate::{FieldName, Response};

impl Behaviour for SecurityHeaders {
    fn response(&self, response: &mut Response<'_>) {
        let headers = &mut response.head.headers;
        for (name, value) in &self.fields {
            name.put(Mode::IfAbsent, value.as_bytes(), headers);
        }
        if !self.hsts.is_empty() && response.facts.scheme == "https" {
            FieldName::new("Strict-Transport-Security").put(Mode::IfAbsent, self.hsts.as_bytes(), headers);
        }
    }

    fn describe(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        let hsts = if self.hsts.is_empty() { "" } else { ", and Strict-Transport-Security over TLS" };
        format!("sets {}{hsts} where the origin does not", names.join(", "))
    }
}
