//! Bulk that nobody looks at: the kernel moves it from socket to socket, without a copy.

use crate::io::{LentPipe, PIPE_OCTETS_MAX};
use crate::relay::{Pump, Trouble, give, wait_for_room};
use crate::stream::Interrupt;
use std::future::poll_fn;
use std::task::{Context, Poll};
use strait_http1::Encoder;

/// Less than this is copied: moving a piece takes several system calls more.
const SPLICE_MIN: u64 = 48 * 1024;

impl Pump<'_> {
    /// Whether what follows may go past us: enough of it, with no framing of its own, between plain sockets.
    pub(crate) fn may_splice(&self) -> bool {
        matches!(self.sink.encoder, Encoder::Fixed { .. })
            && self.source.decoder.left().is_some_and(|left| left >= SPLICE_MIN)
            && self.source.held.is_empty()
            && self.source.socket.splices()
            && self.sink.socket.splices()
    }

    /// Moves the rest of the body, no more at a time than the sink takes. Whether all of it came.
    pub(crate) async fn splice(&mut self, pipe: &LentPipe<'_>) -> Result<bool, Trouble> {
        while let Some(left @ 1..) = self.source.decoder.left() {
            if !self.sink.has_room() {
                wait_for_room(self.worker, self.sink.socket, self.alarm, &mut self.sink.pace).await?;
            }
            let octets = self.splice_in(pipe, usize::try_from(left).unwrap_or(PIPE_OCTETS_MAX)).await?;
            if octets == 0 {
                return Ok(false);
            }
            self.count(octets)?;
            self.source.decoder.skip(octets as u64).map_err(Trouble::Source)?;
            self.sink.encoder.data_prefix(octets as u64, self.sink.output).map_err(Trouble::Source)?;
            self.splice_out(pipe).await?;
        }
        Ok(true)
    }

    /// Fills the pipe at the source's pace; zero octets at the end of the stream.
    async fn splice_in(&mut self, pipe: &LentPipe<'_>, octets: usize) -> Result<usize, Trouble> {
        let (worker, alarm, socket) = (self.worker, self.alarm, self.source.socket);
        let pace = &mut self.source.pace;
        pace.arm(alarm, worker.clock.now_ms(), || 0);
        loop {
            let filled = poll_fn(|cx| match socket.poll_splice_in(pipe, octets, cx) {
                Poll::Ready(outcome) => Poll::Ready(outcome.map_err(Interrupt::Io)),
                Poll::Pending => alarm.poll(cx).map(|()| Err(Interrupt::Deadline)),
            });
            match filled.await {
                Ok(octets) => {
                    pace.moved(octets);
                    return Ok(octets);
                }
                Err(Interrupt::Io(error)) => return Err(Trouble::SourceIo(error)),
                Err(Interrupt::Deadline) => {
                    pace.judge(alarm, worker.clock.now_ms(), || 0).map_err(Trouble::SourceLate)?;
                }
            }
        }
    }

    /// Empties the pipe at the sink's pace.
    async fn splice_out(&mut self, pipe: &LentPipe<'_>) -> Result<(), Trouble> {
        let socket = self.sink.socket;
        while pipe.held() > 0 {
            let out = |cx: &mut Context<'_>| socket.poll_splice_out(pipe, cx);
            give(self.worker, socket, self.alarm, &mut self.sink.pace, out).await?;
        }
        Ok(())
    }
}
