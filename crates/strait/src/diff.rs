//! `strait diff`: what two configurations mean differently.

use crate::exit::Exit;
use crate::live;
use crate::operator::{print, say};
use crate::source::{Output, Over, Source};
use crate::status::Admin;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use strait_compile::{Compiler, Step, difference};
use strait_config::Effective;

/// What stands for the running process in place of a path.
const LIVE: &str = "live";

/// Show what two configurations mean differently, and who notices
///
/// The order of keys, short forms, comments and the split into files make no difference. One path is compared with the
/// running process; none stands for the usual file. `live` stands for the running process on either side.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 they mean the same, 1 they differ, 2 trouble, 78 a configuration is refused.

Examples:
  strait diff old.yaml new.yaml
  strait diff                        what a reload would change
  strait diff live new.yaml --set workers=2")]
pub(crate) struct Diff {
    /// OLD and NEW: files, folders, or `live`
    #[arg(value_name = "PATH", num_args = 0..=2)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    over: Over,
    /// The admin address or socket of the running process [default: 127.0.0.1:9900]
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
}

impl Diff {
    pub(crate) fn run(self, output: Output) -> Exit {
        let live = || PathBuf::from(LIVE);
        let (old, new) = match &*self.paths {
            [] => (live(), None),
            [new] => (live(), Some(new.clone())),
            [old, new, ..] => (old.clone(), Some(new.clone())),
        };
        let sides = self.sides(old, new, output);
        let (old, new, patched) = match sides {
            Ok(sides) => sides,
            // As diff(1): 1 says that they differ.
            Err(Exit::Failed) => return Exit::Usage,
            Err(exit) => return exit,
        };
        let steps = difference(&old, &new);
        if output == Output::Json {
            let json = |steps: &[Step]| steps.iter().map(Step::to_json).collect::<Vec<Value>>();
            let same = steps.is_empty() && patched.is_empty();
            print(&format!("{:#}\n", json!({"same": same, "changes": json(&steps), "patched": json(&patched)})));
        } else {
            print(&steps.iter().map(Step::to_text).collect::<String>());
            if !patched.is_empty() {
                print("the admin API has patched, and a reload keeps:\n");
                print(&patched.iter().map(Step::to_text).collect::<String>());
            }
        }
        if steps.is_empty() && patched.is_empty() { Exit::Done } else { Exit::Failed }
    }

    /// Both sides, and what the admin API has patched in the running process: files are compared with it as a reload
    /// would take them.
    fn sides(&self, old: PathBuf, new: Option<PathBuf>, output: Output) -> Result<(Value, Value, Vec<Step>), Exit> {
        let is_live = |path: &PathBuf| path.as_os_str() == LIVE;
        if is_live(&old) && !new.as_ref().is_some_and(is_live) {
            let live = self.ask()?;
            let source = Source::of(new.as_slice()).with(&self.over);
            let files = effective(&source, output)?;
            let Some(patch) =
                live.get("patch").filter(|patch| patch.as_object().is_some_and(|patch| !patch.is_empty()))
            else {
                return Ok((live, files, Vec::new()));
            };
            let patched = effective(&source.patched(patch), output)?;
            let steps = difference(&files, &patched);
            return Ok((live, patched, steps));
        }
        let side = |path: PathBuf, over: bool| {
            if is_live(&path) {
                return self.ask();
            }
            let source = Source::of(&[path]);
            effective(&if over { source.with(&self.over) } else { source }, output)
        };
        let new = new.map_or_else(|| effective(&Source::of(&[]).with(&self.over), output), |new| side(new, true));
        Ok((side(old, false)?, new?, Vec::new()))
    }

    fn ask(&self) -> Result<Value, Exit> {
        let body = live::ask(&Admin::at(self.admin.clone()).address()?, "/config")?;
        serde_json::from_str(&body).map_err(|_| {
            say("the running process answers with something else than its configuration: is it another version?");
            Exit::Failed
        })
    }
}

/// The effective configuration of a source, if it would serve.
fn effective(source: &Source, output: Output) -> Result<Value, Exit> {
    let snapshot = source.load().map_err(|findings| output.refuse(&findings))?;
    // What does not compile would not serve either.
    Compiler::new(1).compile(&snapshot).map_err(|findings| output.refuse(&findings))?;
    Ok(Effective::of(&snapshot).to_json())
}
