//! `strait run`: serves a configuration.

use crate::boot;
use crate::exit::Exit;
use crate::source::{Output, Over, Source};
use clap::Args;
use std::path::PathBuf;

/// Serve a configuration.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Files and folders, read as one [default: strait.yaml, then /etc/strait/strait.yaml]
    #[arg(short = 'c', long = "config", value_name = "PATH", num_args = 1..)]
    config: Vec<PathBuf>,
    #[command(flatten)]
    over: Over,
    /// Print the effective configuration, with defaults and where each value comes from, and end
    #[arg(long)]
    print_config: bool,
}

impl Run {
    pub(crate) fn run(self, output: Output) -> Exit {
        let source = Source::of(&self.config).with(&self.over);
        if self.print_config {
            return source.print_config(output);
        }
        match boot::start(source, output) {
            Ok(running) => running.wait(),
            Err(exit) => exit,
        }
    }
}
