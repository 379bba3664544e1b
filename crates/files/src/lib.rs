//! Static files, as far as they can be decided without opening one: which name a path stands for, whether the client has
//! it already, which parts of it are asked for, and what the response says.
//!
//! Pure: no I/O, no clock. Whoever serves opens what [`Place`] names and sends what [`Answer`] says.

mod answer;
mod conditional;
mod listing;
mod media;
mod place;
mod range;
mod validators;

pub use answer::{Answer, Body, Piece, Represented, answer};
pub use listing::{Entry, Form, listing};
pub use media::media_type;
pub use place::{Place, below};
pub use validators::{Modified, Validators};
