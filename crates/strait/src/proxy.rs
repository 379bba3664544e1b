//! `strait proxy`: a configuration in one line.

use crate::boot::{self, Running};
use crate::exit::Exit;
use crate::operator::{print, say};
use crate::source::{Output, Over, Source};
use clap::Args;
use std::fmt::Write as _;
use std::net::SocketAddr;
use strait_config::text_of;
use strait_plan::Workers as _;

/// Proxy to an application, without a configuration file.
///
/// The words are [LISTEN] [HOST to] TARGET...: where to listen (`:8080`; 8080 without it), for which host, and where
/// requests go: one target, or several that serve in turn. A port alone is one of this machine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strait proxy localhost:3000
  strait proxy 3000
  strait proxy :80 localhost:3001 localhost:3002
  strait proxy example.com to localhost:3001 localhost:3002
  strait proxy localhost:3000 --print-config > strait.yaml")]
pub(crate) struct Proxy {
    /// [LISTEN] [HOST to] TARGET...
    #[arg(value_name = "TARGET", required = true)]
    words: Vec<String>,
    /// Where to listen: a port, address:port, or unix:/path
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Print the configuration that this stands for and end
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    over: Over,
}

impl Proxy {
    pub(crate) fn run(self, output: Output) -> Exit {
        let line = match Line::of(self.words, self.listen) {
            Ok(line) => line,
            Err(why) => {
                say(&why);
                return Exit::Usage;
            }
        };
        let source = Source::text("command line", line.to_yaml()).with(&self.over);
        if self.print_config {
            return print_config(&source, &line.to_yaml(), !self.over.sets.is_empty(), output);
        }
        match boot::start(source, output, false, None) {
            Ok(running) => {
                greet(&running, &line.pattern, &line.targets.join(" and "));
                running.wait()
            }
            Err(exit) => exit,
        }
    }
}

/// What the words say.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    listen: Option<String>,
    pattern: String,
    targets: Vec<String>,
}

impl Line {
    fn of(mut words: Vec<String>, mut listen: Option<String>) -> Result<Self, String> {
        let place = words.iter().position(|word| word == "to");
        let mut before: Vec<String> = match place {
            Some(place) => words.drain(..=place).take(place).collect(),
            None if words.len() > 1 && words.first().is_some_and(|first| is_port(first)) => words.drain(..1).collect(),
            None => Vec::new(),
        };
        if before.first().is_some_and(|first| is_listen(first)) {
            let first = before.remove(0);
            if let Some(other) = listen.replace(first.trim_start_matches(':').to_owned()) {
                return Err(format!("`{first}` and `--listen {other}` both say where to listen: leave one out"));
            }
        }
        // What runs on this machine is often called by its port alone.
        for word in words.iter_mut().filter(|word| is_port(word)) {
            *word = format!("localhost:{}", word.trim_start_matches(':'));
        }
        match (before.len(), words.is_empty()) {
            (_, true) => Err("a target is missing: strait proxy example.com to localhost:3000".to_owned()),
            (0, _) => Ok(Self { listen, pattern: "/".to_owned(), targets: words }),
            (1, _) => Ok(Self { listen, pattern: before.remove(0), targets: words }),
            _ => Err("before `to` stands one host: strait proxy [LISTEN] example.com to localhost:3000".to_owned()),
        }
    }

    fn to_yaml(&self) -> String {
        let mut yaml = String::new();
        if let Some(listen) = &self.listen {
            let _ = writeln!(yaml, "listeners:\n  http: {}", quoted(listen));
        }
        let _ = write!(yaml, "routes:\n  {}: ", quoted(&self.pattern));
        let targets: Vec<String> = self.targets.iter().map(|target| quoted(target)).collect();
        match &*targets {
            [only] => writeln!(yaml, "{only}"),
            several => writeln!(yaml, "[{}]", several.join(", ")),
        }
        .map_or_else(|_| String::new(), |()| yaml)
    }
}

/// `:8080` or `8080`.
fn is_port(word: &str) -> bool {
    word.trim_start_matches(':').parse::<u16>().is_ok()
}

pub(crate) fn is_listen(word: &str) -> bool {
    is_port(word) || word.parse::<SocketAddr>().is_ok() || word.starts_with("unix:") || word.starts_with("localhost:")
}

pub(crate) fn quoted(text: &str) -> String {
    text_of(&text.to_owned()).unwrap_or_default()
}

/// Prints the file, if it is one that can be served; all of its values where some were changed.
pub(crate) fn print_config(source: &Source, yaml: &str, is_changed: bool, output: Output) -> Exit {
    if output == Output::Json || is_changed {
        return source.print_config(output);
    }
    match source.load() {
        Ok(_) => {
            print(yaml);
            Exit::Done
        }
        Err(findings) => output.refuse(&findings),
    }
}

/// Says what runs, where to look and how to end it.
pub(crate) fn greet(running: &Running, pattern: &str, goes_to: &str) {
    let listening = running.fleet.listening();
    let Some((_, address)) = listening.first() else { return };
    let host = match pattern.split('/').next() {
        Some(host) if !host.is_empty() && !host.starts_with('*') => host.to_owned(),
        _ if address.ip().is_unspecified() => "localhost".to_owned(),
        _ => address.ip().to_string(),
    };
    let port = if address.port() == 80 { String::new() } else { format!(":{}", address.port()) };
    say(&format!("http://{host}{port} goes to {goes_to}"));
    say("Ctrl-C stops it; `--print-config` shows this as a file");
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[track_caller]
    fn check(words: &str, expected: &str) {
        let line = Line::of(words.split(' ').map(str::to_owned).collect(), None);
        assert_eq!(line.map_or_else(|why| why, |line| line.to_yaml()), expected);
    }

    #[test]
    fn words_become_a_file() {
        check("3000", "routes:\n  /: localhost:3000\n");
        check(":80 to 3001 :3002", "listeners:\n  http: 80\nroutes:\n  /: [localhost:3001, localhost:3002]\n");
        check("localhost:3000", "routes:\n  /: localhost:3000\n");
        check("localhost:1 localhost:2", "routes:\n  /: [localhost:1, localhost:2]\n");
        check(":80 localhost:1", "listeners:\n  http: 80\nroutes:\n  /: localhost:1\n");
        check("80 localhost:1 localhost:2", "listeners:\n  http: 80\nroutes:\n  /: [localhost:1, localhost:2]\n");
        check("example.com to localhost:1", "routes:\n  example.com: localhost:1\n");
        check("*.example.com/api/* to unix:/a.sock", "routes:\n  \"*.example.com/api/*\": unix:/a.sock\n");
        check(":81 example.com to localhost:1", "listeners:\n  http: 81\nroutes:\n  example.com: localhost:1\n");
        check("127.0.0.1:81 to localhost:1", "listeners:\n  http: 127.0.0.1:81\nroutes:\n  /: localhost:1\n");
        check("[::1]:81 to localhost:1", "listeners:\n  http: \"[::1]:81\"\nroutes:\n  /: localhost:1\n");
    }

    #[test]
    fn words_that_say_nothing_are_refused() {
        check("example.com to", "a target is missing: strait proxy example.com to localhost:3000");
        check("a b to c", "before `to` stands one host: strait proxy [LISTEN] example.com to localhost:3000");
        let both = Line::of(vec![":1".into(), "localhost:2".into()], Some("3".into()));
        assert_eq!(both.unwrap_err(), "`:1` and `--listen 3` both say where to listen: leave one out");
    }
}
