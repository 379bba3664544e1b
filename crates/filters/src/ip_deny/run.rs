use super::IpDeny;
use crate::Request;
use crate::flow::{Behaviour, Flow, Reply};
use strait_message::Status;

impl Behaviour for IpDeny {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        if !self.networks.contains(request.facts.client) {
            return Flow::Continue;
        }
        Reply::problem(Status::FORBIDDEN, "the client's address is denied here").into()
    }

    fn describe(&self) -> String {
        format!("refuses clients of {} networks", self.networks.len())
    }
}
