use super::RequestId;
use crate::flow::{Behaviour, Flow};
use crate::{Request, Response};
use strait_message::Name;

impl Behaviour for RequestId {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        let given = self.header.get(&request.head.headers).and_then(uuid).filter(|_| self.accept);
        if given.is_some() {
            request.notes.request_id = given;
        }
        if self.header.known() != Name::XRequestId {
            let own: Option<[u8; 36]> = request.facts.request_id.as_bytes().try_into().ok();
            self.header.remove(&mut request.head.headers);
            if let Some(id) = given.or(request.notes.request_id).or(own) {
                request.head.headers.push(self.header.as_str().as_bytes(), &id);
            }
        }
        Flow::Continue
    }

    fn response(&self, response: &mut Response<'_>) {
        if self.header.known() != Name::XRequestId {
            self.header.remove(&mut response.head.headers);
            response.head.headers.push(self.header.as_str().as_bytes(), response.facts.request_id.as_bytes());
        }
    }

    fn describe(&self) -> String {
        let kept = if self.accept { ", and keeps one that comes" } else { "" };
        format!("carries the request's id in {}{kept}", self.header.as_str())
    }
}

/// A UUID in its 36-character form (RFC 9562 §4): anything else could not stand in every log and trace.
fn uuid(text: &[u8]) -> Option<[u8; 36]> {
    let is = |(at, b): (usize, &u8)| if matches!(at, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() };
    let id: [u8; 36] = text.try_into().ok()?;
    id.iter().enumerate().all(is).then(|| id.map(|b| b.to_ascii_lowercase()))
}
