//! Where client connections wait for a request: a seat each, and no task, no buffer and no exchange. Thousands wait for
//! minutes for every one that is served, so a seat is what an open connection costs.
//!
//! The reactor rings the bell of a seat when its connection has something to read, and the usher lets it into a room.

use crate::downstream::h1::Guest;
use crate::worker::Worker;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use tokio::sync::mpsc;

/// Deadlines are looked at this often at most. A hundred thousand seats take a few tenths of a millisecond.
const LOOK_MS: u64 = 100;

/// A worker's waiting connections.
pub(crate) struct Lobby {
    seats: RefCell<Seats>,
    bells: mpsc::UnboundedSender<u32>,
}

/// The numbers of seats whose bells rang.
pub(crate) type Bells = mpsc::UnboundedReceiver<u32>;

struct Seats {
    all: Vec<Seat>,
    free: Vec<u32>,
    /// No deadline passes before this.
    look_ms: u64,
    looked_ms: u64,
}

struct Seat {
    guest: Option<Box<Guest>>,
    deadline_ms: u64,
    bell: Waker,
}

struct Bell {
    bells: mpsc::UnboundedSender<u32>,
    seat: u32,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A worker that has ended lets nobody in.
        let _ = self.bells.send(self.seat);
    }
}

impl Lobby {
    pub(crate) fn new() -> (Self, Bells) {
        let (bells, rung) = mpsc::unbounded_channel();
        let seats = Seats { all: Vec::new(), free: Vec::new(), look_ms: u64::MAX, looked_ms: 0 };
        (Self { seats: RefCell::new(seats), bells }, rung)
    }

    /// Seats a guest until there is something to read, and closes its connection at the deadline. A guest that need not
    /// wait comes back.
    pub(crate) fn seat(&self, guest: Box<Guest>, deadline_ms: u64) -> Option<Box<Guest>> {
        let mut seats = self.seats.borrow_mut();
        let number = seats.free.pop().unwrap_or_else(|| seats.add(&self.bells));
        seats.look_ms = seats.look_ms.min(deadline_ms);
        let seat = seats.all.get_mut(number as usize)?;
        if guest.poll_readable(&mut Context::from_waker(&seat.bell)).is_pending() {
            (seat.guest, seat.deadline_ms) = (Some(guest), deadline_ms);
            return None;
        }
        seats.free.push(number);
        Some(guest)
    }

    /// The guest whose bell rang, if it is still there. It may have rung for the one before: then there is nothing to
    /// read, and the guest comes back.
    fn called(&self, number: u32) -> Option<Box<Guest>> {
        let mut seats = self.seats.borrow_mut();
        let guest = seats.all.get_mut(number as usize)?.guest.take()?;
        seats.free.push(number);
        Some(guest)
    }

    /// Closes the connections whose deadline has passed.
    pub(crate) fn look(&self, now_ms: u64) {
        let mut seats = self.seats.borrow_mut();
        let pause_ms = LOOK_MS + seats.all.len() as u64 / 1_024;
        if now_ms >= seats.look_ms && now_ms >= seats.looked_ms + pause_ms {
            let late = seats.late(now_ms);
            drop(seats);
            drop(late);
        }
    }

    /// Brings all deadlines forward to this one.
    pub(crate) fn hurry(&self, deadline_ms: u64) {
        let mut seats = self.seats.borrow_mut();
        seats.look_ms = seats.look_ms.min(deadline_ms);
        for seat in &mut seats.all {
            seat.deadline_ms = seat.deadline_ms.min(deadline_ms);
        }
    }

    /// Closes all.
    pub(crate) fn clear(&self) {
        let guests = self.seats.borrow_mut().late(u64::MAX);
        drop(guests);
    }

    /// Takes away the last seats while they are empty; whether many were.
    pub(crate) fn trim(&self) -> bool {
        let mut seats = self.seats.borrow_mut();
        let kept = seats.all.iter().rposition(|seat| seat.guest.is_some()).map_or(0, |last| last + 1);
        let many = kept < seats.all.len() / 2;
        if many {
            seats.all.truncate(kept);
            seats.all.shrink_to_fit();
            seats.free.retain(|&number| (number as usize) < kept);
            seats.free.shrink_to_fit();
        }
        many
    }
}

impl Seats {
    fn add(&mut self, bells: &mpsc::UnboundedSender<u32>) -> u32 {
        // A process has fewer descriptors than this has numbers.
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let bell = Waker::from(Arc::new(Bell { bells: bells.clone(), seat: number }));
        self.all.push(Seat { guest: None, deadline_ms: u64::MAX, bell });
        number
    }

    /// Takes the guests whose deadline has passed.
    #[allow(clippy::vec_box, reason = "a guest moves by its pointer")]
    fn late(&mut self, now_ms: u64) -> Vec<Box<Guest>> {
        let mut late = Vec::new();
        (self.look_ms, self.looked_ms) = (u64::MAX, now_ms);
        for (number, seat) in (0..).zip(&mut self.all) {
            if let Some(guest) = seat.guest.take_if(|_| seat.deadline_ms <= now_ms) {
                late.push(guest);
                self.free.push(number);
            } else if seat.guest.is_some() {
                self.look_ms = self.look_ms.min(seat.deadline_ms);
            }
        }
        late
    }
}

/// Lets the guests whose bells ring into rooms.
pub(crate) async fn usher(worker: Rc<Worker>, mut bells: Bells) {
    while let Some(number) = bells.recv().await {
        worker.clock.begin_turn();
        if let Some(guest) = worker.lobby.called(number) {
            worker.rooms.enter(&worker, guest);
        }
    }
}
