//! HTTP/2 over sockets, either role. A connection is a [`Link`]: one task reads it and writes what all its streams have
//! to say, in as few calls as there are turns. A stream is a [`Lane`], which exchanges use as a socket like any other:
//! what is read from it are the octets of a body, what is written to it leaves as DATA.

mod lane;
mod link;

pub(crate) use lane::{Ended, Lane, LaneSocket};
pub(crate) use link::{Link, Side, Waits};

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use strait_http2::Scratch;
use strait_message::{RequestHead, ResponseHead};

/// Heads that a worker keeps for later.
const HEADS_KEPT_MAX: usize = 256;

/// What all connections of a worker share.
#[derive(Default)]
pub(crate) struct Shared {
    /// Where heads are read into.
    scratch: RefCell<Scratch>,
    requests: RefCell<Vec<RequestHead>>,
    responses: RefCell<Vec<ResponseHead>>,
    links: RefCell<Vec<Weak<Link>>>,
}

impl Shared {
    /// Gives the memory of a head back.
    pub(crate) fn give_request(&self, head: RequestHead) {
        let mut heads = self.requests.borrow_mut();
        if heads.len() < HEADS_KEPT_MAX {
            heads.push(head);
        }
    }

    fn take_request(&self) -> RequestHead {
        self.requests.borrow_mut().pop().unwrap_or_default()
    }

    fn take_response(&self) -> ResponseHead {
        self.responses.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes note of a connection.
    fn add(&self, link: &Rc<Link>) {
        self.links.borrow_mut().push(Rc::downgrade(link));
    }

    /// Every connection there is.
    pub(crate) fn links(&self) -> Vec<Rc<Link>> {
        self.links.borrow().iter().filter_map(Weak::upgrade).collect()
    }

    /// Forgets the connections that are gone, and lets idle ones give memory back. Called once a second.
    pub(crate) fn upkeep(&self, now_ms: u64) {
        let mut links = self.links.borrow_mut();
        links.retain(|link| link.strong_count() > 0);
        if links.len() < links.capacity() / 4 {
            links.shrink_to_fit();
        }
        let links: Vec<_> = links.iter().filter_map(Weak::upgrade).collect();
        links.iter().for_each(|link| link.upkeep(now_ms));
        halve(&mut self.requests.borrow_mut());
        halve(&mut self.responses.borrow_mut());
    }
}

fn halve<T>(heads: &mut Vec<T>) {
    let keep = heads.len() / 2;
    heads.truncate(keep);
}
