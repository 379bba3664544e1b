//! Where a configuration comes from, so that it can be read again.

use crate::exit::Exit;
use crate::operator::{colors_are_welcome, print, say_plain, terminals};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use strait_config::{Diagnostics, Effective, Format, Loader, Snapshot};

/// Where a configuration is looked for when none is named.
const USUAL_PLACES: [&str; 2] = ["strait.yaml", "/etc/strait/strait.yaml"];

/// A configuration that can be loaded, and loaded again.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    from: Origin,
    /// What goes over it: `path=value`.
    sets: Vec<String>,
    /// A merge patch that goes over that.
    patch: Option<String>,
    /// Texts that stand for files.
    texts: Vec<(PathBuf, String)>,
}

#[derive(Clone, Debug)]
enum Origin {
    /// Files and folders, read as one.
    Paths(Vec<PathBuf>),
    /// A text that was made up, with what messages call it.
    Text { name: &'static str, text: String },
}

/// What goes over the files.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Over {
    /// A value that goes over the files: routes.shop.example.com.to=web (dots between keys, the value in YAML)
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) sets: Vec<String>,
}

impl Source {
    /// The named paths, or the first of the usual places that exists, or the first of them.
    pub(crate) fn of(paths: &[PathBuf]) -> Self {
        if !paths.is_empty() {
            return Origin::Paths(paths.to_vec()).into();
        }
        let usual = USUAL_PLACES.iter().find(|place| Path::new(place).exists()).unwrap_or(&USUAL_PLACES[0]);
        Origin::Paths(vec![usual.into()]).into()
    }

    /// A text that was made up.
    pub(crate) fn text(name: &'static str, text: impl Into<String>) -> Self {
        Origin::Text { name, text: text.into() }.into()
    }

    /// The same with flags over it. Flags can stand for a whole configuration, where there is no file.
    pub(crate) fn with(mut self, over: &Over) -> Self {
        if !over.sets.is_empty() && self.is_nowhere() {
            self.from = Origin::Text { name: "command line", text: String::new() };
        }
        self.sets.extend_from_slice(&over.sets);
        self
    }

    /// The same with a JSON merge patch over it.
    pub(crate) fn patched(mut self, patch: &serde_json::Value) -> Self {
        // YAML reads JSON but for characters that nobody sees.
        let visible = |c: char| match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                format!("\\u{:04x}", u32::from(c))
            }
            _ => c.to_string(),
        };
        self.patch = Some(patch.to_string().chars().map(visible).collect());
        self
    }

    /// The same with the files as they were when this was loaded, whatever they say by now.
    pub(crate) fn frozen(mut self, loaded: &Snapshot) -> Self {
        let files = loaded.sources.files().iter();
        self.texts = files.map(|file| (PathBuf::from(&file.name), file.text.clone())).collect();
        self
    }

    /// Whether nothing was named and nothing is in the usual places.
    pub(crate) fn is_nowhere(&self) -> bool {
        matches!(&self.from, Origin::Paths(paths) if *paths == [PathBuf::from(USUAL_PLACES[0])] && !paths.iter().all(|p| p.exists()))
    }

    /// Loads it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn load(&self) -> Result<Snapshot, Diagnostics> {
        let loader = self.sets.iter().fold(Loader::new(), |loader, flag| loader.set(flag.as_str()));
        let loader = self.texts.iter().fold(loader, |loader, (path, text)| loader.open(path, text.as_str()));
        let loader = self.patch.iter().fold(loader, |loader, patch| loader.patch(patch.as_str()));
        match &self.from {
            Origin::Paths(paths) => loader.load(paths),
            Origin::Text { name, text } => loader.load_str(name, text),
        }
    }

    /// The files and folders that were named; none for a text that was made up.
    pub(crate) fn paths(&self) -> &[PathBuf] {
        match &self.from {
            Origin::Paths(paths) => paths,
            Origin::Text { .. } => &[],
        }
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match &self.from {
            Origin::Paths(paths) => paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
            Origin::Text { name, .. } => (*name).to_owned(),
        }
    }

    /// Prints the effective configuration.
    pub(crate) fn print_config(&self, output: Output) -> Exit {
        match self.load() {
            Ok(snapshot) => {
                let effective = Effective::of(&snapshot);
                print(&match output {
                    Output::Json => format!("{:#}\n", effective.to_json()),
                    _ => effective.to_yaml(),
                });
                Exit::Done
            }
            Err(findings) => output.refuse(&findings),
        }
    }
}

impl From<Origin> for Source {
    fn from(from: Origin) -> Self {
        Self { from, sets: Vec::new(), patch: None, texts: Vec::new() }
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
