use super::{RateLimit, Taken};
use crate::flow::{Behaviour, Flow, Reply};
use crate::{Request, Response, Verdict};
use strait_message::{Headers, Name};

const NS_PER_S: u64 = 1_000_000_000;

impl Behaviour for RateLimit {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        let key = self.key.number(request, &self.state.hasher);
        let now_ns = request.facts.now.us.saturating_mul(1_000);
        let (interval, tolerance) = (self.quota.interval_ns(), self.quota.tolerance_ns());
        let taken = self.state.table.take(key, now_ns, interval, tolerance, request.facts.trial);
        if taken.allowed {
            request.notes.limit_left = self.headers.then_some((taken.left, taken.wait_ns.div_ceil(NS_PER_S)));
            return Flow::Continue;
        }
        if self.dry_run {
            return Flow::GoOn(Verdict::Spared);
        }
        self.refusal(&taken).into()
    }

    fn response(&self, response: &mut Response<'_>) {
        if let Some((left, reset_s)) = response.notes.limit_left.take() {
            self.tell(left, reset_s, &mut response.head.headers);
        }
    }

    fn describe(&self) -> String {
        let quota = &self.quota;
        let dry = if self.dry_run { ", counted only" } else { "" };
        format!("{} in {} s and {} more at once, by {}{dry}", quota.count, quota.per_s, quota.burst, self.key.written())
    }
}

impl RateLimit {
    fn refusal(&self, taken: &Taken) -> Reply {
        let wait_s = taken.wait_ns.div_ceil(NS_PER_S).max(1);
        let mut reply = Reply::problem(self.status, "more requests came than are allowed; try again later");
        reply.head.headers.push_name(Name::RetryAfter, wait_s.to_string().as_bytes());
        reply.head.headers.push_name(Name::CacheControl, b"no-store");
        if self.headers {
            self.tell(0, wait_s, &mut reply.head.headers);
        }
        reply
    }

    /// draft-ietf-httpapi-ratelimit-headers-09: the quota, and what is left of it.
    fn tell(&self, left: u64, reset_s: u64, headers: &mut Headers) {
        let Self { name, quota, .. } = self;
        headers.push(b"RateLimit-Policy", format!("\"{name}\";q={};w={}", quota.count, quota.per_s).as_bytes());
        headers.push(b"RateLimit", format!("\"{name}\";r={left};t={reset_s}").as_bytes());
    }
}
