//! The real binary, started and watched, and an origin to put behind it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than anything takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running process of the product with a folder of its own; killed when dropped.
pub(crate) struct Strait {
    child: Child,
    lines: Receiver<String>,
    folder: PathBuf,
}

impl Strait {
    /// Starts it with a configuration, `strait.yaml` in its folder.
    pub(crate) fn run(configuration: &str) -> Self {
        Self::start(configuration, &["run"])
    }

    /// Starts it with these words and a configuration in its folder.
    pub(crate) fn start(configuration: &str, words: &[&str]) -> Self {
        Self::start_with(configuration, words, &[])
    }

    /// [`Strait::start`] with these variables in its environment.
    pub(crate) fn start_with(configuration: &str, words: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_program(env!("CARGO_BIN_EXE_strait"), configuration, words, environment)
    }

    /// [`Strait::start_with`] by way of another program.
    pub(crate) fn start_program(
        program: &str,
        configuration: &str,
        words: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Self::start_in(new_folder(), program, configuration, words, environment)
    }

    fn start_in(
        folder: PathBuf,
        program: &str,
        configuration: &str,
        words: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        std::fs::write(folder.join("strait.yaml"), configuration).unwrap();
        let mut command = Command::new(program);
        command
            .args(words)
            .env("STRAIT_STATE", folder.join("state"))
            .env("XDG_RUNTIME_DIR", folder.join("run"))
            .envs(environment.iter().copied())
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        for stream in [Box::new(stdout) as Box<dyn Read + Send>, Box::new(stderr)] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let lines = BufReader::new(stream).lines().map_while(Result::ok);
                lines.for_each(|line| drop(sender.send(line)));
            });
        }
        Self { child, lines, folder }
    }

    /// Starts it with a configuration and further files beside it.
    pub(crate) fn prepared(configuration: &str, files: &[(&str, &str)], words: &[&str]) -> Self {
        let folder = new_folder();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        Self::start_in(folder, env!("CARGO_BIN_EXE_strait"), configuration, words, &[])
    }

    /// Ends it, and starts it anew with what it has left.
    pub(crate) fn restarted(mut self, words: &[&str]) -> Self {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let folder = std::mem::take(&mut self.folder);
        let text = std::fs::read_to_string(folder.join("strait.yaml")).unwrap();
        Self::start_in(folder, env!("CARGO_BIN_EXE_strait"), &text, words, &[])
    }

    /// Another run of the program, in the same folder.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strait"));
        command.args(words).current_dir(&self.folder);
        command.env("STRAIT_STATE", self.folder.join("state")).env("XDG_RUNTIME_DIR", self.folder.join("run"));
        command
    }

    /// Replaces the configuration.
    pub(crate) fn write(&self, configuration: &str) {
        std::fs::write(self.folder.join("strait.yaml"), configuration).unwrap();
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that holds this, on either output, and gives what stands behind it.
    #[track_caller]
    pub(crate) fn said(&self, part: &str) -> String {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => match line.split_once(part) {
                    Some((_, rest)) => return rest.to_owned(),
                    None => heard.push(line),
                },
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("`{part}` was never said, but:\n{}", heard.join("\n"))
                }
            }
        }
    }

    /// Waits for lines that hold these, in any order.
    #[track_caller]
    pub(crate) fn said_all(&self, parts: &[&str]) {
        let mut missing = parts.to_vec();
        while !missing.is_empty() {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never said: {missing:?}"));
            missing.retain(|part| !line.contains(part));
        }
    }

    /// Waits until it serves, and gives the address of its first listener.
    #[track_caller]
    pub(crate) fn ready(&self) -> SocketAddr {
        self.said("ready: listening on ").parse().unwrap()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end");
    }
}

impl Drop for Strait {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !self.folder.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn new_folder() -> PathBuf {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("strait-process-{}-{count}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// An origin that answers every request with this body.
pub(crate) fn origin(body: &'static str) -> SocketAddr {
    origin_with(move |mut stream| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        stream.write_all(head.as_bytes()).unwrap();
    })
}

/// An origin that does this with every connection once a request head has arrived.
pub(crate) fn origin_with(answer: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, answer) = (stream.unwrap(), answer.clone());
            std::thread::spawn(move || {
                read_head(&stream);
                answer(stream);
            });
        }
    });
    address
}

fn read_head(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map(|line| line.unwrap_or_default());
    lines.take_while(|line| !line.is_empty()).fold(String::new(), |head, line| head + &line + "\n")
}

/// Sends a request for a path on a connection of its own.
pub(crate) fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    stream
}

/// The whole answer to a request.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    whole(ask(address, path))
}

/// Everything that comes on a connection.
pub(crate) fn whole(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
