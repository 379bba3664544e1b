//! Reads a proxy's metrics once a second, as a monitoring system would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// A thread that scrapes until this is dropped.
pub(crate) struct Scraper {
    _stop: Sender<()>,
}

impl Scraper {
    pub(crate) fn start(admin: SocketAddr) -> Scraper {
        let (stop, stopped) = mpsc::channel();
        thread::spawn(move || {
            while stopped.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                // A proxy without metrics there is told by its answers, not here.
                let _ = scrape(admin);
            }
        });
        Scraper { _stop: stop }
    }
}

fn scrape(admin: SocketAddr) -> std::io::Result<usize> {
    let mut socket = TcpStream::connect_timeout(&admin, Duration::from_secs(1))?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    socket.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    socket.read_to_end(&mut Vec::new())
}
