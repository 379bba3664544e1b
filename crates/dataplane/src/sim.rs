//! Whole workers in one thread, over a network in memory and under a clock that a test moves.
//!
//! Everything that happens is a function of the seed: the network draws how much each transfer moves, when it
//! arrives, what stalls and what breaks. Run it on a current-thread runtime whose clock is paused.

mod fleet;
mod link;
mod network;
mod random;

pub use fleet::{Remains, SimFleet};
pub use link::SimStream;
pub use network::{Entered, Network, SimListener, Weather, current};
pub use random::Random;
