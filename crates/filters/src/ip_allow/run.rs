use super::IpAllow;
use crate::Request;
use crate::flow::{Behaviour, Flow, Reply};
use strait_message::Status;

impl Behaviour for IpAllow {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        if self.networks.contains(request.facts.client) {
            return Flow::Continue;
        }
        Reply::problem(Status::FORBIDDEN, "the client's address is not allowed here").into()
    }

    fn describe(&self) -> String {
        format!("lets clients of {} networks go on", self.networks.len())
    }
}
