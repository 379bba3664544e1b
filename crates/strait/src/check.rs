//! `strait check`: everything that can be known about a configuration without serving it.

use crate::exit::Exit;
use crate::operator::print;
use crate::outside;
use crate::source::{Output, Over, Source};
use crate::state;
use clap::Args;
use std::path::PathBuf;
use strait_compile::{Compiler, review};
use strait_config::{Diagnostics, Snapshot};

/// Check a configuration, and run its tests
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files and folders, read as one [default: strait.yaml, then /etc/strait/strait.yaml]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same, as for `run`
    #[arg(short = 'c', long = "config", value_name = "PATH", num_args = 1..)]
    config: Vec<PathBuf>,
    /// Ask nothing of this machine: neither whether ports are free nor whether names resolve
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    over: Over,
}

impl Check {
    pub(crate) fn run(self, output: Output) -> Exit {
        let source = Source::of(&[self.paths, self.config].concat()).with(&self.over);
        let (snapshot, findings) = match checked(&source, !self.offline) {
            Ok(checked) => checked,
            Err(findings) => return output.refuse(&findings),
        };
        if !findings.list.is_empty() || output != Output::Text {
            output.show(&findings);
        }
        if findings.errors() > 0 {
            return Exit::Configuration;
        }
        if output == Output::Text {
            print(&format!("{}: good: {}\n", source.name(), summary(&snapshot)));
        }
        Exit::Done
    }
}

/// The snapshot with what deserves a look, failed tests included.
fn checked(source: &Source, asks: bool) -> Result<(Snapshot, Diagnostics), Diagnostics> {
    let mut snapshot = source.load()?;
    let mut compiler = Compiler::new(1).with_local_authority(state::authority_if_there());
    let plan = compiler.compile(&snapshot)?;
    snapshot.warnings.extend_from_slice(compiler.warnings());
    let mut findings = review(&snapshot, &plan);
    if asks {
        findings = Diagnostics::new([findings.list, outside::warnings(&snapshot, &plan)].concat(), findings.sources);
    }
    Ok((snapshot, findings))
}

fn summary(snapshot: &Snapshot) -> String {
    let spec = &snapshot.spec;
    let own: usize =
        spec.listeners.iter().filter_map(|(_, listener)| listener.routes.as_ref()).map(|routes| routes.len()).sum();
    let mut parts = vec![
        counted(spec.listeners.len(), "listener"),
        counted(spec.routes.len() + own, "route"),
        counted(spec.upstreams.len(), "upstream"),
    ];
    if !spec.tests.is_empty() {
        parts.push(format!("{} passed", counted(spec.tests.len(), "test")));
    }
    if !spec.assertions.is_empty() {
        parts.push(format!("{} proven", counted(spec.assertions.len(), "assertion")));
    }
    parts.join(", ")
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
