//! `strait schema`: the language for editors.

use crate::exit::Exit;
use crate::operator::print;

/// Prints the JSON schema of the configuration.
pub(crate) fn run() -> Exit {
    print(&format!("{:#}\n", strait_config::schema_json()));
    Exit::Done
}
