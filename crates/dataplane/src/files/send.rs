//! A file on its way to a client: by sendfile where nobody looks at its octets, else by pieces that are read when the
//! client has room for them.

use super::{await_thread, system, unreadable};
use crate::alarm::Alarm;
use crate::attempt::download_fault;
use crate::buffer::{Buffer, LARGE, SMALL};
use crate::downstream::end_lane;
use crate::io::Socket;
use crate::pace::Pace;
use crate::relay::{give, send_all, wait_for_room};
use crate::worker::Worker;
use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::task::Context;
use strait_files::Body;
use strait_filters::compress::Coder;
use strait_http1::Encoder;
use strait_message::{Fault, Kind, Phase};

/// Less than this is read and written with what goes before it: one system call in place of two.
const SENDFILE_MIN: u64 = SMALL as u64;
/// Output is written once it is this large, though more could be added.
const OUTPUT_MAX: usize = 32 * 1024;

/// What a file is sent through.
pub(super) struct Sender<'a> {
    pub(super) worker: &'a Worker,
    pub(super) socket: &'a Socket,
    pub(super) alarm: &'a Alarm,
    pub(super) encoder: &'a mut Encoder,
    /// What goes out before the body: usually its head.
    pub(super) output: &'a mut Vec<u8>,
    pub(super) pace: Pace<'a>,
    pub(super) begun: &'a Cell<bool>,
    /// Counts the body's octets as they are sent.
    pub(super) octets: &'a Cell<u64>,
    /// Codes the body on its way.
    pub(super) coder: Option<Box<Coder>>,
    /// When the exchange must have ended.
    pub(super) deadline_ms: u64,
}

impl Sender<'_> {
    /// Sends the body and its end.
    pub(super) async fn run(&mut self, file: &Arc<OwnedFd>, body: &Body) -> Result<(), Fault> {
        for piece in &body.pieces {
            self.add(&piece.before)?;
            self.part(file, piece.range.clone()).await?;
        }
        self.add(&body.after)?;
        if let Some(coder) = &mut self.coder
            && !body.pieces.is_empty()
        {
            coder.finish();
            let Self { encoder, output, .. } = self;
            coder.drain(|coded| encoder.data(coded, output)).map_err(|_| defect())?;
        }
        self.encoder.end(None, self.output).map_err(|_| defect())?;
        end_lane(self.socket, self.output.len(), None);
        self.flush(&[]).await
    }

    /// Adds octets of the body to the output.
    fn add(&mut self, octets: &[u8]) -> Result<(), Fault> {
        self.octets.set(self.octets.get() + octets.len() as u64);
        let Self { encoder, output, .. } = self;
        match &mut self.coder {
            Some(coder) => {
                coder.push(octets);
                coder.drain(|coded| encoder.data(coded, output)).map_err(|_| defect())
            }
            None => encoder.data(octets, output).map_err(|_| defect()),
        }
    }

    /// Sends a range of the file.
    async fn part(&mut self, file: &Arc<OwnedFd>, range: Range<u64>) -> Result<(), Fault> {
        let mut at = range.start;
        while at < range.end {
            let left = range.end - at;
            at += if self.coder.is_none() && left >= SENDFILE_MIN && self.socket.splices() {
                self.flush(&[]).await?;
                self.send_file(file, at, left).await?
            } else {
                self.copy(file, at, left).await?
            };
        }
        Ok(())
    }

    /// Sends a piece past us; so many octets.
    async fn send_file(&mut self, file: &Arc<OwnedFd>, at: u64, left: u64) -> Result<u64, Fault> {
        let piece = left.min(LARGE as u64);
        self.warm(file, at, piece).await?;
        let socket = self.socket;
        let mut sent = 0;
        while sent < piece {
            let octets = usize::try_from(piece - sent).unwrap_or(LARGE);
            let send = |cx: &mut Context<'_>| socket.poll_send_file(file.as_fd(), at + sent, octets, cx);
            let moved = give(self.worker, socket, self.alarm, &mut self.pace, send).await.map_err(download_fault)?;
            if moved == 0 {
                return Err(shortened());
            }
            self.begun.set(true);
            sent += moved as u64;
        }
        self.count(sent)?;
        Ok(sent)
    }

    fn count(&mut self, octets: u64) -> Result<(), Fault> {
        self.octets.set(self.octets.get() + octets);
        self.encoder.data_prefix(octets, self.output).map_err(|_| defect())
    }

    /// Has a thread read what the kernel does not have in memory, so that sendfile does not wait for the disk. The first
    /// and the last octet stand for all: pages are read, and dropped, in runs.
    async fn warm(&self, file: &Arc<OwnedFd>, at: u64, octets: u64) -> Result<(), Fault> {
        let is_there = |at: u64| {
            let mut octet = [0];
            !matches!(system::read_cached(file, at, &mut octet), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
        };
        if is_there(at) && is_there(at + octets - 1) {
            return Ok(());
        }
        self.read_by_thread(file, at, octets).await.map(drop)
    }

    async fn read_by_thread(&self, file: &Arc<OwnedFd>, at: u64, octets: u64) -> Result<Vec<u8>, Fault> {
        let (file, octets) = (file.clone(), usize::try_from(octets).unwrap_or(LARGE));
        let now_ms = self.worker.clock.now_ms();
        self.alarm.set(self.deadline_ms.min(now_ms.saturating_add(super::DISK_MS_MAX)), now_ms);
        await_thread(self.alarm, move || system::read(&file, at, octets)).await?.map_err(|_| unreadable())
    }

    /// Reads a piece and sends it behind the output; so many octets.
    async fn copy(&mut self, file: &Arc<OwnedFd>, at: u64, left: u64) -> Result<u64, Fault> {
        let is_large = left > SMALL as u64;
        if is_large && self.socket.room() < LARGE as u64 {
            // What it does not take would wait in our memory.
            let waited = wait_for_room(self.worker, self.socket, self.alarm, &mut self.pace);
            waited.await.map_err(download_fault)?;
        }
        let mut buffer = self.worker.buffers.borrow(is_large);
        self.fill(file, at, left, &mut buffer).await?;
        let octets = buffer.filled().len() as u64;
        if octets == 0 {
            return Err(shortened());
        }
        if self.coder.is_some() {
            self.add(buffer.filled())?;
            if self.output.len() >= OUTPUT_MAX {
                self.flush(&[]).await?;
            }
            return Ok(octets);
        }
        self.count(octets)?;
        self.flush(buffer.filled()).await?;
        Ok(octets)
    }

    async fn fill(&self, file: &Arc<OwnedFd>, at: u64, left: u64, buffer: &mut Buffer) -> Result<(), Fault> {
        let room = buffer.unfilled();
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
        match system::read_cached(file, at, room.get_mut(..wanted).unwrap_or_default()) {
            Ok(octets) => buffer.filled_more(octets),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                buffer.put(&self.read_by_thread(file, at, wanted as u64).await?);
            }
            Err(_) => return Err(unreadable()),
        }
        Ok(())
    }

    /// Writes the output, and data behind it.
    async fn flush(&mut self, data: &[u8]) -> Result<(), Fault> {
        let suffix = if data.is_empty() { b"" } else { self.encoder.data_suffix() };
        let parts = [self.output.as_slice(), data, suffix];
        let sent = send_all(self.worker, self.socket, parts, self.alarm, &mut self.pace, self.begun).await;
        sent.map_err(download_fault)?;
        self.output.clear();
        Ok(())
    }
}

/// What is announced is what is sent: framing cannot fail.
fn defect() -> Fault {
    Fault::strait(Phase::ResponseBody, Kind::Defect)
}

fn shortened() -> Fault {
    Fault::upstream(Phase::ResponseBody, Kind::LengthMismatch).because("the file became shorter while it was sent")
}
