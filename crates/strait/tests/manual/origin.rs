//! Origins for pages that need some. They answer `origin PORT METHOD PATH`; a path that ends in `/headers` is answered
//! with the head that came, `/status/N` with that status, `/delay/MS` that many milliseconds later.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Starts an origin that lives as long as the process.
pub(crate) fn start(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap_or_else(|error| panic!("port {port}: {error}"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(port, &stream));
        }
    });
}

fn serve(port: u16, stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some(head) = head(&mut reader) {
        let (status, body) = answer(port, &head);
        let answer = format!(
            "HTTP/1.1 {status} Status\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = stream;
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request's head. Bodies are none of its business: pages send none that matters.
fn head(reader: &mut impl BufRead) -> Option<String> {
    let lines = reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let head: String = lines.map(|line| line + "\n").collect();
    (!head.is_empty()).then_some(head)
}

fn answer(port: u16, head: &str) -> (u16, String) {
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path_only = path.split('?').next().unwrap_or_default();
    let number = |part: &str| path_only.rsplit_once(part).and_then(|(_, number)| number.parse::<u16>().ok());
    if let Some(delay) = number("/delay/") {
        std::thread::sleep(Duration::from_millis(delay.into()));
    }
    let status = number("/status/").unwrap_or(200);
    match path_only.ends_with("/headers") {
        true => (status, head.to_owned()),
        false => (status, format!("origin {port} {method} {path}\n")),
    }
}
