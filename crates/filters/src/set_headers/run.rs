use super::SetHeaders;
use crate::fields::{FieldName, Mode};
use crate::flow::{Behaviour, Flow};
use crate::{Request, Response};
use crate::evidence::Evidence;
use std::borrow::Cow;
use strait_expr::Template;
use strait_message::{Name, NameSet};

/// Names of a request that a client's fields never get through with, so that a filter's go by another way.
const OWN: NameSet = NameSet::CLIENT_IDENTITY.with(Name::XRequestId);

impl Behaviour for SetHeaders {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        for (name, template) in &self.request {
            let value = value(template, &request.facts.evidence(request.head, None));
            let headers = if OWN.contains(name.known()) { &mut request.notes.forced } else { &mut request.head.headers };
            name.put(self.mode, &value, headers);
        }
        Flow::Continue
    }

    fn response(&self, response: &mut Response<'_>) {
        for (name, template) in &self.response {
            let value = value(template, &response.facts.evidence(response.request, Some(response.head)));
            name.put(self.mode, &value, &mut response.head.headers);
        }
    }

    fn describe(&self) -> String {
        let verb = match self.mode {
            Mode::Set => "sets",
            Mode::Append => "appends",
            Mode::IfAbsent => "sets, where there is none,",
        };
        let names =
            |list: &[(FieldName, Template)]| list.iter().map(|(n, v)| format!("{}: {v}", n.as_str())).collect::<Vec<_>>().join(", ");
        let sides = [("request", names(&self.request)), ("response", names(&self.response))];
        let said = sides.into_iter().filter(|(_, list)| !list.is_empty());
        let said: Vec<String> = said.map(|(side, list)| format!("{list} in the {side}")).collect();
        format!("{verb} {}", said.join(" and "))
    }
}

/// A field's value: as it is written, or filled in.
fn value<'t>(template: &'t Template, evidence: &Evidence<'_>) -> Cow<'t, [u8]> {
    match template.as_literal() {
        Some(literal) => Cow::Borrowed(literal),
        None => {
            let mut value = Vec::new();
            template.render_field(evidence, &mut value);
            Cow::Owned(value)
        }
    }
}
