//! `conformance`: runs the HTTP/1 corpus against Strait and its peers. `conformance --help` says how.
#![allow(clippy::indexing_slicing, reason = "outcomes carry the place of their case in the list they were made from")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use strait_conformance::corpus::{self, Case, Section};
use strait_conformance::origin::Origin;
use strait_conformance::report::{self, Column};
use strait_conformance::run::{Manner, run_all};
use strait_conformance::target::{ALL, Target};

const HELP: &str = "\
conformance [--target NAME]... [--case PART] [-v] [--split] [--jobs N] [--patience SECONDS] [--list]

  --target NAME   strait, nginx, haproxy, envoy or caddy; may be repeated; default: all that are installed
  --case PART     only cases whose name contains PART
  -v              print the bytes of both sides of every case that ran
  --split         send one byte a write
  --jobs N        cases at a time (32)
  --patience S    longest wait for any one event (4)
  --list          print the names of the cases and what each asks

A program is found through STRAIT_BIN, NGINX_BIN, HAPROXY_BIN, ENVOY_BIN, CADDY_BIN, else in PEERS_VENV/bin or the
search path. The status is 1 if a case failed.";

#[derive(Default)]
struct Arguments {
    targets: Vec<Target>,
    part: String,
    verbose: bool,
    list: bool,
    manner: Manner,
}

fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(text) => {
            println!("{text}");
            return ExitCode::from(if text == HELP { 0 } else { 2 });
        }
    };
    let sections = match corpus::load(&corpus::folder()) {
        Ok(sections) => sections,
        Err(mistakes) => {
            println!("{}", mistakes.join("\n"));
            return ExitCode::from(2);
        }
    };
    if arguments.list {
        list(&sections);
        return ExitCode::SUCCESS;
    }
    run(&arguments, &sections)
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut all = Arguments::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value"));
        match word.as_str() {
            "--target" => {
                let name = value()?;
                all.targets.push(Target::named(&name).ok_or(format!("no target is called {name}"))?);
            }
            "--case" => all.part = value()?,
            "-v" => all.verbose = true,
            "--split" => all.manner.split = true,
            "--list" => all.list = true,
            "--jobs" => all.manner.jobs = value()?.parse().map_err(|_| "--jobs wants a number")?,
            "--patience" => {
                let seconds = value()?.parse().map_err(|_| "--patience wants seconds")?;
                all.manner.patience = Duration::from_secs(seconds);
            }
            "--help" | "-h" => return Err(HELP.into()),
            _ => return Err(format!("unknown argument {word}; see --help")),
        }
    }
    if all.targets.is_empty() {
        all.targets = ALL.into();
    }
    Ok(all)
}

fn list(sections: &[Section]) {
    for case in sections.iter().flat_map(|section| &section.cases) {
        println!("{}  [{}] {}", case.name, case.level.as_str(), case.rule);
    }
}

fn run(arguments: &Arguments, sections: &[Section]) -> ExitCode {
    let cases: Vec<Case> = sections.iter().flat_map(|section| section.cases.clone()).collect();
    let chosen: Vec<usize> = (0..cases.len()).filter(|index| cases[*index].name.contains(&arguments.part)).collect();
    let mut columns = Vec::new();
    for target in &arguments.targets {
        match run_target(*target, &cases, &chosen, arguments.manner) {
            Ok(column) => {
                show(&cases, &column, arguments.verbose);
                columns.push(column);
            }
            Err(why) => println!("{}: skipped: {why}", target.name()),
        }
    }
    println!("\n{}", report::table(sections, &cases, &columns));
    let failed = columns.iter().any(|column| column.outcomes.iter().any(|outcome| !outcome.failures.is_empty()));
    if failed || columns.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run_target(target: Target, cases: &[Case], chosen: &[usize], mut manner: Manner) -> Result<Column, String> {
    let program = target.program().ok_or("its program is not installed")?;
    let origin = Origin::start(cases).map_err(|error| format!("the origin does not start: {error}"))?;
    let mut proxy = target.start(&program, &origin)?;
    manner.strait = target == Target::Strait;
    let begun = Instant::now();
    let outcomes = run_all(cases, chosen, &origin, proxy.address, manner);
    if !proxy.alive() {
        println!("{}: died during the run: {}", target.name(), proxy.errors());
    }
    let title = format!("{} {}", target.name(), proxy.version);
    println!("{title}: {} cases in {:.1} s", outcomes.len(), begun.elapsed().as_secs_f64());
    Ok(Column { title, outcomes })
}

fn show(cases: &[Case], column: &Column, verbose: bool) {
    print!("{}", report::failures(cases, column));
    if verbose {
        for outcome in &column.outcomes {
            println!("\n{}", report::details(&cases[outcome.index], outcome));
        }
    }
    let passed = column.outcomes.iter().filter(|outcome| outcome.failures.is_empty()).count();
    println!("{}: {passed} passed, {} failed\n", column.title, column.outcomes.len() - passed);
}
