//! OCSP responses, fetched from the responders of certificates on a thread of its own.
//!
//! A responder that does not answer stops nothing and takes nothing away: what it said last is stapled until it expires,
//! and it is asked again, less and less often.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use strait_tls::{OcspOrder, Staple};

/// How often it is looked whether something is due, or other certificates serve.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Connecting, and every read and write.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Octets of an answer. One for a certificate has one or two thousand.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// The pause after a failure, doubled with each that follows, up to the other.
const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(3600);
/// The least time between two questions that were answered.
const AGAIN_MIN: Duration = Duration::from_secs(60);

/// What is called with what a responder has said; `None`: what it said last has expired.
pub type Said = Box<dyn FnMut(&OcspOrder, Option<Staple>) + Send>;

/// What is called.
pub struct StapleHooks {
    /// Whose responders are to be asked now.
    pub orders: Box<dyn FnMut() -> Arc<[OcspOrder]> + Send>,
    /// A responder has said something new.
    pub said: Said,
}

/// The running thread; dropping this ends it.
pub struct Stapler {
    _end: Sender<()>,
}

impl Stapler {
    /// Begins to ask.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(hooks: StapleHooks) -> io::Result<Self> {
        let (end, ended) = channel::<()>();
        let mut asking = Asking { hooks, orders: Arc::new([]), known: HashMap::new() };
        thread::Builder::new().name("ocsp".into()).spawn(move || {
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                asking.look();
            }
        })?;
        Ok(Self { _end: end })
    }
}

struct Asking {
    hooks: StapleHooks,
    orders: Arc<[OcspOrder]>,
    /// By the fingerprint of the certificate.
    known: HashMap<Box<str>, Known>,
}

/// What is known of one certificate's responder.
struct Known {
    due: Instant,
    failures: u32,
    expires_s: Option<i64>,
}

impl Asking {
    fn look(&mut self) {
        let orders = (self.hooks.orders)();
        if !Arc::ptr_eq(&orders, &self.orders) {
            self.known.retain(|fingerprint, _| orders.iter().any(|order| order.fingerprint == *fingerprint));
            self.orders = orders;
        }
        for order in self.orders.clone().iter() {
            let known = self.known.entry(order.fingerprint.clone()).or_insert_with(|| Known {
                due: Instant::now(),
                failures: 0,
                expires_s: None,
            });
            if known.due <= Instant::now() {
                self.ask(order);
            }
        }
    }

    fn ask(&mut self, order: &OcspOrder) {
        let outcome = fetch(&order.url, &order.request).and_then(|answer| order.judge(&answer, now_s()));
        let Some(known) = self.known.get_mut(&order.fingerprint) else { return };
        match outcome {
            Ok(staple) => {
                if known.failures > 0 {
                    crate::say(&format!("ocsp: {} of {} answers again", order.url, order.label));
                }
                let half = (staple.next_update_s - staple.this_update_s).max(0).unsigned_abs() / 2;
                let left = (staple.next_update_s - now_s()).max(0).unsigned_abs();
                let pause = Duration::from_secs(half.min(left / 2)).max(AGAIN_MIN);
                *known =
                    Known { due: Instant::now() + jittered(pause), failures: 0, expires_s: Some(staple.next_update_s) };
                (self.hooks.said)(order, Some(staple));
            }
            Err(why) => {
                // Once is enough for people: it goes on until it is said to be over.
                if known.failures == 0 {
                    crate::say(&format!("ocsp: {} of {} gives nothing to staple: {why}", order.url, order.label));
                }
                let pause = RETRY_MIN.saturating_mul(1 << known.failures.min(16)).min(RETRY_MAX);
                known.failures = known.failures.saturating_add(1);
                known.due = Instant::now() + jittered(pause);
                if known.expires_s.is_some_and(|expires_s| expires_s <= now_s()) {
                    known.expires_s = None;
                    (self.hooks.said)(order, None);
                }
            }
        }
    }
}

/// A tenth more or less, so that many certificates of one responder do not ask in step.
fn jittered(pause: Duration) -> Duration {
    let by = crate::random() % 200;
    pause.mul_f64(0.9 + by as f64 / 1_000.0)
}

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

/// Sends a request by POST (RFC 6960, appendix A.1); the body of the answer.
fn fetch(url: &str, request: &[u8]) -> Result<Vec<u8>, String> {
    let (authority, path) = split(url).ok_or("its address is not http://host/path")?;
    let with_port = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let answer = exchange(&with_port, authority, path, request).map_err(|error| error.to_string())?;
    body(&answer)
}

fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let sound = |text: &str| text.bytes().all(|octet| octet.is_ascii_graphic());
    (!authority.is_empty() && sound(rest)).then_some((authority, if path.is_empty() { "/" } else { path }))
}

fn exchange(address: &str, host: &str, path: &str, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut last = io::Error::other("its name does not resolve");
    for address in address.to_socket_addrs()? {
        let mut stream = match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(stream) => stream,
            Err(error) => {
                last = error;
                continue;
            }
        };
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        // HTTP/1.0, so that the answer ends with the connection and is never chunked.
        let head = format!(
            "POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/ocsp-request\r\nContent-Length: {}\r\n\
             User-Agent: strait\r\n\r\n",
            request.len()
        );
        stream.write_all(&[head.as_bytes(), request].concat())?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        return Ok(answer);
    }
    Err(last)
}

/// The body of an answer with 200.
fn body(answer: &[u8]) -> Result<Vec<u8>, String> {
    let malformed = "its answer is no HTTP";
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or(malformed)?;
    let (head, body) = answer.split_at(end + 4);
    let status = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5)).ok_or(malformed)?;
    match status {
        b"200" => Ok(body.to_vec()),
        other => Err(format!("it answers with status {}", other.escape_ascii())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(split("http://ocsp.example.com"), Some(("ocsp.example.com", "/")));
        assert_eq!(split("http://ocsp.example.com:8080/a/b"), Some(("ocsp.example.com:8080", "/a/b")));
        for wrong in ["https://a/", "http:///", "http://a/\r\nX: y", "ldap://a/"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_request_is_posted_and_the_body_comes_back() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/ocsp", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut asked = Vec::new();
            for answer in
                [&b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"[..], b"HTTP/1.0 503 Busy\r\n\r\n", b"SSH-2.0"]
            {
                let (mut stream, _) = listener.accept().unwrap();
                let mut buffer = [0; 1024];
                let length = stream.read(&mut buffer).unwrap();
                asked.push(String::from_utf8_lossy(buffer.get(..length).unwrap()).into_owned());
                stream.write_all(answer).unwrap();
            }
            asked
        });
        assert_eq!(fetch(&url, b"request"), Ok(b"ok".to_vec()));
        assert_eq!(fetch(&url, b"request").unwrap_err(), "it answers with status 503");
        assert_eq!(fetch(&url, b"request").unwrap_err(), "its answer is no HTTP");
        let asked = server.join().unwrap();
        assert!(
            asked.iter().all(|head| head.starts_with("POST /ocsp HTTP/1.0\r\n") && head.ends_with("\r\n\r\nrequest"))
        );
        assert!(fetch(&url, b"").unwrap_err().contains("refused"));
    }
}
