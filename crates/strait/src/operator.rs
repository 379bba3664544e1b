//! What is said to whoever started the process.

use std::io::{self, IsTerminal, Write};

/// A line on standard error. `eprintln` would panic when it is closed.
pub(crate) fn say(message: &str) {
    let _ = writeln!(io::stderr(), "strait: {message}");
}

/// Text on standard error as it is.
pub(crate) fn say_plain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Text on standard output as it is. A reader that has gone away (`strait schema | head`) is no fault.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Whether standard output is a terminal, and standard error.
pub(crate) fn terminals() -> (bool, bool) {
    (io::stdout().is_terminal(), io::stderr().is_terminal())
}

/// Whether colours are welcome on a terminal: see <https://no-color.org>.
pub(crate) fn colors_are_welcome() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
