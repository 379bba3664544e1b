//! Where a configuration comes from, so that it can be read again.

use crate::exit::Exit;
use crate::operator::{colors_are_welcome, print, say_plain, terminals};
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use strait_config::{Diagnostics, Format, Snapshot, load, load_str};

/// Where a configuration is looked for when none is named.
const USUAL_PLACES: [&str; 2] = ["strait.yaml", "/etc/strait/strait.yaml"];

/// A configuration that can be loaded, and loaded again.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Files and folders, read as one.
    Paths(Vec<PathBuf>),
    /// A text that was made up, with what messages call it.
    Text { name: &'static str, text: String },
}

impl Source {
    /// The named paths, or the first of the usual places that exists, or the first of them.
    pub(crate) fn of(paths: &[PathBuf]) -> Self {
        if !paths.is_empty() {
            return Self::Paths(paths.to_vec());
        }
        let usual = USUAL_PLACES.iter().find(|place| Path::new(place).exists()).unwrap_or(&USUAL_PLACES[0]);
        Self::Paths(vec![usual.into()])
    }

    /// Loads it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn load(&self) -> Result<Snapshot, Diagnostics> {
        match self {
            Self::Paths(paths) => load(paths),
            Self::Text { name, text } => load_str(name, text),
        }
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Paths(paths) => paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
            Self::Text { name, .. } => (*name).to_owned(),
        }
    }
}

/// How findings and answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning (findings only).
    Sarif,
    /// Annotations of GitHub Actions (findings only).
    Github,
}

impl Output {
    /// Shows findings: for people on standard error, for tools on standard output.
    pub(crate) fn show(self, findings: &Diagnostics) {
        match self {
            Self::Text => {
                let colour = terminals().1 && colors_are_welcome();
                say_plain(&findings.render(Format::Text { colour }));
            }
            Self::Json => print(&findings.render(Format::Json)),
            Self::Sarif => print(&findings.render(Format::Sarif)),
            Self::Github => print(&findings.render(Format::Github)),
        }
    }

    /// Shows what deserves a look in a configuration that is about to be served: to people, for a tool would take it
    /// for the first record of the access log.
    pub(crate) fn show_warnings(self, snapshot: &Snapshot) {
        if self == Self::Text && !snapshot.warnings.is_empty() {
            self.show(&snapshot.refuse(Vec::new()));
        }
    }

    /// Shows why a configuration is refused, and gives the exit that says so.
    pub(crate) fn refuse(self, findings: &Diagnostics) -> Exit {
        self.show(findings);
        Exit::Configuration
    }
}
