use super::RemoveHeaders;
use crate::fields::{FieldPattern, remove_all};
use crate::flow::{Behaviour, Flow};
use crate::{Request, Response};
use strait_message::{Name, NameSet};

/// What a pattern such as `*` may not take: without a Host a request is malformed, and framing is the engine's.
const KEPT: NameSet = NameSet::FRAMING.with(Name::Host);

impl Behaviour for RemoveHeaders {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        remove_all(&self.request, KEPT, &mut request.head.headers);
        Flow::Continue
    }

    fn response(&self, response: &mut Response<'_>) {
        remove_all(&self.response, KEPT, &mut response.head.headers);
    }

    fn describe(&self) -> String {
        let names = |list: &[FieldPattern]| list.iter().map(FieldPattern::written).collect::<Vec<_>>().join(", ");
        let sides = [("request", names(&self.request)), ("response", names(&self.response))];
        let said = sides.into_iter().filter(|(_, list)| !list.is_empty());
        let said: Vec<String> = said.map(|(side, list)| format!("{list} of the {side}")).collect();
        format!("removes {}", said.join(" and "))
    }
}
