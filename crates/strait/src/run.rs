//! `strait run`: serves a configuration.

use crate::boot;
use crate::exit::Exit;
use crate::kept::Prefer;
use crate::operator::say;
use crate::source::{Output, Over, Source};
use clap::Args;
use std::path::PathBuf;

/// Serve a configuration.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Files and folders, read as one [default: strait.yaml, then /etc/strait/strait.yaml]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same, as a flag
    #[arg(short = 'c', long = "config", value_name = "PATH", num_args = 1..)]
    config: Vec<PathBuf>,
    #[command(flatten)]
    over: Over,
    /// Print the effective configuration, with defaults and where each value comes from, and end
    #[arg(long)]
    print_config: bool,
    /// Read the configuration anew whenever its files change
    #[arg(long)]
    watch: bool,
    /// Whose word holds where the files and what the admin API has patched both changed a value
    #[arg(long, value_name = "WHOSE")]
    prefer: Option<Prefer>,
}

impl Run {
    pub(crate) fn run(self, output: Output) -> Exit {
        let paths: Vec<PathBuf> = self.paths.into_iter().chain(self.config).collect();
        let source = Source::of(&paths).with(&self.over);
        let nowhere = source.is_nowhere();
        if self.print_config {
            return source.print_config(output);
        }
        match boot::start(source, output, self.watch, self.prefer) {
            Ok(running) => running.wait(),
            Err(exit) => {
                if nowhere && output == Output::Text {
                    say(
                        "nor is there one in /etc/strait: name one (strait run PATH), or do without (strait proxy localhost:3000)",
                    );
                }
                exit
            }
        }
    }
}
