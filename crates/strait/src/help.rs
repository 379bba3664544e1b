//! `strait help`: of verbs, and of the codes of findings.

use crate::cli::Cli;
use crate::exit::Exit;
use crate::operator::{print, say};
use clap::{Args, CommandFactory as _};

/// Explain a verb, or a code such as E0102
#[derive(Debug, Args)]
pub(crate) struct Help {
    /// A verb or a code
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
}

impl Help {
    pub(crate) fn run(self) -> Exit {
        let mut command = Cli::command();
        let Some(topic) = self.topic else {
            print(&command.render_long_help().to_string());
            return Exit::Done;
        };
        if let Some(code) = strait_compile::codes::find(&topic) {
            print(&format!("{}: {}\n\n{}\n", code.id, code.title, code.explanation));
            return Exit::Done;
        }
        command.build();
        match command.find_subcommand_mut(&topic) {
            Some(verb) => {
                print(&verb.render_long_help().to_string());
                Exit::Done
            }
            None => {
                say(&format!("there is no verb and no code `{topic}`; `strait help` lists the verbs"));
                Exit::Usage
            }
        }
    }
}
