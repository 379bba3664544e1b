//! The memory of exchanges that run now: rooms that a worker keeps, so that an idle connection holds none and an
//! exchange allocates none.
//!
//! A room is a task of its own that never ends: it takes a client's connection, runs one exchange on it, hands it
//! back and waits for the next. The room that was left last is entered first, while its memory is still in the cache.

use crate::downstream::h1::Guest;
use crate::scratch::Scratch;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use strait_http1::Persistence;

/// Rooms a worker keeps for later; half of them go every second.
const KEPT_MAX: usize = 4096;

/// A place where one exchange at a time runs. A room that is dropped ends its exchange.
pub(crate) struct Room {
    life: Pin<Box<dyn Future<Output = ()>>>,
    desk: Rc<Desk>,
}

/// What a room and who is outside hand each other.
#[derive(Default)]
struct Desk {
    coming: Cell<Option<Guest>>,
    leaving: Cell<Option<(Guest, Persistence)>>,
}

/// A worker's empty rooms.
#[derive(Default)]
pub(crate) struct Rooms(RefCell<Vec<Room>>);

impl Rooms {
    /// Lets a guest into a room.
    pub(crate) fn enter(&self, guest: Guest) -> Room {
        let room = self.0.borrow_mut().pop().unwrap_or_else(Room::new);
        room.desk.coming.set(Some(guest));
        room
    }

    /// Takes back a room whose guest has left.
    pub(crate) fn give(&self, room: Room) {
        let mut rooms = self.0.borrow_mut();
        if rooms.len() < KEPT_MAX {
            rooms.push(room);
        }
    }

    /// Lets go of half of them.
    pub(crate) fn trim(&self) {
        let mut rooms = self.0.borrow_mut();
        let keep = rooms.len() / 2;
        rooms.truncate(keep);
    }
}

impl Room {
    fn new() -> Self {
        let desk = Rc::<Desk>::default();
        Self { life: Box::pin(live(desk.clone())), desk }
    }

    /// Ready with the guest and what becomes of its connection, when the exchange has ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(Guest, Persistence)> {
        // It never ends, and waits for the next guest once this one leaves.
        let _ = self.life.as_mut().poll(cx);
        self.desk.leaving.take().map_or(Poll::Pending, Poll::Ready)
    }
}

async fn live(desk: Rc<Desk>) {
    let mut scratch = Scratch::default();
    loop {
        // No waker is kept: who sends a guest in polls the room.
        let mut guest = poll_fn(|_| desk.coming.take().map_or(Poll::Pending, Poll::Ready)).await;
        let persistence = guest.serve_one(&mut scratch).await;
        scratch.wipe();
        desk.leaving.set(Some((guest, persistence)));
    }
}
