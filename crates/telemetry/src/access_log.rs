//! The access log: one thread writes what all workers record.
//!
//! A worker hands over batches of finished lines and never waits. Between it and the destination lie at most
//! [`QUEUED_BYTES_MAX`] octets; beyond that, records are dropped and counted. A destination that fails (a full disk,
//! a closed pipe) is tried again and again while the queue holds, and complained about once a minute on stderr.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use strait_record::{Counter, RecordSink};

/// Octets of lines that may wait to be written, over all workers.
pub const QUEUED_BYTES_MAX: usize = 8 << 20;
/// Batches that may wait to be written, over all workers.
pub const QUEUED_BATCHES_MAX: usize = 1024;
/// Emptied buffers that wait to be filled again, for each producer.
const SPARE_BUFFERS_MAX: usize = 4;
/// Between two complaints about a destination that fails.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(10);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Where the lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Appended to this file, which is created with mode 0640.
    File(PathBuf),
}

/// What the log counts about itself.
#[derive(Debug, Default)]
pub struct AccessLogMeter {
    /// Records written.
    pub records_written: Counter,
    /// Records that were taken and then could not be written before the end. Those not even taken are counted by the
    /// worker that had them.
    pub records_lost: Counter,
    /// Writes that failed; each is tried again.
    pub write_errors: Counter,
    queued_bytes: AtomicUsize,
}

impl AccessLogMeter {
    /// Octets that wait to be written, of at most [`QUEUED_BYTES_MAX`].
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes.load(Ordering::Relaxed)
    }
}

/// The running log. Dropped without [`AccessLog::stop`], it writes on until its last producer is gone.
#[derive(Debug)]
pub struct AccessLog {
    orders: SyncSender<Order>,
    shared: Arc<Shared>,
    writer: JoinHandle<()>,
    ended: Receiver<()>,
}

/// A worker's way into the log.
#[derive(Debug)]
pub struct Producer {
    orders: SyncSender<Order>,
    meter: Arc<AccessLogMeter>,
    spare: Receiver<Vec<u8>>,
    spare_from_log: SyncSender<Vec<u8>>,
    refused: Option<Vec<u8>>,
}

#[derive(Debug)]
enum Order {
    Batch(Batch),
    /// Look at what was asked beside the queue.
    Wake,
}

#[derive(Debug)]
struct Batch {
    lines: Vec<u8>,
    records: u64,
    home: SyncSender<Vec<u8>>,
}

/// What is asked of the writer beside the queue, so that it is heard when the queue is full.
#[derive(Debug, Default)]
struct Shared {
    meter: Arc<AccessLogMeter>,
    reopen: AtomicBool,
    /// Set once the log is to end: until when it may write what is queued.
    stop_by: OnceLock<Instant>,
}

impl AccessLog {
    /// Opens the destination and starts the thread.
    ///
    /// # Errors
    /// What the system says when the file cannot be opened, or the thread not be started.
    pub fn start(destination: Destination) -> io::Result<Self> {
        let file = destination.open()?;
        Self::start_on(file, destination)
    }

    fn start_on(file: File, destination: Destination) -> io::Result<Self> {
        let (orders, queue) = mpsc::sync_channel(QUEUED_BATCHES_MAX);
        let (running, ended) = mpsc::sync_channel(0);
        let shared = Arc::new(Shared::default());
        let writer = Writer {
            file,
            destination,
            queue,
            shared: shared.clone(),
            pause: RETRY_PAUSE_MIN,
            complained: None,
            _running: running,
        };
        let writer = thread::Builder::new().name("access-log".into()).spawn(move || writer.run())?;
        Ok(Self { orders, shared, writer, ended })
    }

    /// A new way into the log; one for each worker.
    pub fn producer(&self) -> Producer {
        Producer::new(self.orders.clone(), self.shared.meter.clone())
    }

    /// What the log counts.
    pub fn meter(&self) -> Arc<AccessLogMeter> {
        self.shared.meter.clone()
    }

    /// Opens the file anew, as after it was moved away. What is queued already may go to either. When it cannot be
    /// opened, the old one is kept and that is said on stderr.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Release);
        self.wake();
    }

    /// Writes what is queued and ends the thread, within `limit`. `false` when that was not enough: what is left is
    /// lost, and the thread is left behind.
    pub fn stop(self, limit: Duration) -> bool {
        let _ = self.shared.stop_by.set(Instant::now() + limit);
        self.wake();
        match self.ended.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) => false,
            // Nothing is ever sent: the writer's end of the channel is gone.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                self.writer.join().is_ok() && self.shared.meter.records_lost.read() == 0
            }
        }
    }

    fn wake(&self) {
        // A full queue needs no waking.
        let _ = self.orders.try_send(Order::Wake);
        self.writer.thread().unpark();
    }
}

impl Producer {
    fn new(orders: SyncSender<Order>, meter: Arc<AccessLogMeter>) -> Self {
        let (spare_from_log, spare) = mpsc::sync_channel(SPARE_BUFFERS_MAX);
        Self { orders, meter, spare, spare_from_log, refused: None }
    }

    fn refuse(&mut self, mut lines: Vec<u8>) -> bool {
        self.meter.queued_bytes.fetch_sub(lines.len(), Ordering::Relaxed);
        lines.clear();
        self.refused = Some(lines);
        false
    }
}

impl Clone for Producer {
    fn clone(&self) -> Self {
        Self::new(self.orders.clone(), self.meter.clone())
    }
}

impl RecordSink for Producer {
    fn submit(&mut self, lines: Vec<u8>, records: u64) -> bool {
        let length = lines.len();
        let queued = self.meter.queued_bytes.fetch_add(length, Ordering::Relaxed);
        if queued.saturating_add(length) > QUEUED_BYTES_MAX {
            return self.refuse(lines);
        }
        match self.orders.try_send(Order::Batch(Batch { lines, records, home: self.spare_from_log.clone() })) {
            Ok(()) => true,
            Err(mpsc::TrySendError::Full(order) | mpsc::TrySendError::Disconnected(order)) => match order {
                Order::Batch(batch) => self.refuse(batch.lines),
                Order::Wake => false,
            },
        }
    }

    fn recycle(&mut self) -> Option<Vec<u8>> {
        self.refused.take().or_else(|| self.spare.try_recv().ok())
    }
}

impl Destination {
    fn open(&self) -> io::Result<File> {
        match self {
            // Past the standard library's line buffer: lines come in batches already.
            Self::Stdout => io::stdout().as_fd().try_clone_to_owned().map(File::from),
            Self::Stderr => io::stderr().as_fd().try_clone_to_owned().map(File::from),
            Self::File(path) => OpenOptions::new().append(true).create(true).mode(0o640).open(path),
        }
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::Stderr => f.write_str("stderr"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// The thread that writes.
struct Writer {
    file: File,
    destination: Destination,
    queue: Receiver<Order>,
    shared: Arc<Shared>,
    pause: Duration,
    complained: Option<Instant>,
    /// Dropped when the thread ends, in whatever way.
    _running: SyncSender<()>,
}

impl Writer {
    fn run(mut self) {
        while let Some(order) = self.next() {
            self.reopen_if_asked();
            if let Order::Batch(batch) = order {
                self.write_batch(batch);
            }
        }
    }

    /// Waits for an order; takes only what is there when the log is to end.
    fn next(&self) -> Option<Order> {
        match self.shared.stop_by.get() {
            Some(_) => self.queue.try_recv().ok(),
            None => self.queue.recv().ok(),
        }
    }

    fn write_batch(&mut self, batch: Batch) {
        let Batch { mut lines, records, home } = batch;
        let meter = self.shared.meter.clone();
        match self.write_all(&lines) {
            Ok(()) => meter.records_written.add(records),
            Err(Abandoned) => meter.records_lost.add(records),
        }
        meter.queued_bytes.fetch_sub(lines.len(), Ordering::Relaxed);
        lines.clear();
        // The producer has spare buffers enough, or is gone.
        let _ = home.try_send(lines);
    }

    /// Writes everything, however often the destination fails, so that no line is torn.
    fn write_all(&mut self, mut rest: &[u8]) -> Result<(), Abandoned> {
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => self.endure(&ErrorKind::WriteZero.into())?,
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    self.recovered();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.endure(&error)?,
            }
        }
        Ok(())
    }

    /// Counts a failed write and pauses before the next.
    fn endure(&mut self, error: &io::Error) -> Result<(), Abandoned> {
        // A pipe shared with a program that made it non-blocking: slow, not broken.
        if error.kind() != ErrorKind::WouldBlock {
            self.shared.meter.write_errors.add(1);
            self.complain(error);
        }
        let left = self.shared.stop_by.get().map(|stop_by| stop_by.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Abandoned);
        }
        // Woken early by `reopen` and `stop`.
        thread::park_timeout(self.pause.min(left.unwrap_or(self.pause)));
        self.pause = (self.pause * 2).min(RETRY_PAUSE_MAX);
        self.reopen_if_asked();
        Ok(())
    }

    fn complain(&mut self, error: &io::Error) {
        if self.complained.is_none_or(|when| when.elapsed() >= COMPLAINT_INTERVAL) {
            self.complained = Some(Instant::now());
            say(&format!("{} cannot be written, trying again: {error}", self.destination));
        }
    }

    fn recovered(&mut self) {
        self.pause = RETRY_PAUSE_MIN;
    }

    fn reopen_if_asked(&mut self) {
        if !self.shared.reopen.swap(false, Ordering::AcqRel) {
            return;
        }
        match self.destination.open() {
            Ok(file) => self.file = file,
            Err(error) => say(&format!("{} cannot be reopened, the old file is kept: {error}", self.destination)),
        }
    }
}

/// The time to write it is over.
struct Abandoned;

/// Tells the operator. `eprintln` would panic when stderr is closed.
fn say(message: &str) {
    let _ = writeln!(io::stderr(), "strait: access log: {message}");
}

#[cfg(test)]
mod tests {
    use super::{AccessLog, Destination, Producer, QUEUED_BYTES_MAX};
    use std::fs::{self, File};
    use std::io::{Read, pipe};
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, Instant};
    use strait_record::RecordSink;

    const SOON: Duration = Duration::from_secs(20);

    fn temporary(name: &str) -> PathBuf {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("strait-telemetry-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder.join(name)
    }

    fn on_pipe() -> (std::io::PipeReader, AccessLog) {
        let (reader, writer) = pipe().unwrap();
        (reader, AccessLog::start_on(File::from(OwnedFd::from(writer)), Destination::Stdout).unwrap())
    }

    fn until(condition: impl Fn() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < SOON, "never became true");
            std::thread::yield_now();
        }
    }

    #[test]
    fn batches_of_all_producers_are_whole_in_the_file() {
        let path = temporary("access.log");
        let log = AccessLog::start(Destination::File(path.clone())).unwrap();
        let threads: Vec<_> = (0..4)
            .map(|worker| {
                let mut producer = log.producer();
                std::thread::spawn(move || {
                    for batch in 0..50 {
                        let mut lines = producer.recycle().unwrap_or_default();
                        assert!(lines.is_empty());
                        lines.extend(format!("{worker} {batch} a\n{worker} {batch} b\n").bytes());
                        assert!(producer.submit(lines, 2));
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let meter = log.meter();
        assert!(log.stop(SOON));
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), meter.records_written.read(), meter.queued_bytes()), (400, 400, 0));
        assert!(lines.chunks(2).all(|pair| pair[0].strip_suffix('a') == pair[1].strip_suffix('b')));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
    }

    #[test]
    fn after_reopening_a_moved_file_is_left_alone() {
        let path = temporary("access.log");
        let log = AccessLog::start(Destination::File(path.clone())).unwrap();
        let meter = log.meter();
        let mut producer = log.producer();
        assert!(producer.submit(b"one\n".to_vec(), 1));
        until(|| meter.records_written.read() == 1);
        let moved = path.with_extension("1");
        fs::rename(&path, &moved).unwrap();
        log.reopen();
        until(|| path.exists());
        assert!(producer.submit(b"two\n".to_vec(), 1));
        assert!(log.stop(SOON));
        assert_eq!((fs::read(&moved).unwrap(), fs::read(&path).unwrap()), (b"one\n".to_vec(), b"two\n".to_vec()));
    }

    #[test]
    fn a_stalled_reader_costs_records_and_no_time() {
        let (mut reader, log) = on_pipe();
        let mut producer = log.producer();
        let taken = (0..200).filter(|_| producer.submit(vec![b'x'; 64 << 10], 1)).count();
        // What is queued is bounded; one batch more may be in the pipe by now.
        assert!((QUEUED_BYTES_MAX / (64 << 10)..=QUEUED_BYTES_MAX / (64 << 10) + 1).contains(&taken), "{taken}");
        assert!(log.meter().queued_bytes() <= QUEUED_BYTES_MAX);
        assert!(producer.recycle().is_some(), "a refused buffer comes back");
        let reading = std::thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).unwrap();
            all.len()
        });
        assert!(log.stop(SOON));
        drop(producer);
        assert_eq!(reading.join().unwrap(), taken * (64 << 10));
    }

    #[test]
    fn many_small_batches_are_bounded_too() {
        let (_reader, log) = on_pipe();
        let mut producer = log.producer();
        assert!(producer.submit(vec![b'x'; 1 << 20], 1));
        assert!((0..2000).any(|_| !producer.submit(b"x\n".to_vec(), 1)));
    }

    fn failing(log: AccessLog, mut producer: Producer) {
        let meter = log.meter();
        assert!(producer.submit(b"one\n".to_vec(), 1));
        until(|| meter.write_errors.read() >= 3);
        assert_eq!(meter.records_lost.read(), 0, "it is still being tried");
        assert!(!log.stop(Duration::from_millis(50)));
    }

    #[test]
    fn a_full_disk_is_endured_and_counted() {
        let log = AccessLog::start(Destination::File("/dev/full".into())).unwrap();
        let producer = log.producer();
        failing(log, producer);
    }

    #[test]
    fn a_closed_pipe_is_endured_and_counted() {
        let (reader, log) = on_pipe();
        drop(reader);
        let producer = log.producer();
        failing(log, producer);
    }

    #[test]
    fn a_file_that_cannot_be_opened_stops_the_start() {
        assert!(AccessLog::start(Destination::File("/nowhere/at/all".into())).is_err());
    }

    #[test]
    fn it_ends_when_nobody_can_write_to_it() {
        let (mut reader, log) = on_pipe();
        let mut producer = log.producer();
        drop(log);
        assert!(producer.clone().submit(b"last\n".to_vec(), 1));
        drop(producer.recycle());
        drop(producer);
        let mut all = String::new();
        reader.read_to_string(&mut all).unwrap();
        assert_eq!(all, "last\n");
    }
}
