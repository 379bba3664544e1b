//! The product: the command line, and the one function that starts everything.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "tests"
    )
)]

mod allocator;
mod boot;
mod ca;
mod check;
mod cli;
mod completion;
mod demo;
mod descriptors;
mod diff;
mod discovery;
mod doctor;
mod endpoint;
mod exit;
mod explain;
mod format;
mod help;
mod import;
mod kept;
mod live;
mod log;
mod lsp;
mod manual;
mod notify;
mod operator;
mod outside;
mod ports;
mod privileges;
mod proxy;
mod reload;
mod reload_verb;
mod run;
mod schema;
mod serve;
mod sights;
mod source;
mod state;
mod status;
mod sticky_key;
mod stop;
mod tail;
mod top;
mod version;
mod watch;
mod watchdog;
mod why;

fn main() -> std::process::ExitCode {
    cli::main().into()
}
