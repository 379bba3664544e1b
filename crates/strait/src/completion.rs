//! `strait completion`: what shells need to complete the command line.

use crate::cli::Cli;
use crate::exit::Exit;
use crate::operator::print;
use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:
  strait completion bash > /etc/bash_completion.d/strait")]
pub(crate) struct Completion {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self) -> Exit {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "strait", &mut script);
        print(&String::from_utf8_lossy(&script));
        Exit::Done
    }
}
