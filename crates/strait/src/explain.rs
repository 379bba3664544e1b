//! `strait explain`: what becomes of a request, and why.

use crate::exit::Exit;
use crate::live::{self, escaped};
use crate::operator::{print, say};
use crate::source::{Output, Over, Source};
use crate::state;
use crate::status::Admin;
use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;
use strait_compile::{Compiler, Question, explain};

/// Explain what becomes of a request, and why, without sending it
#[derive(Debug, Args)]
#[command(after_help = "Example:
  strait explain -c strait.yaml 'GET http://example.com/api/users'")]
pub(crate) struct Explain {
    /// Method and URL: 'GET http://example.com/path'; GET without a method
    #[arg(value_name = "REQUEST", required = true)]
    request: Vec<String>,
    /// Files and folders, read as one [default: strait.yaml, then /etc/strait/strait.yaml]
    #[arg(short = 'c', long = "config", value_name = "PATH")]
    config: Vec<PathBuf>,
    #[command(flatten)]
    over: Over,
    /// A header of the request: 'Name: value'
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// The address of the client
    #[arg(long, value_name = "IP")]
    from: Option<IpAddr>,
    /// The listener it comes to [default: the one with the URL's port, else the first]
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,
    /// Ask the running process what it would do now, in place of a file
    #[arg(long, conflicts_with_all = ["config", "sets"])]
    live: bool,
    /// The admin address or socket of the running process; implies --live [default: 127.0.0.1:9900]
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
}

fn compiler() -> Compiler {
    Compiler::new(1).with_local_authority(state::authority_if_there())
}

impl Explain {
    pub(crate) fn run(self, output: Output) -> Exit {
        if self.live || self.admin.is_some() {
            return self.ask(output);
        }
        let source = Source::of(&self.config).with(&self.over);
        let compiled = source.load().and_then(|snapshot| compiler().compile(&snapshot));
        let plan = match compiled {
            Ok(plan) => plan,
            Err(findings) => return output.refuse(&findings),
        };
        let request = self.request.join(" ");
        let (method, url) = request.split_once(' ').unwrap_or(("GET", &request));
        let split =
            |header: &String| header.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        let headers: Vec<_> = self.headers.iter().filter_map(split).collect();
        let question = Question {
            headers: &headers,
            listener: self.listener.as_deref(),
            client: self.from,
            ..Question::new(method, url.trim())
        };
        match explain(&plan, &question) {
            Ok(explanation) if output == Output::Json => print(&format!("{:#}\n", explanation.to_json())),
            Ok(explanation) => print(&explanation.to_string()),
            Err(refusal) => {
                say(&refusal.to_string());
                return Exit::Failed;
            }
        }
        Exit::Done
    }
    /// Asks the running process.
    fn ask(&self, output: Output) -> Exit {
        let request = self.request.join(" ");
        let (method, url) = request.split_once(' ').unwrap_or(("GET", &request));
        let mut path = format!("/explain?method={}&url={}", escaped(method), escaped(url.trim()));
        let mut add = |key: &str, value: &str| path.push_str(&format!("&{key}={}", escaped(value)));
        self.headers.iter().for_each(|header| add("header", header));
        self.listener.iter().for_each(|listener| add("listener", listener));
        self.from.iter().for_each(|from| add("from", &from.to_string()));
        if output == Output::Json {
            add("format", "json");
        }
        let answered = Admin::at(self.admin.clone()).address().and_then(|address| live::ask(&address, &path));
        match (answered, output) {
            (Ok(body), Output::Json) => {
                let value: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
                print(&format!("{value:#}\n"));
                Exit::Done
            }
            (Ok(body), _) => {
                print(&body);
                Exit::Done
            }
            (Err(exit), _) => exit,
        }
    }
}
