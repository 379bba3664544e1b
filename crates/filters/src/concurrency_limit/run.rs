use super::ConcurrencyLimit;
use crate::flow::{Behaviour, Flow, Reply};
use crate::{Request, Verdict};
use strait_message::Name;

impl Behaviour for ConcurrencyLimit {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        let key = self.key.number(request, &self.running.hasher);
        match self.running.enter(key, self.max) {
            Some(permit) if request.facts.trial => {
                drop(permit);
                Flow::Continue
            }
            Some(permit) => {
                request.notes.permits.push(permit);
                Flow::Continue
            }
            None if self.dry_run => Flow::GoOn(Verdict::Spared),
            None => {
                let mut reply = Reply::problem(self.status, "too many requests are under way; try again later");
                reply.head.headers.push_name(Name::RetryAfter, b"1");
                reply.into()
            }
        }
    }

    fn describe(&self) -> String {
        let dry = if self.dry_run { ", counted only" } else { "" };
        format!("at most {} under way, by {}{dry}", self.max, self.key.written())
    }
}
