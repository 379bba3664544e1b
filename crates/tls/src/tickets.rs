//! Tickets: sessions sealed under keys that rotate, and bound to the policy they were issued under.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use rustls::server::ProducesTickets;
use std::sync::{Arc, PoisonError, RwLock};

const KEY_ID_LEN: usize = 8;
const TAG_LEN: usize = 16;
/// How long a ticket can be of use: two turns of the keys.
const LIFETIME_S: u32 = 12 * 3600;
/// A ticket beyond this is refused unopened: with a long chain of a client's certificates one has a few KB.
const TICKET_OCTETS_MAX: usize = 32 * 1024;

/// The keys that seal tickets, shared by all workers and all policies. Whoever keeps them calls
/// [`TicketKeys::rotate`] every six hours; a key is erased after two turns.
#[derive(Debug)]
pub struct TicketKeys(RwLock<Turns>);

#[derive(Debug)]
struct Turns {
    current: Option<Arc<Turn>>,
    previous: Option<Arc<Turn>>,
}

#[derive(Debug)]
struct Turn {
    id: [u8; KEY_ID_LEN],
    key: LessSafeKey,
}

impl Turn {
    /// A fresh key; `None` when the system gives no random octets.
    fn fresh() -> Option<Arc<Self>> {
        let (mut id, mut secret) = ([0; KEY_ID_LEN], [0; 32]);
        rand::fill(&mut id).ok()?;
        rand::fill(&mut secret).ok()?;
        let key = UnboundKey::new(&AES_256_GCM, &secret).ok()?;
        Some(Arc::new(Self { id, key: LessSafeKey::new(key) }))
    }
}

impl Default for TicketKeys {
    fn default() -> Self {
        Self(RwLock::new(Turns { current: Turn::fresh(), previous: None }))
    }
}

impl TicketKeys {
    /// Seals from now on with a fresh key. Tickets of the last key still open, older ones do not.
    pub fn rotate(&self) {
        let mut turns = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(fresh) = Turn::fresh() {
            turns.previous = turns.current.replace(fresh);
        }
    }

    fn current(&self) -> Option<Arc<Turn>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    fn by_id(&self, id: &[u8]) -> Option<Arc<Turn>> {
        let turns = self.0.read().unwrap_or_else(PoisonError::into_inner);
        [&turns.current, &turns.previous].into_iter().flatten().find(|turn| turn.id == id).cloned()
    }
}

/// Seals the tickets of one policy. Its hash is authenticated with each: under any other policy a ticket does not
/// open, and the client has to authenticate anew.
#[derive(Debug)]
pub(crate) struct Ticketer {
    pub(crate) keys: Arc<TicketKeys>,
    pub(crate) policy: [u8; 32],
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        LIFETIME_S
    }

    /// Key id, nonce, sealed session, tag.
    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let turn = self.keys.current()?;
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).ok()?;
        let mut ticket = Vec::with_capacity(KEY_ID_LEN + NONCE_LEN + plain.len() + TAG_LEN);
        ticket.extend_from_slice(&turn.id);
        ticket.extend_from_slice(&nonce);
        ticket.extend_from_slice(plain);
        let sealed = ticket.get_mut(KEY_ID_LEN + NONCE_LEN..)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = turn.key.seal_in_place_separate_tag(nonce, Aad::from(self.policy), sealed).ok()?;
        ticket.extend_from_slice(tag.as_ref());
        Some(ticket)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if ticket.len() > TICKET_OCTETS_MAX {
            return None;
        }
        let (id, rest) = ticket.split_at_checked(KEY_ID_LEN)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let turn = self.keys.by_id(id)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = turn.key.open_in_place(nonce, Aad::from(self.policy), &mut sealed).ok()?.len();
        sealed.truncate(plain);
        Some(sealed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::{TicketKeys, Ticketer};
    use proptest::prelude::*;
    use rustls::server::ProducesTickets as _;
    use std::sync::Arc;

    fn ticketer(keys: &Arc<TicketKeys>, policy: u8) -> Ticketer {
        Ticketer { keys: keys.clone(), policy: [policy; 32] }
    }

    #[test]
    fn a_ticket_opens_under_its_policy_only() {
        let keys = Arc::new(TicketKeys::default());
        let ticket = ticketer(&keys, 1).encrypt(b"session").unwrap();
        assert_eq!(ticketer(&keys, 1).decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        assert_eq!(ticketer(&keys, 2).decrypt(&ticket), None);
        assert_eq!(ticketer(&Arc::default(), 1).decrypt(&ticket), None);
    }

    #[test]
    fn a_ticket_opens_for_two_turns_of_the_keys() {
        let keys = Arc::new(TicketKeys::default());
        let ticketer = ticketer(&keys, 1);
        let ticket = ticketer.encrypt(b"session").unwrap();
        keys.rotate();
        assert!(ticketer.decrypt(&ticket).is_some());
        keys.rotate();
        assert!(ticketer.decrypt(&ticket).is_none());
    }

    proptest! {
        #[test]
        fn no_octet_of_a_ticket_can_be_changed(place: usize, bit in 0..8u32) {
            let keys = Arc::new(TicketKeys::default());
            let mut ticket = ticketer(&keys, 1).encrypt(b"session").unwrap();
            let place = place % ticket.len();
            ticket[place] ^= 1u8 << bit;
            prop_assert!(ticketer(&keys, 1).decrypt(&ticket).is_none());
        }

        #[test]
        fn any_octets_are_survived(ticket: Vec<u8>) {
            prop_assert!(ticketer(&Arc::default(), 1).decrypt(&ticket).is_none());
        }
    }
}
