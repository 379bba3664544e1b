use super::Fault;
use crate::Request;
use crate::flow::{Answer, Behaviour, Call, Flow, Reply};

/// Shares are counted in parts of this.
const WHOLE: u64 = 100_000;

impl Behaviour for Fault {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        if !self.means(request) {
            return Flow::Continue;
        }
        match self.delay {
            Some((delay_ms, share)) if request.facts.draw % WHOLE < share.into() => {
                Flow::Wait(Box::new(Call::Sleep { ms: delay_ms }))
            }
            _ => self.abort(request),
        }
    }

    fn answered(&self, _: Answer, request: &mut Request<'_>) -> Flow {
        self.abort(request)
    }

    fn describe(&self) -> String {
        let percent = |share: u32| f64::from(share) / 1_000.0;
        let delay = self.delay.map(|(ms, share)| format!("delays {}% by {ms} ms", percent(share)));
        let abort = self.abort.map(|(status, share)| format!("answers {}% with {}", percent(share), status.code()));
        delay.into_iter().chain(abort).collect::<Vec<_>>().join(", ")
    }
}

impl Fault {
    fn means(&self, request: &Request<'_>) -> bool {
        self.header.as_ref().is_none_or(|(name, wanted)| {
            let value = name.get(&request.head.headers);
            value.is_some_and(|value| wanted.as_ref().is_none_or(|wanted| wanted.as_bytes() == value))
        })
    }

    fn abort(&self, request: &Request<'_>) -> Flow {
        // Another part of the draw than the delay's, so that the two shares are independent.
        let drawn = request.facts.draw / WHOLE % WHOLE;
        match self.abort {
            Some((status, share)) if drawn < share.into() => Reply::problem(status, "this fault was asked for").into(),
            _ => Flow::Continue,
        }
    }
}
