//! The access log: one thread writes what all workers record.
//!
//! A worker hands over batches of finished lines and never waits. Between it and the destination lie at most
//! [`QUEUED_BYTES_MAX`] octets; beyond that, records are dropped and counted. A destination that fails (a full disk,
//! a closed pipe) is tried again and again while the queue holds, and complained about once a minute on stderr.

use crate::destination::{Destination, Outlet};
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
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
    /// Times the file was moved aside and begun anew.
    pub rotations: Counter,
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

/// A destination that is open, and not yet written to.
#[derive(Debug)]
pub struct Prepared(Outlet, Destination);

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
    /// Where to write from now on, once that was changed.
    next: Mutex<Option<(Outlet, Destination)>>,
    /// Set once the log is to end: until when it may write what is queued.
    stop_by: OnceLock<Instant>,
}

impl AccessLog {
    /// Opens the destination and starts the thread.
    ///
    /// # Errors
    /// What the system says when the file cannot be opened, or the thread not be started.
    pub fn start(destination: Destination) -> io::Result<Self> {
        Self::start_on(destination.open()?, destination)
    }

    fn start_on(outlet: Outlet, destination: Destination) -> io::Result<Self> {
        let (orders, queue) = mpsc::sync_channel(QUEUED_BATCHES_MAX);
        let (running, ended) = mpsc::sync_channel(0);
        let shared = Arc::new(Shared::default());
        let writer = Writer {
            outlet,
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

    /// Opens another destination, to be taken in the place of this one.
    ///
    /// # Errors
    /// What the system says when it cannot be opened; the log is then as it was.
    pub fn prepare(destination: Destination) -> io::Result<Prepared> {
        Ok(Prepared(destination.open()?, destination))
    }

    /// Writes there from now on. What is queued already may go to either.
    pub fn switch(&self, to: Prepared) {
        let mut next = self.shared.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some((to.0, to.1));
        drop(next);
        self.reopen();
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

/// The thread that writes.
struct Writer {
    outlet: Outlet,
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
                self.rotate_if_due();
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
            match self.outlet.write(rest) {
                Ok(0) => self.endure(&ErrorKind::WriteZero.into())?,
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    self.recovered();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A message that no datagram holds is no better the second time.
                Err(error) if error.raw_os_error() == Some(MESSAGE_TOO_LONG) => {
                    self.shared.meter.records_lost.add(1);
                    self.complain(&error);
                    let end = rest.iter().position(|octet| *octet == b'\n').unwrap_or(rest.len());
                    rest = rest.get(end + 1..).unwrap_or_default();
                }
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
        if self.outlet.is_worth_reopening()
            && let Ok(outlet) = self.destination.open()
        {
            self.outlet = outlet;
        }
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

    /// A file that cannot be moved is written on.
    fn rotate_if_due(&mut self) {
        match self.outlet.rotate_if_due() {
            Ok(true) => self.shared.meter.rotations.add(1),
            Ok(false) => {}
            Err(error) => {
                self.shared.meter.write_errors.add(1);
                self.complain(&error);
            }
        }
    }

    fn reopen_if_asked(&mut self) {
        if !self.shared.reopen.swap(false, Ordering::AcqRel) {
            return;
        }
        let next = self.shared.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((outlet, destination)) = next {
            (self.outlet, self.destination) = (outlet, destination);
            return;
        }
        match self.destination.open() {
            Ok(outlet) => self.outlet = outlet,
            Err(error) => say(&format!("{} cannot be reopened, the old file is kept: {error}", self.destination)),
        }
    }
}

/// EMSGSIZE.
const MESSAGE_TOO_LONG: i32 = rustix::io::Errno::MSGSIZE.raw_os_error();

/// The time to write it is over.
struct Abandoned;

/// Tells the operator. `eprintln` would panic when stderr is closed.
fn say(message: &str) {
    let _ = writeln!(io::stderr(), "strait: access log: {message}");
}

#[cfg(test)]
mod tests {
    use super::{AccessLog, Producer, QUEUED_BYTES_MAX};
    use crate::destination::{Destination, Outlet, Rotation, SyslogDaemon, SyslogMark};
    use std::fs::{self, File};
    use std::io::{Read, pipe};
    use std::net::UdpSocket;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixDatagram;
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
        (reader, AccessLog::start_on(Outlet::Stream(File::from(OwnedFd::from(writer))), Destination::Stdout).unwrap())
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
        let log = AccessLog::start(Destination::File(path.clone(), None)).unwrap();
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
        let log = AccessLog::start(Destination::File(path.clone(), None)).unwrap();
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
    fn a_full_file_is_moved_aside_and_the_oldest_is_deleted() {
        let path = temporary("access.log");
        let rotation = Rotation { size: 8, age: None, keep: 2 };
        let log = AccessLog::start(Destination::File(path.clone(), Some(rotation))).unwrap();
        let (meter, mut producer) = (log.meter(), log.producer());
        for batch in 1..=4 {
            assert!(producer.submit(format!("batch {batch}\n").into_bytes(), 1));
        }
        assert!(log.stop(SOON));
        let content = |name: &str| fs::read_to_string(path.with_file_name(name)).ok();
        let contents = ["access.log", "access.log.1", "access.log.2", "access.log.3"].map(content);
        let batch = |number| Some(format!("batch {number}\n"));
        assert_eq!(contents, [batch(4), batch(3), batch(2), None]);
        assert_eq!(meter.rotations.read(), 3);
    }

    #[test]
    fn kept_files_stay_while_the_next_one_cannot_be_opened() {
        let path = temporary("access.log");
        let rotation = Rotation { size: 8, age: None, keep: 2 };
        let beside = |name: &str| path.with_file_name(name);
        fs::write(beside("access.log.1"), "kept\n").unwrap();
        fs::create_dir(beside("access.log.0")).unwrap();
        let log = AccessLog::start(Destination::File(path.clone(), Some(rotation))).unwrap();
        let (meter, mut producer) = (log.meter(), log.producer());
        for batch in 1..=4 {
            assert!(producer.submit(format!("batch {batch}\n").into_bytes(), 1));
        }
        assert!(log.stop(SOON));
        assert_eq!(fs::read_to_string(beside("access.log.1")).unwrap(), "kept\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "batch 1\nbatch 2\nbatch 3\nbatch 4\n");
        assert_eq!((meter.rotations.read(), meter.write_errors.read()), (0, 3));
    }

    #[test]
    fn a_daemon_gets_a_message_a_record() {
        let path = temporary("syslog");
        let unix = UnixDatagram::bind(&path).unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mark = SyslogMark { facility: 23, app_name: "my strait".to_owned() };
        for daemon in [SyslogDaemon::Unix(path), SyslogDaemon::Udp(udp.local_addr().unwrap().to_string())] {
            let is_udp = matches!(daemon, SyslogDaemon::Udp(_));
            let log = AccessLog::start(Destination::Syslog(daemon, mark.clone())).unwrap();
            assert!(log.producer().submit(b"first line\nsecond line\n".to_vec(), 2));
            for line in ["first line", "second line"] {
                let mut message = [0; 1024];
                let length = if is_udp { udp.recv(&mut message) } else { unix.recv(&mut message) }.unwrap();
                let message = String::from_utf8_lossy(&message[..length]).into_owned();
                let parts: Vec<&str> = message.splitn(8, ' ').collect();
                assert_eq!(
                    (parts[0], parts[3], parts[5], parts[6]),
                    ("<190>1", "mystrait", "access", "-"),
                    "{message}"
                );
                assert_eq!((parts[1].len(), parts[7]), (27, line), "{message}");
            }
            assert!(log.stop(SOON));
        }
    }

    #[test]
    fn a_message_that_no_datagram_holds_is_counted_and_the_next_is_sent() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mark = SyslogMark { facility: 1, app_name: String::new() };
        let daemon = SyslogDaemon::Udp(udp.local_addr().unwrap().to_string());
        let log = AccessLog::start(Destination::Syslog(daemon, mark)).unwrap();
        let meter = log.meter();
        assert!(log.producer().submit([&[b'x'; 70_000][..], b"\nshort\n"].concat(), 2));
        let mut message = [0; 1024];
        let length = udp.recv(&mut message).unwrap();
        assert!(message[..length].ends_with(b" - access - short") || message[..length].ends_with(b" access - short"));
        assert!(!log.stop(SOON));
        assert_eq!(meter.records_lost.read(), 1);
    }

    #[test]
    fn another_destination_takes_over() {
        let (first, second) = (temporary("first.log"), temporary("second.log"));
        let log = AccessLog::start(Destination::Nowhere).unwrap();
        let (meter, mut producer) = (log.meter(), log.producer());
        for (path, line) in [(&first, &b"one\n"[..]), (&second, b"two\n")] {
            log.switch(AccessLog::prepare(Destination::File(path.clone(), None)).unwrap());
            let before = meter.records_written.read();
            assert!(producer.submit(line.to_vec(), 1));
            until(|| meter.records_written.read() > before);
        }
        assert!(AccessLog::prepare(Destination::File("/nowhere/at/all/log".into(), None)).is_err());
        assert!(log.stop(SOON));
        assert_eq!((fs::read(&first).unwrap(), fs::read(&second).unwrap()), (b"one\n".to_vec(), b"two\n".to_vec()));
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
        let log = AccessLog::start(Destination::File("/dev/full".into(), None)).unwrap();
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
        assert!(AccessLog::start(Destination::File("/nowhere/at/all".into(), None)).is_err());
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
