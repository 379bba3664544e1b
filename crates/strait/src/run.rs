//! `strait run`: serves a configuration.

use crate::boot;
use crate::exit::Exit;
use crate::operator::print;
use crate::source::{Output, Source};
use clap::Args;
use std::path::PathBuf;

/// Serve a configuration.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Files and folders, read as one [default: strait.yaml, then /etc/strait/strait.yaml]
    #[arg(short = 'c', long = "config", value_name = "PATH", num_args = 1..)]
    config: Vec<PathBuf>,
    /// Print the effective configuration and end
    #[arg(long)]
    print_config: bool,
}

impl Run {
    pub(crate) fn run(self, output: Output) -> Exit {
        let source = Source::of(&self.config);
        if self.print_config {
            return print_config(&source, output);
        }
        match boot::start(source, output) {
            Ok(running) => running.wait(),
            Err(exit) => exit,
        }
    }
}

fn print_config(source: &Source, output: Output) -> Exit {
    match source.load() {
        Ok(snapshot) => {
            print(&strait_config::print_config(&snapshot));
            Exit::Done
        }
        Err(findings) => output.refuse(&findings),
    }
}
