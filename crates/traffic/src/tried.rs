/// Endpoints that are remembered as tried; attempts are no more than this.
pub const TRIED_MAX: usize = 10;

/// The endpoints of one upstream that an exchange has tried already, in order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    endpoints: [u16; TRIED_MAX],
    count: u8,
}

impl Tried {
    /// Remembers an endpoint. More than [`TRIED_MAX`] are not remembered.
    #[inline]
    pub fn add(&mut self, endpoint: usize) {
        let slot = self.endpoints.get_mut(usize::from(self.count));
        if let (Some(slot), Ok(endpoint)) = (slot, u16::try_from(endpoint)) {
            *slot = endpoint;
            self.count += 1;
        }
    }

    /// Whether it was tried.
    #[inline]
    pub fn contains(&self, endpoint: u16) -> bool {
        self.endpoints.iter().take(usize::from(self.count)).any(|&tried| tried == endpoint)
    }

    /// Whether none was.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}
