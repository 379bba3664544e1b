//! `ip_allow`: only clients of these networks go on.

mod run;
#[cfg(test)]
mod tests;

use crate::networks::Networks;
use std::sync::Arc;

/// Lets only clients of some networks go on.
#[derive(Clone, Debug)]
pub struct IpAllow {
    /// Whose requests go on.
    pub networks: Arc<Networks>,
}
