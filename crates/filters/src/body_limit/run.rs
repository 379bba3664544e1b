use super::BodyLimit;
use crate::flow::{Behaviour, Flow, Reply};
use crate::{Request, Response};
use strait_message::Status;

impl Behaviour for BodyLimit {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        let Some(max) = self.request_octets_max else { return Flow::Continue };
        if request.body.known().is_some_and(|octets| octets > max) {
            return Reply::problem(Status::CONTENT_TOO_LARGE, format!("a request body has at most {max} octets here"))
                .into();
        }
        let octets_max = &mut request.notes.request_octets_max;
        *octets_max = Some(octets_max.map_or(max, |other| other.min(max)));
        Flow::Continue
    }

    fn response(&self, response: &mut Response<'_>) {
        let Some(max) = self.response_octets_max else { return };
        if response.body.known().is_some_and(|octets| octets > max) {
            response.head.status = Status::BAD_GATEWAY;
            response.head.headers.clear();
            response.notes.coder = None;
            response.notes.replacement = Some((*b"the response is larger than allowed here\n").into());
            return;
        }
        let octets_max = &mut response.notes.response_octets_max;
        *octets_max = Some(octets_max.map_or(max, |other| other.min(max)));
    }

    fn describe(&self) -> String {
        let said = |side: &str, max: Option<u64>| max.map(|max| format!("{side} bodies to {max} octets"));
        let parts = [said("request", self.request_octets_max), said("response", self.response_octets_max)];
        format!("bounds {}", parts.into_iter().flatten().collect::<Vec<_>>().join(" and "))
    }
}
