//! `strait reload`: asks the running process to read its configuration anew, and waits for the outcome.

use crate::exit::Exit;
use crate::kept::Prefer;
use crate::live;
use crate::operator::{print, say};
use crate::source::Output;
use crate::status::Admin;
use clap::Args;
use serde_json::Value;

/// Ask a running strait to read its configuration anew, and show what changed
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the new configuration serves, 1 it cannot, 78 it is refused; then the one of before
serves on."
)]
pub(crate) struct Reload {
    #[command(flatten)]
    admin: Admin,
    /// Whose word holds where the files and what the admin API has patched both changed a value
    #[arg(long, value_name = "WHOSE")]
    prefer: Option<Prefer>,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
}

impl Reload {
    pub(crate) fn run(self, output: Output) -> Exit {
        let address = match self.admin.address() {
            Ok(address) => address,
            Err(exit) => return exit,
        };
        let mut path = format!("/reload?dry_run={}", self.dry_run);
        if let Some(prefer) = self.prefer {
            path.push_str(if prefer == Prefer::File { "&prefer=file" } else { "&prefer=api" });
        }
        let answer = match address.post(&path) {
            Ok(answer) => answer,
            Err(error) => {
                say(&error.to_string());
                return Exit::Failed;
            }
        };
        let parsed: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let is_refused = parsed.get("error").is_some_and(|error| error == "refused" || error == "contested");
        match (answer.status, output) {
            (200, Output::Json) => print(&format!("{parsed:#}\n")),
            (200, _) => print(&text(&parsed)),
            _ => {
                say(&live::reason(&address, &answer));
                return if is_refused { Exit::Configuration } else { Exit::Failed };
            }
        }
        Exit::Done
    }
}

fn text(answer: &Value) -> String {
    let list = |key: &str| answer.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let words = |key: &str| list(key).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let generation = answer.get("generation").and_then(Value::as_u64).unwrap_or(0);
    let dry_run = answer.get("dry_run").and_then(Value::as_bool).unwrap_or(false);
    let is_none = dry_run && words("changes").is_empty();
    let mut out = match (dry_run, is_none) {
        (false, _) => format!("generation {generation} serves\n"),
        (true, false) => "a reload would change:\n".to_owned(),
        (true, true) => "a reload would change nothing\n".to_owned(),
    };
    words("changes").iter().for_each(|change| out.push_str(&format!("  {change}\n")));
    for key in words("waits_for_restart") {
        out.push_str(&format!("  `{key}` takes effect when strait is started again\n"));
    }
    out
}
