//! Strait beside its peers: one command that measures them all in the same minutes on the same machine.
//!
//! `strait-bench` starts each proxy between a load and an origin of its own, and reads from /proc what the proxy cost.
//! See `strait-bench --help` for its parts and options.

mod answers;
mod calls;
mod client;
mod cost;
mod field;
mod floor;
mod load;
mod measure;
mod origin;
mod peers;
mod picture;
mod poll;
mod ports;
mod process;
mod report;
mod rows;
mod samples;
mod scrape;
mod secure;
mod slab;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::field::Field;
use crate::measure::{Bench, Plan};
use crate::peers::{Peer, Target};
use crate::rows::{ROWS, Row};
use crate::samples::Samples;

const USAGE: &str = "\
usage: strait-bench [OPTIONS]              measure and report
       strait-bench rows                   list the rows and their goals
       strait-bench render FILE...         report again from raw rounds
       strait-bench origin ADDRESS         run the origin alone
       strait-bench floor LISTEN ORIGIN    run the relay that parses nothing

options:
  --rows A,B,...      only these rows
  --targets A,B,...   only these: floor nginx haproxy envoy caddy strait, with +json (access log) or +metrics
  --rounds N          rounds of all targets per row (default 3)
  --seconds S         measured time per target and round (default 3)
  --quick             two rounds of one second
  --nice N            priority of everything measured (default -19, when allowed)
  --out FOLDER        where report.md, rounds.json and cost.svg go (default target/bench)

Programs are taken from STRAIT_BENCH_<NAME>, then .peers/venv, then PATH; one that is missing is skipped.
";

/// Open files that the rows with many connections need in each process.
const FILES: u64 = 65_536;

/// Open files that are not client connections.
const FILES_APART: u64 = 2_000;

/// What the command line asks for.
struct Options {
    rows: Vec<&'static Row>,
    targets: Vec<Target>,
    rounds: usize,
    seconds: f64,
    nice: i32,
    out: PathBuf,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["--help" | "-h" | "help"] => {
            print!("{USAGE}");
            Ok(())
        }
        ["rows"] => {
            list_rows();
            Ok(())
        }
        ["render", files @ ..] => render(files),
        ["origin", address] => parse_address(address).and_then(|address| Field::new(address)?.serve()),
        ["floor", listen, origin] => {
            parse_address(listen).and_then(|listen| floor::run(listen, parse_address(origin)?))
        }
        options => Options::parse(options).and_then(measure),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strait-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse_address(text: &str) -> io::Result<SocketAddr> {
    text.parse().map_err(|_| wrong(format!("{text} is not an address such as 127.0.0.1:8000")))
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

fn list_rows() {
    for row in ROWS {
        println!("{:<11} {}", row.name, row.title);
    }
}

fn render(files: &[&str]) -> io::Result<()> {
    let mut samples = Samples::default();
    for file in files {
        samples.read(Path::new(file))?;
    }
    let out = files.first().and_then(|file| Path::new(file).parent()).unwrap_or(Path::new("."));
    write_report(&samples, out)
}

fn measure(options: Options) -> io::Result<()> {
    // Limits and priority first: the proxies inherit both.
    let files = process::raise_file_limit(FILES);
    let preferred = process::prefer(options.nice);
    let targets = present(&options.targets);
    let about = about(&targets, &options, preferred);
    fs::create_dir_all(options.out.join("run"))?;
    let out = options.out.canonicalize()?;
    let plan = Plan {
        rows: options.rows,
        targets,
        rounds: options.rounds,
        duration: Duration::from_secs_f64(options.seconds),
        folder: out.clone(),
        idle_max: usize::try_from(files.saturating_sub(FILES_APART)).unwrap_or(0),
    };
    let mut samples = Samples { about, all: Vec::new() };
    Bench::new(plan)?.run(|all| {
        samples.all = all.to_vec();
        samples.write(&out.join("rounds.json"))
    })?;
    write_report(&samples, &out)
}

/// The targets whose program is on this machine; the others are told.
fn present(targets: &[Target]) -> Vec<(Target, PathBuf)> {
    let mut found = Vec::new();
    for target in targets {
        match target.peer.find() {
            Some(program) => found.push((*target, program)),
            None => eprintln!("{target}: no program found, skipped"),
        }
    }
    found
}

/// The machine and the programs, in words.
fn about(targets: &[(Target, PathBuf)], options: &Options, preferred: bool) -> BTreeMap<String, String> {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = process::cores().map_or(0, |cores| cores.len());
    let mut facts = BTreeMap::from([
        (
            "machine".to_owned(),
            format!("{cores} × {}, Linux {}", model.trim_start_matches([' ', '\t', ':']), kernel.trim()),
        ),
        ("rounds".to_owned(), format!("{} of {} s", options.rounds, options.seconds)),
        ("priority".to_owned(), if preferred { format!("nice {}", options.nice) } else { "ordinary".to_owned() }),
    ]);
    for (target, program) in targets {
        if let Some(version) = target.peer.version(program) {
            facts.insert(target.peer.name().to_owned(), version);
        }
    }
    facts
}

fn write_report(samples: &Samples, out: &Path) -> io::Result<()> {
    let report = report::markdown(samples);
    fs::write(out.join("report.md"), &report)?;
    if let Some(picture) = picture::svg(samples) {
        fs::write(out.join("cost.svg"), picture)?;
    }
    print!("{report}");
    eprintln!("\nwritten to {}", out.display());
    Ok(())
}

impl Options {
    fn parse(words: &[&str]) -> io::Result<Options> {
        let mut options = Options {
            rows: ROWS.iter().collect(),
            targets: default_targets(),
            rounds: 3,
            seconds: 3.0,
            nice: -19,
            out: peers::repository().join("target/bench"),
        };
        let mut words = words.iter();
        while let Some(name) = words.next() {
            if *name == "--quick" {
                (options.rounds, options.seconds) = (2, 1.0);
                continue;
            }
            let value = words.next().ok_or_else(|| wrong(format!("{name} is unknown or needs a value\n{USAGE}")))?;
            options.set(name, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> io::Result<()> {
        match name {
            "--rows" => {
                let find = |name: &str| ROWS.iter().find(|row| row.name == name);
                self.rows = list(value, find, "row")?;
            }
            "--targets" => self.targets = list(value, Target::parse, "target")?,
            "--rounds" => self.rounds = number(name, value)?,
            "--seconds" => self.seconds = number(name, value)?,
            "--nice" => self.nice = number(name, value)?,
            "--out" => self.out = PathBuf::from(value),
            _ => return Err(wrong(format!("{name} is unknown\n{USAGE}"))),
        }
        Ok(())
    }
}

fn default_targets() -> Vec<Target> {
    let plain = Peer::ALL.into_iter().map(Target::plain);
    plain
        .chain(["strait+json", "strait+metrics", "strait+json+metrics"].into_iter().filter_map(Target::parse))
        .collect()
}

fn list<T>(value: &str, find: impl Fn(&str) -> Option<T>, what: &str) -> io::Result<Vec<T>> {
    value.split(',').map(|name| find(name).ok_or_else(|| wrong(format!("there is no {what} {name}")))).collect()
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> io::Result<T> {
    value.parse().map_err(|_| wrong(format!("{name} needs a number, not {value}")))
}
