//! `ip_deny`: clients of these networks go no further.

mod run;

use crate::networks::Networks;
use std::sync::Arc;

/// Refuses clients of some networks.
#[derive(Clone, Debug)]
pub struct IpDeny {
    /// Whose requests are refused.
    pub networks: Arc<Networks>,
}
