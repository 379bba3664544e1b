//! The memory of exchanges that run now: rooms that a worker keeps, so that an idle connection holds none and an
//! exchange allocates none.
//!
//! A room is a task that takes a client's connection, runs exchanges on it while there are requests, lets it go back to
//! the lobby and waits for the next. The room that was left last is entered first, while its memory is in the cache.

use crate::downstream::h1::{After, Guest};
use crate::scratch::Scratch;
use crate::worker::Worker;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use tokio::task::spawn_local;

/// Empty rooms a worker keeps for later.
const KEPT_MAX: usize = 4096;

/// A worker's empty rooms.
#[derive(Default)]
pub(crate) struct Rooms {
    empty: RefCell<Vec<Rc<Desk>>>,
    /// The fewest that were empty since the last upkeep: so many nobody needed.
    spare: Cell<usize>,
}

/// Where a room waits for its next guest.
#[derive(Default)]
struct Desk {
    coming: Cell<Option<Box<Guest>>>,
    /// The room is not needed any more.
    closing: Cell<bool>,
    waiting: Cell<Option<Waker>>,
}

impl Rooms {
    /// Lets a guest into a room.
    pub(crate) fn enter(&self, worker: &Rc<Worker>, guest: Box<Guest>) {
        let empty = self.take();
        let is_new = empty.is_none();
        let desk = empty.unwrap_or_default();
        desk.coming.set(Some(guest));
        match is_new {
            true => build(worker.clone(), desk),
            false => desk.ring(),
        }
    }

    fn take(&self) -> Option<Rc<Desk>> {
        let mut rooms = self.empty.borrow_mut();
        let empty = rooms.pop();
        self.spare.set(self.spare.get().min(rooms.len()));
        empty
    }

    /// Takes note that a room is empty; whether it is kept.
    fn note_empty(&self, desk: &Rc<Desk>) -> bool {
        let mut rooms = self.empty.borrow_mut();
        let kept = rooms.len() < KEPT_MAX;
        if kept {
            rooms.push(desk.clone());
        }
        kept
    }

    /// Lets go of those that were not needed since the last time; whether there were any.
    pub(crate) fn trim(&self) -> bool {
        let mut rooms = self.empty.borrow_mut();
        let spare = self.spare.get().min(rooms.len());
        for desk in rooms.drain(..spare) {
            desk.closing.set(true);
            desk.ring();
        }
        self.spare.set(rooms.len());
        spare > 0
    }
}

impl Desk {
    fn ring(&self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
    }

    /// The next guest; none when the room closes.
    async fn next(&self) -> Option<Box<Guest>> {
        poll_fn(|cx| match self.coming.take() {
            None if !self.closing.get() => {
                self.waiting.set(Some(cx.waker().clone()));
                Poll::Pending
            }
            coming => Poll::Ready(coming),
        })
        .await
    }
}

fn build(worker: Rc<Worker>, desk: Rc<Desk>) {
    let mut life = Box::pin(live(worker.clone(), desk));
    spawn_local(poll_fn(move |cx| {
        worker.clock.begin_turn();
        life.as_mut().poll(cx)
    }));
}

async fn live(worker: Rc<Worker>, desk: Rc<Desk>) {
    let mut scratch = Scratch::default();
    let mut alarm = worker.wheel.alarm();
    while let Some(mut guest) = desk.next().await {
        guest.lend(&mut alarm);
        let after = guest.serve(&worker, &mut scratch).await;
        guest.lend(&mut alarm);
        let back = match after {
            After::Wait => guest.wait(&worker),
            After::Close => None,
            After::Http2 => {
                guest.go_on_as_http2();
                None
            }
        };
        let stays = back.is_some();
        desk.coming.set(back);
        if !stays && !worker.rooms.note_empty(&desk) {
            return;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{Rooms, live};
    use crate::worker::Worker;
    use std::rc::Rc;

    #[test]
    fn rooms_that_nobody_needed_go_and_no_others() {
        let rooms = Rooms::default();
        (0..5).for_each(|_| assert!(rooms.note_empty(&Rc::default())));
        let kept = || rooms.empty.borrow().len();
        rooms.trim();
        assert_eq!(kept(), 5, "they have not been there for long");
        let used = rooms.take().unwrap();
        assert!(rooms.note_empty(&used));
        rooms.trim();
        assert_eq!(kept(), 1, "one of them was in use at a time");
        rooms.trim();
        assert_eq!(kept(), 0);
    }

    fn size_of_future<F>(_: impl FnOnce(Rc<Worker>, Rc<super::Desk>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_room_is_small() {
        // A future that is handed on is held twice: here it would show.
        assert!(size_of_future(live) <= 5_120, "{}", size_of_future(live));
    }
}
