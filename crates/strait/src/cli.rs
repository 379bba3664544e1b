//! The command line: the one source of parsing, `--help`, completions, man pages and the reference.

use crate::ca::Ca;
use crate::check::Check;
use crate::completion::Completion;
use crate::demo::Demo;
use crate::diff::Diff;
use crate::doctor::Doctor;
use crate::endpoint::Endpoint;
use crate::exit::Exit;
use crate::explain::Explain;
use crate::format::Fmt;
use crate::help::Help;
use crate::import::Import;
use crate::lsp::Lsp;
use crate::manual::{GenerateDocs, Man};
use crate::proxy::Proxy;
use crate::reload_verb::Reload;
use crate::run::Run;
use crate::serve::Serve;
use crate::source::Output;
use crate::status::Status;
use crate::stop::Stop;
use crate::tail::Tail;
use crate::top::Top;
use crate::why::Why;
use clap::{Parser, Subcommand};

/// One proxy for every proxy's job.
#[derive(Debug, Parser)]
#[command(
    name = "strait",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong use of the command line, 78 the configuration is refused."
)]
pub(crate) struct Cli {
    /// How findings and answers are written
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", hide_possible_values = false)]
    format: Output,
    /// Short for `--format json`
    #[arg(long, global = true, conflicts_with = "format")]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Proxy(Proxy),
    Serve(Serve),
    Run(Run),
    Check(Check),
    Explain(Explain),
    Diff(Diff),
    Fmt(Fmt),
    Import(Import),
    Demo(Demo),
    Status(Status),
    Top(Top),
    Tail(Tail),
    Why(Why),
    Doctor(Doctor),
    Endpoint(Endpoint),
    Reload(Reload),
    Stop(Stop),
    Ca(Ca),
    /// Print the version, and what it was built for
    Version,
    Completion(Completion),
    Man(Man),
    /// Print the JSON schema of the configuration, for editors
    Schema,
    Lsp(Lsp),
    Help(Help),
    #[command(hide = true)]
    GenerateDocs(GenerateDocs),
}

/// Reads the command line and does what it says.
pub(crate) fn main() -> Exit {
    let Cli { format, json, verb } = Cli::parse();
    let format = if json { Output::Json } else { format };
    match verb {
        Verb::Proxy(proxy) => proxy.run(format),
        Verb::Serve(serve) => serve.run(format),
        Verb::Run(run) => run.run(format),
        Verb::Check(check) => check.run(format),
        Verb::Explain(explain) => explain.run(format),
        Verb::Diff(diff) => diff.run(format),
        Verb::Fmt(fmt) => fmt.run(format),
        Verb::Import(import) => import.run(format),
        Verb::Demo(demo) => demo.run(format),
        Verb::Status(status) => status.run(format),
        Verb::Top(top) => top.run(format),
        Verb::Tail(tail) => tail.run(format),
        Verb::Why(why) => why.run(format),
        Verb::Doctor(doctor) => doctor.run(format),
        Verb::Endpoint(endpoint) => endpoint.run(format),
        Verb::Reload(reload) => reload.run(format),
        Verb::Stop(stop) => stop.run(),
        Verb::Ca(ca) => ca.run(format),
        Verb::Version => crate::version::run(format),
        Verb::Completion(completion) => completion.run(),
        Verb::Man(man) => man.run(),
        Verb::Schema => crate::schema::run(),
        Verb::Lsp(lsp) => lsp.run(),
        Verb::Help(help) => help.run(),
        Verb::GenerateDocs(docs) => docs.run(),
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
