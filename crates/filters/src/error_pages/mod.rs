//! `error_pages`: the operator's own bodies for responses of some statuses.

mod run;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use strait_message::Status;

/// Replaces the bodies of responses by their status.
#[derive(Clone, Debug, Default)]
pub struct ErrorPages {
    /// Statuses, first to last, each with the page. The narrowest range that holds a status counts.
    pub pages: Vec<Page>,
}

/// The page for some statuses.
#[derive(Clone, Debug)]
pub struct Page {
    /// The first status and the last.
    pub statuses: (u16, u16),
    /// The body.
    pub body: Arc<[u8]>,
    /// Its Content-Type.
    pub content_type: Box<str>,
    /// The status sent in place of the response's own.
    pub status: Option<Status>,
}
