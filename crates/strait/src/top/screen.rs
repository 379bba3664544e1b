//! A terminal that is written anew and whose keys are read one by one.

use super::By;
use crate::operator::print;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{self, IsTerminal, Read};
use std::time::{Duration, Instant};

/// Rows of a terminal that does not say how many it has.
const ROWS: usize = 24;

/// The terminal; dropped, it is as before.
pub(super) struct Screen {
    before: Termios,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Sort,
    By(By),
}

impl Key {
    fn of(octet: u8) -> Option<Self> {
        match octet {
            // Ctrl-C and Ctrl-D too: no signal is made of them here.
            b'q' | 3 | 4 => Some(Self::Quit),
            b's' => Some(Self::Sort),
            b'r' => Some(Self::By(By::Route)),
            b'u' => Some(Self::By(By::Upstream)),
            b'e' => Some(Self::By(By::Endpoint)),
            b'c' => Some(Self::By(By::Client)),
            _ => None,
        }
    }
}

impl Screen {
    /// `None` when keys cannot be read one by one, as from a pipe.
    pub(super) fn open() -> Option<Self> {
        let input = io::stdin();
        let before = input.is_terminal().then(|| tcgetattr(&input).ok()).flatten()?;
        let mut keys = before.clone();
        keys.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        tcsetattr(&input, OptionalActions::Now, &keys).ok()?;
        // The other screen, without a cursor.
        print("\x1b[?1049h\x1b[?25l");
        Some(Self { before })
    }

    /// Lines that fit below the heading.
    pub(super) fn rows(&self) -> usize {
        let size = tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_row > 0);
        size.map_or(ROWS, |size| usize::from(size.ws_row)).saturating_sub(3).max(1)
    }

    /// Waits for a key that means something, no longer than this.
    pub(super) fn wait(&self, limit: Duration) -> Option<Key> {
        let (began, input) = (Instant::now(), io::stdin());
        loop {
            let left = limit.saturating_sub(began.elapsed());
            let timeout = Timespec::try_from(left).ok()?;
            let ready = poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&timeout));
            if !matches!(ready, Ok(1..)) {
                return None;
            }
            let mut octet = [0];
            match input.lock().read(&mut octet) {
                Ok(1) => {}
                Ok(_) | Err(_) => return Some(Key::Quit),
            }
            let [octet] = octet;
            if let Some(key) = Key::of(octet) {
                return Some(key);
            }
        }
    }

    /// Writes the screen anew.
    pub(super) fn show(&self, table: &str) {
        let lines = table.replace('\n', "\x1b[K\r\n");
        print(&format!("\x1b[H{lines}\x1b[K\r\nr routes  u upstreams  e endpoints  c clients  s sort  q quit\x1b[J"));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        print("\x1b[?25h\x1b[?1049l");
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
